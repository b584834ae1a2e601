"""The wheel of PyPI, where it is at hand."""

import os
from pathlib import Path

import pytest

from recommender.pretrained.musicnn import WHEEL

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def real_wheel() -> Path:
    """The real wheel of musicnn; tests that need it skip where it is not."""
    path = Path(os.environ.get("RECSYS_MUSICNN_WHEEL", ROOT / ".peers" / WHEEL.file_name))
    if not path.is_file():
        pytest.skip(f"no wheel at {path} (pip download --no-deps -d .peers musicnn==0.1.0)")
    return path
