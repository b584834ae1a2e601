"""`recsys verify`, `prune`, `library` and `db`."""

import io
import shutil
from pathlib import Path

import pytest
from command_line import Shop, recsys

from recommender.catalog import Catalog


class TerminalInput(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_verify(catalog: Path) -> None:
    assert recsys("verify").out == "catalogue, files and index agree.\n"
    assert recsys("verify", "--json").json == []
    with Catalog.open(str(catalog)) as opened, opened.writing() as write:
        write.missing([1])
    found = recsys("verify", "--json")
    assert (found.status, [finding["kind"] for finding in found.json]) == (1, ["back"])
    repaired = recsys("verify", "--repair")
    assert (repaired.status, "repaired" in repaired.out) == (0, True)
    assert recsys("verify").status == 0


def test_libraries(shop: Shop, catalog: Path) -> None:
    assert [library["root"] for library in recsys("library", "list", "--json").json] == [
        str(shop.music)
    ]
    copied = shutil.copytree(shop.music, catalog.parent / "moved")
    assert recsys("library", "move", shop.music, copied).status == 0
    assert str(copied) in recsys("library", "list").out
    assert recsys("ingest", copied, "--json").json["unchanged"] == 8


def test_database(catalog: Path) -> None:
    current = recsys("db", "current")
    assert (current.status, current.err) == (0, "")
    assert recsys("db", "upgrade").out == f"already at {current.out.split()[0]}.\n"
    new = catalog.parent / "new.db"
    assert recsys("db", "current", "--db", new).out.startswith("no schema")
    assert not new.exists()
    assert recsys("db", "upgrade", "--db", new).out.startswith("upgraded: new")


def test_library_list_shows_state_and_counts(shop: Shop, catalog: Path) -> None:
    (library,) = recsys("library", "list", "--json").json
    assert library["state"] == "available"
    assert (library["analysed"], library["missing"], library["failed"]) == (8, 0, 0)
    headings, row = recsys("library", "list").out.splitlines()
    assert headings.split() == [
        "id",
        "state",
        "analysed",
        "missing",
        "unavailable",
        "failed",
        "folder",
    ]
    assert row.split() == ["1", "available", "8", "0", "0", "0", str(shop.music)]


def test_library_remove(shop: Shop, catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal: nobody is asked
    refused = recsys("library", "remove", shop.music)
    assert (refused.status, refused.out) == (1, "")
    assert "nothing was removed" in refused.err
    monkeypatch.setattr("sys.stdin", TerminalInput("n\n"))
    assert "nothing was removed" in recsys("library", "remove", shop.music).err
    assert len(recsys("list", "--json").json) == 8
    monkeypatch.setattr("sys.stdin", TerminalInput("y\n"))
    removed = recsys("library", "remove", shop.music)
    assert removed.out.endswith(f"{shop.music} removed from the catalogue with 8 tracks.\n")
    assert recsys("list", "--json").json == []
    assert (shop.music / "one.flac").exists()
