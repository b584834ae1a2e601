"""The model `musicnn` with random weights, as fixtures."""

import dataclasses
import hashlib
from pathlib import Path

import pytest
from tensor_bundles import write_wheel

from recommender.pretrained import musicnn
from recommender.pretrained.wheel import PinnedWheel


@pytest.fixture(scope="session")
def toy_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of random weights; see `known_wheel`."""
    return write_wheel(tmp_path_factory.mktemp("wheel") / musicnn.WHEEL.file_name)


@pytest.fixture(scope="session")
def toy_models(toy_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models to which those of the toy wheel were added."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECSYS_MODELS", str(folder))
        patch.setattr(musicnn, "WHEEL", known(toy_wheel))
        musicnn.add_musicnn(toy_wheel)
    return folder


@pytest.fixture
def known_wheel(toy_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy wheel, whose digest is the one that is known."""
    monkeypatch.setattr(musicnn, "WHEEL", known(toy_wheel))
    return toy_wheel


def known(wheel: Path) -> PinnedWheel:
    """What is known of musicnn's wheel, with the digest of this file."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return dataclasses.replace(musicnn.WHEEL, sha256=digest)
