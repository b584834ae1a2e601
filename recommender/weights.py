"""Weights with their cards: find, check, load. Only `WeightsFiles.network` imports torch.

A model is a folder of three files: `weights.safetensors`, `projection.safetensors` and
`card.json`, which says what the weights are, how sound must be prepared for them, what they were
trained on, and what was measured. The shipped ones are package data (`data/weights/`); any other
folder can be named by its path.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.errors import WeightsError
from recommender.projection import Projection
from recommender.space import SpaceId, settings_digest

if TYPE_CHECKING:
    from recommender.audio import Windowing
    from recommender.models import GenreNetwork

DEFAULT_MODEL = "default"

CARD, WEIGHTS, PROJECTION = "card.json", "weights.safetensors", "projection.safetensors"


@dataclass(frozen=True)
class Card:
    """What travels with weights.

    Attributes:
        name: name of these weights.
        architecture: registered name of the network; `model_settings` are its settings.
        labels: genres in the order of the network's outputs.
        front_end: settings of the spectrogram (fields of `features.FrontEnd`).
        windowing: how a track is heard by default (fields of `audio.Windowing`).
        weights_digest: of the file `weights.safetensors`.
        projection_digest: of the projection's values.
        data: what they were trained on: data set, split, sides, number of tracks.
        training: settings of the run and the epoch kept.
        results: what was measured, each with split and command.
        licence: of the weights, with a note on the training data.
        notes: choices and limits, in words.
    """

    name: str
    architecture: str
    model_settings: Mapping[str, Any]
    labels: tuple[str, ...]
    front_end: Mapping[str, Any]
    windowing: Mapping[str, Any]
    weights_digest: str
    projection_digest: str
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Card":
        """Parse a card file. Raises `WeightsError` when it is missing or not a card."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values["labels"] = tuple(values["labels"])
            values["notes"] = tuple(values.get("notes", ()))
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(f"{path} is no model card ({error}).") from error

    def write(self, path: Path) -> None:
        """Write as indented JSON."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True)
class WeightsFiles:
    """A model's folder."""

    folder: Path

    @cached_property
    def card(self) -> Card:
        """The card."""
        return Card.read(self.folder / CARD)

    def projection(self) -> Projection:
        """The projection, checked against the card."""
        projection = Projection.load(self.folder / PROJECTION)
        self._check("projection", projection.digest, self.card.projection_digest)
        return projection

    def network(self) -> "GenreNetwork":
        """The network with its weights, in evaluation mode, checked against the card."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from recommender.models import create_model

        path = self.folder / WEIGHTS
        self._check("weights", file_digest(path), self.card.weights_digest)
        network = create_model(
            self.card.architecture,
            n_mels=self.card.front_end["n_mels"],
            n_classes=len(self.card.labels),
            **self.card.model_settings,
        )
        try:
            network.load_state_dict(load_file(path))
        except (SafetensorError, RuntimeError) as error:
            raise WeightsError(f"{path} does not fit its card ({error}).") from error
        return network.eval()

    def space(self, windowing: "Windowing | None" = None) -> SpaceId:
        """The space of this model's bare activations, heard so (None: as the card says)."""
        heard = asdict(windowing) if windowing is not None else dict(self.card.windowing)
        hearing = settings_digest(dict(self.card.front_end), heard)
        return SpaceId(self.card.name, self.card.weights_digest, hearing)

    def _check(self, what: str, found: str, expected: str) -> None:
        if found != expected:
            raise WeightsError(
                f"the {what} in {self.folder} are not those of their card (digest {found}, the "
                f"card says {expected}): install the package again."
            )


def shipped_models() -> tuple[str, ...]:
    """Names of the models that come with the package, sorted."""
    folder = _shipped_folder()
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{CARD}")))


def find(model: str = DEFAULT_MODEL) -> WeightsFiles:
    """The files of a shipped model, or of a folder given by its path.

    Raises:
        WeightsError: there is neither; the message lists the shipped models.
    """
    for folder in (_shipped_folder() / model, Path(model)):
        if (folder / CARD).is_file():
            return WeightsFiles(folder)
    known = ", ".join(shipped_models()) or "none"
    if _is_family(model):
        raise WeightsError(
            f"the weights of {model!r} are too large to be shipped: make them with 'recsys train "
            f"{model} --gtzan GTZAN --out runs/{model}', then give --model runs/{model}; shipped "
            f"models: {known}."
        )
    raise WeightsError(
        f"no weights are named {model!r} and no folder of that name holds a {CARD}; shipped "
        f"models: {known}. 'recsys train' makes new ones."
    )


def _is_family(model: str) -> bool:
    from recommender.models import model_names

    return model in model_names()


def file_digest(path: Path) -> str:
    """Twelve hex digits of a file's bytes. Raises `WeightsError` when it cannot be read."""
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error}).") from error


def _shipped_folder() -> Path:
    return Path(str(files("recommender.data"))) / "weights"
