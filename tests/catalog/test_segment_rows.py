"""Rows of the tracks of one file: numbered anew, dropped, moved to another library, repaired."""

import sqlite3
from pathlib import Path

import pytest
from toy_world import SPACE, analysis

from recommender.audio.segments import Segment
from recommender.audio.tags import Tags
from recommender.catalog import Catalog, FileStat, Library
from recommender.catalog.migrations import alembic_config
from recommender.catalog.records import KnownSheet

SHEET = FileStat("x/album.cue", 5, 6)
FILE = FileStat("x/album.flac", 1, 2)


def add(catalog: Catalog, root: Path, count: int = 3, stat: FileStat = FILE) -> list[int]:
    """A file with so many segments and its sheet; returns the ids of its tracks."""
    root.mkdir(parents=True, exist_ok=True)
    library, _ = catalog.scope_of(root)
    with catalog.writing() as write:
        ids = [
            write.analysed(
                library,
                stat,
                f"h@{n}",
                Tags(title=f"t{n}"),
                analysis(n, 5.0),
                "test",
                segment=Segment(n, n, n + 1.0),
            )
            for n in range(1, count + 1)
        ]
        write.set_sheets(library, stat.path, [SHEET])
    return ids


def numbers(catalog: Catalog) -> dict[int, int]:
    return {track.id: track.segment for track in catalog.all_tracks(None)}


def library_of(catalog: Catalog) -> Library:
    return catalog.libraries()[0]


def test_tracks_change_numbers_in_any_order_and_others_are_dropped(
    catalog: Catalog, tmp_path: Path
) -> None:
    first, second, third = add(catalog, tmp_path / "music")
    state = catalog.state()
    with catalog.writing() as write:
        write.keep_segments(library_of(catalog), FILE.path, {first: 2, second: 1})
    assert numbers(catalog) == {first: 2, second: 1}
    changes = catalog.changes_since(state.revision, SPACE)
    assert changes is not None
    assert changes.changed.tolist() == [first, second]
    assert changes.removed.tolist() == [third]


def test_known_files_have_their_segments_in_order(catalog: Catalog, tmp_path: Path) -> None:
    ids = add(catalog, tmp_path / "music")
    add(catalog, tmp_path / "music", 1, FileStat("y.flac", 3, 4))
    known = catalog.known_files(library_of(catalog), SPACE)
    entry = known[FILE.path]
    assert [(one.track_id, one.number) for one in entry.segments] == list(
        zip(ids, (1, 2, 3), strict=True)
    )
    assert (entry.track_id, entry.analysed_in_space, entry.stat) == (ids[0], True, FILE)
    catalog.forget_analyses([ids[1]])
    entry = catalog.known_files(library_of(catalog), SPACE)[FILE.path]
    assert not entry.analysed_in_space
    assert [one.analysed_in_space for one in entry.segments] == [True, False, True]


def test_sheets_are_recorded_by_file_and_go_with_their_library(
    catalog: Catalog, tmp_path: Path
) -> None:
    add(catalog, tmp_path / "music")
    library = library_of(catalog)
    other = FileStat("b.cue", 1, 1)
    with catalog.writing() as write:
        write.set_sheets(library, "", [other])
    assert catalog.known_sheets(library) == [KnownSheet(other, ""), KnownSheet(SHEET, FILE.path)]
    assert catalog.known_sheets(library, "x") == [KnownSheet(SHEET, FILE.path)]
    with catalog.writing() as write:
        write.set_sheets(library, "x/new.flac", [other])
        write.set_sheets(library, FILE.path, [])
    assert catalog.known_sheets(library) == [KnownSheet(other, "x/new.flac")]
    assert catalog.remove_library(library.root) == 3
    assert catalog.known_sheets(library) == []


def test_segments_and_sheets_become_part_of_an_outer_library(
    catalog: Catalog, tmp_path: Path
) -> None:
    ids = add(catalog, tmp_path / "music" / "inner")
    library, _ = catalog.scope_of(tmp_path / "music")
    assert [track.location for track in catalog.tracks(ids)] == [
        f"inner/x/album.flac#{number}" for number in (1, 2, 3)
    ]
    inner = FileStat("inner/x/album.cue", 5, 6)
    assert catalog.known_sheets(library) == [KnownSheet(inner, "inner/x/album.flac")]


def test_of_two_libraries_with_one_file_one_has_its_tracks(
    catalog: Catalog, tmp_path: Path
) -> None:
    add(catalog, tmp_path / "old")
    kept = add(catalog, tmp_path / "new" / "in", 2)
    catalog.move_library(tmp_path / "old", tmp_path / "new" / "in")
    assert sorted(numbers(catalog)) == kept


@pytest.mark.sqlite_file
def test_a_damaged_number_has_the_other_segments_read_again(
    catalog: Catalog, tmp_path: Path
) -> None:
    ids = add(catalog, tmp_path / "music")
    with sqlite3.connect(catalog.file or "") as connection:
        connection.execute("UPDATE tracks SET segment = 'x' WHERE id = ?", (ids[2],))
        connection.execute("UPDATE tracks SET segment_end = 'x' WHERE id = ?", (ids[1],))
    rows = catalog.damaged_rows()
    assert {row.column for row in rows} == {"segment", "segment_end"}
    assert all(catalog.repair_rows(rows))
    entry = catalog.known_files(library_of(catalog), SPACE)[FILE.path]
    assert entry.stat.mtime_ns == 0
    assert [one.track_id for one in entry.segments] == ids[:2]
    assert [one.analysed_in_space for one in entry.segments] == [True, False]


@pytest.mark.sqlite_file
def test_a_downgrade_leaves_one_track_for_a_file(catalog: Catalog, tmp_path: Path) -> None:
    from alembic import command

    from recommender.catalog.engine import catalog_url, make_engine, transaction

    ids = add(catalog, tmp_path / "music")
    catalog.close()
    engine = make_engine(catalog_url(catalog.url), foreign_keys=False)
    with transaction(engine, writes=True) as connection:
        command.downgrade(alembic_config(connection), "0005")
    engine.dispose()
    with sqlite3.connect(catalog.file or "") as database:
        counts = [
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("tracks", "analyses")
        ]
        last = database.execute("SELECT seq FROM sqlite_sequence WHERE name = 'tracks'").fetchone()
    assert counts == [0, 0]
    assert last == (ids[-1],)
