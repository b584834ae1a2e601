"""A trained model as a folder: weights, head, projection, and their card."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recommender.audio.windows import Windowing
from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_card import ModelCard
from recommender.embedding.model_files import CARD, HEAD, PROJECTION, WEIGHTS, file_digest
from recommender.embedding.projection import Projection
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.features.log_mel import FrontEnd
from recommender.research.datasets import gtzan
from recommender.research.model_building.trained_model import TrainedModel
from recommender.research.training.settings import TrainingResult

WINDOWING = Windowing(count=5)
"""How the published models read a track: five windows, a compromise between time and the similarity
of their lists to those of the whole track (`tests/experiments/windows.py`)."""

NOTES = (
    "Accuracies are by track or by 10 s clip; precision is precision@10 with artist filter, by "
    "plain cosine or, where it says reranked, in the order in which the tracks of that split are "
    "recommended.",
    "The genre head is fitted on the activations of the training tracks: shrinkage LDA for "
    "networks, logistic regression for whitened descriptors; its temperature and the weight of "
    "the descriptors are chosen on valid.",
    "The published seed was fixed before any seed was evaluated; figures are over all seeds.",
)

GTZAN_NOTES = (
    "Ten genres of Western popular and classical music from before 2002: for other music the "
    "predicted genre is only the nearest of these ten.",
)

NETWORK_NOTES = (
    "'network' figures are those of the networks' own classification layers as they were trained.",
)

GTZAN_NETWORK_NOTES = (
    "The genre head that replaces them was adopted on validation figures alone (.54 to .61 over "
    "four seeds), but the test accuracy of the networks' own layers with two seeds (.57) had been "
    "read before.",
)

DESCRIPTOR_NOTES = (
    "WCCN: activations are whitened by the covariance within recordings, within artists, and "
    "between recordings and their low-pass filtered copies; artists are those of the training "
    "tracks. The weights of the three were chosen by cross-validation over the artists of train "
    "and valid together; so was, with a look at valid alone, how the head uses descriptors.",
    "Test figures of earlier projections and heads had been read before; data/results/README.md "
    "has them.",
)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """All that is saved of one seed.

    Attributes:
        model: its networks.
        head, projection: fitted on its activations of the training tracks.
        similarity_calibration: of the projection, on the validation tracks; None where none was
            fitted.
        duplicate_threshold: cosine from which two tracks are duplicates; None where none was
            fitted.
    """

    model: TrainedModel
    head: GenreHead
    projection: Projection
    similarity_calibration: SimilarityCalibration | None
    duplicate_threshold: float | None


def save_model(
    name: str,
    folder: Path,
    fitted: FittedModel,
    source: gtzan.Gtzan,
    data: Mapping[str, Any],
    results: Mapping[str, Any],
) -> ModelCard:
    """Write a model's folder.

    Args:
        name: of the model, for its card.
        folder: created if needed.
        fitted: the model.
        source: the data set that it was trained on.
        data: for the card: protocol and splits.
        results: for the card.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    values = {
        f"{number}.{parameter}": value
        for number, run in enumerate(fitted.model.runs)
        for parameter, value in run.network.state_dict().items()
    }
    save_file(values, folder / WEIGHTS)
    fitted = replace(fitted, head=fitted.head.rounded(), projection=fitted.projection.rounded())
    fitted.head.save(folder / HEAD)
    fitted.projection.save(folder / PROJECTION)
    card = _card(name, file_digest(folder / WEIGHTS), fitted, source, data, results)
    card.write(folder / CARD)
    return card


def _card(
    name: str,
    weights_digest: str,
    fitted: FittedModel,
    source: gtzan.Gtzan,
    data: Mapping[str, Any],
    results: Mapping[str, Any],
) -> ModelCard:
    model, calibration = fitted.model, fitted.similarity_calibration
    return ModelCard(
        name=name,
        networks=tuple(
            {"architecture": run.settings.model, "model_settings": run.settings.model_settings}
            for run in model.runs
        ),
        descriptors=model.descriptors,
        labels=source.genres,
        front_end=asdict(FrontEnd()),
        windowing=asdict(WINDOWING),
        weights_digest=weights_digest,
        head_digest=fitted.head.digest,
        projection_digest=fitted.projection.digest,
        similarity_calibration={} if calibration is None else asdict(calibration),
        network_frames=model.network_frames,
        duplicate_threshold=fitted.duplicate_threshold,
        data={**source.facts, **data},
        training={"seed": model.seed, "networks": [_training_facts(run) for run in model.runs]},
        results=results,
        licence=source.weights_licence,
        notes=_notes(model, is_gtzan=source.genres == gtzan.GENRES),
    )


def _notes(model: TrainedModel, *, is_gtzan: bool) -> tuple[str, ...]:
    """The notes that apply, those on choices that were made on GTZAN for models of it alone."""
    notes = NOTES + GTZAN_NOTES * is_gtzan
    if model.runs:
        notes += NETWORK_NOTES + GTZAN_NETWORK_NOTES * is_gtzan
    return notes + DESCRIPTOR_NOTES if model.descriptors and is_gtzan else notes


def _training_facts(run: TrainingResult) -> dict[str, Any]:
    """How a network was trained; its architecture is elsewhere in the card."""
    settings = asdict(run.settings)
    del settings["model"], settings["model_settings"]
    return {**settings, "epochs_run": len(run.history), "best_epoch": run.best_epoch}
