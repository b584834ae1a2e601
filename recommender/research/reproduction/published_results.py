"""How the families stand: the study's figures that come with the package.

They are read from the table that `recsys study report` writes, so that listing models needs no
network and no outcome.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from recommender.networks import create_model, model_names, registered
from recommender.research.reproduction.experiments import main_run
from recommender.research.reproduction.formatting import NONE, percent

HONEST_PROTOCOL = "filtered"


@dataclass(frozen=True)
class FamilyResult:
    """One architecture, and what its main run reached under the fault-filtered split.

    Attributes:
        name: what `recsys train` takes.
        section: of the paper.
        summary: one line.
        parameters: of the network.
        test_track, disjoint_track, test_precision: one figure a seed, shares in [0, 1]; empty where
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
    table = _table()
    return [_standing(name, table) for name in model_names()]


def _standing(name: str, table: Sequence[dict[str, str]]) -> FamilyResult:
    run = main_run(name)
    rows = [
        row
        for row in table
        if run is not None and row["run"] == run.name and row["protocol"] == HONEST_PROTOCOL
    ]

    def figures(column: str) -> tuple[float, ...]:
        return tuple(float(row[column]) for row in rows if row[column])

    return FamilyResult(
        name=name,
        section=registered(name).section,
        summary=registered(name).summary,
        parameters=int(rows[0]["parameters"]) if rows else _counted(name),
        test_track=figures("test_track"),
        disjoint_track=figures("disjoint_track"),
        test_precision=figures("test_precision"),
        full_length=all(row["full_length"] == "True" for row in rows),
    )


def spread(figures: Sequence[float]) -> str:
    """Mean and sample deviation in percent, for people; ``–`` where there are no figures."""
    if not figures:
        return NONE
    deviation = float(np.std(figures, ddof=1)) if len(figures) > 1 else None
    return f"{percent(float(np.mean(figures)), deviation)} %"


def milliseconds_per_track() -> dict[str, float]:
    """What each shipped model took when the study's timings were made, by its name."""
    text = _packaged("timing.json")
    models = json.loads(text).get("models", []) if text else []
    return {model["model"]: model["milliseconds_per_track"] for model in models}


def _table() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_packaged("study.csv"))))


def _packaged(name: str) -> str:
    """A file of the study's results, empty where it does not come with the package."""
    path = files("recommender.data") / "results" / "study" / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _counted(name: str) -> int:
    network = create_model(name, n_mels=128, n_classes=10)
    return sum(parameter.numel() for parameter in network.parameters())
