"""A library with hostile tags behind a server that runs, a browser, and the page built anew."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import pytest
from serving_process import server_process
from shown_library import HOSTILE, Library, write_library

from recommender.catalog import Catalog
from recommender.server import web


@pytest.fixture(scope="package")
def made_library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of short pieces by four artists, some with hostile tags, and its catalogue."""
    return write_library(tmp_path_factory.mktemp("shown"))


@pytest.fixture
def library(made_library: tuple[Path, Path], tmp_path: Path) -> Iterator[Library]:
    """Served to one test, which may change its catalogue."""
    folder, made = made_library
    database = Path(shutil.copy(made, tmp_path / "catalog.db"))
    with Catalog.open(database) as catalog:
        tracks = sorted(catalog.all_tracks(), key=lambda track: track.path)
    ids = {track.title: track.id for track in tracks}
    hostile = [(track.id, track.title) for track in tracks[: len(HOSTILE)]]
    with server_process(database=database) as server:
        yield Library(folder, database, server.line(), ids, hostile, server)


@pytest.fixture
def page() -> Iterator[Any]:
    """A browser window of 1280 × 800. Skips where there is no browser."""
    if reason := browser.missing():
        pytest.skip(reason)
    with browser.chromium() as driver:
        yield driver


@pytest.fixture(scope="session")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's source with its parts, and the page built of it in ``out``.

    Skips where there is no npm, or it reaches no registry.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and Node.js are not installed")
    folder = tmp_path_factory.mktemp("source")
    source = Path(web.__file__).with_name("source")
    shutil.copytree(
        source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules")
    )
    install = ["npm", "ci", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"npm cannot fetch the parts of the page: {done.stderr.strip()[-200:]}")
    build = ["node", "build.mjs", str(folder / "out")]
    subprocess.run(build, cwd=folder, check=True, timeout=120)
    return folder
