"""A wheel like that of musicnn, and the real one where it is at hand."""

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest
from tensor_bundles import write_wheel

from recommender.pretrained import musicnn

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def toy_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of random weights; see `known_wheel`."""
    return write_wheel(tmp_path_factory.mktemp("wheel") / musicnn.WHEEL.file_name)


@pytest.fixture
def known_wheel(toy_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The toy wheel, whose digest is the one that is known."""
    digest = hashlib.sha256(toy_wheel.read_bytes()).hexdigest()
    monkeypatch.setattr(musicnn, "WHEEL", dataclasses.replace(musicnn.WHEEL, sha256=digest))
    return toy_wheel


@pytest.fixture(scope="session")
def real_wheel() -> Path:
    """The wheel of PyPI; tests that need it skip where it is not."""
    beside = ROOT / ".peers" / musicnn.WHEEL.file_name
    path = Path(os.environ.get("RECSYS_MUSICNN_WHEEL", beside))
    if not path.is_file():
        pytest.skip(f"no wheel at {path} (pip download --no-deps -d .peers musicnn==0.1.0)")
    return path
