"""What is served is what the source makes."""

import subprocess
from pathlib import Path

import pytest

from recommender.server.web.page import page_files

pytestmark = pytest.mark.slow


def test_the_built_page_is_that_of_the_source(rebuilt: Path) -> None:
    made = {path.name: path.read_bytes() for path in (rebuilt / "out").iterdir()}
    served = {name: file.plain for name, file in page_files().items()}
    assert made.keys() == served.keys()
    assert [name for name in made if made[name] != served[name]] == []


def test_its_types_fit(rebuilt: Path) -> None:
    done = subprocess.run(
        ["npx", "--no-install", "tsc", "--noEmit"], cwd=rebuilt, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
