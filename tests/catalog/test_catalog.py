"""What the catalogue promises: nothing lost, nothing twice, found again, and one truth for all."""

import os
import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from recommender.catalog import (
    Catalog,
    FileStat,
    Library,
    ProjectionOrigin,
    StoredProjection,
    Tags,
    TrackState,
    Writer,
)
from recommender.catalog.engine import catalog_url
from recommender.embedding.projection import Projection
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError, TrackNotFound

SPACE = SpaceId("conv1d-encoder", "0a1b", "2c3d")
OTHER_SPACE = SpaceId("other-net", "ffff", "2c3d")
DIMENSION = 4


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(str(tmp_path / "data" / "catalog.db")) as catalog:
        yield catalog


@pytest.fixture
def library(catalog: Catalog, tmp_path: Path) -> Library:
    return catalog.scope_of(tmp_path / "music")[0]


def analysis(seed: int = 0, space: SpaceId = SPACE) -> Analysis:
    rng = np.random.default_rng(seed)
    return Analysis(
        activations=rng.normal(size=DIMENSION).astype(np.float32),
        genre_probabilities={"rock": 0.25, "jazz": 0.75},
        duration=60.0 + seed,
        windows=((0.0, 10.0), (25.5, 10.0)),
        space=space,
    )


def stat(path: str, size: int = 1000, mtime_ns: int = 1) -> FileStat:
    return FileStat(path, size, mtime_ns)


def digest_of(path: str) -> str:
    """The digest that `analyse` gives a track."""
    return os.fsencode(path).hex()


def analyse(
    catalog: Catalog,
    library: Library,
    path: str,
    *,
    digest: str | None = None,
    tags: Tags | None = None,
    analysed: Analysis | None = None,
) -> int:
    """Store one track in a transaction of its own."""
    with catalog.writing() as write:
        return write.analysed(
            library,
            stat(path),
            digest or digest_of(path),
            tags or Tags(),
            analysed or analysis(),
            "recsys 0.1.0",
        )


def revision(catalog: Catalog) -> int:
    return catalog.state().revision


# What was analysed comes back


def test_a_heard_track_comes_back_as_it_was(catalog: Catalog, library: Library) -> None:
    tags = Tags("Jóga", "Björk", "Homogenic", "Björk", "Electronic", 2, 1997)
    before = datetime.now(UTC)
    track_id = analyse(catalog, library, "Björk/02 Jóga.flac", tags=tags, analysed=analysis(5))
    track = catalog.track(track_id)
    assert (track.library, track.path) == (library, "Björk/02 Jóga.flac")
    assert (track.size, track.mtime_ns) == (1000, 1)
    assert track.content_hash == digest_of("Björk/02 Jóga.flac")
    assert track.tags == tags
    assert track.state is TrackState.ANALYSED
    assert track.duration == 65.0
    assert dict(track.genre_probabilities) == {"rock": 0.25, "jazz": 0.75}
    assert track.predicted_genre == "jazz"
    assert track.windows == ((0.0, 10.0), (25.5, 10.0))
    assert track.analysed_by == "recsys 0.1.0"
    assert track.analysed_at is not None
    assert track.analysed_at.utcoffset() == timedelta(0)
    assert before <= track.analysed_at <= datetime.now(UTC)


def test_a_hearing_comes_back_bit_for_bit(catalog: Catalog, library: Library) -> None:
    original = analysis(3)
    track_id = analyse(catalog, library, "a.wav", analysed=original)
    stored = catalog.analysis_of(track_id, SPACE)
    assert stored is not None
    np.testing.assert_array_equal(stored.activations, original.activations)
    assert stored.activations.dtype == np.float32
    assert stored.genre_probabilities == original.genre_probabilities
    assert (stored.duration, stored.windows, stored.space) == (63.0, original.windows, SPACE)
    assert catalog.analysis_of(track_id, OTHER_SPACE) is None


def test_hearing_again_replaces_and_keeps_the_id(catalog: Catalog, library: Library) -> None:
    first = analyse(catalog, library, "a.wav", digest="old", analysed=analysis(1))
    analyse(catalog, library, "a.wav", digest="old", analysed=analysis(1, OTHER_SPACE))
    with catalog.writing() as write:
        write.set_file_hash(first, "whole file")
    again = analyse(catalog, library, "a.wav", digest="new", analysed=analysis(2))
    assert again == first
    assert catalog.counts().analysed == 1
    np.testing.assert_array_equal(catalog.activations(SPACE)[1][0], analysis(2).activations)
    assert catalog.analysis_of(first, OTHER_SPACE) is None  # it told of the old content
    assert catalog.file_hash_of(first) is None


def test_activations_are_one_matrix_in_the_order_of_ids(catalog: Catalog, library: Library) -> None:
    ids = [analyse(catalog, library, f"{n}.wav", analysed=analysis(n)) for n in range(5)]
    with catalog.writing() as write:
        write.missing(ids[1:2])
        write.failed(library, stat("2.wav", size=3), "unreadable", "truncated")
    found, matrix = catalog.activations(SpaceId(SPACE.model, SPACE.weights, SPACE.analysis, "pca"))
    assert found.tolist() == [ids[0], ids[3], ids[4]]
    assert found.dtype == np.int64
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.stack([analysis(n).activations for n in (0, 3, 4)]))


def test_activations_of_an_unknown_space_are_none(catalog: Catalog) -> None:
    ids, matrix = catalog.activations(OTHER_SPACE)
    assert ids.shape == (0,)
    assert matrix.shape == (0, 0)


def test_a_space_has_one_vector_length(catalog: Catalog, library: Library) -> None:
    analyse(catalog, library, "a.wav")
    longer = Analysis(np.zeros(DIMENSION + 1, np.float32), {}, 1.0, (), SPACE)
    with pytest.raises(CatalogError, match="length 5"):
        analyse(catalog, library, "b.wav", analysed=longer)
    assert catalog.counts().analysed == 1


def test_spaces_are_counted(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "a.wav")
    analyse(catalog, library, "b.wav")
    analyse(catalog, library, "a.wav", analysed=analysis(1, OTHER_SPACE))
    assert catalog.spaces() == [(SPACE, 2), (OTHER_SPACE, 1)]
    with catalog.writing() as write:
        write.missing([track_id])
    assert catalog.spaces() == [(SPACE, 1), (OTHER_SPACE, 0)]


def test_a_track_shows_the_active_space_or_else_the_newest(
    catalog: Catalog, library: Library
) -> None:
    def with_genre(genre: str, space: SpaceId) -> Analysis:
        return Analysis(np.ones(DIMENSION, np.float32), {genre: 1.0}, 9.0, (), space)

    analyse(catalog, library, "a.wav", analysed=with_genre("rock", SPACE))
    track_id = analyse(catalog, library, "a.wav", analysed=with_genre("jazz", OTHER_SPACE))
    assert catalog.track(track_id).predicted_genre == "jazz"
    catalog.set_active(SPACE, {})
    assert catalog.track(track_id).predicted_genre == "rock"
    catalog.set_active(SpaceId("third", "w", "h"), {})
    assert catalog.track(track_id).predicted_genre == "jazz"


def test_active_space_is_kept_with_its_settings(catalog: Catalog, library: Library) -> None:
    assert catalog.active_space() is None
    assert catalog.analysis_settings() is None
    analysis_settings = {"model": "conv1d-encoder", "windowing": {"count": 3, "seconds": 10.0}}
    projected = SpaceId(SPACE.model, SPACE.weights, SPACE.analysis, "pca")
    catalog.set_active(projected, analysis_settings)
    assert catalog.active_space() == SPACE
    assert catalog.analysis_settings() == analysis_settings
    before = revision(catalog)
    catalog.set_active(SPACE, analysis_settings)
    assert revision(catalog) == before
    analyse(catalog, library, "a.wav")
    assert catalog.spaces() == [(SPACE, 1)]


def projection(seed: int = 0, columns: int = 3) -> Projection:
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=shape) for shape in (DIMENSION, (DIMENSION, columns)))
    return Projection(*(value.astype(np.float32) for value in values))


def test_projections_come_back_one_of_each_origin_and_space(catalog: Catalog) -> None:
    kept = {
        (space, origin): projection(seed, columns=seed + 1)
        for seed, (space, origin) in enumerate(product((SPACE, OTHER_SPACE), ProjectionOrigin))
    }
    assert catalog.projection(SPACE, ProjectionOrigin.MODEL) is None
    before = revision(catalog)
    for (space, origin), one in kept.items():
        catalog.store_projection(space, origin, one, {"of": origin.value})
    assert revision(catalog) == before  # no index is stale: it names its projection
    for (space, origin), one in kept.items():
        found = catalog.projection(space, origin)
        assert found is not None
        assert (found.origin, found.details) == (origin, {"of": origin.value})
        assert found.projection.digest == one.digest
        assert np.array_equal(found.projection.matrix, one.matrix)
        assert datetime.now(UTC) - found.stored_at < timedelta(minutes=1)
    assert catalog.spaces() == [(SPACE, 0), (OTHER_SPACE, 0)]


def test_a_projection_is_replaced_and_dropped(catalog: Catalog) -> None:
    def kept() -> StoredProjection:
        found = catalog.projection(SPACE, ProjectionOrigin.MODEL)
        assert found is not None
        return found

    catalog.store_projection(SPACE, ProjectionOrigin.MODEL, projection(0), {"n": 1})
    first = kept()
    catalog.store_projection(SPACE, ProjectionOrigin.MODEL, projection(0), {"n": 1})
    assert kept().stored_at == first.stored_at
    catalog.store_projection(SPACE, ProjectionOrigin.MODEL, projection(1), {"n": 2})
    assert kept().projection.digest == projection(1).digest
    assert kept().details == {"n": 2}
    assert not catalog.drop_projection(SPACE, ProjectionOrigin.ADAPTED)
    assert not catalog.drop_projection(OTHER_SPACE, ProjectionOrigin.MODEL)
    assert catalog.drop_projection(SPACE, ProjectionOrigin.MODEL)
    assert catalog.projection(SPACE, ProjectionOrigin.MODEL) is None


@pytest.mark.parametrize("damage", ["substr(matrix, 5)", "substr(matrix, 17)", "zeroblob(48)"])
def test_a_damaged_projection_is_told(catalog: Catalog, damage: str) -> None:
    catalog.store_projection(SPACE, ProjectionOrigin.MODEL, projection(), {})
    with sqlite3.connect(catalog_url(catalog.url).database or "") as connection:
        connection.execute(f"UPDATE projections SET matrix = {damage}")
    connection.close()
    with pytest.raises(CatalogError, match="damaged"):
        catalog.projection(SPACE, ProjectionOrigin.MODEL)


# Strange input


def test_any_file_name_is_kept(catalog: Catalog, library: Library) -> None:
    names = [
        os.fsdecode(name)
        for name in (
            b"\xff\xfe.mp3",
            b"new\nline.mp3",
            rb"back\slash.mp3",
            b"100%_a.mp3",
            b"'\".mp3",
        )
    ]
    ids = [analyse(catalog, library, name) for name in names]
    assert [track.path for track in catalog.tracks(ids)] == names
    assert set(catalog.known_files(library, SPACE)) == set(names)
    for id, name in zip(ids, names, strict=True):
        track = catalog.track_at(library.root / name)
        assert track is not None
        assert track.id == id


def test_tags_that_no_database_takes_are_made_storable(catalog: Catalog, library: Library) -> None:
    tags = Tags(title="nul\x00 and \udcff", track_number=2**40, year=1999)
    track = catalog.track(analyse(catalog, library, "a.mp3", tags=tags))
    assert track.tags == Tags(title="nul\ufffd and \ufffd", year=1999)
    with catalog.writing() as write:
        write.failed(library, stat("b.mp3", mtime_ns=2**70), "unreadable", "bad \udcff name")
    assert catalog.failures()[0].reason == "bad \ufffd name"


def test_unknown_ids(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "a.wav")
    for unknown in (track_id + 1, 0, -1, 2**80):
        with pytest.raises(TrackNotFound, match=str(unknown)):
            catalog.track(unknown)
    with pytest.raises(TrackNotFound):
        catalog.file_hash_of(99)
    with pytest.raises(TrackNotFound), catalog.writing() as write:
        write.retagged(99, stat("a.wav"), Tags(), "d")
    with pytest.raises(TrackNotFound), catalog.writing() as write:
        write.moved(99, library, stat("a.wav"), None)


# Finding tracks


def test_tracks_come_in_the_order_asked(catalog: Catalog, library: Library) -> None:
    ids = [analyse(catalog, library, f"{n}.wav") for n in range(4)]
    asked = [ids[2], ids[0], ids[2]]
    assert [track.id for track in catalog.tracks(asked)] == asked
    assert catalog.tracks([]) == []


def test_all_tracks_by_state(catalog: Catalog, library: Library) -> None:
    with catalog.writing() as write:
        ids = [
            write.analysed(library, stat(f"{n}.wav"), f"d{n}", Tags(), analysis(), "v")
            for n in range(503)
        ]
        write.missing(ids[:2])
    assert [track.id for track in catalog.all_tracks()] == ids[2:]
    assert [track.id for track in catalog.all_tracks(TrackState.MISSING)] == ids[:2]
    assert [track.id for track in catalog.all_tracks(None)] == ids


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("jóga", ["b.flac"]),
        ("BJORK joga", ["b.flac"]),
        ("homogenic björk", ["b.flac"]),
        ("joga homo", ["b.flac"]),
        (unicodedata.normalize("NFD", "Jóga"), ["b.flac"]),
        ("strasse", ["Straße/c.mp3"]),
        ("compilation", ["Straße/c.mp3"]),
        ("100%", ["100% a_b.ogg"]),
        ("a_b", ["100% a_b.ogg"]),
        ("a%b", []),
        ("/", ["Straße/c.mp3"]),
        ("joga compilation", []),
        ("\udcff", []),
        ("", ["100% a_b.ogg", "Straße/c.mp3", "b.flac"]),
    ],
)
def test_search(catalog: Catalog, library: Library, words: str, found: list[str]) -> None:
    analyse(catalog, library, "b.flac", tags=Tags("Jóga", "Björk", "Homogenic"))
    analyse(catalog, library, "Straße/c.mp3", tags=Tags(album_artist="Compilation"))
    analyse(catalog, library, "100% a_b.ogg", tags=Tags("axb"))
    assert [track.path for track in catalog.search(words)] == found


def test_search_limit_and_state(catalog: Catalog, library: Library) -> None:
    ids = [analyse(catalog, library, f"song {n}.wav") for n in range(5)]
    with catalog.writing() as write:
        write.missing(ids[:1])
    assert [track.id for track in catalog.search("song", limit=2)] == ids[:2]
    assert catalog.search("song")[0].state is TrackState.MISSING


def test_search_follows_new_tags_and_paths(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "old name.wav", tags=Tags("first title"))
    with catalog.writing() as write:
        write.moved(track_id, library, stat("new name.wav"), None)
    assert catalog.search("old") == []
    assert catalog.search("new first")[0].id == track_id
    with catalog.writing() as write:
        write.retagged(track_id, stat("new name.wav"), Tags("second title"), "d")
    assert catalog.search("first") == []
    assert catalog.search("second")[0].id == track_id


def test_track_at_follows_links(catalog: Catalog, library: Library, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk" / "album"
    elsewhere.mkdir(parents=True)
    (elsewhere / "a.wav").touch()
    library.root.mkdir()
    (library.root / "linked").symlink_to(elsewhere)
    (tmp_path / "door").symlink_to(library.root)
    track_id = analyse(catalog, library, "linked/a.wav")
    plain_id = analyse(catalog, library, "b.wav")
    for path in (library.root / "linked" / "a.wav", tmp_path / "door" / "linked" / "a.wav"):
        track = catalog.track_at(path)
        assert track is not None
        assert track.id == track_id
    (tmp_path / "favourite.wav").symlink_to(library.root / "b.wav")
    favourite = catalog.track_at(tmp_path / "favourite.wav")
    assert favourite is not None
    assert favourite.id == plain_id
    assert catalog.track_at(tmp_path / "music" / "nothing.wav") is None
    assert catalog.track_at(Path("/")) is None


# What a scan asks and tells


def test_known_files_tell_tracks_and_failures(catalog: Catalog, library: Library) -> None:
    analysed = analyse(catalog, library, "analysed.wav")
    broken = analyse(catalog, library, "broken.wav")
    with catalog.writing() as write:
        write.failed(library, stat("broken.wav", size=5), "unreadable", "no decoder")
        write.failed(library, stat("never.mp3", size=0), "empty", "no bytes")
    known = catalog.known_files(library, SPACE)
    assert set(known) == {"analysed.wav", "broken.wav", "never.mp3"}
    assert known["analysed.wav"].track_id == analysed
    assert known["analysed.wav"].analysed_in_space
    assert known["analysed.wav"].failure_kind is None
    assert known["analysed.wav"].stat == stat("analysed.wav")
    assert known["broken.wav"].track_id == broken
    assert known["broken.wav"].state is TrackState.FAILED
    assert known["broken.wav"].failure_kind == "unreadable"
    assert known["broken.wav"].stat == stat("broken.wav", size=5)
    assert known["broken.wav"].content_hash == digest_of("broken.wav")
    assert known["never.mp3"].track_id is None
    assert known["never.mp3"].state is None
    assert known["never.mp3"].failure_kind == "empty"
    assert not catalog.known_files(library, OTHER_SPACE)["analysed.wav"].analysed_in_space


def test_known_files_under_a_folder(catalog: Catalog, library: Library) -> None:
    inside = ["Rock/a.wav", "Rock/b/c.wav"]
    for path in [*inside, "rock/a.wav", "Rock 2/a.wav", "Rock.wav", "x/Rock/a.wav"]:
        analyse(catalog, library, path)
    assert set(catalog.known_files(library, SPACE, under="Rock")) == set(inside)
    assert set(catalog.known_files(library, SPACE, under="Rock.wav")) == {"Rock.wav"}
    odd = os.fsdecode(b"back\\slash\xff")
    analyse(catalog, library, f"{odd}/a.wav")
    assert set(catalog.known_files(library, SPACE, under=odd)) == {f"{odd}/a.wav"}


def test_a_failure_is_kept_once_and_forgotten_when_heard(
    catalog: Catalog, library: Library
) -> None:
    with catalog.writing() as write:
        write.failed(library, stat("a.mp3", size=1), "unreadable", "first")
    with catalog.writing() as write:
        write.failed(library, stat("a.mp3", size=2), "too-short", "second")
    (failure,) = catalog.failures()
    assert (failure.path, failure.size, failure.kind, failure.reason) == (
        "a.mp3",
        2,
        "too-short",
        "second",
    )
    assert failure.failed_at.utcoffset() == timedelta(0)
    analyse(catalog, library, "a.mp3")
    assert catalog.failures() == []


def test_forgotten_failures(catalog: Catalog, library: Library) -> None:
    with catalog.writing() as write:
        for path in ("a", "b", "c"):
            write.failed(library, stat(path), "unreadable", "no decoder")
        write.forget_failures(library, ["a", "c", "unknown"])
        write.forget_failures(library, [])
    assert [failure.path for failure in catalog.failures()] == ["b"]


def test_a_failed_track_comes_back_with_its_old_content(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "a.wav")
    with catalog.writing() as write:
        write.failed(library, stat("a.wav", size=3), "unreadable", "truncated")
    assert catalog.track(track_id).state is TrackState.FAILED
    with catalog.writing() as write:
        write.retagged(track_id, stat("a.wav", mtime_ns=9), Tags("t"), digest_of("a.wav"))
    track = catalog.track(track_id)
    assert (track.state, track.mtime_ns, track.tags.title) == (TrackState.ANALYSED, 9, "t")
    assert catalog.failures() == []
    assert catalog.activations(SPACE)[0].tolist() == [track_id]


def test_missing_tracks_are_found_again(catalog: Catalog, library: Library) -> None:
    a, b = (analyse(catalog, library, path) for path in ("a", "b"))
    with catalog.writing() as write:
        write.failed(library, stat("b"), "unreadable", "damaged")
        write.missing([a, b])
    assert catalog.counts().missing == 2
    with catalog.writing() as write:
        write.found_again([a, b])
    assert catalog.track(a).state is TrackState.ANALYSED
    assert catalog.track(b).state is TrackState.FAILED


def test_a_moved_file_keeps_its_row(catalog: Catalog, library: Library, tmp_path: Path) -> None:
    second, _ = catalog.scope_of(tmp_path / "second")
    track_id = analyse(catalog, library, "a.wav", tags=Tags("t"), analysed=analysis(4))
    with catalog.writing() as write:
        write.missing([track_id])
        write.failed(second, stat("b.wav"), "unreadable", "half copied")
        write.moved(track_id, second, stat("b.wav", mtime_ns=7), None)
    track = catalog.track(track_id)
    assert (track.library, track.path, track.mtime_ns) == (second, "b.wav", 7)
    assert (track.state, track.tags.title) == (TrackState.ANALYSED, "t")
    np.testing.assert_array_equal(catalog.activations(SPACE)[1], [analysis(4).activations])
    assert catalog.failures() == []


def test_a_file_moved_over_another_replaces_it(catalog: Catalog, library: Library) -> None:
    moved, replaced = (analyse(catalog, library, path) for path in ("a.wav", "b.wav"))
    with catalog.writing() as write:
        write.moved(moved, library, stat("b.wav"), Tags("new"))
    assert [track.id for track in catalog.all_tracks(None)] == [moved]
    assert catalog.track(moved).path == "b.wav"
    assert catalog.analysis_of(replaced, SPACE) is None


def test_lost_tracks_by_digest(catalog: Catalog, library: Library) -> None:
    there = analyse(catalog, library, "there", digest="same")
    missing = analyse(catalog, library, "missing", digest="same")
    vanished = analyse(catalog, library, "vanished", digest="same")
    other = analyse(catalog, library, "other", digest="other")
    with catalog.writing() as write:
        write.missing([missing])
    assert catalog.lost_by_content_hash([]) == {"same": missing}
    assert catalog.lost_by_content_hash([vanished, other]) == {"same": vanished, "other": other}
    assert there not in catalog.lost_by_content_hash([vanished]).values()


def test_whole_digest(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "a")
    assert catalog.file_hash_of(track_id) is None
    with catalog.writing() as write:
        write.set_file_hash(track_id, "abc")
    assert catalog.file_hash_of(track_id) == "abc"


# Libraries


def test_a_folder_inside_a_library_is_part_of_it(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    assert catalog.scope_of(tmp_path / "music") == (library, "")
    assert catalog.scope_of(tmp_path / "music" / "rock" / "live") == (library, "rock/live")
    assert catalog.scope_of(tmp_path / "music" / "rock" / ".." / "jazz") == (library, "jazz")
    assert catalog.scope_of(tmp_path / "music 2")[0] != library
    assert len(catalog.libraries()) == 2


def test_a_folder_around_libraries_absorbs_them(catalog: Catalog, tmp_path: Path) -> None:
    rock, _ = catalog.scope_of(tmp_path / "music" / "rock")
    jazz, _ = catalog.scope_of(tmp_path / "music" / "more" / "jazz")
    beside, _ = catalog.scope_of(tmp_path / "musicals")
    # The same relative path in all three: they must not collide.
    ids = [
        analyse(catalog, library, "a.wav", digest=library.root.name, analysed=analysis(n))
        for n, library in enumerate((rock, jazz, beside))
    ]
    with catalog.writing() as write:
        write.failed(jazz, stat("bad.mp3"), "unreadable", "no decoder")
        write.failed(jazz, stat(""), "no-permission", "the folder itself")
    before = catalog.activations(SPACE)

    music, sub = catalog.scope_of(tmp_path / "music")

    assert sub == ""
    assert {library.root.name for library in catalog.libraries()} == {"music", "musicals"}
    tracks = catalog.tracks(ids)
    assert [track.path for track in tracks] == ["rock/a.wav", "more/jazz/a.wav", "a.wav"]
    assert [track.library for track in tracks] == [music, music, beside]
    assert [track.content_hash for track in tracks] == ["rock", "jazz", "musicals"]
    after = catalog.activations(SPACE)
    assert before[0].tolist() == after[0].tolist()
    np.testing.assert_array_equal(before[1], after[1])
    assert [failure.path for failure in catalog.failures()] == ["more/jazz", "more/jazz/bad.mp3"]
    assert catalog.search("more")[0].id == ids[1]
    assert set(catalog.known_files(music, SPACE, under="rock")) == {"rock/a.wav"}
    assert catalog.scope_of(tmp_path / "music" / "rock") == (music, "rock")
    found = catalog.track_at(tmp_path / "music" / "rock" / "a.wav")
    assert found is not None
    assert found.id == ids[0]


def test_a_link_to_a_library_is_that_library(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    (library.root / "rock").mkdir(parents=True)
    (tmp_path / "door").symlink_to(library.root)
    (tmp_path / "side door").symlink_to(library.root / "rock")
    assert catalog.scope_of(tmp_path / "door") == (library, "")
    assert catalog.scope_of(tmp_path / "side door") == (library, "rock")


def test_a_library_replaced_by_a_link_is_still_it(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    (tmp_path / "disk" / "rock").mkdir(parents=True)
    library.root.symlink_to(tmp_path / "disk")
    assert catalog.scope_of(tmp_path / "disk" / "rock") == (library, "rock")
    outer, _ = catalog.scope_of(tmp_path)
    assert catalog.libraries() == [outer]


def test_a_library_moves_with_its_tracks(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    track_id = analyse(catalog, library, "a.wav")
    moved = catalog.move_library(tmp_path / "music", tmp_path / "new" / "place")
    assert moved == Library(library.id, tmp_path / "new" / "place")
    assert catalog.libraries() == [moved]
    assert catalog.track(track_id).file == tmp_path / "new" / "place" / "a.wav"
    assert catalog.move_library(moved.root, moved.root / "deeper").root.name == "deeper"


def test_a_library_does_not_move_over_another(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    catalog.scope_of(tmp_path / "other" / "library")
    for target in ("other", "other/library", "other/library/inside"):
        with pytest.raises(CatalogError, match="overlaps"):
            catalog.move_library(library.root, tmp_path / target)
    with pytest.raises(CatalogError, match=r"no library has the root.*music"):
        catalog.move_library(tmp_path / "unknown", tmp_path / "x")


# The catalogue as a whole


def test_counts(catalog: Catalog, library: Library) -> None:
    assert catalog.counts().seconds_of_music == 0.0
    ids = [analyse(catalog, library, f"{n}", analysed=analysis(n)) for n in range(4)]
    with catalog.writing() as write:
        write.missing(ids[:1])
        write.failed(library, stat("1"), "unreadable", "damaged")
        write.failed(library, stat("new"), "empty", "no bytes")
    counts = catalog.counts()
    assert (counts.libraries, counts.analysed, counts.missing) == (1, 2, 1)
    assert (counts.failed_tracks, counts.failures) == (1, 2)
    assert counts.seconds_of_music == 62.0 + 63.0


def test_prune_refuses_an_unmounted_disk(catalog: Catalog, library: Library) -> None:
    ids = [analyse(catalog, library, f"{n}") for n in range(4)]
    assert catalog.prune() == 0
    with catalog.writing() as write:
        write.missing(ids[:3])
    with pytest.raises(CatalogError, match="3 of 4 tracks are missing"):
        catalog.prune()
    assert catalog.counts().missing == 3
    assert catalog.prune(force=True) == 3
    assert [track.id for track in catalog.all_tracks(None)] == ids[3:]
    assert catalog.analysis_of(ids[0], SPACE) is None


def test_half_may_be_pruned_and_ids_are_never_used_again(
    catalog: Catalog, library: Library
) -> None:
    ids = [analyse(catalog, library, f"{n}") for n in range(4)]
    with catalog.writing() as write:
        write.missing(ids[2:])
    assert catalog.prune() == 2
    assert analyse(catalog, library, "new") > ids[-1]


def test_revision_counts_transactions_that_change_recommendations(
    catalog: Catalog, library: Library
) -> None:
    def bumps(change: str, *arguments: object) -> int:
        before = revision(catalog)
        with catalog.writing() as write:
            getattr(write, change)(*arguments)
        return revision(catalog) - before

    before = revision(catalog)
    with catalog.writing() as write:
        ids = [
            write.analysed(library, stat(f"{n}"), "d", Tags(), analysis(), "v") for n in range(3)
        ]
    assert revision(catalog) == before + 1
    touched = stat("0", mtime_ns=2)
    assert bumps("retagged", ids[0], touched, Tags(), "d") == 0
    assert bumps("retagged", ids[0], touched, Tags("new"), "d") == 1
    assert bumps("moved", ids[0], library, stat("moved"), None) == 1
    assert bumps("missing", ids[:1]) == 1
    assert bumps("missing", ids[:1]) == 0
    assert bumps("found_again", ids) == 1
    assert bumps("found_again", ids) == 0
    assert bumps("failed", library, stat("bad"), "empty", "") == 0
    assert bumps("failed", library, stat("1"), "empty", "") == 1
    assert bumps("failed", library, stat("1"), "empty", "") == 0
    assert bumps("forget_failures", library, ["bad"]) == 0
    assert bumps("set_file_hash", ids[0], "w") == 0


def test_state_names_the_catalogue(catalog: Catalog, tmp_path: Path) -> None:
    with Catalog.open(catalog.url) as same, Catalog.open(str(tmp_path / "other.db")) as other:
        assert same.state() == catalog.state()
        assert other.state().catalog != catalog.state().catalog


def test_nothing_of_a_broken_transaction_is_kept(catalog: Catalog, library: Library) -> None:
    before = catalog.state()

    def write_and_stop(write: Writer) -> None:
        write.analysed(library, stat("a"), "d", Tags(), analysis(), "v")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), catalog.writing() as write:
        write_and_stop(write)
    assert catalog.counts().analysed == 0
    assert catalog.state() == before


# Several processes


def test_a_writer_that_waits_in_vain_says_so(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.catalog.engine.BUSY_SECONDS", 0.01)
    with Catalog.open(catalog.url) as waiting, catalog.writing():
        assert waiting.counts().analysed == 0  # reading need not wait
        with pytest.raises(CatalogError, match="Another process is writing"):
            waiting.set_active(SPACE, {})


def test_a_library_that_another_process_absorbed_cannot_be_written(
    catalog: Catalog, library: Library, tmp_path: Path
) -> None:
    catalog.scope_of(tmp_path)
    with pytest.raises(CatalogError, match="Run the command again"):
        analyse(catalog, library, "a.wav")


def test_a_damaged_database_is_told(catalog: Catalog, library: Library) -> None:
    analyse(catalog, library, "a.wav")
    catalog.close()
    assert catalog.folder is not None
    file = catalog.folder / "catalog.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(CatalogError, match="damaged"), Catalog.open(str(file)) as again:
        again.counts()


HEARS_MANY = """
import sys
import numpy as np
from recommender.catalog import Catalog, FileStat, Tags
from recommender.embedding.space import Analysis, SpaceId

url, root, name, number = sys.argv[1:]
space = SpaceId("conv1d-encoder", "0a1b", "2c3d")
with Catalog.open(url) as catalog:
    library = catalog.libraries()[0]
    for start in range(0, int(number), 5):
        with catalog.writing() as write:
            for n in range(start, start + 5):
                analysed = Analysis(np.full(4, n, np.float32), {"rock": 1.0}, 1.0, (), space)
                for path in (f"{name}/{n}", f"both/{n}"):
                    write.analysed(library, FileStat(path, n, n), f"{n}", Tags(), analysed, name)
        print(start, flush=True)
"""


def start_hearing(
    catalog: Catalog, library: Library, name: str, number: int
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEARS_MANY, catalog.url, str(library.root), name, str(number)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_write_at_once(catalog: Catalog, library: Library) -> None:
    before = revision(catalog)
    processes = [start_hearing(catalog, library, name, 200) for name in ("one", "two")]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0, 0]
    assert catalog.counts().analysed == 3 * 200
    assert revision(catalog) == before + 2 * 40
    ids, matrix = catalog.activations(SPACE)
    assert matrix[:, 0].tolist() == [track.size for track in catalog.tracks(ids.tolist())]


def test_a_killed_process_leaves_whole_transactions(catalog: Catalog, library: Library) -> None:
    before = revision(catalog)
    process = start_hearing(catalog, library, "one", 1_000_000)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 50:
            break
    process.kill()
    process.communicate()
    with Catalog.open(catalog.url) as again:
        counts = again.counts()
        assert counts.analysed == 10 * (revision(again) - before)
        assert counts.analysed >= 110
        assert len(again.activations(SPACE)[0]) == counts.analysed
        analyse(again, library, "goes on")
    assert catalog.folder is not None
    connection = sqlite3.connect(catalog.folder / "catalog.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_importing_the_catalogue_loads_nothing_heavy() -> None:
    heavy = ("torch", "faiss", "soundfile", "librosa", "alembic")
    script = f"import sys, recommender.catalog; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.stdout.strip() == "[]"
