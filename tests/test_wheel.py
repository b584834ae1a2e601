"""The wheel, built from the checkout and installed elsewhere, works without the checkout."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import sounds

CHECKOUT = Path(__file__).resolve().parents[1]
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "recommender", "cli", "alembic", "data")
RUN = """
import json, sys
from pathlib import Path
import recommender, recommender.cli, recommender.data
from recommender.catalog.migrations import migrations_folder

if __name__ == "__main__":  # and not in the worker processes
    installed, commands = Path(sys.argv[1]), json.loads(sys.argv[2])
    modules = [module.__file__ for module in (recommender, recommender.cli, recommender.data)]
    for path in (*modules, migrations_folder()):
        assert installed in Path(path).parents, path
    for words in commands:
        sys.argv = ["recsys", *words]
        try:
            recommender.cli.main()
        except SystemExit as end:
            assert not end.code, words
"""


@dataclass(frozen=True)
class Installed:
    """A wheel, and the folder it was installed in."""

    wheel: Path
    folder: Path

    def recsys(self, *commands: list[str], cwd: Path) -> str:
        """Run commands in a folder; their code and data must be the installed ones."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        command = [sys.executable, "-c", RUN, str(self.folder), json.dumps(commands)]
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel").resolve()
    # A copy of the sources: a build leaves files in them, and those of an older build could hide
    # what the lists of packages and data lack.
    for name in SOURCES:
        path = CHECKOUT / name
        if path.is_dir():
            shutil.copytree(
                path, folder / "src" / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            (folder / "src").mkdir(exist_ok=True)
            shutil.copy(path, folder / "src")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, folder / "src")
    (wheel,) = folder.glob("*.whl")
    pip("install", "--no-deps", "--no-index", "--target", folder / "target", wheel)
    return Installed(wheel, folder / "target")


def pip(*words: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_is_small(installed: Installed) -> None:
    assert installed.wheel.stat().st_size < 12_000_000


def test_only_our_own_package_lands_in_site_packages(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"recommender"}
    assert len(tops) == 2
    for file in ("py.typed", "cli/__init__.py", "migrations/env.py"):
        assert f"recommender/{file}" in names
    for folder, package in (("data", "data"), ("alembic", "migrations")):
        files = [path for path in (CHECKOUT / folder).rglob("*") if path.is_file()]
        wanted = {path.relative_to(CHECKOUT / folder).as_posix() for path in files}
        for_readers = (".md", ".log", ".svg")
        wanted = {n for n in wanted if "__pycache__" not in n and not n.endswith(for_readers)}
        # Of the study, the tables are for users; outcomes and pictures are for readers.
        shown = (".csv", "study/timing.json")
        wanted = {n for n in wanted if "results/study/" not in n or n.endswith(shown)}
        assert {f"recommender/{package}/{name}" for name in wanted} <= set(names)


@pytest.mark.slow
def test_the_main_job(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    sounds.write_sound(tmp_path / "music" / "a.wav", sounds.music(2, 22_050), 22_050)
    out = installed.recsys(
        ["--help"],
        ["models"],
        ["ingest", "music", "--workers", "1", "--db", "new.db"],
        ["db", "current", "--db", "new.db"],
        cwd=tmp_path,
    )
    for said in ("Usage: recsys", "default", "1 analysed", "newest"):
        assert said in out
