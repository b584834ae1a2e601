"""What parts of the descriptors, their projection and the ranking are worth, one changed at a time.

Measured on GTZAN's 197 validation tracks, by which they were chosen; what is fitted is fitted on
the 443 training tracks. No network has a part in it: `recsys study levers` is for that.

    OMP_NUM_THREADS=1 python tests/bench/ablation.py --shared SHARED [--csv FILE]

Columns: accuracy and log loss by track of the head (its temperature chosen here); precision@10 and
hit@10 with artist filter; precision@10 of genres left out of training (`recommender.unseen`);
skewness of the 10-occurrence and share never recommended; share of tracks that are the nearest, by
bare cosine, of themselves without treble (`recommender.results.Side.muffled`).
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage

from recommender import gtzan, last_layer, neighbourhood
from recommender.descriptors import equal_parts, slices
from recommender.discriminants import beside, shrunk_discriminants, standardising
from recommender.last_layer import fitted_head
from recommender.measuring import log_loss
from recommender.neighbourhood import Ranking, answering, asking, gathered_catalog, ranking
from recommender.parts import Activations, Parts
from recommender.results import Side, retrieval_report, side_of
from recommender.space import FloatArray
from recommender.steadiness import steady
from recommender.unseen import FOLDS, fold_precision, rows_of

SHARE = 0.2
"""Of the discriminants, as the shipped models have it."""

Order = Callable[[FloatArray], FloatArray | Ranking]
"""From unit vectors [n, d] to what ranks them."""


@dataclass(frozen=True)
class Variant:
    """One row of the table.

    Attributes:
        without: parts of the descriptors that are left out.
        share: of the discriminants.
        shrinkage: of their covariance; None as the models have it.
        head_shrinkage: of the head's.
        muffled: whether recordings without treble have a part in the whitening.
        order: how vectors are ranked.
    """

    name: str
    without: tuple[str, ...] = ()
    share: float = SHARE
    shrinkage: float | None = None
    head_shrinkage: float | None = None
    muffled: bool = True
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
    muffled: float


def ranked_with(vectors: FloatArray, **constants: float) -> Ranking:
    """With other constants of `neighbourhood`."""
    with patch.multiple(neighbourhood, **constants):
        return ranking(vectors)


def only_gathered(vectors: FloatArray) -> FloatArray:
    return gathered_catalog(vectors)[0]


def only_evened(vectors: FloatArray) -> Ranking:
    return Ranking(asking(vectors), answering(vectors))


def variants(estimated: float) -> Iterator[Variant]:
    """All rows; `estimated` is the shrinkage that Ledoit & Wolf estimate."""
    yield Variant("as shipped")
    yield Variant("without small patches", ("small patches",))
    yield Variant("without tall patches", ("tall patches",))
    yield Variant("without either", ("small patches", "tall patches"))
    told = f"shrinkage as Ledoit & Wolf estimate ({estimated:.2f})"
    yield Variant(told, shrinkage=estimated, head_shrinkage=estimated)
    yield Variant("shrinkage .9 for both", shrinkage=0.9, head_shrinkage=0.9)
    yield Variant("shrinkage .5 for both", shrinkage=0.5, head_shrinkage=0.5)
    yield Variant("whitened without muffled copies", muffled=False)
    yield Variant("no discriminants", share=0.0)
    yield Variant("discriminants alone", share=1.0)
    yield Variant("bare cosines", order=lambda vectors: vectors)
    yield Variant("gathered, not evened", order=only_gathered)
    yield Variant("evened, not gathered", order=only_evened)
    for count in (5, 20):
        yield Variant(f"{count} neighbours", order=partial(ranked_with, NEIGHBOURS=count))
    for pull in (0.25, 1.0):
        yield Variant(f"pull {pull:g}", order=partial(ranked_with, PULL=pull))


def fitted(
    variant: Variant, known: Side, labels: np.ndarray, chosen: np.ndarray
) -> Callable[[FloatArray], FloatArray]:
    """From descriptors to unit vectors, by what was fitted on the `chosen` tracks of a side."""
    kept = np.ones(len(equal_parts()), dtype=bool)
    for name in variant.without:
        kept[slices()[name]] = False
    tracks, clips = known.descriptions
    values = tracks[chosen][:, kept]
    parts, shares = [], []
    if variant.share < 1:
        muffled = known.muffled[chosen][:, kept] if variant.muffled else None
        own_clips = clips[chosen][:, :, kept]
        parts.append(steady(values, own_clips, equal_parts()[kept], muffled=muffled))
        shares.append(1 - variant.share)
    if variant.share > 0:
        given = {} if variant.shrinkage is None else {"shrinkage": variant.shrinkage}
        parts.append(shrunk_discriminants(values, labels[chosen], **given))
        shares.append(variant.share)
    projection = beside(parts, shares, values)
    return lambda described: projection.apply(described[:, kept])


def measured(variant: Variant, data: gtzan.Gtzan, known: Side, asked: Side) -> Row:
    labels, rows = known.tracks.labels, rows_of(data, "valid")
    embed = fitted(variant, known, labels, np.arange(len(labels)))
    vectors, muffled = embed(asked.descriptions[0]), embed(asked.muffled)
    found = (muffled @ vectors.T).argmax(axis=1) == np.arange(len(vectors))
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
    accuracy, loss = head_figures(variant, known, asked)
    return Row(
        variant.name,
        accuracy,
        loss,
        overall.precision.value,
        overall.hit.value,
        float(np.mean(folds)),
        report.hubness.skewness,
        report.hubness.never,
        float(found.mean()),
    )


def head_figures(variant: Variant, known: Side, asked: Side) -> tuple[float, float]:
    kept = [s for name, s in slices().items() if name not in variant.without]

    def activations(side: Side) -> Activations:
        tracks, clips = side.descriptions
        chosen = np.concatenate([np.arange(s.start, s.stop) for s in kept])
        whole = Parts((), slice(0, len(chosen)))
        return Activations(tracks[:, chosen], clips[:, :, chosen], whole)

    shrinkage = variant.head_shrinkage or last_layer.DESCRIPTOR_SHRINKAGE
    ours, theirs = activations(known), activations(asked)
    with patch.object(last_layer, "DESCRIPTOR_SHRINKAGE", shrinkage):
        head, _ = fitted_head(ours, known.tracks.labels, theirs, asked.tracks.labels)
    probabilities, labels = head.probabilities(theirs.tracks), asked.tracks.labels
    return float((probabilities.argmax(axis=1) == labels).mean()), log_loss(probabilities, labels)


def estimated_shrinkage(known: Side) -> float:
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
    known, asked = side_of(data, "filtered", "train"), side_of(data, "filtered", "valid")
    print(
        "| changed | accuracy, % | log loss | precision@10 | hit@10 | unseen genres | skewness "
        "| never, % | muffled found, % |\n|" + 9 * "---|"
    )
    rows = []
    for variant in variants(estimated_shrinkage(known)):
        row = measured(variant, data, known, asked)
        rows.append(row)
        print(
            f"| {row.changed} | {100 * row.accuracy:.1f} | {row.log_loss:.3f} "
            f"| {row.precision:.3f} | {row.hit:.3f} | {row.unseen:.3f} | {row.skewness:.2f} "
            f"| {100 * row.never:.1f} | {100 * row.muffled:.1f} |",
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
