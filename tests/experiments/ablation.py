"""What parts of the descriptors, their projection and the ranking are worth, one changed at a time.

GTZAN's 197 validation tracks are few, and four of their genres are by one or two artists. So the
640 training and validation tracks together are divided by artist, twice, in two halves: what is
learned from one half is asked of the other, which makes four artist_folds whose mean is taken. No test
track is read. The columns *valid* are of the 197 validation tracks after the 443 training tracks.
No network has a part in it: `heads.py` and `recsys study levers` are for that.

    OMP_NUM_THREADS=1 python tests/experiments/ablation.py --shared SHARED [--csv FILE]

Columns: accuracy and log loss by track of the head of descriptors whitened so, always with as many
components as `last_layer` takes (its temperature chosen where it is measured); precision@10 and
hit@10 with artist filter; precision@10 of genres left out of training (`leave_genres_out`);
skewness of the 10-occurrence and share never recommended; share of tracks that are the nearest, by
bare cosine, of themselves without treble (`model_building.results.SplitTracks.low_passed`).
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.model_selection import StratifiedGroupKFold

from recommender.embedding.projection import Projection
from recommender.features.descriptors import DIMENSION, slices
from recommender.projections import wccn
from recommender.projections.lda import concatenate, fit_lda, standardising
from recommender.projections.wccn import fit_wccn
from recommender.research.datasets import gtzan
from recommender.research.model_building import head_fitting
from recommender.research.model_building.activations import Activations, ActivationLayout
from recommender.research.model_building.head_fitting import fitted_head
from recommender.research.model_building.leave_genres_out import FOLDS, fold_precision, rows_of
from recommender.research.model_building.results import (
    SplitTracks,
    retrieval_report,
    load_split,
    load_tracks,
)
from recommender.research.training.inference import log_loss
from recommender.search.reranking import (
    Ranking,
    RerankingSettings,
    augmented_database,
    database_vectors,
    query_vectors,
    ranking,
)
from recommender.utils.arrays import FloatArray

SHARE = 0.15
"""Of the discriminants, as the shipped models have it."""

REPETITIONS = 2
"""Divisions in halves."""

Order = Callable[[FloatArray], FloatArray | Ranking]
"""From unit vectors [n, d] to what ranks them."""


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        without: parts of the descriptors that are left out.
        share: of the discriminants.
        shrinkage: of their covariance; None as the models have it.
        low_passed: whether recordings without treble have a part in the whitening.
        artists: whether what differs within artists has.
        recordings: what varies within recordings counts against artists and low_passed copies.
        identity: share of the identity in the whitening.
        components: that are whitened.
        alike: whether every part counts alike before, whatever its size.
        order: how vectors are ranked.
    """

    name: str
    without: tuple[str, ...] = ()
    share: float = SHARE
    shrinkage: float | None = None
    low_passed: bool = True
    artists: bool = True
    recordings: int = wccn.RECORDINGS
    identity: float = wccn.SHRINKAGE
    components: int = wccn.COMPONENTS
    alike: bool = False
    order: Order = ranking


@dataclass(frozen=True)
class Row:
    changed: str
    accuracy: float
    log_loss: float
    precision: float
    hit: float
    unseen: float
    skewness: float
    never: float
    low_passed: float
    valid_precision: float
    valid_hit: float
    valid_unseen: float


FIGURES = ("accuracy", "log_loss", "precision", "hit", "unseen", "skewness", "never", "low_passed")


def only_gathered(vectors: FloatArray) -> FloatArray:
    return augmented_database(vectors)[0]


def only_evened(vectors: FloatArray) -> Ranking:
    return Ranking(query_vectors(vectors), database_vectors(vectors))


def variants(estimated: float) -> Iterator[Variant]:
    """All rows; `estimated` is the shrinkage that Ledoit & Wolf estimate."""
    yield Variant("as shipped")
    yield Variant("without small patches", ("small patches",))
    yield Variant("without tall patches", ("tall patches",))
    yield Variant("without either", ("small patches", "tall patches"))
    yield Variant("without cepstra", tuple(name for name in slices() if "cepstral" in name))
    as_estimated = f"shrunk as Ledoit & Wolf estimate ({estimated:.2f})"
    yield Variant("whitened without artists", artists=False)
    yield Variant("whitened without recordings", recordings=0)
    yield Variant("whitened without low_passed copies", low_passed=False)
    yield Variant("whitened by shrinkage .15", identity=0.15)
    yield Variant("whitened by shrinkage .6", identity=0.6)
    for components in (150, 450):
        yield Variant(f"{components} components whitened", components=components)
    yield Variant("every part counts alike", alike=True)
    told = "every part alike, shrinkage .75, no artists, discriminants .2"
    yield Variant(told, share=0.2, artists=False, alike=True, identity=0.75)
    yield Variant("without discriminants", share=0.0)
    for share in (0.05, 0.1, 0.2, 0.3):
        yield Variant(f"discriminants, share {share:g}", share=share)
    yield Variant(f"discriminants {as_estimated}", shrinkage=estimated)
    yield Variant("discriminants shrunk by .9", shrinkage=0.9)
    yield Variant("discriminants alone", share=1.0)
    yield Variant("bare cosines", order=lambda vectors: vectors)
    yield Variant("expanded, not evened", order=only_gathered)
    yield Variant("evened, not expanded", order=only_evened)
    for count in (5, 20):
        neighbours = RerankingSettings(k=count)
        yield Variant(f"{count} neighbours", order=partial(ranking, settings=neighbours))
    for alpha in (0.25, 1.0):
        expansion = RerankingSettings(alpha=alpha)
        yield Variant(f"alpha {alpha:g}", order=partial(ranking, settings=expansion))


def weighing_alike(kept: np.ndarray) -> Callable[[FloatArray, np.ndarray], Projection]:
    """`standardising`, after which each part has the same squared length, whatever its size."""
    sizes = [where.stop - where.start for where in slices().values()]
    weights = np.concatenate([np.full(size, size**-0.5) for size in sizes])[kept]

    def standardised(values: FloatArray, labels: np.ndarray) -> Projection:
        scale = standardising(values, labels)
        return Projection(scale.mean, (scale.matrix * weights).astype(np.float32))

    return standardised


def whitened(
    variant: Variant, known: SplitTracks, chosen: np.ndarray, kept: np.ndarray, components: int
) -> Projection:
    tracks, clips = known.descriptions
    artists = np.array(known.artists)[chosen].tolist() if variant.artists else ()
    low_passed = known.low_passed[chosen][:, kept] if variant.low_passed else None
    scaling = weighing_alike(kept) if variant.alike else standardising
    with patch.multiple(wccn, standardising=scaling, RECORDINGS=variant.recordings):
        return fit_wccn(
            tracks[chosen][:, kept],
            clips[chosen][:, :, kept],
            artists,
            low_passed,
            components,
            variant.identity,
        )


def kept_by(variant: Variant) -> np.ndarray:
    """Which descriptors a variant has."""
    kept = np.ones(DIMENSION, dtype=bool)
    for name in variant.without:
        kept[slices()[name]] = False
    return kept


def fitted(
    variant: Variant, known: SplitTracks, labels: np.ndarray, chosen: np.ndarray
) -> Callable[[FloatArray], FloatArray]:
    """From descriptors to unit vectors, by what was fitted on the `chosen` tracks of a side."""
    kept = kept_by(variant)
    values = known.descriptions[0][chosen][:, kept]
    parts, shares = [], []
    if variant.share < 1:
        parts.append(whitened(variant, known, chosen, kept, variant.components))
        shares.append(1 - variant.share)
    if variant.share > 0:
        given = {} if variant.shrinkage is None else {"shrinkage": variant.shrinkage}
        parts.append(fit_lda(values, labels[chosen], **given))
        shares.append(variant.share)
    projection = concatenate(parts, shares, values)
    return lambda described: projection.apply(described[:, kept])


def artist_folds(data: gtzan.Gtzan) -> list[tuple[SplitTracks, SplitTracks]]:
    """What is learned from and what is asked: halves of training and validation tracks."""
    ids = [data.track_ids[row] for side in ("train", "valid") for row in rows_of(data, side)]
    genres = [track_id.partition(".")[0] for track_id in ids]
    artists = [gtzan.artists()[track_id] or track_id for track_id in ids]
    found = []
    for seed in range(REPETITIONS):
        halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
        for rows in halves.split(ids, genres, artists):
            learned, asked = ([ids[row] for row in chosen] for chosen in rows)
            found.append((load_tracks(data, learned), load_tracks(data, asked)))
    return found


def measured(
    variant: Variant,
    data: gtzan.Gtzan,
    divided: Sequence[tuple[SplitTracks, SplitTracks]],
    official: tuple[SplitTracks, SplitTracks],
) -> Row:
    figures = np.mean([figures_of(variant, data, *sides) for sides in divided], axis=0)
    valid = figures_of(variant, data, *official)
    places = [FIGURES.index(name) for name in ("precision", "hit", "unseen")]
    return Row(variant.name, *figures.tolist(), *(valid[place] for place in places))


def figures_of(variant: Variant, data: gtzan.Gtzan, known: SplitTracks, asked: SplitTracks) -> list[float]:
    """The figures `FIGURES` of one division."""
    labels = known.tracks.labels
    rows = data.select(asked.ids, gtzan.CORRUPT_IN_CIRCULATION)
    embed = fitted(variant, known, labels, np.arange(len(labels)))
    vectors, low_passed = embed(asked.descriptions[0]), embed(asked.low_passed)
    found = (low_passed @ vectors.T).argmax(axis=1) == np.arange(len(vectors))
    report = retrieval_report(variant.order(vectors), asked)
    assert report.with_filter is not None
    overall = report.with_filter.overall
    folds = []
    for left_out in FOLDS:
        chosen = np.flatnonzero(~np.isin([gtzan.GENRES[label] for label in labels], left_out))
        own = labels.copy()
        own[chosen] = np.unique(labels[chosen], return_inverse=True)[1]
        there = fitted(variant, known, own, chosen)(asked.descriptions[0])
        folds.append(fold_precision(data, variant.order(there), rows, left_out))
    return [
        *head_figures(variant, known, asked),
        overall.precision.value,
        overall.hit.value,
        float(np.mean(folds)),
        report.hubness.skewness,
        report.hubness.never,
        float(found.mean()),
    ]


def head_figures(variant: Variant, known: SplitTracks, asked: SplitTracks) -> tuple[float, float]:
    """Accuracy and log loss of the head, its descriptors whitened as the variant has it."""
    kept = kept_by(variant)

    def activations(side: SplitTracks) -> Activations:
        tracks, clips = side.descriptions
        return Activations(tracks[:, kept], clips[:, :, kept], ActivationLayout((), slice(0, kept.sum())))

    def whitened_so(ours: Activations, labels: np.ndarray, components: int) -> Projection:
        return whitened(variant, known, np.arange(len(labels)), kept, components)

    ours, theirs = activations(known), activations(asked)
    with patch.object(head_fitting, "descriptor_wccn", whitened_so):
        head, _ = fitted_head(ours, known.tracks.labels, theirs, asked.tracks.labels)
    probabilities, labels = head.probabilities(theirs.tracks), asked.tracks.labels
    return float((probabilities.argmax(axis=1) == labels).mean()), log_loss(probabilities, labels)


def estimated_shrinkage(known: SplitTracks) -> float:
    """Ledoit & Wolf's, of the standardised descriptors within genres."""
    tracks, labels = known.descriptions[0], known.tracks.labels
    scale = standardising(tracks, labels)
    values = (tracks - scale.mean) @ scale.matrix
    means = np.stack([values[labels == label].mean(axis=0) for label in np.unique(labels)])
    return float(ledoit_wolf_shrinkage(values - means[labels], assume_centered=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--csv", type=Path, help="write the rows here too")
    args = parser.parse_args()
    data = gtzan.load(args.shared / "gtzan" / "gtzan_logmel.npz")
    official = load_split(data, "filtered", "train"), load_split(data, "filtered", "valid")
    divided = artist_folds(data)
    print(
        "| changed | accuracy, % | log loss | precision@10 | hit@10 | unseen genres | skewness "
        "| never, % | low_passed found, % | valid: precision@10 | hit@10 | unseen genres |"
    )
    print("|" + 12 * "---|")
    rows = []
    for variant in variants(estimated_shrinkage(official[0])):
        row = measured(variant, data, divided, official)
        rows.append(row)
        print(
            f"| {row.changed} | {100 * row.accuracy:.1f} | {row.log_loss:.3f} "
            f"| {row.precision:.3f} | {row.hit:.3f} | {row.unseen:.3f} | {row.skewness:.2f} "
            f"| {100 * row.never:.1f} | {100 * row.low_passed:.1f} "
            f"| {row.valid_precision:.3f} | {row.valid_hit:.3f} | {row.valid_unseen:.3f} |",
            flush=True,
        )
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, [f.name for f in fields(Row)], lineterminator="\n")
            writer.writeheader()
            for row in rows:
                plain = asdict(row)
                writer.writerow(
                    {n: v if isinstance(v, str) else round(v, 4) for n, v in plain.items()}
                )


if __name__ == "__main__":
    main()
