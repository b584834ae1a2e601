"""Published results: the figures of the study that come with the package.

They are read from the table that `recsys study report` writes, so that listing models needs no
network and no outcome.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

from recommender.networks import create_model, model_names, registered
from recommender.research.reproduction.experiments import main_run
from recommender.research.reproduction.formatting import NONE, percent

MAIN_PROTOCOL = "filtered"


def packaged_study() -> Path:
    """The folder of the study's results in the package: outcomes, timings and tables."""
    return Path(str(files("recommender.data"))) / "results" / "study"


@dataclass(frozen=True)
class FamilyResult:
    """One architecture, and the figures of its main run under the fault-filtered split.

    Attributes:
        name: what `recsys train` takes.
        section: of the paper.
        summary: one line.
        parameters: of the network.
        test_track, disjoint_track, test_precision: one figure a seed, between 0 and 1; empty where
            the study has none.
        full_length: False where the run was capped.
    """

    name: str
    section: str
    summary: str
    parameters: int
    test_track: tuple[float, ...]
    disjoint_track: tuple[float, ...]
    test_precision: tuple[float, ...]
    full_length: bool


def family_results() -> list[FamilyResult]:
    """Every registered architecture, by name."""
    path = packaged_study() / "study.csv"
    table: list[dict[str, str]] = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
    return [_family_result(name, table) for name in model_names()]


def _family_result(name: str, table: Sequence[Mapping[str, str]]) -> FamilyResult:
    run = main_run(name)
    rows = [
        row
        for row in table
        if run is not None and row["run"] == run.name and row["protocol"] == MAIN_PROTOCOL
    ]

    def figures(column: str) -> tuple[float, ...]:
        return tuple(float(row[column]) for row in rows if row[column])

    return FamilyResult(
        name=name,
        section=registered(name).section,
        summary=registered(name).summary,
        parameters=int(rows[0]["parameters"]) if rows else _parameter_count(name),
        test_track=figures("test_track"),
        disjoint_track=figures("disjoint_track"),
        test_precision=figures("test_precision"),
        full_length=all(row["full_length"] == "True" for row in rows),
    )


def mean_and_deviation(figures: Sequence[float], *, full_length: bool = True) -> str:
    """Mean and sample standard deviation in per cent; ``–`` without figures.

    Args:
        figures: one a seed, between 0 and 1.
        full_length: False marks the figure with a dagger.
    """
    if not figures:
        return NONE
    deviation = float(np.std(figures, ddof=1)) if len(figures) > 1 else None
    return f"{percent(float(np.mean(figures)), deviation)} %" + ("" if full_length else " †")


def milliseconds_per_track() -> dict[str, float]:
    """Time of each shipped model by its name, when the study's timings were measured."""
    path = packaged_study() / "timing.json"
    if not path.is_file():
        return {}
    models = json.loads(path.read_text(encoding="utf-8")).get("models", [])
    return {model["model"]: model["milliseconds_per_track"] for model in models}


def _parameter_count(name: str) -> int:
    network = create_model(name, n_mels=128, n_classes=10)
    return sum(parameter.numel() for parameter in network.parameters())
