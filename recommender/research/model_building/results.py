"""Results of a trained model: accuracies, precisions and hubness, one row a seed.

Every choice is made before: nothing here chooses. The test tracks are read for these rows alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np

from recommender.embedding.genre_head import GenreHead
from recommender.embedding.projection import Projection
from recommender.evaluation.calibration import calibration_error
from recommender.evaluation.labelled_vectors import Comparable
from recommender.evaluation.metrics import DEFAULT_K
from recommender.evaluation.report import GenreScores, RetrievalReport, evaluate_retrieval
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.split_tracks import CLIPS, SplitTracks, artist_disjoint
from recommender.research.model_building.trained_model import TrainedModel
from recommender.research.training.settings import EpochReport
from recommender.search.reranking import ranking
from recommender.utils.arrays import BoolArray, FloatArray, IntArray
from recommender.utils.csv_table import csv_text
from recommender.utils.files import replace_file


@dataclass(frozen=True)
class ResultRow:
    """Results of one seed. Accuracies and precisions are between 0 and 1.

    Attributes:
        model: its architectures.
        epochs: run, of all its networks together.
        best_epochs: of each network, with spaces between.
        valid_track, test_track, disjoint_track: accuracy by track (of the genre head) on the
            validation tracks, the official test tracks, and those of them whose artist is in
            neither other split.
        valid_clip, test_clip, disjoint_clip: the same by 10 s clip.
        network_valid_track, network_test_track, network_disjoint_track: by track, with the
            networks' own classification layers as they were trained (mean of the clips'
            probabilities); None where there is no network.
        valid_ece, test_ece: expected calibration error of the head's probabilities, by track.
        valid_precision, test_precision: precision@10 with artist filter among the tracks of the
            split, by cosine. Figures of the validation tracks are None where the model was trained
            on those.
        test_hit: share of the same queries with at least one track of their genre in those 10.
        test_skewness, test_anti_hub_rate: hubness among the test tracks: skewness of how often a
            track is in the lists of 10, and the share of the tracks that are in none.
        held_out_genres_valid, held_out_genres_test: precision@10 with artist filter of genres left
            out of training (`leave_genres_out`), in the galleries ``valid`` and ``valid+test``,
            mean over the folds; None where it was not evaluated.
        reranked_...: the same of lists as they are recommended (`search.reranking`).
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


@dataclass(frozen=True, eq=False)
class AnalysedSplit:
    """A split and the activations a model gives of it."""

    tracks: SplitTracks
    activations: Activations


def result_row(
    model: TrainedModel,
    head: GenreHead,
    projection: Projection,
    splits: Mapping[str, AnalysedSplit],
    protocol: str,
    held_out_genres: Mapping[str, float] | None = None,
) -> ResultRow:
    """Evaluate one seed.

    Args:
        model: what was trained.
        head, projection: fitted on its activations of the training tracks.
        splits: ``test``, and ``valid`` where the model was not trained on it, of `protocol`.
        held_out_genres: fields of `ResultRow` on held-out genres, where those were evaluated.
    """
    optional = [field.name for field in fields(ResultRow) if get_args(field.type)]
    figures: dict[str, float | None] = {**dict.fromkeys(optional), **(held_out_genres or {})}
    for name, split in splits.items():
        vectors = projection.apply(split.activations.tracks)
        figures |= _retrieval_figures(name, retrieval_report(vectors, split.tracks))
        reranked = _retrieval_figures(name, retrieval_report(ranking(vectors), split.tracks))
        figures |= {f"reranked_{figure}": value for figure, value in reranked.items()}
        probabilities = head.probabilities(split.activations.tracks)
        figures[f"{name}_ece"] = calibration_error(probabilities, split.tracks.tracks.labels)
        figures |= _accuracies(name, model, head, split, protocol)
    seconds = sum(report.seconds for run in model.runs for report in run.history)
    names = [run.settings.model for run in model.runs]
    return ResultRow(
        model=" + ".join([*names, "descriptors"] if model.descriptors else names),
        protocol=protocol,
        seed=model.seed,
        epochs=sum(len(run.history) for run in model.runs),
        best_epochs=" ".join(str(run.best_epoch) for run in model.runs),
        seconds=round(seconds, 1),
        **{name: _figure(value) for name, value in figures.items()},  # type: ignore[arg-type]
    )


def _figure(value: float | None) -> float | None:
    """Rounded; None where it is not defined, as of a test set without two tracks of one genre."""
    return None if value is None or not np.isfinite(value) else round(value, 4)


def precision(vectors: Comparable, split: SplitTracks, queries: BoolArray | None = None) -> float:
    """precision@10 with artist filter among the tracks of a split.

    Args:
        vectors: of the tracks: unit vectors [n, d], or what ranks them.
        split: the n tracks.
        queries: np.ndarray [shape=(n,)], which of them are queries; None: all.
    """
    return _with_artist_filter(retrieval_report(vectors, split, queries)).precision.value


def retrieval_report(
    vectors: Comparable, split: SplitTracks, queries: BoolArray | None = None
) -> RetrievalReport:
    """Retrieval among the tracks of a split, lists of 10, without intervals; as `precision`."""
    return evaluate_retrieval(
        vectors, split.genres, split.artists, k=DEFAULT_K, queries=queries, bootstrap=0
    )


def _with_artist_filter(report: RetrievalReport) -> GenreScores:
    assert report.with_filter is not None  # artists were given
    return report.with_filter.overall


def _retrieval_figures(name: str, report: RetrievalReport) -> dict[str, float]:
    scores = _with_artist_filter(report)
    if name == "valid":
        return {"valid_precision": scores.precision.value}
    return {
        "test_precision": scores.precision.value,
        "test_hit": scores.hit.value,
        "test_skewness": report.hubness.skewness,
        "test_anti_hub_rate": report.hubness.anti_hub_rate,
    }


def _accuracies(
    name: str, model: TrainedModel, head: GenreHead, split: AnalysedSplit, protocol: str
) -> dict[str, float | None]:
    """By track, by clip, and with the networks' own layers; of test also artist-disjoint."""
    ids, found = split.tracks.ids, split.activations
    groups = {name: list(range(len(ids)))}
    if name == "test":
        groups["disjoint"] = artist_disjoint(ids, protocol)
    clips = found.clips.reshape(-1, found.clips.shape[2])
    by_clip = head.probabilities(clips).reshape(len(ids), CLIPS, -1)
    by_track, by_network = head.probabilities(found.tracks), model.network_probabilities(found)
    figures: dict[str, float | None] = {}
    for group, rows in groups.items():
        labels = split.tracks.tracks.labels[rows]
        figures[f"{group}_track"] = _accuracy(by_track[rows], labels)
        figures[f"{group}_clip"] = _accuracy(by_clip[rows], labels[:, None])
        figures[f"network_{group}_track"] = (
            None if by_network is None else _accuracy(by_network[rows], labels)
        )
    return figures


def _accuracy(probabilities: FloatArray, labels: IntArray) -> float:
    """Share of the rows [..., n_classes] whose most probable class is that of `labels` [...]."""
    return float((probabilities.argmax(axis=-1) == labels).mean())


def write_rows(path: Path, rows: Sequence[ResultRow]) -> None:
    """Write a CSV file, one line a seed. Raises `OSError`."""
    columns = [field.name for field in fields(ResultRow)]
    replace_file(path, csv_text(columns, map(asdict, rows)).encode())


def write_curves(path: Path, models: Sequence[TrainedModel]) -> None:
    """Write the learning curves as CSV, one line an epoch of each network. Raises `OSError`."""
    lines = [
        {"seed": model.seed, "network": number, **asdict(report)}
        for model in models
        for number, run in enumerate(model.runs)
        for report in run.history
    ]
    columns = ["seed", "network", *(field.name for field in fields(EpochReport))]
    replace_file(path, csv_text(columns, lines).encode())


def mean_and_sd(rows: Sequence[ResultRow]) -> dict[str, dict[str, Any]]:
    """Figure → mean and sample standard deviation over the seeds (None for one), and the first's.

    Over the seeds that have the figure; one that the first has not is left out.
    """
    names = [f.name for f in fields(ResultRow) if float in (f.type, *get_args(f.type))]
    found = {name: [getattr(row, name) for row in rows] for name in names if name != "seconds"}
    return {
        name: _over_seeds([value for value in values if value is not None])
        for name, values in found.items()
        if values[0] is not None
    }


def _over_seeds(values: Sequence[float]) -> dict[str, Any]:
    deviation = round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None
    return {
        "mean": round(float(np.mean(values)), 4),
        "sd": deviation,
        "of_published_seed": values[0],
    }
