"""Tracks of a file that a cue sheet divides: how they are asked for, and how they are played."""

from pathlib import Path

import pytest
from cue_albums import Album
from toy_world import World, analysis

from recommender.audio.segments import Segment
from recommender.audio.tags import Tags
from recommender.catalog import FileStat
from recommender.errors import AmbiguousTrack, TrackNotFound
from recommender.playlists.m3u import m3u_text
from recommender.recommendation.query import resolve
from recommender.recommendation.seeds import Seed

SHEET = FileStat("album.cue", 1, 1)


@pytest.fixture
def album(world: World) -> list[int]:
    """An album of three tracks, and two other tracks; returns the ids of the album's."""
    library, _ = world.catalog.scope_of(world.folder / "music")
    ids = []
    with world.catalog.writing() as write:
        for number, title in enumerate(Album().titles, start=1):
            segment = Segment(number, 12.0 * (number - 1), 12.0 * number if number < 3 else None)
            ids.append(
                write.analysed(
                    library,
                    FileStat("album.flac", 1, 1),
                    f"hash@{number}",
                    Tags(title=title, artist="Iron Verdict"),
                    analysis(20 * number, 12.5),
                    "test",
                    segment=segment,
                )
            )
        write.set_sheets(library, "album.flac", [SHEET])
    world.add("a.ogg", 10)
    world.add("b.ogg", 70)
    return ids


def test_a_segment_is_found_by_number_id_title_and_sheet(world: World, album: list[int]) -> None:
    music = world.folder / "music"
    queries = (f"{music}/album.flac#2", music / "album.flac#2", f"{music}/album.cue#2", "docket")
    for query in (*queries, str(album[1]), album[1]):
        found = resolve(world.catalog, query)
        assert not isinstance(found, Path)
        assert (found.id, found.segment, found.location) == (album[1], 2, "album.flac#2")
        assert (found.start, found.end) == (12.0, 24.0)
    assert world.names(music / "album.flac#2", k=2) == ["album.flac", "album.flac"]


@pytest.mark.parametrize("name", ["album.flac", "album.cue"])
def test_a_divided_file_asks_which_track(world: World, album: list[int], name: str) -> None:
    path = world.folder / "music" / name
    with pytest.raises(AmbiguousTrack) as caught:
        resolve(world.catalog, path)
    assert str(caught.value) == (
        f"{path} holds 3 tracks: give one as {name}#1 to {name}#3, by its id ({album[0]} is "
        "'Gavel'), or by its title."
    )
    with pytest.raises(TrackNotFound, match="has no track 4"):
        resolve(world.catalog, f"{path}#4")


def test_a_file_whose_name_ends_like_a_segment_is_that_file(world: World) -> None:
    track_id = world.add("song #3", 0)
    found = resolve(world.catalog, world.folder / "music" / "song #3")
    assert not isinstance(found, Path)
    assert found.id == track_id
    with pytest.raises(TrackNotFound):
        resolve(world.catalog, str(world.folder / "music" / "absent.flac#1"))


def test_a_sheet_that_the_catalogue_does_not_know_is_no_sound(world: World) -> None:
    path = Album().write(world.folder / "music" / "other.cue")
    with pytest.raises(TrackNotFound, match="is a cue sheet"):
        resolve(world.catalog, path)


def test_playlists_give_the_part_in_lines_that_are_comments_elsewhere(
    world: World, album: list[int]
) -> None:
    music = world.folder / "music"
    last = world.catalog.track(album[2])
    seed = Seed(last, last.title, last.artist, last.file, last.duration)
    part = (
        "#EXTINF:12,Iron Verdict - Verdict\n"
        "#EXTVLCOPT:start-time=24.000\n"
        "#EXTVLCOPT:stop-time=36.500\n"
        "album.flac\n"
    )
    assert m3u_text([last, seed], music) == "#EXTM3U\n" + 2 * part
    lines = m3u_text([last], music).splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["album.flac"]


def test_copies_are_of_the_same_segment(world: World, album: list[int]) -> None:
    first = world.catalog.track(album[0])
    assert world.catalog.copies_of(first) == []
    library, _ = world.catalog.scope_of(world.folder / "music")
    with world.catalog.writing() as write:
        copy = write.analysed(
            library,
            FileStat("copy.flac", 9, 9),
            "hash@1",
            Tags(),
            analysis(20, 12.5),
            "test",
            segment=Segment(1, 0.0, 12.0),
        )
    assert [track.id for track in world.catalog.copies_of(first)] == [copy]
