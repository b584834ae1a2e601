"""Fixtures every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["toy_fixtures", "toy_musicnn", "postgres_fixtures"]

# The same examples in every run, however busy the machine is.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the GTZAN data and real music; tests that need it skip where it is not."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("RECSYS_SHARED", beside))
    if not (folder / "gtzan").is_dir() or not (folder / "music").is_dir():
        pytest.skip(f"no gtzan/ and music/ in {folder} (set RECSYS_SHARED to their folder)")
    return folder


def pytest_configure() -> None:
    """Settings of the user's shell change no test."""
    for name in ("COLUMNS", "RECSYS_DEBUG", "RECSYS_LIMITS"):
        os.environ.pop(name, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the `shared` folder, so that ``-m data`` selects it."""
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker("data")


@pytest.fixture(autouse=True)
def _own_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own catalogue and models."""
    monkeypatch.setenv("RECSYS_DB", str(tmp_path / "catalog.db"))
    monkeypatch.setenv("RECSYS_MODELS", str(tmp_path / "models"))
