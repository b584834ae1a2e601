"""Weights with their cards: find, check, load. Only `ModelFiles.networks` imports torch.

A model analyses through any number of networks, through handcrafted descriptors, or both, and puts one
linear head and one projection on all of their activations. It is a folder of four files:
`weights.safetensors` (state dicts of the networks, the names prefixed ``0.``, ``1.`` and so on;
empty when there is no network), `head.safetensors`, `projection.safetensors` and `card.json`, which
says what the weights are, how sound must be prepared for them, what they were trained on, and what
was measured. The shipped ones are package data (`data/weights/`); any other folder can be named by
its path.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.embedding.genre_head import GenreHead
from recommender.embedding.projection import Projection
from recommender.embedding.space import SpaceId, analysis_digest, model_digest
from recommender.errors import WeightsError
from recommender.features import descriptors

if TYPE_CHECKING:
    from recommender.audio.reader import Windowing
    from recommender.networks import GenreNetwork

DEFAULT_MODEL = "default"

HELD_OUT = "held_out"
"""In a card's results: those of the model that the choices were taken from, where the weights have
learned from the test tracks too and so have no figure of their own."""

CARD, WEIGHTS = "card.json", "weights.safetensors"
HEAD, PROJECTION = "head.safetensors", "projection.safetensors"


_FORMER_NAMES = {
    "closeness": "similarity_calibration",
    "heard_frames": "network_frames",
    "same_recording": "duplicate_threshold",
}
"""Names that cards written by version 0.1 have, and what they are called now."""


def _with_present_names(values: dict[str, Any]) -> dict[str, Any]:
    """A card's values under the names of this version."""
    present = {_FORMER_NAMES.get(name, name): value for name, value in values.items()}
    for mapping, former, name in (
        ("similarity_calibration", "half", "midpoint"),
        ("results", "honest", HELD_OUT),
    ):
        if former in present.get(mapping, {}):
            present[mapping] = {
                name if key == former else key: value for key, value in present[mapping].items()
            }
    return present


@dataclass(frozen=True)
class ModelCard:
    """What travels with weights.

    Attributes:
        name: name of these weights.
        networks: of each network its `architecture` (registered name) and its `model_settings`.
        descriptors: whether handcrafted descriptors follow the networks' activations.
        labels: genres in the order of the head's outputs.
        front_end: settings of the spectrogram (fields of `features.FrontEnd`).
        windowing: how a track is analysed by default (fields of `audio.Windowing`).
        weights_digest: of the file `weights.safetensors`.
        head_digest: of the head's values.
        projection_digest: of the projection's values.
        closeness: what a similarity means (fields of `calibration.SimilarityCalibration`); may be empty.
        network_frames: columns in the middle of each window that the networks analyse; 0: all.
        duplicate_threshold: from which cosine on two tracks are copies of one recording
            (`recordings.DuplicateDetector`); None: as is safe for any model.
        data: what they were trained on: data set, split, sides, number of tracks.
        training: settings of each network's run and the epoch kept.
        results: what was measured, each with split and command.
        licence: of the weights, with a note on the training data.
        notes: choices and limits, in words.
    """

    name: str
    networks: tuple[Mapping[str, Any], ...]
    descriptors: bool
    labels: tuple[str, ...]
    front_end: Mapping[str, Any]
    windowing: Mapping[str, Any]
    weights_digest: str
    head_digest: str
    projection_digest: str
    similarity_calibration: Mapping[str, float] = field(default_factory=dict)
    network_frames: int = 0
    duplicate_threshold: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "ModelCard":
        """Parse a card file. Raises `WeightsError` when it is missing or not a card."""
        try:
            values = _with_present_names(json.loads(path.read_text(encoding="utf-8")))
            for name in ("networks", "labels"):
                values[name] = tuple(values[name])
            values["notes"] = tuple(values.get("notes", ()))
            return cls(**values)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(f"{path} is no model card ({error}).") from error

    @property
    def measured(self) -> Mapping[str, Any]:
        """The figures to judge by: its own, or those under `HELD_OUT`."""
        return self.results if self.has_test_results else self.results[HELD_OUT]

    @property
    def has_test_results(self) -> bool:
        """Whether these very weights were measured on tracks that they were not taught."""
        return "test_track" in self.results or HELD_OUT not in self.results

    @property
    def architecture_summary(self) -> str:
        """The architectures, and descriptors where there are any: ``2 × conv1d + descriptors``."""
        counts = Counter(str(network["architecture"]) for network in self.networks)
        names = [name if count == 1 else f"{count} × {name}" for name, count in counts.items()]
        return " + ".join([*names, "descriptors"] if self.descriptors else names)

    def write(self, path: Path) -> None:
        """Write as indented JSON."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True)
class ModelFiles:
    """A model's folder."""

    folder: Path

    @cached_property
    def card(self) -> ModelCard:
        """The card."""
        return ModelCard.read(self.folder / CARD)

    def projection(self) -> Projection:
        """The projection, checked against the card."""
        projection = Projection.load(self.folder / PROJECTION)
        self._check("projection", projection.digest, self.card.projection_digest)
        return projection

    def head(self) -> GenreHead:
        """The head, checked against the card."""
        head = GenreHead.load(self.folder / HEAD)
        self._check("head", head.digest, self.card.head_digest)
        return head

    def networks(self) -> "list[GenreNetwork]":
        """The networks with their weights, in evaluation mode, checked against the card."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path = self.folder / WEIGHTS
        self._check("weights", file_digest(path), self.card.weights_digest)
        networks = [self._untrained(described) for described in self.card.networks]
        try:
            values = load_file(path)
            for place, network in enumerate(networks):
                own = {n.removeprefix(f"{place}."): values.pop(n) for n in _of(place, values)}
                network.load_state_dict(own)
        except (SafetensorError, RuntimeError) as error:
            raise WeightsError(f"{path} does not fit its card ({error}).") from error
        if values:
            raise WeightsError(f"{path} does not fit its card (nothing takes {min(values)}).")
        return networks

    def _untrained(self, described: Mapping[str, Any]) -> "GenreNetwork":
        from recommender.networks import create_model

        return create_model(
            described["architecture"],
            n_mels=self.card.front_end["n_mels"],
            n_classes=len(self.card.labels),
            **described["model_settings"],
        ).eval()

    def space(self, windowing: "Windowing | None" = None) -> SpaceId:
        """The space of this model's activations before projection.

        Args:
            windowing: how tracks are analysed; None for the card's windowing.
        """
        card = self.card
        windows = card.windowing if windowing is None else asdict(windowing)
        weights = model_digest(
            card.weights_digest,
            descriptors.VERSION if card.descriptors else None,
            card.network_frames or None,
        )
        return SpaceId(card.name, weights, analysis_digest(card.front_end, windows))

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


def find_model(model: str = DEFAULT_MODEL) -> ModelFiles:
    """The files of a shipped model, or of a folder given by its path.

    Raises:
        WeightsError: there is neither; the message lists the shipped models.
    """
    for folder in (_shipped_folder() / model, Path(model)):
        if (folder / CARD).is_file():
            return ModelFiles(folder)
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
    from recommender.networks import model_names

    return model in model_names()


def _of(place: int, names: Iterable[str]) -> list[str]:
    """Those of the names in a weights file that belong to one network."""
    return [name for name in names if name.startswith(f"{place}.")]


def file_digest(path: Path) -> str:
    """Twelve hex digits of a file's bytes. Raises `WeightsError` when it cannot be read."""
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error}).") from error


def _shipped_folder() -> Path:
    return Path(str(files("recommender.data"))) / "weights"
