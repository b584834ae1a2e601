"""The models `musicnn` and `combined`: two tagging networks of Pons & Serra, from their wheel.

Of the wheel, `MSD_musicnn` and `MTT_musicnn` are taken: the one was trained on ten times as many
songs and tells mood, genre and era, the other knows instruments, tempo and voices. The networks
named vgg that lie beside them need more time for worse figures (the makers' own).
"""

import ast
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recommender.embedding.model_files import ModelFiles, find_model
from recommender.errors import WeightsError
from recommender.pretrained.combined import write_combined
from recommender.pretrained.model_folders import new_model_folder
from recommender.pretrained.musicnn_card import write_musicnn
from recommender.pretrained.musicnn_weights import read_weights
from recommender.pretrained.wheel import PinnedWheel
from recommender.utils.arrays import FloatArray

WHEEL = PinnedWheel(
    requirement="musicnn==0.1.0",
    file_name="musicnn-0.1.0-py3-none-any.whl",
    sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
)

NETWORKS = {"MSD": "MSD_musicnn", "MTT": "MTT_musicnn"}
"""Data set → folder of the checkpoint in the wheel; in the order of the activations."""

TAGS = 50

_MOST_BYTES = 20_000_000
"""Of one file in the wheel; the largest has half of that."""


@dataclass(frozen=True)
class TaggingNetwork:
    """One network of the wheel.

    Attributes:
        weights: its state dict, as of `networks.musicnn.Musicnn`.
        tags: names of its outputs.
    """

    weights: Mapping[str, FloatArray]
    tags: tuple[str, ...]


def add_musicnn(wheel: Path | None = None) -> list[ModelFiles]:
    """Add `musicnn` and `combined` to the user's models, replacing those that are there.

    Args:
        wheel: the file; None to fetch it by pip, which a network is needed for.

    Returns:
        The models that were added.

    Raises:
        WeightsError: the wheel cannot be fetched or read or is another one, a checkpoint in it is
            damaged or of another network, or the folder of models cannot be written. Nothing is
            added then.
    """
    with tempfile.TemporaryDirectory(prefix="recsys-") as folder:
        path = WHEEL.fetch(Path(folder)) if wheel is None else wheel
        with WHEEL.open(path) as archive:
            networks = read_networks(archive)
    with new_model_folder("musicnn") as own, new_model_folder("combined") as combined:
        write_musicnn(networks, own)
        write_combined(ModelFiles(own), combined)
    return [find_model("musicnn"), find_model("combined")]


def read_networks(archive: zipfile.ZipFile) -> dict[str, TaggingNetwork]:
    """Data set → network, with every tensor checked. Raises `WeightsError`."""
    labels = _labels(_member(archive, "musicnn/configuration.py"))
    networks = {}
    for data, name in NETWORKS.items():
        index, values = (
            _member(archive, f"musicnn/{name}/{file}")
            for file in (".index", ".data-00000-of-00001")
        )
        if len(labels.get(data, ())) != TAGS:
            raise WeightsError(f"the wheel does not name the {TAGS} tags of {name}.")
        networks[data] = TaggingNetwork(read_weights(index, values, name), labels[data])
    return networks


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        if archive.getinfo(name).file_size > _MOST_BYTES:
            raise WeightsError(f"{name} in the wheel is larger than any file of it should be.")
        return archive.read(name)
    except (KeyError, zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise WeightsError(f"the wheel has no readable {name} ({error}).") from error


def _labels(source: bytes) -> dict[str, tuple[str, ...]]:
    """Data set → tags, read from the wheel's configuration, which is parsed and not run."""
    try:
        lists = {
            node.targets[0].id: tuple(map(str, ast.literal_eval(node.value)))
            for node in ast.parse(source).body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id.endswith("_LABELS")
        }
    except (SyntaxError, ValueError, TypeError) as error:
        raise WeightsError(f"the tags in the wheel cannot be read ({error}).") from error
    return {name.removesuffix("_LABELS"): tags for name, tags in lists.items()}
