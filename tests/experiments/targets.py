"""The models side by side: accuracy, neighbours, held-out genres, changed copies, hubness.

Everything is read from what was measured and committed: `recsys train NAME` writes a row a seed
(data/results/NAME-filtered.csv), `transforms.py --write` the copies (data/results/transforms).

    python tests/experiments/targets.py [--results data/results] [--model NAME …]

A figure is the mean over seeds ± its sample deviation, and in brackets the 95 % interval of that
mean (Student's t). A model that involves no chance has one row, and neither. Chance in the 290 test
tracks themselves is larger than either: ± 5.5 points of accuracy.
"""

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

ROWS = {
    "accuracy by track, 290 test tracks, %": ("test_track", 100, 1),
    "of the 264 artist-disjoint ones, %": ("disjoint_track", 100, 1),
    "precision@10, artist filter": ("test_precision", 1, 3),
    "at least one of the genre in 10, %": ("test_hit", 100, 1),
    "precision@10 of held-out genres": ("held_out_genres_test", 1, 3),
    "skewness of the 10-occurrence": ("test_skewness", 1, 2),
    "anti-hub rate, %": ("test_anti_hub_rate", 100, 1),
    "expected calibration error": ("test_ece", 1, 3),
}
"""Column of the results, factor and digits by what stands in the table."""

RANKED = "reranked_"
"""Before the name of a column: the same, reranked and not by plain cosine."""

UNCHANGED = "none"
ABSENT = "–"


@dataclass(frozen=True)
class Measured:
    """One column of the table."""

    name: str
    rows: Sequence[Mapping[str, str]]
    copies: Mapping[str, Mapping[str, Mapping[str, int]]]

    def figure(self, column: str, factor: float, digits: int) -> str:
        """Mean, deviation and interval over seeds."""
        values = [factor * float(row[column]) for row in self.rows if row.get(column)]
        if not values:
            return ABSENT
        text = f"{np.mean(values):.{digits}f}"
        if len(values) == 1:
            return text
        error = stats.sem(values)
        low, high = np.mean(values) + error * np.array(stats.t.interval(0.95, len(values) - 1))
        deviation = np.std(values, ddof=1)
        return f"{text} ± {deviation:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"

    def found(self, group: str) -> str:
        """Share of the changed copies of a group whose nearest neighbour is their original."""
        counts = [
            groups[group]
            for change, groups in self.copies.items()
            if change != UNCHANGED and group in groups
        ]
        if not counts:
            return ABSENT
        found, queries = (sum(count[name] for count in counts) for name in ("found", "queries"))
        return f"{found / queries:.3f} ({found} of {queries})"


def print_row(title: str, figures: Sequence[str]) -> None:
    print(f"| {title} | " + " | ".join(figures) + " |")


def read(results: Path, name: str) -> Measured:
    """What was measured of a model."""
    with (results / f"{name}-filtered.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    copies = results / "transforms" / f"{name}.json"
    changes = json.loads(copies.read_text())["changes"] if copies.exists() else {}
    return Measured(name, rows, changes)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("data/results"))
    parser.add_argument("--model", action="append", help="instead of fast and default; repeat")
    args = parser.parse_args()
    models = [read(args.results, name) for name in args.model or ("fast", "default")]
    print("| | " + " | ".join(f"`{m.name}` ({len(m.rows)})" for m in models) + " |")
    print("|---|" + len(models) * "---:|")
    for title, (column, *shown) in ROWS.items():
        by_cosine = [m.figure(column, *shown) for m in models]
        ranked = [m.figure(RANKED + column, *shown) for m in models]
        if any(figure != ABSENT for figure in ranked):
            print_row(title, ranked)
            print_row(f"{title}: by plain cosine", by_cosine)
        else:
            print_row(title, by_cosine)
    groups = sorted({g for m in models for by_group in m.copies.values() for g in by_group})
    for group in groups:
        print_row(f"changed copies found, {group}", [m.found(group) for m in models])


if __name__ == "__main__":
    main()
