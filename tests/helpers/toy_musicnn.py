"""The model `musicnn` with random weights, as fixtures."""

import dataclasses
import hashlib
from pathlib import Path

import pytest
from tensor_bundles import write_wheel

from recommender.pretrained import musicnn


@pytest.fixture(scope="session")
def toy_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of random weights; see `known_wheel`."""
    return write_wheel(tmp_path_factory.mktemp("wheel") / musicnn.WHEEL.file_name)


@pytest.fixture
def known_wheel(toy_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy wheel, whose digest is the one that is known."""
    digest = hashlib.sha256(toy_wheel.read_bytes()).hexdigest()
    monkeypatch.setattr(musicnn, "WHEEL", dataclasses.replace(musicnn.WHEEL, sha256=digest))
    return toy_wheel
