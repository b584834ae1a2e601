"""How many bytes of the database a track takes, by table and index; files beside it apart.

    python tests/bench/catalog_size.py small.db --tracks 40000
    python tests/bench/catalog_size.py large.db --as-it-is

The first writes a synthetic catalogue (`synthetic_catalog.py`: every column filled, paths of 70
characters) of the tracks of `small.db` into a temporary folder, and builds its index there. The
floor is the payload: what the cells of tables and indexes hold, without pages that are not full.
"""

import argparse
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from synthetic_catalog import write_catalog

from recommender import SimilarityService


def print_sizes(file: Path) -> None:
    """Rows of a Markdown table."""
    with closing(sqlite3.connect(file)) as connection:
        (tracks,) = connection.execute("SELECT count(*) FROM tracks").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        try:
            parts = connection.execute(
                "SELECT name, sum(pgsize), sum(payload) FROM dbstat GROUP BY name ORDER BY 2 DESC"
            ).fetchall()
        except sqlite3.OperationalError as error:
            parts = []
            print(f"No table of parts: this SQLite cannot tell ({error}).\n")
    print(f"{tracks:,} tracks, pages of {page:,} bytes\n")
    print("| | bytes a track | of them payload |\n|---|---:|---:|")
    for name, size, payload in parts:
        if size / tracks >= 1:
            print(f"| {name} | {size / tracks:,.0f} | {payload / tracks:,.0f} |")
    payload_of_all = sum(payload for _, _, payload in parts) / tracks
    print(f"| **database** | **{pages * page / tracks:,.0f}** | {payload_of_all:,.0f} |")
    for beside in sorted(file.parent.glob(f"{file.stem}.*")):
        size = beside.stat().st_size
        if beside != file and size and beside.suffix not in (".db-wal", ".db-shm"):
            print(f"| beside it: {beside.suffix} | {size / tracks:,.0f} | |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path, help="of real music; with --as-it-is, any")
    parser.add_argument("--tracks", type=int, default=40_000)
    parser.add_argument("--as-it-is", action="store_true", help="measure this catalogue itself")
    options = parser.parse_args()
    if options.as_it_is:
        print_sizes(options.catalog)
        return
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.db"
        write_catalog(options.catalog, large, options.tracks)
        with SimilarityService.open(str(large), "cpu") as service:
            service.index()
        print_sizes(large)


if __name__ == "__main__":
    main()
