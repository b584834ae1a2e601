"""`recsys verify`, `prune`, `library` and `db`."""

import shutil
from pathlib import Path

from command_line import Shop, recsys

from recommender.catalog import Catalog


def test_verify(catalog: Path) -> None:
    assert recsys("verify").out == "catalogue, files and index agree.\n"
    assert recsys("verify", "--json").json == []
    with Catalog.open(str(catalog)) as opened, opened.writing() as write:
        write.missing([1])
    found = recsys("verify", "--json")
    assert (found.status, [finding["kind"] for finding in found.json]) == (1, ["back"])
    mended = recsys("verify", "--repair")
    assert (mended.status, "mended" in mended.out) == (0, True)
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
