"""A trained model as a folder: weights, head, projection, and the card that goes with them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recommender.audio.reader import Windowing
from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_card import ModelCard
from recommender.embedding.model_files import CARD, HEAD, PROJECTION, WEIGHTS, file_digest
from recommender.embedding.projection import Projection
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.features.log_mel import FrontEnd
from recommender.research.datasets import gtzan
from recommender.research.model_building.results import TrainedModel
from recommender.research.training.loop import TrainingResult

WINDOWING = Windowing(count=5)
"""How the published models analyse a track. Lists made from five windows of a song share 71 % with
those made from all of it, from three windows 65 %, for 1.6 times the time (experiments/windows.py).
"""

DATA_SET = "GTZAN as log-Mel spectrograms, a column each 1,708 samples"

LICENCE = (
    "Weights: MIT, as the package. Trained on GTZAN (Tzanetakis & Cook 2002), whose recordings are "
    "copyrighted and no part of this package."
)

NOTES = (
    "Accuracies are by track or by 10 s clip; precision is precision@10 with artist filter, in the "
    "order of bare cosines or, where it says ranked, as the tracks of that side are recommended.",
    "The head for the genres is fitted on the training tracks' activations: on networks' by "
    "shrinkage LDA, on descriptors, whitened, by logistic regression; its temperature, and the "
    "weight of descriptors beside networks, chosen on valid.",
    "The projection is the one of those listed that reaches the most on valid: ranked precision@10 "
    "among the genres taught, plus that among genres left out of the training, where measured.",
    "The published seed was named before any seed was measured; figures are over all seeds.",
    "Ten genres of Western popular and classical music from before 2002: of other music the "
    "genre analysed is only the nearest of these ten.",
)

NETWORK_NOTES = (
    "'plain' figures are those of the networks' own last layers as they were trained.",
    "The head in their place was adopted on validation figures alone (.54 to .61 over four seeds), "
    "but the plain layer's test accuracy of two seeds (.57) had been read before.",
)

DESCRIPTOR_NOTES = (
    "'Steady' descriptors are whitened by what varies within recordings and within artists, and by "
    "what recordings without treble lack; artists are those of the training tracks. How much each "
    "counts was chosen by cross-validation over the artists of train and valid together; so was, "
    "with a look at valid alone, how the head takes descriptors.",
    "Test figures of earlier projections and heads had been read before; the README has them.",
)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """All that is published of one seed.

    Attributes:
        model: its networks.
        head, projection: fitted on its activations of the training tracks.
        closeness: of the projection, on the validation tracks; None where there is none.
        duplicate_threshold: from which cosine on two tracks are copies; None where it was not fitted.
    """

    model: TrainedModel
    head: GenreHead
    projection: Projection
    similarity_calibration: SimilarityCalibration | None
    duplicate_threshold: float | None


def publish(
    name: str,
    folder: Path,
    finished: FittedModel,
    data: Mapping[str, Any],
    results: Mapping[str, Any],
) -> ModelCard:
    """Write a model's folder.

    Args:
        name: of the model, for its card.
        folder: made where it is not there.
        data: what the card says of split and sides.
        results: what the card says was measured.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    runs = finished.model.runs
    notes: tuple[str, ...] = NETWORK_NOTES if runs else ()
    if finished.model.descriptors:
        notes += DESCRIPTOR_NOTES
    values = {
        f"{place}.{name}": value
        for place, run in enumerate(runs)
        for name, value in run.network.state_dict().items()
    }
    save_file(values, folder / WEIGHTS)
    head, projection = finished.head.rounded(), finished.projection.rounded()
    head.save(folder / HEAD)
    projection.save(folder / PROJECTION)
    card = ModelCard(
        name=name,
        networks=tuple(
            {"architecture": run.settings.model, "model_settings": run.settings.model_settings}
            for run in runs
        ),
        descriptors=finished.model.descriptors,
        labels=gtzan.GENRES,
        front_end=asdict(FrontEnd()),
        windowing=asdict(WINDOWING),
        weights_digest=file_digest(folder / WEIGHTS),
        head_digest=head.digest,
        projection_digest=projection.digest,
        similarity_calibration={}
        if finished.similarity_calibration is None
        else asdict(finished.similarity_calibration),
        network_frames=finished.model.network_frames,
        duplicate_threshold=finished.duplicate_threshold,
        data={"data_set": DATA_SET, **data},
        training={"seed": finished.model.seed, "networks": [_told(run) for run in runs]},
        results=results,
        licence=LICENCE,
        notes=NOTES + notes,
    )
    card.write(folder / CARD)
    return card


def _told(run: TrainingResult) -> dict[str, Any]:
    """How a network was trained; what it is stands elsewhere in the card."""
    settings = asdict(run.settings)
    del settings["model"], settings["model_settings"]
    return {**settings, "epochs_run": len(run.history), "best_epoch": run.best_epoch}
