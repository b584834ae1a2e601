"""Damaged embeddings, rows and pages are named, and everything else is kept."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from catalogs import DIMENSION, OTHER_SPACE, SPACE, alter, analyse, analysis

from recommender.catalog import Catalog, Library, Tags, TrackState
from recommender.catalog.activation_blob import encode
from recommender.embedding.space import Analysis
from recommender.errors import CatalogError

WIDE = 6000
"""Numbers of a vector that takes several pages of the database."""


@pytest.fixture
def tracks(catalog: Catalog, library: Library) -> list[int]:
    return [
        analyse(catalog, library, f"{n}.wav", tags=Tags(f"title {n}"), analysed=analysis(n))
        for n in range(4)
    ]


def flip_vector(catalog: Catalog, track_id: int) -> None:
    vector = bytearray(encode(analysis(track_id - 1).activations))
    vector[5] ^= 1
    alter(
        catalog,
        "UPDATE analyses SET activations = ? WHERE track_id = ?",
        bytes(vector),
        track_id,
    )


def test_a_flipped_bit_is_named_and_left_out(
    catalog: Catalog, tracks: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    flip_vector(catalog, tracks[1])
    ids, activations = catalog.activations(SPACE)
    assert ids.tolist() == [tracks[0], *tracks[2:]]
    np.testing.assert_array_equal(activations[1], analysis(2).activations)
    assert f"(ids {tracks[1]})" in caplog.text
    assert catalog.checked_activations(SPACE)[2] == [tracks[1]]
    with pytest.raises(CatalogError, match="is damaged"):
        catalog.analysis_of(tracks[1], SPACE)
    assert not catalog.is_analysed(tracks[1], SPACE)
    assert catalog.is_analysed(tracks[0], SPACE)


@pytest.mark.parametrize("vector", [b"", b"\0" * 4, b"\0" * 4 * DIMENSION, b"abc"])
def test_a_vector_of_another_length_harms_no_other(
    catalog: Catalog, tracks: list[int], vector: bytes
) -> None:
    alter(catalog, "UPDATE analyses SET activations = ? WHERE track_id = 2", vector)
    assert catalog.checked_activations(SPACE)[2] == [2]
    assert catalog.activations(SPACE)[0].tolist() == [1, 3, 4]


def test_embeddings_without_a_checksum_get_one(catalog: Catalog, tracks: list[int]) -> None:
    alter(catalog, "UPDATE analyses SET checksum = NULL")
    assert len(catalog.activations(SPACE)[0]) == 4
    catalog.fill_checksums()
    flip_vector(catalog, tracks[2])
    assert catalog.checked_activations(SPACE)[2] == [tracks[2]]


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("tracks", "state", "analyfed"),
        ("tracks", "artists", "[oops"),
        ("tracks", "damage", "7"),
        ("tracks", "title", b"\xff\xfe"),
        ("tracks", "year", "199x"),
        ("tracks", "duration", "long"),
        ("tracks", "size", b"\0\0"),
        ("tracks", "content_hash", b"\xff"),
        ("tracks", "path", b"\xff.wav"),
        ("analyses", "genre_probabilities", '{"rock": '),
        ("analyses", "windows", "{}"),
        ("analyses", "analysed_at", "yesterday"),
        ("analyses", "analysed_by", b"\xff"),
    ],
)
def test_a_value_that_makes_no_sense(
    catalog: Catalog, tracks: list[int], table: str, column: str, value: object
) -> None:
    key = "id" if table == "tracks" else "track_id"
    alter(catalog, f"UPDATE {table} SET {column} = CAST(? AS TEXT) WHERE {key} = 2", value)
    if isinstance(value, bytes) and column == "size":
        alter(catalog, "UPDATE tracks SET size = ? WHERE id = 2", value)
    (row,) = catalog.damaged_rows()
    assert (row.table, row.column, row.track_id) == (table, column, 2)
    assert row.reason
    assert catalog.repair_rows([row]) == [True]
    assert catalog.damaged_rows() == []
    kept = {track.id: track for track in catalog.all_tracks(state=None)}
    assert {1, 3, 4} <= kept.keys()
    if 2 in kept and table == "tracks":
        assert kept[2].mtime_ns == 0  # so that the next ingest reads the file again
    assert catalog.page_errors() == []


@pytest.mark.sqlite_file
def test_reading_a_value_that_makes_no_sense_says_so(catalog: Catalog, tracks: list[int]) -> None:
    for value in ("analyfed", b"\xff"):
        alter(catalog, "UPDATE tracks SET state = CAST(? AS TEXT) WHERE id = 2", value)
        with pytest.raises(CatalogError, match="recsys verify"):
            catalog.track(2)
        assert catalog.track(3).state is TrackState.ANALYSED


def test_a_wrong_argument_is_the_caller_s_mistake(catalog: Catalog, tracks: list[int]) -> None:
    with pytest.raises(TypeError):
        catalog.track("one")  # type: ignore[arg-type]


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """A closed catalogue of 30 tracks whose vectors take several pages each."""
    with Catalog.open(tmp_path / "wide.db") as catalog:
        library, _ = catalog.scope_of(tmp_path / "music")
        for number in range(30):
            vector = np.full(WIDE, 1 + number, np.float32)
            analysed = Analysis(vector, {"rock": 1.0}, 60.0, ((0.0, 10.0),), SPACE)
            analyse(catalog, library, f"{number}.wav", analysed=analysed)
    return tmp_path / "wide.db"


def page_of(file: Path, content: bytes) -> int:
    """The first byte of a page that holds nothing but a vector of this content."""
    return file.read_bytes().index(content * 2000) // 4096 * 4096


def zero(content: bytes) -> bytes:
    return bytes(len(content))


def scramble(content: bytes) -> bytes:
    return bytes(255 - byte for byte in content)


@pytest.mark.parametrize("damage", [zero, scramble])
def test_a_lost_page_loses_one_track(wide: Path, damage: Callable[[bytes], bytes]) -> None:
    content = bytearray(wide.read_bytes())
    page = page_of(wide, np.float16(8).tobytes())
    content[page : page + 4096] = damage(bytes(content[page : page + 4096]))
    wide.write_bytes(content)
    with Catalog.open(wide) as catalog:
        ids, _, damaged = catalog.checked_activations(SPACE)
        assert (len(ids), damaged) == (29, [8])
        errors = catalog.page_errors()
        assert errors
        result = catalog.salvage()
        assert result.copy.read_bytes() == bytes(content)
        assert catalog.page_errors() == []
        assert {1, 30} <= {track.id for track in catalog.all_tracks(state=None)}
        assert catalog.counts().analysed == 30
        assert catalog.activations(SPACE)[0].tolist() == [n for n in range(1, 31) if n != 8]
        assert result.lost == {"analyses": 1}
        other = analysis(0, OTHER_SPACE)
        assert analyse(catalog, catalog.libraries()[0], "new.wav", analysed=other) > 30


def test_a_file_that_was_cut_off(wide: Path) -> None:
    """Whatever is left of it: an error in one line, or tracks that are right."""
    whole = wide.read_bytes()
    for kept in (1, 50, 100, 511, 4095, 4096, 5000, 20_000, len(whole) // 2, len(whole) - 4096):
        wide.write_bytes(whole[:kept])
        with suppress(CatalogError), Catalog.open(wide) as catalog:
            catalog.page_errors()
            tracks = list(catalog.all_tracks(state=None))
            assert all(track.path == f"{track.id - 1}.wav" for track in tracks)
        assert wide.stat().st_size >= kept
