"""What is reported of a trained network: accuracies and precisions, one row a seed.

Choices are made before: nothing here chooses. The test tracks are read for the rows alone.
"""

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from recommender import gtzan
from recommender.evaluation import evaluate_retrieval
from recommender.models import GenreNetwork
from recommender.projection import Projection
from recommender.space import FloatArray
from recommender.training import (
    IntArray,
    TrackSet,
    TrainingResult,
    clip_activations,
    clip_probabilities,
)

NEIGHBOURS = 10
"""k of the precision that the projection is chosen by and that is reported."""


@dataclass(frozen=True)
class ResultRow:
    """What one seed gave. Accuracies and precisions are shares in [0, 1].

    Attributes:
        valid_track, test_track, disjoint_track: accuracy by track (mean of its clips'
            probabilities) on the validation tracks, the official test tracks, and those of them
            whose artist is in neither other side.
        valid_clip, test_clip, disjoint_clip: the same by 10 s clip.
        plain_valid_track, plain_test_track, plain_disjoint_track: by track, with the last layer
            as it was trained, before it was fitted anew.
        valid_precision, test_precision: precision@10 with artist filter among the tracks of the
            side itself.
        seconds: of training.
    """

    model: str
    protocol: str
    seed: int
    epochs: int
    best_epoch: int
    valid_track: float
    valid_clip: float
    test_track: float
    test_clip: float
    disjoint_track: float
    disjoint_clip: float
    plain_valid_track: float
    plain_test_track: float
    plain_disjoint_track: float
    valid_precision: float
    test_precision: float
    seconds: float


@dataclass(frozen=True)
class Side:
    """The tracks of one side of a split."""

    ids: tuple[str, ...]
    tracks: TrackSet

    @property
    def artists(self) -> list[str]:
        """Artist of each track, empty where unknown."""
        known = gtzan.artists()
        return [known[track_id] for track_id in self.ids]


def side_of(data: gtzan.Gtzan, protocol: str, name: str) -> Side:
    """One side of a committed split as decibels.

    Raises:
        DatasetError: tracks are absent (other than the one corrupt in circulation).
    """
    return side_of_tracks(data, gtzan.split_ids(protocol, name))


def side_of_tracks(data: gtzan.Gtzan, wanted: Sequence[str]) -> Side:
    """The tracks `wanted` as decibels. Raises as `side_of`."""
    chosen = data.select(wanted, allow_missing=gtzan.CORRUPT_IN_CIRCULATION)
    decibels = np.stack([data.decibels(int(index)) for index in chosen])
    ids = tuple(data.track_ids[index] for index in chosen)
    return Side(ids, TrackSet(decibels, data.labels[chosen]))


def result_row(
    result: TrainingResult,
    refitted: GenreNetwork,
    projection: Projection,
    data: gtzan.Gtzan,
    protocol: str,
) -> ResultRow:
    """Measure a seed.

    Args:
        result: the training run.
        refitted: its network with the last layer fitted anew.
        projection: fitted on the training tracks.
    """
    frames = result.settings.clip_frames
    figures: dict[str, float] = {}
    for name in ("valid", "test"):
        side = side_of(data, protocol, name)
        activations = clip_activations(refitted, side.tracks, frames)
        figures[f"{name}_precision"] = precision(projection.apply(activations.mean(axis=1)), side)
        probabilities = clip_probabilities(refitted, activations)
        plain = clip_probabilities(result.network, activations)
        groups = {name: list(range(len(side.ids)))}
        if name == "test":
            groups["disjoint"] = artist_disjoint(side.ids, protocol)
        for group, members in groups.items():
            labels = side.tracks.labels[members]
            figures[f"{group}_track"] = _track_accuracy(probabilities[members], labels)
            figures[f"plain_{group}_track"] = _track_accuracy(plain[members], labels)
            right = probabilities[members].argmax(axis=2) == labels[:, None]
            figures[f"{group}_clip"] = float(right.mean())
    return ResultRow(
        model=result.settings.model,
        protocol=protocol,
        seed=result.settings.seed,
        epochs=len(result.history),
        best_epoch=result.best_epoch,
        seconds=round(sum(report.seconds for report in result.history), 1),
        **{name: round(value, 4) for name, value in figures.items()},
    )


def precision(vectors: FloatArray, side: Side) -> float:
    """Precision@10 with artist filter, each track of the side asking the others."""
    genres = [track_id.split(".")[0] for track_id in side.ids]
    report = evaluate_retrieval(vectors, genres, side.artists, k=NEIGHBOURS, bootstrap=0)
    assert report.with_filter is not None  # artists were given
    return report.with_filter.overall.precision.value


def artist_disjoint(ids: Sequence[str], protocol: str) -> list[int]:
    """Positions of the test tracks whose artist is in neither other side."""
    other = {
        artist
        for side in ("train", "valid")
        for track_id in gtzan.split_ids(protocol, side)
        if (artist := gtzan.artists()[track_id])
    }
    return [i for i, track_id in enumerate(ids) if gtzan.artists()[track_id] not in other]


def write_rows(path: Path, rows: Sequence[ResultRow]) -> None:
    """Write a CSV file, one line a seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(ResultRow)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def spreads(rows: Sequence[ResultRow]) -> dict[str, dict[str, Any]]:
    """Figure → mean and sample deviation over the seeds (None for one), and the first seed's."""
    names = [f.name for f in fields(ResultRow) if f.type is float and f.name != "seconds"]
    return {name: _spread([getattr(row, name) for row in rows]) for name in names}


def _spread(values: Sequence[float]) -> dict[str, Any]:
    deviation = round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None
    return {
        "mean": round(float(np.mean(values)), 4),
        "sd": deviation,
        "of_published_seed": values[0],
    }


def _track_accuracy(probabilities: FloatArray, labels: IntArray) -> float:
    return float((probabilities.mean(axis=1).argmax(axis=1) == labels).mean())
