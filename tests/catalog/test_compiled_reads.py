"""Tracks read by compiled statements are those that the usual queries give."""

import sqlite3
from collections.abc import Collection

import pytest
from catalogs import OTHER_SPACE, SPACE, analyse, analysis, stat
from sqlalchemy import create_mock_engine

from recommender.audio.damage import Damage
from recommender.catalog import Catalog, Library, Tags, Track, TrackState, queries
from recommender.catalog.compiled_reads import CompiledReads
from recommender.errors import CatalogError, TrackNotFound


def usual(catalog: Catalog, ids: Collection[int]) -> dict[int, Track]:
    with catalog._reading() as connection:
        return queries.present(connection, ids)


def fill(catalog: Catalog, library: Library) -> list[int]:
    """Tracks with all kinds of values; one has no tags."""
    catalog.set_active(SPACE, {})
    tags = Tags("Títle", "A feat. B", "Album", "C", "Rock", 3, 1999, ("A", "B"), ("C",))
    ids = [analyse(catalog, library, "back\\slash \udcff.mp3", tags=tags)]
    damaged = analysis(1)
    object.__setattr__(damaged, "damage", Damage(60.0, 30.0))
    ids.append(analyse(catalog, library, "b.mp3", analysed=damaged))
    return ids + [analyse(catalog, library, f"{number}.mp3") for number in range(40)]


def test_the_same_records(catalog: Catalog, library: Library) -> None:
    ids = fill(catalog, library)
    expected = usual(catalog, ids)
    assert len(expected) == 42
    for some in (ids[:1], ids[:2], ids[:16], ids[:17], ids):
        found = catalog._compiled_reads.tracks(some)
        assert found == {track_id: expected[track_id] for track_id in some}
        assert {str(track) for track in found.values()} == {str(expected[id]) for id in some}
    assert catalog.present(ids) == expected
    assert catalog.tracks(ids[::-1]) == [expected[track_id] for track_id in ids[::-1]]


def test_more_than_a_statement_takes(catalog: Catalog, library: Library) -> None:
    catalog.set_active(SPACE, {})
    with catalog.writing() as write:
        for number in range(1030):
            write.analysed(library, stat(f"{number}.mp3"), str(number), Tags(), analysis(), "v")
    assert list(catalog.present(range(2000))) == list(range(1, 1031))


def test_states_and_unknown_ids(catalog: Catalog, library: Library) -> None:
    ids = fill(catalog, library)
    with catalog.writing() as write:
        write.missing(ids[:1])
    assert catalog.track(ids[0]).state is TrackState.MISSING
    assert ids[0] not in catalog.present([*ids, 0, -1, 2**40, 999])
    with pytest.raises(TrackNotFound):
        catalog.tracks([ids[0], 999])


def test_without_an_analysis_in_the_active_space_the_newest_is_shown(
    catalog: Catalog, library: Library
) -> None:
    ids = fill(catalog, library)
    other = analyse(catalog, library, "other.mp3", analysed=analysis(space=OTHER_SPACE))
    assert catalog._compiled_reads.tracks([ids[0], other]) is None
    assert catalog.track(other).genre_probabilities == {"rock": 0.25, "jazz": 0.75}
    assert catalog.track(other) == usual(catalog, [other])[other]


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    "value", ["{", '{"rock": 1} x', "", '"'], ids=["open", "two", "empty", "quote"]
)
def test_a_value_that_makes_no_sense(catalog: Catalog, library: Library, value: str) -> None:
    ids = fill(catalog, library)
    assert catalog.file is not None
    with sqlite3.connect(catalog.file) as connection:
        connection.execute("UPDATE analyses SET genre_probabilities = ?", (value,))
    connection.close()
    assert catalog._compiled_reads.tracks(ids[:1]) is None
    with pytest.raises(CatalogError, match="makes no sense"):
        catalog.track(ids[0])


def test_a_change_is_seen_at_once(catalog: Catalog, library: Library) -> None:
    ids = fill(catalog, library)
    before = catalog.state()
    moved = catalog.move_library(library.root, library.root.with_name("elsewhere"))
    assert catalog.track(ids[0]).library == moved
    assert catalog.state().revision == before.revision + 1


def test_statements_for_a_server() -> None:
    """They are compiled for its driver's kind of parameters."""
    engine = create_mock_engine("postgresql+psycopg://", executor=lambda *_: None)
    statement = CompiledReads(engine)._tracks(16)  # type: ignore[arg-type]
    assert "%(id15)s" in statement.text
    values = {f"id{at}": at for at in range(16)}
    assert statement.arguments(values) == values
