"""Tables, text and progress on terminals and in pipes."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from command_line import BAD, RECSYS, Terminal, recsys

from recommender.catalog import Catalog, Tags
from recommender.cli.output import counted


def test_counted() -> None:
    assert [counted(n, "track") for n in (0, 1, 2, 1000)] == [
        "0 tracks",
        "1 track",
        "2 tracks",
        "1,000 tracks",
    ]
    assert (counted(1, "query", "queries"), counted(2, "query", "queries")) == (
        "1 query",
        "2 queries",
    )


def test_names_that_are_no_text(catalog: Path) -> None:
    """Also where the terminal knows ASCII alone."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [*RECSYS, "list"], env={**os.environ, **ascii_only}, capture_output=True, check=True
    )
    for text in (done.stdout.decode("ascii"), recsys("list").out):
        assert r"line\nbreak.wav" in text
        assert r"bad\xff.wav" in text
    paths = {track["path"] for track in recsys("list", "--json").json}
    assert {"line\nbreak.wav", BAD} <= paths


def test_tables_are_whole_in_a_pipe_and_fit_a_terminal(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    long = " ".join(["word"] * 100)
    with Catalog.open(str(catalog)) as opened:
        track = opened.track(1)
        with opened.writing() as write:
            stat = opened.known_files(track.library, opened.spaces()[0][0])[track.path].stat
            write.retagged(1, stat, Tags(title=long), track.content_hash)
    assert long in recsys("list").out
    for width in (60, 80, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = re.sub(r"\x1b\[\d*m", "", recsys("list", stream=Terminal).out).splitlines()
        assert len(lines) == 9  # no cell is broken over lines
        assert width - 20 < max(map(len, lines)) <= width
        assert "…" in "".join(lines)


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize(
    "command",
    [
        "list",
        "similar 1",
        "mix 1 --not 2 --why",
        "radio 1 --why",
        "path 1 2 --why",
        "order 1 2 3 4",
        "grow 1 2",
        "today",
        "artists Anna",
        "duplicates",
        "exclude list",
        "exclude add --artist Nobody",
        "like 1",
        "history list",
        "playlist list",
        "playlist save A 1",
        "playlist run --all",
        "failures",
        "status",
        "show 1",
        "library list",
        "models",
        "models default",
        "evaluate --genre-from folder",
        "verify",
        "ingest",
    ],
)
def test_no_line_is_wider_than_the_terminal(
    command: str, width: int, catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    output = recsys(*command.split())
    assert output.status == 0
    for line in (output.out + output.err).splitlines():
        # A path in a sentence stays whole, so that it can be copied.
        assert len(line) <= width or " " not in line.strip()


def test_models_is_a_readable_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = recsys("models").out.splitlines()
    assert len(lines) < 40
    (default,) = [line for line in lines if line.startswith("default (default)")]
    assert "±" in default


def test_progress_is_for_terminals(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert "verifying" in recsys("verify", stream=Terminal).err
    assert "evaluating" in recsys("evaluate", stream=Terminal).err
    for command in (("verify",), ("evaluate",), ("export", catalog.parent / "e.npz")):
        assert recsys(*command).err == ""


@pytest.mark.parametrize(
    "arguments", [["list"], ["list", "--json"], ["radio", "1"], ["mix", "1", "--m3u", "-"]]
)
def test_a_reader_that_leaves(catalog: Path, arguments: list[str]) -> None:
    process = subprocess.Popen(
        [*RECSYS, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()
