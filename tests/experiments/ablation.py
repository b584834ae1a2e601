"""Ablation of the descriptors, their projection and the reranking, one thing changed at a time.

GTZAN's 197 validation tracks are few, and four of their genres are by one or two artists. So the
640 training and validation tracks together are split by artist, twice, in two halves: what is
fitted on one half is evaluated on the other, which makes four artist folds whose mean is taken. No
test track is read. The columns *valid* are of the 197 validation tracks after fitting on the 443
training tracks. No network is involved: `heads.py` and `recsys study ablation` are for that.

    OMP_NUM_THREADS=1 python tests/experiments/ablation.py --shared SHARED [--csv FILE]

Columns: accuracy and log loss by track of the head on descriptors, always with as many components
as `head_fitting` takes (its temperature chosen on the evaluated half); precision@10 and hit@10 with
artist filter; precision@10 of held-out genres (`leave_genres_out`); skewness of the 10-occurrence
and anti-hub rate; part of the tracks that are the nearest, by plain cosine, of their low-pass
filtered copies.
"""

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.model_selection import StratifiedGroupKFold

from recommender.embedding.projection import Projection
from recommender.features.descriptors import DIMENSION, slices
from recommender.projections.lda import Scaling, concatenate, fit_lda, standard_scale
from recommender.projections.wccn import WccnSettings, fit_wccn
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import ActivationLayout, Activations
from recommender.research.model_building.head_fitting import HEAD_WCCN, HeadSettings, fit_head
from recommender.research.model_building.leave_genres_out import FOLDS, Gallery
from recommender.research.model_building.results import retrieval_report
from recommender.research.model_building.split_tracks import (
    SplitTracks,
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

LDA_WEIGHT = 0.15
"""As in the shipped models."""

BASELINE = WccnSettings(components=300)
"""What one thing is changed of; the shipped models have half as many components, and NCA."""

REPETITIONS = 2
"""Of the split in halves."""

Order = Callable[[FloatArray], FloatArray | Ranking]
"""From unit vectors [n, d] to what ranks them."""


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        without: parts of the descriptors that are left out.
        lda_weight: of the linear discriminants.
        shrinkage: of their covariance; None as in the models.
        low_passed, artists: whether WCCN uses low-pass filtered copies, and artists.
        wccn: settings.
        equal_parts: whether every part of the descriptors has the same length before WCCN.
        order: how vectors are ranked.
    """

    name: str
    without: tuple[str, ...] = ()
    lda_weight: float = LDA_WEIGHT
    shrinkage: float | None = None
    low_passed: bool = True
    artists: bool = True
    wccn: WccnSettings = BASELINE
    equal_parts: bool = False
    order: Order = ranking


@dataclass(frozen=True)
class Row:
    variant: str
    accuracy: float
    log_loss: float
    precision: float
    hit: float
    held_out_genres: float
    skewness: float
    anti_hub_rate: float
    low_passed_found: float
    valid_precision: float
    valid_hit: float
    valid_held_out_genres: float


FIGURES = (
    "accuracy",
    "log_loss",
    "precision",
    "hit",
    "held_out_genres",
    "skewness",
    "anti_hub_rate",
    "low_passed_found",
)


def only_augmented(vectors: FloatArray) -> FloatArray:
    return augmented_database(vectors)[0]


def only_hubness_reduced(vectors: FloatArray) -> Ranking:
    return Ranking(query_vectors(vectors), database_vectors(vectors))


def variants(estimated: float) -> Iterator[Variant]:
    """All rows; `estimated` is the shrinkage that Ledoit & Wolf estimate."""
    yield Variant("baseline")
    yield Variant("without small patches", ("small patches",))
    yield Variant("without tall patches", ("tall patches",))
    yield Variant("without patches", ("small patches", "tall patches"))
    yield Variant("without cepstra", tuple(name for name in slices() if "cepstral" in name))
    yield Variant("WCCN without artists", artists=False)
    yield Variant("WCCN without recordings", wccn=replace(BASELINE, recordings=0))
    yield Variant("WCCN without low-passed copies", low_passed=False)
    for shrinkage in (0.15, 0.6):
        yield Variant(f"WCCN shrinkage {shrinkage:g}", wccn=replace(BASELINE, shrinkage=shrinkage))
    for components in (150, 450):
        settings = replace(BASELINE, components=components)
        yield Variant(f"WCCN of {components} components", wccn=settings)
    yield Variant("equal WCCN weights", equal_parts=True)
    yield Variant(
        "equal WCCN weights, shrinkage 0.75, no artists, LDA 0.2",
        lda_weight=0.2,
        artists=False,
        equal_parts=True,
        wccn=replace(BASELINE, shrinkage=0.75),
    )
    yield Variant("without LDA", lda_weight=0.0)
    for weight in (0.05, 0.1, 0.2, 0.3):
        yield Variant(f"LDA weight {weight:g}", lda_weight=weight)
    yield Variant(f"LDA with Ledoit-Wolf shrinkage ({estimated:.2f})", shrinkage=estimated)
    yield Variant("LDA shrinkage 0.9", shrinkage=0.9)
    yield Variant("LDA alone", lda_weight=1.0)
    yield Variant("plain cosine", order=lambda vectors: vectors)
    yield Variant("database-side augmentation alone", order=only_augmented)
    yield Variant("hubness reduction alone", order=only_hubness_reduced)
    for count in (5, 20):
        neighbours = RerankingSettings(k=count)
        yield Variant(f"{count} neighbours", order=partial(ranking, settings=neighbours))
    for alpha in (0.25, 1.0):
        expansion = RerankingSettings(alpha=alpha)
        yield Variant(f"alpha {alpha:g}", order=partial(ranking, settings=expansion))


def equal_part_scaling(columns: np.ndarray) -> Scaling:
    """`standard_scale`, after which each part has the same squared length."""
    sizes = [where.stop - where.start for where in slices().values()]
    weights = np.concatenate([np.full(size, size**-0.5) for size in sizes])[columns]
    return lambda values: (standard_scale(values) * weights).astype(np.float32)


def variant_wccn(
    variant: Variant,
    train: SplitTracks,
    rows: np.ndarray,
    columns: np.ndarray,
    settings: WccnSettings,
) -> Projection:
    low_passed = train.low_passed_descriptors[rows][:, columns] if variant.low_passed else None
    return fit_wccn(
        train.descriptors[rows][:, columns],
        train.clip_descriptors[rows][:, :, columns],
        np.array(train.artists)[rows].tolist() if variant.artists else (),
        low_passed,
        settings,
        equal_part_scaling(columns) if variant.equal_parts else standard_scale,
    )


def columns_of(variant: Variant) -> np.ndarray:
    """Which descriptors a variant has."""
    columns = np.ones(DIMENSION, dtype=bool)
    for name in variant.without:
        columns[slices()[name]] = False
    return columns


def fitted(
    variant: Variant, train: SplitTracks, labels: np.ndarray, rows: np.ndarray
) -> Callable[[FloatArray], FloatArray]:
    """From descriptors to unit vectors, fitted on some rows of a split."""
    columns = columns_of(variant)
    values = train.descriptors[rows][:, columns]
    parts, weights = [], []
    if variant.lda_weight < 1:
        parts.append(variant_wccn(variant, train, rows, columns, variant.wccn))
        weights.append(1 - variant.lda_weight)
    if variant.lda_weight > 0:
        given = {} if variant.shrinkage is None else {"shrinkage": variant.shrinkage}
        parts.append(fit_lda(values, labels[rows], **given))
        weights.append(variant.lda_weight)
    projection = concatenate(parts, weights, values)
    return lambda descriptors: projection.apply(descriptors[:, columns])


def artist_folds(data: gtzan.Gtzan) -> list[tuple[SplitTracks, SplitTracks]]:
    """Training and evaluation halves of the training and validation tracks, split by artist."""
    ids = [
        track_id
        for name in ("train", "valid")
        for track_id in load_split(data, "filtered", name).ids
    ]
    return [
        (load_tracks(data, train), load_tracks(data, valid))
        for train, valid in artist_fold_ids(ids)
    ]


def artist_fold_ids(ids: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """The same as ids of the tracks; `ids` are those of train, then of valid."""
    genres = [gtzan.genre_of(track_id) for track_id in ids]
    artists = [gtzan.artists()[track_id] or track_id for track_id in ids]
    found = []
    for seed in range(REPETITIONS):
        halves = StratifiedGroupKFold(2, shuffle=True, random_state=seed)
        for rows in halves.split(ids, genres, artists):
            train, valid = ([ids[row] for row in half] for half in rows)
            found.append((train, valid))
    return found


def evaluated(
    variant: Variant,
    folds: Sequence[tuple[SplitTracks, SplitTracks]],
    official: tuple[SplitTracks, SplitTracks],
) -> Row:
    figures = np.mean([figures_of(variant, *splits) for splits in folds], axis=0)
    valid = figures_of(variant, *official)
    columns = [FIGURES.index(name) for name in ("precision", "hit", "held_out_genres")]
    return Row(variant.name, *figures.tolist(), *(valid[column] for column in columns))


def figures_of(variant: Variant, train: SplitTracks, valid: SplitTracks) -> list[float]:
    """The figures `FIGURES` of one fold."""
    labels, gallery = train.tracks.labels, Gallery("valid", valid)
    embed = fitted(variant, train, labels, np.arange(len(labels)))
    vectors, low_passed = embed(valid.descriptors), embed(valid.low_passed_descriptors)
    found = (low_passed @ vectors.T).argmax(axis=1) == np.arange(len(vectors))
    report = retrieval_report(variant.order(vectors), valid)
    assert report.with_filter is not None
    overall = report.with_filter.overall
    precisions = []
    for held_out in FOLDS:
        rows = np.flatnonzero(~np.isin(train.genres, held_out))
        own = labels.copy()
        own[rows] = np.unique(labels[rows], return_inverse=True)[1]
        of_fold = fitted(variant, train, own, rows)(valid.descriptors)
        precisions.append(gallery.precision(variant.order(of_fold), held_out))
    return [
        *head_figures(variant, train, valid),
        overall.precision.value,
        overall.hit.value,
        float(np.mean(precisions)),
        report.hubness.skewness,
        report.hubness.anti_hub_rate,
        float(found.mean()),
    ]


def head_figures(variant: Variant, train: SplitTracks, valid: SplitTracks) -> tuple[float, float]:
    """Accuracy and log loss of the head on the variant's descriptors."""
    columns = columns_of(variant)

    def activations(split: SplitTracks) -> Activations:
        layout = ActivationLayout((), slice(0, int(columns.sum())))
        clips = split.clip_descriptors[:, :, columns]
        return Activations(split.descriptors[:, columns], clips, layout)

    def project(ours: Activations, labels: np.ndarray, settings: WccnSettings) -> Projection:
        own = replace(variant.wccn, components=settings.components)
        return variant_wccn(variant, train, np.arange(len(labels)), columns, own)

    ours, theirs = activations(train), activations(valid)
    labels = valid.tracks.labels
    settings = HeadSettings(project_descriptors=project, wccn=HEAD_WCCN)
    head, _ = fit_head(ours, train.tracks.labels, theirs, labels, settings)
    probabilities = head.probabilities(theirs.tracks)
    return float((probabilities.argmax(axis=1) == labels).mean()), log_loss(probabilities, labels)


def estimated_shrinkage(train: SplitTracks) -> float:
    """Ledoit & Wolf's, of the standardised descriptors within genres."""
    tracks, labels = train.descriptors, train.tracks.labels
    values = (tracks - tracks.mean(axis=0)) * standard_scale(tracks)
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
    folds = artist_folds(data)
    print(
        "| variant | accuracy, % | log loss | precision@10 | hit@10 | held-out genres | skewness "
        "| anti-hubs, % | low-passed found, % | valid: precision@10 | hit@10 | held-out genres |"
    )
    print("|" + 12 * "---|")
    rows = []
    for variant in variants(estimated_shrinkage(official[0])):
        row = evaluated(variant, folds, official)
        rows.append(row)
        print(
            f"| {row.variant} | {100 * row.accuracy:.1f} | {row.log_loss:.3f} "
            f"| {row.precision:.3f} | {row.hit:.3f} | {row.held_out_genres:.3f} "
            f"| {row.skewness:.2f} "
            f"| {100 * row.anti_hub_rate:.1f} | {100 * row.low_passed_found:.1f} "
            f"| {row.valid_precision:.3f} | {row.valid_hit:.3f} "
            f"| {row.valid_held_out_genres:.3f} |",
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
