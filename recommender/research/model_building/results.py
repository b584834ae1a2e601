"""What is reported of a trained model: accuracies and precisions, one row a seed.

Choices are made before: nothing here chooses. The test tracks are read for the rows alone.
"""

import csv
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from recommender.audio.reader import Windowing
from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_files import ModelFiles
from recommender.embedding.projection import Projection
from recommender.evaluation.calibration import calibration_error
from recommender.evaluation.report import GenreScores, RetrievalReport, evaluate_retrieval
from recommender.evaluation.retrieval import Comparable
from recommender.features.descriptors import describe
from recommender.features.log_mel import FrontEnd
from recommender.networks import GenreNetwork
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import Activations, ActivationLayout
from recommender.research.model_building.leave_genres_out import HeldOutGenreFigures
from recommender.research.training.augmentation import Augmentation, random_low_pass
from recommender.research.training.inference import (
    TrackSet,
    clip_activations,
    clip_probabilities,
    clip_starts,
)
from recommender.research.training.loop import EpochReport, TrainingResult
from recommender.search.reranking import ranking
from recommender.utils.arrays import FloatArray, IntArray

NEIGHBOURS = 10
"""k of the precision that the projection is chosen by and that is reported."""

CLIPS = 3
CLIP_FRAMES = FrontEnd().frames(Windowing().seconds)
"""Columns of a clip that is described: as long as a window that is served."""


@dataclass(frozen=True)
class ResultRow:
    """What one seed gave. Accuracies and precisions are shares in [0, 1].

    Attributes:
        model: what it analyses with.
        epochs: run, of all its networks together.
        best_epochs: of each network, with spaces between.
        valid_track, test_track, disjoint_track: accuracy by track (the head's, of its activations)
            on the validation tracks, the official test tracks, and those of them whose artist is in
            neither other side.
        valid_clip, test_clip, disjoint_clip: the same by 10 s clip.
        network_valid_track, network_test_track, network_disjoint_track: by track, with the networks' own
            last layers as they were trained (mean of the clips' probabilities); None where there is
            no network.
        valid_ece, test_ece: expected calibration error of the head's probabilities, by track.
        valid_precision, test_precision: precision@10 with artist filter among the tracks of the
            side itself. Figures of the validation tracks are None where those were taught.
        test_hit: share of the same queries with at least one track of their genre in those 10.
        test_skewness, test_anti_hub_rate: hubness among the test tracks: skewness of how often a track is
            in the lists of 10, and the share of tracks that are in none.
        held_out_genres_valid, held_out_genres_test: precision@10 with artist filter of genres that were not taught,
            in the galleries of `unseen`, mean of the folds; None where that was not measured.
        ranked_...: the same of lists as they are recommended: ranked by `neighbourhood`, from the
            gallery alone, instead of by the bare cosines of the embedding.
        seconds: of training.
    """

    model: str
    protocol: str
    seed: int
    epochs: int
    best_epochs: str
    valid_track: float | None
    valid_clip: float | None
    test_track: float
    test_clip: float
    disjoint_track: float
    disjoint_clip: float
    network_valid_track: float | None
    network_test_track: float | None
    network_disjoint_track: float | None
    valid_ece: float | None
    test_ece: float
    valid_precision: float | None
    test_precision: float
    test_hit: float
    test_skewness: float
    test_anti_hub_rate: float
    held_out_genres_valid: float | None
    held_out_genres_test: float | None
    reranked_valid_precision: float | None
    reranked_test_precision: float
    reranked_test_hit: float
    reranked_test_skewness: float
    reranked_test_anti_hub_rate: float
    reranked_held_out_genres_valid: float | None
    reranked_held_out_genres_test: float | None
    seconds: float


@dataclass(frozen=True)
class SplitTracks:
    """The tracks of one side of a split."""

    ids: tuple[str, ...]
    tracks: TrackSet

    @property
    def artists(self) -> list[str]:
        """Artist of each track, empty where unknown."""
        known = gtzan.artists()
        return [known[track_id] for track_id in self.ids]

    @cached_property
    def descriptions(self) -> tuple[FloatArray, FloatArray]:
        """Descriptors of whole tracks [n, d], and of `CLIPS` clips of each [n, c, d]."""
        decibels = self.tracks.decibels
        starts = clip_starts(decibels.shape[2], CLIP_FRAMES, CLIPS)
        clips = [
            [describe(track[:, first : first + CLIP_FRAMES]) for first in starts]
            for track in decibels
        ]
        return np.stack([describe(track) for track in decibels]), np.array(clips)

    @cached_property
    def low_passed(self) -> FloatArray:
        """Descriptors [n, d] of whole tracks that lost their treble, as to a lossy codec.

        What a track loses is drawn by its id: the same on whatever side it stands.
        """
        return np.stack(
            [
                describe(_without_treble(track_id, track))
                for track_id, track in zip(self.ids, self.tracks.decibels, strict=True)
            ]
        )


def _without_treble(track_id: str, decibels: FloatArray) -> FloatArray:
    drawn = torch.Generator().manual_seed(zlib.crc32(track_id.encode()))
    one = torch.from_numpy(decibels)[None]
    cut: FloatArray = random_low_pass(one, Augmentation(low_pass=1.0), drawn)[0].numpy()
    return cut


@dataclass(frozen=True)
class TrainedModel:
    """The networks that one seed gave, and whether descriptors are beside them.

    Attributes:
        seed: as asked for; networks after the first derive their own from it.
        runs: one a network; may be empty.
        descriptors: whether the activations end with descriptors.
        network_frames: columns in the middle of each clip that the networks analyse; 0: all.
    """

    seed: int
    runs: tuple[TrainingResult, ...]
    descriptors: bool
    network_frames: int = 0

    def activations(self, side: SplitTracks) -> Activations:
        """What the model makes of a side."""
        frames = [run.settings.clip_frames for run in self.runs]
        networks = [run.network for run in self.runs]
        return model_activations(networks, frames, side, self.descriptors, self.network_frames)

    def network_probabilities(self, found: Activations) -> FloatArray | None:
        """Of tracks by the networks' own classifiers, [n, n_classes]; None without a network."""
        if not self.runs:
            return None
        shares = [
            clip_probabilities(run.network, found.clips[:, :, where]).mean(axis=1)
            for run, where in zip(self.runs, found.layout.networks, strict=True)
        ]
        mean: FloatArray = np.mean(shares, axis=0)
        return mean


def model_activations(
    networks: Sequence[GenreNetwork],
    frames: Sequence[int],
    side: SplitTracks,
    descriptors: bool,
    network_frames: int = 0,
) -> Activations:
    """What a model makes of a side, from its stored spectrograms.

    A network analyses a track through its clips, whose activations are averaged; descriptors are those
    of the whole stored track, and of each clip.

    Args:
        networks: in the order of the activations.
        frames: length of the clips of each network, in columns.
        side: its tracks.
        descriptors: whether descriptors follow.
        network_frames: columns in the middle of each clip that the networks analyse; 0: all.
    """
    clips = [
        clip_activations(network, side.tracks, length, clips=CLIPS, network_frames=network_frames)
        for network, length in zip(networks, frames, strict=True)
    ]
    tracks = [analysed.mean(axis=1) for analysed in clips]
    if descriptors:
        of_tracks, of_clips = side.descriptions
        tracks, clips = [*tracks, of_tracks], [*clips, of_clips]
    parts = ActivationLayout.of([network.feature_dim for network in networks], descriptors)
    low_passed = side.low_passed if descriptors else None
    return Activations(
        np.concatenate(tracks, axis=1), np.concatenate(clips, axis=2), parts, low_passed, side.artists
    )


def published_activations(weights: ModelFiles, side: SplitTracks) -> Activations:
    """What published weights make of a side; clips are as long as the windows they are served."""
    card, networks = weights.card, weights.networks()
    frames = FrontEnd(**card.front_end).frames(card.windowing["seconds"])
    return model_activations(
        networks, [frames] * len(networks), side, card.descriptors, card.network_frames
    )


def load_split(data: gtzan.Gtzan, protocol: str, name: str) -> SplitTracks:
    """One side of a committed split as decibels.

    Raises:
        DatasetError: tracks are absent (other than the one corrupt in circulation).
    """
    return load_tracks(data, gtzan.split_ids(protocol, name))


def load_tracks(data: gtzan.Gtzan, wanted: Sequence[str]) -> SplitTracks:
    """The tracks `wanted` as decibels. Raises as `load_split`."""
    chosen = data.select(wanted, allow_missing=gtzan.CORRUPT_IN_CIRCULATION)
    decibels = np.stack([data.decibels(int(index)) for index in chosen])
    ids = tuple(data.track_ids[index] for index in chosen)
    return SplitTracks(ids, TrackSet(decibels, data.labels[chosen]))


def result_row(
    model: TrainedModel,
    head: GenreHead,
    projection: Projection,
    sides: Mapping[str, SplitTracks],
    protocol: str,
    unseen: Mapping[str, HeldOutGenreFigures] | None = None,
) -> ResultRow:
    """Measure a seed.

    Args:
        model: what was trained.
        head, projection: fitted on its activations of the training tracks.
        sides: ``test``, and ``valid`` where it was not taught, of the split `protocol`.
        unseen: precision of genres that were not taught, by gallery, where it was measured.
    """
    figures: dict[str, float | None] = dict.fromkeys(_optional_figures())
    for gallery, found_there in (unseen or {}).items():
        name = "held_out_genres_test" if gallery == "valid+test" else f"held_out_genres_{gallery}"
        figures |= {name: found_there.bare.mean, f"reranked_{name}": found_there.ranked.mean}
    for name, side in sides.items():
        found = model.activations(side)
        vectors = projection.apply(found.tracks)
        figures |= _precision_figures(name, retrieval_report(vectors, side))
        ranked = _precision_figures(name, retrieval_report(ranking(vectors), side))
        figures |= {f"reranked_{figure}": value for figure, value in ranked.items()}
        probabilities, labels = head.probabilities(found.tracks), side.tracks.labels
        figures[f"{name}_ece"] = calibration_error(probabilities, labels)
        figures |= _accuracies(name, model, head, found, side, protocol)
    seconds = sum(report.seconds for run in model.runs for report in run.history)
    names = [run.settings.model for run in model.runs]
    return ResultRow(
        model=" + ".join([*names, "descriptors"] if model.descriptors else names),
        protocol=protocol,
        seed=model.seed,
        epochs=sum(len(run.history) for run in model.runs),
        best_epochs=" ".join(str(run.best_epoch) for run in model.runs),
        seconds=round(seconds, 1),
        **{n: None if value is None else round(value, 4) for n, value in figures.items()},  # type: ignore[arg-type]
    )


def precision(vectors: Comparable, side: SplitTracks) -> float:
    """Precision@10 with artist filter, each track of the side asking the others."""
    return _overall(retrieval_report(vectors, side)).precision.value


def retrieval_report(vectors: Comparable, side: SplitTracks) -> RetrievalReport:
    """What lists of 10 are worth, each track of the side asking the others; no intervals."""
    genres = [track_id.split(".")[0] for track_id in side.ids]
    return evaluate_retrieval(vectors, genres, side.artists, k=NEIGHBOURS, bootstrap=0)


def _overall(report: RetrievalReport) -> GenreScores:
    assert report.with_filter is not None  # artists were given
    return report.with_filter.overall


def _precision_figures(name: str, report: RetrievalReport) -> dict[str, float]:
    if name == "valid":
        return {"valid_precision": _overall(report).precision.value}
    return {
        "test_precision": _overall(report).precision.value,
        "test_hit": _overall(report).hit.value,
        "test_skewness": report.hubness.skewness,
        "test_anti_hub_rate": report.hubness.never,
    }


def _accuracies(
    name: str, model: TrainedModel, head: GenreHead, found: Activations, side: SplitTracks, protocol: str
) -> dict[str, float | None]:
    """By track, by clip, and with the networks' own last layers; also of not_analysed artists."""
    groups = {name: list(range(len(side.ids)))}
    if name == "test":
        groups["disjoint"] = artist_disjoint(side.ids, protocol)
    clips = found.clips.reshape(-1, found.clips.shape[2])
    by_clip = head.probabilities(clips).reshape(len(side.ids), CLIPS, -1)
    by_track, plain = head.probabilities(found.tracks), model.network_probabilities(found)
    figures: dict[str, float | None] = {}
    for group, members in groups.items():
        labels = side.tracks.labels[members]
        figures[f"{group}_track"] = _accuracy(by_track[members], labels)
        figures[f"{group}_clip"] = _accuracy(by_clip[members], labels[:, None])
        figures[f"network_{group}_track"] = (
            None if plain is None else _accuracy(plain[members], labels)
        )
    return figures


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


def write_curves(path: Path, models: Sequence[TrainedModel]) -> None:
    """Write a CSV file, one line for each epoch of each network: the learning curves."""
    names = ["seed", "network", *(f.name for f in fields(EpochReport))]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for model in models:
            for place, run in enumerate(model.runs):
                for report in run.history:
                    writer.writerow({"seed": model.seed, "network": place, **asdict(report)})


def mean_and_sd(rows: Sequence[ResultRow]) -> dict[str, dict[str, Any]]:
    """Figure → mean and sample deviation over the seeds (None for one), and the first seed's.

    Figures that the model does not have are left out.
    """
    names = [f.name for f in fields(ResultRow) if float in (f.type, *get_args(f.type))]
    found = {name: [getattr(row, name) for row in rows] for name in names if name != "seconds"}
    return {name: _spread(values) for name, values in found.items() if None not in values}


def _optional_figures() -> list[str]:
    return [f.name for f in fields(ResultRow) if get_args(f.type)]


def _spread(values: Sequence[float]) -> dict[str, Any]:
    deviation = round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None
    return {
        "mean": round(float(np.mean(values)), 4),
        "sd": deviation,
        "of_published_seed": values[0],
    }


def _accuracy(probabilities: FloatArray, labels: IntArray) -> float:
    """Share of rows [..., n_classes] whose most probable class is that of `labels` [...]."""
    return float((probabilities.argmax(axis=-1) == labels).mean())
