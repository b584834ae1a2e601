"""From GTZAN to a folder of weights with their card: train, choose, measure, write.

Choices (epoch, projection) are made on the validation tracks. The test tracks are read once, after
every choice, for the rows that are reported.
"""

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recommender import gtzan
from recommender.audio import Windowing
from recommender.discriminants import CANDIDATES
from recommender.errors import UsageError
from recommender.evaluation import evaluate_retrieval
from recommender.features import FrontEnd
from recommender.projection import Projection
from recommender.space import FloatArray
from recommender.training import (
    EpochReport,
    TrackSet,
    TrainingResult,
    TrainingSettings,
    track_outputs,
    train,
)
from recommender.weights import CARD, PROJECTION, WEIGHTS, Card, file_digest

NEIGHBOURS = 10
"""k of the precision that the projection is chosen by and that is reported."""

LICENCE = (
    "Weights: MIT, as the package. Trained on GTZAN (Tzanetakis & Cook 2002), whose recordings are "
    "copyrighted and no part of this package."
)


@dataclass(frozen=True)
class ResultRow:
    """What one seed gave. Accuracies and precisions are shares in [0, 1].

    Attributes:
        valid_track, test_track, disjoint_track: accuracy by track (mean of its clips'
            probabilities) on the validation tracks, the official test tracks, and those of them
            whose artist is in neither other side.
        valid_clip, test_clip, disjoint_clip: the same by 10 s clip.
        valid_precision, test_precision: precision@10 with artist filter among the tracks of the
            side itself.
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
    wanted = gtzan.split_ids(protocol, name)
    chosen = data.select(wanted, allow_missing=gtzan.CORRUPT_IN_CIRCULATION)
    decibels = np.stack([data.decibels(int(index)) for index in chosen])
    ids = tuple(data.track_ids[index] for index in chosen)
    return Side(ids, TrackSet(decibels, data.labels[chosen]))


def make_model(
    settings: TrainingSettings,
    data: gtzan.Gtzan,
    folder: Path,
    seeds: Sequence[int],
    *,
    protocol: str = "filtered",
    device: str = "cpu",
    command: str = "",
    on_epoch: Callable[[int, EpochReport], None] | None = None,
) -> Card:
    """Train with every seed, report them all, and publish the first.

    Args:
        settings: the run; its seed is replaced by each of `seeds`.
        data: GTZAN.
        folder: where weights, card, `results.csv` and the checkpoints of unfinished runs go.
        seeds: the first is the one whose weights are published, whatever it reaches.
        command: written into the card.
        on_epoch: called with the seed and each epoch's report.

    Raises:
        DatasetError, UsageError: data or checkpoints do not fit.
    """
    if not seeds:
        raise UsageError("give at least one seed.")
    training, valid = (side_of(data, protocol, name) for name in ("train", "valid"))
    runs = []
    for seed in seeds:
        started = time.perf_counter()
        result = train(
            replace(settings, seed=seed),
            training.tracks,
            valid.tracks,
            len(gtzan.GENRES),
            device=device,
            checkpoint=folder / "checkpoints" / f"seed-{seed}.pt",
            on_epoch=None if on_epoch is None else partial(on_epoch, seed),
        )
        runs.append((result, time.perf_counter() - started))
    candidates = _candidate_precisions([result for result, _ in runs], training, valid)
    chosen = max(candidates, key=lambda name: candidates[name])
    rows = [_result_row(result, chosen, data, training, valid, protocol) for result, _ in runs]
    _write_rows(folder / "results.csv", rows)
    projection = _fit(runs[0][0], chosen, training)
    return _publish(folder, runs[0][0], projection, rows, candidates, chosen, command)


def _fit(result: TrainingResult, name: str, training: Side) -> Projection:
    activations, _ = track_outputs(result.network, training.tracks, result.settings.clip_frames)
    return CANDIDATES[name](activations, training.tracks.labels)


def _precision(vectors: FloatArray, side: Side) -> float:
    genres = [track_id.split(".")[0] for track_id in side.ids]
    report = evaluate_retrieval(vectors, genres, side.artists, k=NEIGHBOURS, bootstrap=0)
    assert report.with_filter is not None  # artists were given
    return report.with_filter.overall.precision.value


def _candidate_precisions(
    results: Sequence[TrainingResult], training: Side, valid: Side
) -> dict[str, float]:
    """Mean over the seeds of each candidate's precision on the validation tracks."""
    found: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for result in results:
        frames = result.settings.clip_frames
        known, _ = track_outputs(result.network, training.tracks, frames)
        asked, _ = track_outputs(result.network, valid.tracks, frames)
        for name, fit in CANDIDATES.items():
            projected = fit(known, training.tracks.labels).apply(asked)
            found[name].append(_precision(projected, valid))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _result_row(
    result: TrainingResult,
    projection_name: str,
    data: gtzan.Gtzan,
    training: Side,
    valid: Side,
    protocol: str,
) -> ResultRow:
    frames = result.settings.clip_frames
    projection = _fit(result, projection_name, training)
    test = side_of(data, protocol, "test")
    figures: dict[str, float] = {}
    for name, side in (("valid", valid), ("test", test)):
        activations, probabilities = track_outputs(result.network, side.tracks, frames)
        figures[f"{name}_precision"] = _precision(projection.apply(activations), side)
        right_clips = probabilities.argmax(axis=2) == side.tracks.labels[:, None]
        right_tracks = probabilities.mean(axis=1).argmax(axis=1) == side.tracks.labels
        figures[f"{name}_track"] = float(right_tracks.mean())
        figures[f"{name}_clip"] = float(right_clips.mean())
        if name == "test":
            kept = _artist_disjoint(side.ids, protocol)
            figures["disjoint_track"] = float(right_tracks[kept].mean())
            figures["disjoint_clip"] = float(right_clips[kept].mean())
    return ResultRow(
        model=result.settings.model,
        protocol=protocol,
        seed=result.settings.seed,
        epochs=len(result.history),
        best_epoch=result.best_epoch,
        seconds=round(sum(report.seconds for report in result.history), 1),
        **{name: round(value, 4) for name, value in figures.items()},
    )


def _artist_disjoint(ids: Sequence[str], protocol: str) -> list[int]:
    """Positions of the test tracks whose artist is in neither other side."""
    other = {
        artist
        for side in ("train", "valid")
        for track_id in gtzan.split_ids(protocol, side)
        if (artist := gtzan.artists()[track_id])
    }
    return [i for i, track_id in enumerate(ids) if gtzan.artists()[track_id] not in other]


def _write_rows(path: Path, rows: Sequence[ResultRow]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(ResultRow)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def _publish(
    folder: Path,
    result: TrainingResult,
    projection: Projection,
    rows: Sequence[ResultRow],
    candidates: Mapping[str, float],
    chosen: str,
    command: str,
) -> Card:
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(result.network.state_dict(), folder / WEIGHTS)
    projection.save(folder / PROJECTION)
    settings = asdict(result.settings)
    card = Card(
        name=settings.pop("model"),
        architecture=result.settings.model,
        model_settings=settings.pop("model_settings"),
        labels=gtzan.GENRES,
        front_end=asdict(FrontEnd()),
        windowing=asdict(Windowing()),
        weights_digest=file_digest(folder / WEIGHTS),
        projection_digest=projection.digest,
        data={
            "data_set": "GTZAN as log-Mel spectrograms, a column each 1,708 samples",
            "split": rows[0].protocol,
            "trained_on": "train",
            "chosen_on": "valid",
            "tested_on": "test (290 tracks), and the 264 of them with an unheard artist",
        },
        training={**settings, "epochs_run": len(result.history), "best_epoch": result.best_epoch},
        results={
            "command": command,
            "published_seed": rows[0].seed,
            "seeds": [row.seed for row in rows],
            **{name: _spread(rows, name) for name in _FIGURES},
            "projection": chosen,
            "valid_precision_of_projections": {k: round(v, 4) for k, v in candidates.items()},
        },
        licence=LICENCE,
        notes=NOTES,
    )
    card.write(folder / CARD)
    return card


_FIGURES = tuple(f.name for f in fields(ResultRow) if f.type is float and f.name != "seconds")

NOTES = (
    "Accuracies are by track or by 10 s clip; precision is precision@10 with artist filter.",
    "The published seed was named before any seed was measured; figures are over all seeds.",
    "Ten genres of Western popular and classical music from before 2002: of other music the "
    "genre heard is only the nearest of these ten.",
)


def _spread(rows: Sequence[ResultRow], name: str) -> dict[str, Any]:
    values = [getattr(row, name) for row in rows]
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {
        "mean": round(float(np.mean(values)), 4),
        "sd": None if deviation is None else round(deviation, 4),
        "of_published_seed": values[0],
    }
