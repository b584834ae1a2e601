"""A small music folder and its catalogue, made once for all tests of commands."""

import shutil
from pathlib import Path

import pytest
from command_line import Shop, recsys, write_music


@pytest.fixture(autouse=True)
def _no_width_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output goes to a pipe of unlimited width unless a test says otherwise."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    write_music(folder / "music")
    demo = recsys("demo", "--music", folder / "music", "--folder", folder / "demo")
    return Shop(folder / "music", folder / "demo" / "own-music.db", demo)


@pytest.fixture
def catalog(shop: Shop, tmp_path: Path) -> Path:
    """A copy of the catalogue, for one test, where the commands look for it (RECSYS_DB)."""
    return Path(shutil.copy(shop.database, tmp_path / "catalog.db"))
