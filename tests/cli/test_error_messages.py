"""Errors: one line on standard error, and a status."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Shop, recsys

from recommender.catalog import Catalog


def test_errors_are_one_line(shop: Shop, catalog: Path) -> None:
    folder = catalog.parent
    (folder / "text.db").write_text("no database")
    (folder / "folder.m3u8").mkdir()
    cases: list[tuple[tuple[object, ...], str]] = [
        (("ingest", folder / "absent"), "absent"),
        (("ingest", shop.music, "--model", "nonesuch"), "nonesuch"),
        (("similar", 1, "--db", folder / "new.db"), "recsys ingest"),
        (("evaluate", "--db", folder / "new.db"), "recsys ingest"),
        (("export", folder / "e.npz", "--db", folder / "new.db"), "recsys ingest"),
        (("similar", 99), "99"),
        (("show", "no such words"), "no such words"),
        (("show", "polka\nmusic"), "'polka\\nmusic'"),
        (("similar", shop.music / "text.mp3"), ""),
        (("similar", 1, "--predicted-genre", "polka"), "it knows blues"),
        (("similar", 1, "--min-duration", 9, "--max-duration", 8), "at most 8 s"),
        (("similar", 1, "--m3u", folder / "folder.m3u8"), "cannot be written"),
        (("evaluate", "--labels", folder / "absent.csv"), "absent.csv"),
        (("evaluate", "--csv", folder / "absent" / "e.csv"), "cannot be written"),
        (("export", folder / "e.csv"), "ends in"),
        (("list", "--db", folder / "text.db"), "not a database"),
        (("list", "--db", folder), "cannot be used"),
        (("list", "--db", "foo://bar"), "foo://bar"),
        (("list", "--db", "/dev/null/catalog.db"), "--db"),
        (("similar", 1, "--db", folder / "new.db"), "--db"),
        (("db", "current", "--db", "foo://bar"), "--db"),
        (("similar", 1, "--with-seed"), "--m3u"),
        (("compare", "default"), "at least two models"),
        (("library", "remove", folder / "a", "--yes"), "no library"),
        (("library", "remove", shop.music), "--yes"),
        (("models", "nonesuch"), "nonesuch"),
        (("library", "move", folder / "a", folder), "library"),
        (("library", "move", folder / "a", folder / "b"), "no folder"),
        (("train", "nonesuch", "--gtzan", folder, "--out", folder), "conv1d-encoder"),
        (("train", "default", "--gtzan", folder, "--out", folder, "--seeds", "x"), "--seeds"),
        (("train", "default", "--gtzan", folder / "absent", "--out", folder), "absent"),
    ]
    for words, fragment in cases:
        output = recsys(*words)
        assert (output.status, output.out) == (1, ""), words
        assert output.err.startswith("recsys: "), words
        assert output.err.count("\n") == 1, words
        assert fragment in output.err, words


def test_a_damaged_database(catalog: Path) -> None:
    data = bytearray(catalog.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    catalog.write_bytes(data)
    for command in (("list",), ("similar", 1), ("status",)):
        output = recsys(*command)
        assert output.status == 1
        assert "damaged" in output.err
        assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        "similar 1 --device gpu",
        "similar 1 -k 0",
        "similar",
        "similar 1 --per-artist -1",
        "similar 1 --min-duration 3x",
        "similar 1 --ranking best",
        "mix",
        "mix 1 --variety 2",
        "mix 1 --christmas maybe",
        "mix 1 -k 0",
        "radio 1 --max-duration 3x",
        "path 1",
        "path 1 2 --steps 0",
        "path 1 2 --artist-gap 3",
        "order",
        "grow 1 --threshold 2",
        "like",
        "played 1 --at yesterday",
        "exclude remove x",
        "playlist save A",
        "mpd --port 0",
        "nonesuch",
        "list --nonesuch",
        "ingest . --workers 0",
        "evaluate --genre-from nowhere",
        "train x --gtzan x",
        "train x --gtzan x --out y --protocol z",
    ],
)
def test_usage_errors(words: str) -> None:
    output = recsys(*words.split())
    assert (output.status, output.out) == (2, "")
    assert "Usage: recsys" in output.err
    assert "Error: " in output.err


def test_an_unexpected_error_is_one_line(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(Catalog, "search", fail)
    output = recsys("list")
    assert (output.status, output.out) == (1, "")
    assert output.err.startswith("recsys: unexpected error, ZeroDivisionError: two\\nlines")
    assert "RECSYS_DEBUG=1" in output.err
    assert output.err.count("\n") == 1
    monkeypatch.setenv("RECSYS_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        recsys("list")


def test_prune_names_the_option_that_forces_it(catalog: Path) -> None:
    with Catalog.open(str(catalog)) as opened, opened.writing() as write:
        write.missing([track.id for track in opened.all_tracks()])
    output = recsys("prune")
    assert output.status == 1
    assert "--force" in output.err
    assert output.err.count("\n") == 1
    assert recsys("prune", "--force").out == "8 missing tracks dropped.\n"


class Panic(BaseException):
    """As libraries written in Rust panic: no `Exception`."""


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "e.npz"),
            "e.npz: No space left on device",
        ),
        (OSError(errno.EROFS, "Read-only file system"), "Write elsewhere"),
        (MemoryError(), "not enough memory"),
        (RecursionError("too deep"), "report it"),
        (Panic("index out of bounds"), "report it"),
        (OSError("what is this?"), "report it"),
    ],
)
def test_what_no_command_foresees(
    catalog: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, says: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Catalog, "search", fail)
    output = recsys("list")
    assert (output.status, output.out) == (1, "")
    assert output.err.startswith("recsys: ")
    assert says in output.err
    assert output.err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", [("list",), ("--version",)])
def test_output_that_cannot_be_written(catalog: Path, words: tuple[str, ...]) -> None:
    program = "from recommender.cli import main; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, *words], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr.startswith("recsys: ")
    assert "No space left" in done.stderr
    assert done.stderr.count("\n") == 1
