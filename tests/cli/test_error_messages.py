"""Errors: one line on standard error, and a status."""

from pathlib import Path

import pytest
from command_line import Shop, recsys


def test_errors_are_one_line(shop: Shop, catalog: Path) -> None:
    place = catalog.parent
    (place / "text.db").write_text("no database")
    (place / "folder.m3u8").mkdir()
    cases: list[tuple[tuple[object, ...], str]] = [
        (("ingest", place / "absent"), "absent"),
        (("ingest", shop.music / "one.flac"), "is a file"),
        (("ingest", shop.music, "--model", "nonesuch"), "nonesuch"),
        (("similar", 1, "--db", place / "new.db"), "recsys ingest"),
        (("evaluate", "--db", place / "new.db"), "recsys ingest"),
        (("export", place / "e.npz", "--db", place / "new.db"), "recsys ingest"),
        (("similar", 99), "99"),
        (("show", "no such words"), "no such words"),
        (("show", "polka\nmusic"), "'polka\\nmusic'"),
        (("similar", shop.music / "text.mp3"), ""),
        (("similar", 1, "--analysed", "polka"), "it knows blues"),
        (("similar", 1, "--min-duration", 9, "--max-duration", 8), "at most 8 s"),
        (("similar", 1, "--m3u", place / "folder.m3u8"), "cannot be written"),
        (("evaluate", "--labels", place / "absent.csv"), "absent.csv"),
        (("evaluate", "--csv", place / "absent" / "e.csv"), "cannot be written"),
        (("export", place / "e.csv"), "ends in"),
        (("list", "--db", place / "text.db"), "not a database"),
        (("list", "--db", place), "cannot be used"),
        (("list", "--db", "foo://bar"), "foo://bar"),
        (("list", "--db", "/dev/null/catalog.db"), "--db"),
        (("library", "move", place / "a", place), "library"),
        (("library", "move", place / "a", place / "b"), "no folder"),
        (("train", "nonesuch", "--gtzan", place, "--out", place), "conv1d-encoder"),
        (("train", "default", "--gtzan", place, "--out", place, "--seeds", "x"), "--seeds"),
        (("train", "default", "--gtzan", place / "absent", "--out", place), "absent"),
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
        "ingest",
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
