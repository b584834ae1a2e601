"""How the network counts in the recommendation: projections of network and descriptors together.

Reads what `network_activations.py` stored; numpy and SciPy from there on.

    OMP_NUM_THREADS=1 python tests/experiments/joint_whitening.py --store FOLDER [--csv FILE] \
        [--only NAME …] [--figures folds valid genres] [--test] [--five]

Columns, of lists as recommended (reranked) with artist filter unless they say *cosine*:

*folds*: the four artist folds of `ablation.py`, the network trained in each; *valid*: the 197
validation tracks after fitting on the 443 training tracks, mean of five seeds; *held-out genres*:
queries of genres left out of the network's training and of everything fitted, among the validation
tracks, mean of four folds and of the seeds that are trained. With `--test`, the 290 test tracks
instead, mean and deviation of five seeds, and held-out genres among the 487.

The rule, written before any test figure of these variants was read. The score is the mean of the
precisions of *folds* and *valid*. A variant may be chosen if (1) held-out genres are at most .005
below those of descriptors alone, and (2) at most .005 fewer low-pass filtered copies are found.
Among those within .005 of the highest score, which chance would explain, the one that finds most of
held-out genres is chosen. One that needs activations that catalogues do not hold (*inner*) would
have to gain .015. The second half of the rule is younger than the first: once the single changes
had been seen, "a simpler variant unless both precisions are higher" was replaced.
"""

import argparse
import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from joint_variants import Variant, variants
from joint_worlds import Stored, World, figures

from recommender.evaluation.report import evaluate_retrieval
from recommender.search.reranking import ranking
from recommender.utils.arrays import unit_rows

NAMES = ("folds", "valid", "genres")
"""Kinds of figures by which a choice is made."""

CHOSEN = "150 components, NCA 0.03, LDA 0.15, network 0.7"

COLUMNS = {
    "precision": "P@10",
    "cosine_precision": "cosine P@10",
    "hit": "hit@10",
    "skewness": "skewness",
    "anti_hub_rate": "anti-hub rate",
    "low_passed_found": "low-passed found",
}
"""Of `folds` and `valid`; of held-out genres the first two."""

TESTED = ("precision", "cosine_precision", "hit", "skewness", "anti_hub_rate")


def first_of_each(worlds: Sequence[World]) -> list[World]:
    """One world of those whose tracks are the same."""
    by_tracks = {(tuple(w.training.ids), tuple(w.gallery.ids)): w for w in reversed(worlds)}
    return [world for world in worlds if world in by_tracks.values()]


def selected(names: Sequence[str] | None) -> list[Variant]:
    """All; or those of some names, or whose names begin so where none has exactly that name."""
    every = list(variants())
    exact = {variant.name for variant in every}

    def meant(variant: Variant, name: str) -> bool:
        return variant.name == name if name in exact else variant.name.startswith(name)

    return [v for v in every if not names or any(meant(v, name) for name in names)]


def row_of(variant: Variant, worlds: dict[str, list[World]]) -> dict[str, float | str]:
    """Means over the worlds of each name."""
    row: dict[str, float | str] = {"variant": variant.name}
    for name, members in worlds.items():
        usable = members if variant.chance else first_of_each(members)
        found = [figures(world, variant) for world in usable]
        shown = list(COLUMNS) if name != "genres" else ["precision", "cosine_precision"]
        for column in shown:
            row[f"{name}_{column}"] = float(np.mean([one[column] for one in found]))
    return row


def test_row(variant: Variant, stored: Stored) -> dict[str, float | str]:
    """Mean and deviation over the seeds."""
    row: dict[str, float | str] = {"variant": variant.name}
    worlds = [stored.official("test"), stored.held_out("valid+test")]
    official, held_out = worlds if variant.chance else map(first_of_each, worlds)
    found = [figures(world, variant) for world in official]
    for column in TESTED:
        values = [one[column] for one in found]
        row[f"test_{column}"] = float(np.mean(values))
        row[f"test_{column}_sd"] = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    genres = [figures(world, variant) for world in held_out]
    for column in ("precision", "cosine_precision"):
        row[f"genres_test_{column}"] = float(np.mean([one[column] for one in genres]))
    return row


def five_networks(stored: Stored) -> None:
    """Print precision on the validation tracks of five networks together, as chosen for one.

    *Jointly*: one vector of all activations, with the factor of one network, and with one by which
    the five have the weight of one. *Mean of the similarities*: of the five embeddings.
    """
    chosen, world = next(v for v in variants() if v.name == CHOSEN), stored.five("valid")
    for factor in (chosen.network, chosen.network / 5**0.5):
        found = figures(world, replace(chosen, network=factor))
        print(f"five jointly, network {factor:.2f}: {found['precision']:.3f}")
    vectors = [chosen.vectors(one)[0] for one in stored.official("valid")]
    together = unit_rows(np.concatenate(vectors, axis=1))
    report = evaluate_retrieval(
        ranking(together), world.gallery.genres, world.gallery.artists, k=10, bootstrap=0
    )
    assert report.with_filter is not None
    print(f"mean of the similarities: {report.with_filter.overall.precision.value:.3f}")


def write(path: Path, rows: Sequence[dict[str, float | str]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({n: v if isinstance(v, str) else round(v, 4) for n, v in row.items()})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, required=True, help="of network_activations.py")
    parser.add_argument("--only", action="append", help="a name, or its beginning")
    parser.add_argument("--figures", nargs="+", choices=NAMES, default=NAMES, help="these alone")
    parser.add_argument("--test", action="store_true", help="the test tracks: for reported rows")
    parser.add_argument("--five", action="store_true", help="five networks, on valid alone")
    parser.add_argument("--csv", type=Path, help="write the rows here too")
    args = parser.parse_args()
    stored = Stored(args.store)
    worlds = {} if args.test else {n: w for n, w in stored.worlds().items() if n in args.figures}
    print({name: len(members) for name, members in worlds.items()}, flush=True)
    rows: list[dict[str, float | str]] = []
    if args.five:
        five_networks(stored)
        return
    for variant in selected(args.only):
        row = test_row(variant, stored) if args.test else row_of(variant, worlds)
        rows.append(row)
        cells = (value if isinstance(value, str) else f"{value:.3f}" for value in row.values())
        if len(rows) == 1:
            print("| " + " | ".join(row) + " |\n|" + len(row) * "---|")
        print("| " + " | ".join(cells) + " |", flush=True)
        if args.csv:
            write(args.csv, rows)


if __name__ == "__main__":
    main()
