"""README's Python runs as it stands there, in a folder with the demo library."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recommender.demo import render_library

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader who has run `make demo` would be."""
    folder = tmp_path_factory.mktemp("readme")
    render_library(folder / "demo-library" / "music")
    return folder


def run(block: str, folder: Path) -> list[str]:
    """Run one block as a script; the lines it prints."""
    script = folder / "block.py"
    script.write_text(block, encoding="utf-8")
    environment = {**os.environ, "RECSYS_DB": str(folder / "unused.db")}
    done = subprocess.run(
        [sys.executable, script], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_there_are_two() -> None:
    assert len(BLOCKS) == 2


@pytest.mark.slow
def test_ingest_and_recommend(folder: Path) -> None:
    lines = [line.split(maxsplit=1) for line in run(BLOCKS[0], folder)]
    assert [rank for rank, _ in lines] == ["1", "2", "3", "4", "5"]
    assert all(-1 <= float(rest.rsplit(maxsplit=1)[1]) <= 1 for _, rest in lines)


@pytest.mark.slow
def test_embed(folder: Path) -> None:
    (similarity,) = run(BLOCKS[1], folder)
    assert 0 < float(similarity) < 1


def test_readme_is_short() -> None:
    assert len(README.read_bytes()) <= 8_192


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (README.parent / link).exists(), link
