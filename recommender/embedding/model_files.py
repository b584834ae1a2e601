"""The files of a model: find, check, load. Only `ModelFiles.networks` imports torch, for training
and for other devices than the CPU.

A model analyses a track with any number of networks, with handcrafted descriptors, or with both,
and has one genre head and one projection of all of their activations. It is a folder of four files:

- `weights.safetensors`: state dicts of the networks, their names prefixed ``0.``, ``1.`` and so on;
  empty if there is no network.
- `head.safetensors` and `projection.safetensors`: see `tensor_file`.
- `card.json`: what the weights are, how sound must be prepared for them, what they were trained on
  and what they achieve; see `model_card`.

The shipped models are package data (`data/weights/`). Models of others, which the package may not
or cannot bring along, are added to a folder of the user's (`pretrained`). Any other folder can be
named by its path.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_card import ADVICE, ModelCard
from recommender.embedding.projection import Projection
from recommender.embedding.space import SpaceId, analysis_digest, model_digest
from recommender.embedding.tensor_file import StoredArray
from recommender.errors import UsageError, WeightsError, WeightsNotShipped
from recommender.features import descriptors
from recommender.networks.graph import WeightsMismatch
from recommender.networks.graphs import has_graph, network_graph, takes_patches
from recommender.utils.files import AnyPath, require_regular

if TYPE_CHECKING:
    from recommender.audio.windows import Windowing
    from recommender.networks import GenreNetwork
    from recommender.networks.musicnn import Musicnn

DEFAULT_MODEL = "default"

CARD, WEIGHTS = "card.json", "weights.safetensors"
HEAD, PROJECTION = "head.safetensors", "projection.safetensors"

MODELS_VARIABLE = "RECSYS_MODELS"

ADDABLE = {"musicnn": "musicnn", "combined": "musicnn"}
"""Models that can be added: name → what is added for it."""

_WITHDRAWN = {
    "best": "the model 'best' does not ship any more: its five networks recommended no better "
    "than the one of 'default'. A catalogue analysed with it is recommended as before, by the "
    "projection that it holds; new files, and sounds from outside, need another model, such as "
    "'default', with which all files are then analysed once."
}
"""What became of models that no longer ship, by name."""

_UNMAKEABLE = (UsageError, TypeError, ValueError, LookupError, ArithmeticError, RuntimeError)
"""What a network raises for settings that it cannot have."""


@dataclass(frozen=True)
class ModelFiles:
    """The folder of a model. What is loaded is checked against the digests in the card.

    Every method raises `WeightsError` where a file is missing, damaged, or not the card's.
    """

    folder: Path

    @cached_property
    def card(self) -> ModelCard:
        """The card, read once."""
        return ModelCard.read(self.folder / CARD)

    def projection(self) -> Projection:
        """Its projection."""
        projection = Projection.load(self.folder / PROJECTION)
        self._check("projection", projection.digest, self.card.projection_digest)
        fits = projection.mean.ndim == 1 and projection.matrix.ndim == 2
        self._require("projection", fits and len(projection.mean) == len(projection.matrix))
        return projection

    def head(self) -> GenreHead:
        """Its genre head."""
        head = GenreHead.load(self.folder / HEAD)
        self._check("genre head", head.digest, self.card.head_digest)
        classes = (len(self.card.labels),)
        self._require("genre head", head.bias.shape == head.weight.shape[1:] == classes)
        return head

    def graphs(self) -> list[bytes] | None:
        """Its networks as ONNX models; None where an architecture has no graph."""
        if not all(has_graph(settings["architecture"]) for settings in self.card.networks):
            return None
        return [
            self._graph(settings, weights)
            for settings, weights in zip(self.card.networks, self._weights(), strict=True)
        ]

    def networks(self) -> "list[GenreNetwork | Musicnn]":
        """Its networks with their weights, on the CPU and in evaluation mode."""
        import torch

        weights = self._weights()
        try:
            networks = [self._untrained(settings) for settings in self.card.networks]
        except _UNMAKEABLE as error:
            raise self._unmakeable(error) from error
        try:
            for network, arrays in zip(networks, weights, strict=True):
                network.load_state_dict({n: torch.from_numpy(a) for n, a in arrays.items()})
        except (RuntimeError, TypeError, ValueError) as error:
            raise self._unfitting(error) from error
        return networks

    def _weights(self) -> list[dict[str, StoredArray]]:
        """The state dict of each network."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = self.folder / WEIGHTS
        self._check("weights", file_digest(path), self.card.weights_digest)
        networks: list[dict[str, StoredArray]] = [{} for _ in self.card.networks]
        try:
            for name, values in load_file(path).items():
                number, _, parameter = name.partition(".")
                if not number.isdecimal() or int(number) >= len(networks):
                    raise ValueError(f"nothing takes {name}")
                networks[int(number)][parameter] = values
        except (SafetensorError, OSError, ValueError, LookupError, TypeError) as error:
            raise self._unfitting(error) from error
        return networks

    def _graph(self, settings: Mapping[str, Any], weights: Mapping[str, StoredArray]) -> bytes:
        """A network of the card as an ONNX model."""
        architecture, of_architecture = settings["architecture"], settings["model_settings"]
        front_end = self.card.patches if takes_patches(architecture) else self.card.front_end
        try:
            return network_graph(architecture, front_end["n_mels"], of_architecture, weights)
        except WeightsMismatch as error:
            raise self._unfitting(error) from error
        except _UNMAKEABLE as error:
            raise self._unmakeable(error) from error

    def _unfitting(self, error: Exception) -> WeightsError:
        return WeightsError(f"{self.folder / WEIGHTS} does not fit its card ({error}).")

    def _unmakeable(self, error: Exception) -> WeightsError:
        return WeightsError(
            f"{self.folder / CARD} describes a network that cannot be made ({error}). {ADVICE}"
        )

    def _untrained(self, settings: Mapping[str, Any]) -> "GenreNetwork | Musicnn":
        """A network of the card, with weights still to be loaded."""
        from recommender.networks import create_model
        from recommender.networks.musicnn import Musicnn

        if takes_patches(settings["architecture"]):
            tags = settings["model_settings"]["tags"]
            return Musicnn(n_tags=len(tags), n_mels=self.card.patches["n_mels"]).eval()
        return create_model(
            settings["architecture"],
            n_mels=self.card.front_end["n_mels"],
            n_classes=len(self.card.labels),
            **settings["model_settings"],
        ).eval()

    def space(self, windowing: "Windowing | None" = None) -> SpaceId:
        """The space of this model's unprojected activations.

        Args:
            windowing: of the analysis; None: the card's.
        """
        card = self.card
        windows = card.windowing if windowing is None else asdict(windowing)
        weights = model_digest(
            card.weights_digest,
            descriptors.VERSION if card.descriptors else None,
            card.network_frames or None,
        )
        analysis = analysis_digest(card.front_end, windows, card.patches)
        return SpaceId(card.name, weights, analysis)

    def _require(self, what: str, fits: bool) -> None:
        if not fits:
            raise WeightsError(
                f"the {what} in {self.folder} has not the shape that its card asks for. {ADVICE}"
            )

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


def models_folder() -> Path:
    """Where models are added: ``$RECSYS_MODELS``, or ``models`` in the user's data folder."""
    named = os.environ.get(MODELS_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("recsys") / "models"


def added_models() -> tuple[str, ...]:
    """Names of the models that were added to `models_folder`, sorted."""
    found = models_folder().glob(f"*/{CARD}")
    names = {path.parent.name for path in found if not path.parent.name.startswith(".")}
    return tuple(sorted(names - set(shipped_models())))


def named_models() -> tuple[str, ...]:
    """Names of all models that need no path: shipped ones, then added ones."""
    return (*shipped_models(), *added_models())


def find_model(model: AnyPath = DEFAULT_MODEL) -> ModelFiles:
    """The files of a shipped or an added model, or of a folder given by its path.

    Raises:
        WeightsError: there is none; the message lists the shipped models.
    """
    model = os.fspath(model)
    for folder in (_shipped_folder() / model, models_folder() / model, Path(model)):
        if (folder / CARD).is_file():
            return ModelFiles(folder)
    if model in _WITHDRAWN:
        raise WeightsError(_WITHDRAWN[model])
    if model in ADDABLE:
        raise WeightsError(
            f"the model {model!r} has to be added first: 'recsys models add {ADDABLE[model]}' "
            "fetches what it consists of."
        )
    shipped = ", ".join(shipped_models()) or "none"
    if _is_architecture(model):
        raise WeightsNotShipped(
            f"the weights of {model!r} are too large to be shipped: train them with 'recsys train "
            f"{model}', then name the folder that holds them. Shipped models: {shipped}.",
            model,
        )
    raise WeightsError(
        f"no weights are named {model!r} and no folder of that name holds a {CARD}; shipped "
        f"models: {shipped}. 'recsys train' trains new ones."
    )


def _is_architecture(model: str) -> bool:
    from recommender.networks import model_names

    return model in model_names()


def file_digest(path: Path) -> str:
    """Twelve hex digits of a file's bytes. Raises `WeightsError` when it cannot be read."""
    try:
        require_regular(path)
        return hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error}).") from error


def _shipped_folder() -> Path:
    return Path(str(files("recommender.data"))) / "weights"
