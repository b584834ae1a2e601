"""What lists name follows a track that moves, passes to a copy, or goes with it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from catalogs import analyse, analysis, stat

from recommender.audio.segments import Segment
from recommender.catalog import Catalog, Library, Tags

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def tracks(catalog: Catalog, library: Library) -> list[int]:
    """One with a copy, then the copy, then three others."""
    one = [analyse(catalog, library, path, content_hash="same") for path in ("a.wav", "b.wav")]
    return one + [analyse(catalog, library, f"{n}.wav") for n in range(3)]


def lose(catalog: Catalog, *track_ids: int) -> None:
    with catalog.writing() as write:
        write.missing(track_ids)


def mention(catalog: Catalog, track_id: int) -> None:
    """In every kind of list."""
    catalog.record("", "like", track_id, NOON)
    catalog.add_exclusion("track", track_id)
    catalog.save_playlist("mine", [track_id])


def mentioned(catalog: Catalog) -> tuple[list[int], list[int | None], list[int], list[int]]:
    return (
        [event.track_id for event in catalog.history()],
        [one.track_id for one in catalog.exclusions()],
        list(catalog.playlist("mine").track_ids),
        catalog.excluded_tracks().tolist(),
    )


def test_a_moved_file_keeps_what_names_it(
    catalog: Catalog, library: Library, tracks: list[int], tmp_path: Path
) -> None:
    mention(catalog, tracks[2])
    other, _ = catalog.scope_of(tmp_path / "other")
    with catalog.writing() as write:
        write.moved(tracks[2], other, stat("new/place.wav"), None)
    assert mentioned(catalog) == ([tracks[2]],) * 4
    assert catalog.track(tracks[2]).path == "new/place.wav"


def test_a_copy_inherits(catalog: Catalog, tracks: list[int]) -> None:
    mention(catalog, tracks[0])
    before = catalog.lists_revision()
    lose(catalog, tracks[0])
    assert catalog.prune() == 1
    assert mentioned(catalog) == ([tracks[1]],) * 4
    assert catalog.exclusions()[0].value == str(tracks[1])
    assert catalog.lists_revision() > before


def test_without_a_copy_all_goes(catalog: Catalog, tracks: list[int]) -> None:
    catalog.save_playlist("mine", tracks)
    catalog.record("", "play", tracks[2], NOON)
    catalog.add_exclusion("track", tracks[2])
    lose(catalog, tracks[2])
    catalog.prune()
    rest = [tracks[0], tracks[1], tracks[3], tracks[4]]
    assert mentioned(catalog) == ([], [], rest, [])


def test_a_copy_that_is_named_already_is_named_once(catalog: Catalog, tracks: list[int]) -> None:
    for track in tracks[:2]:
        mention(catalog, track)
    catalog.record("", "like", tracks[0], NOON + timedelta(minutes=1))
    catalog.save_playlist("mine", [tracks[0], tracks[2], tracks[1]])
    lose(catalog, tracks[0])
    catalog.prune()
    assert mentioned(catalog) == (
        [tracks[1], tracks[1]],
        [tracks[1]],
        [tracks[2], tracks[1]],
        [tracks[1]],
    )


def test_of_copies_that_go_together_none_inherits(
    catalog: Catalog, library: Library, tracks: list[int]
) -> None:
    mention(catalog, tracks[0])
    lose(catalog, *tracks[:2])
    catalog.prune()
    assert mentioned(catalog) == ([], [], [], [])


def test_a_present_copy_inherits_before_a_missing_one(
    catalog: Catalog, library: Library, tracks: list[int]
) -> None:
    third = analyse(catalog, library, "c.wav", content_hash="same")
    mention(catalog, tracks[0])
    lose(catalog, tracks[1])
    with catalog.writing() as write:  # another file comes to the path of the first
        write.moved(tracks[2], library, stat("a.wav"), None)
    assert mentioned(catalog) == ([third],) * 4


def test_a_library_that_is_removed_leaves_copies_elsewhere(
    catalog: Catalog, library: Library, tracks: list[int], tmp_path: Path
) -> None:
    other, _ = catalog.scope_of(tmp_path / "other")
    copy = analyse(catalog, other, "copy.wav", content_hash="same")
    mention(catalog, tracks[0])
    catalog.save_playlist("mine", tracks)
    catalog.remove_library(library.root)
    assert mentioned(catalog) == ([copy],) * 4


def test_a_merged_library_hands_over_to_the_track_of_the_same_file(
    catalog: Catalog, tmp_path: Path
) -> None:
    """The library's folder was mounted at two places: one file, analysed twice."""
    outer, _ = catalog.scope_of(tmp_path / "music")
    stays = analyse(catalog, outer, "rock/a.wav", content_hash="new")
    inner, _ = catalog.scope_of(tmp_path / "mnt")
    goes = analyse(catalog, inner, "a.wav", content_hash="old")
    mention(catalog, goes)
    catalog.move_library(inner.root, tmp_path / "music" / "rock")
    assert mentioned(catalog) == ([stays],) * 4


def test_a_merged_library_replaces_missing_tracks(catalog: Catalog, tmp_path: Path) -> None:
    outer, _ = catalog.scope_of(tmp_path / "music")
    goes = analyse(catalog, outer, "rock/a.wav", content_hash="old")
    mention(catalog, goes)
    lose(catalog, goes)
    inner, _ = catalog.scope_of(tmp_path / "mnt")
    stays = analyse(catalog, inner, "a.wav", content_hash="new")
    catalog.move_library(inner.root, tmp_path / "music" / "rock")
    assert mentioned(catalog) == ([stays],) * 4


def test_parts_of_a_file_keep_theirs_until_the_sheet_drops_them(
    catalog: Catalog, library: Library
) -> None:
    ids = []
    for number in (1, 2):
        segment = Segment(number, 30.0 * number, 30.0 * number + 30)
        with catalog.writing() as write:
            ids.append(
                write.analysed(
                    library,
                    stat("album.flac"),
                    f"hash {number}",
                    Tags(),
                    analysis(),
                    "test",
                    segment=segment,
                )
            )
    mention(catalog, ids[0])
    catalog.save_playlist("mine", ids)
    with catalog.writing() as write:
        write.keep_segments(library, "album.flac", {ids[0]: 2})
    assert mentioned(catalog) == ([ids[0]], [ids[0]], [ids[0]], [ids[0]])


def test_a_copy_inherits_what_recipes_name(catalog: Catalog, tracks: list[int]) -> None:
    gone, copy, other = tracks[:3]
    recipe = {
        "schema_version": 1,
        "kind": "order",
        "seeds": {"like": [gone, other, "a title"], "unlike": [copy, 10**30]},
        "rules": {"previous": [other, gone], "genre": "rock"},
        "first": gone,
    }
    catalog.save_playlist("made", [other], recipe=recipe)
    catalog.save_playlist("also", [other], recipe={"kind": "today", "rules": {"previous": [gone]}})
    catalog.save_playlist("odd", [], recipe={"seeds": [gone], "rules": None, "first": True})
    lose(catalog, gone)
    assert catalog.prune() == 1
    assert catalog.playlist("made").recipe == {
        "schema_version": 1,
        "kind": "order",
        "seeds": {"like": [copy, other, "a title"], "unlike": [10**30]},
        "rules": {"previous": [other, copy], "genre": "rock"},
        "first": copy,
    }
    assert catalog.playlist("also").recipe == {"kind": "today", "rules": {"previous": [copy]}}
    assert catalog.playlist("odd").recipe == {"seeds": [gone], "rules": None, "first": True}


def test_without_a_copy_recipes_stay(catalog: Catalog, tracks: list[int]) -> None:
    recipe = {"kind": "mix", "seeds": {"like": [tracks[2]], "unlike": []}}
    catalog.save_playlist("made", [], recipe=recipe)
    lose(catalog, tracks[2])
    assert catalog.prune() == 1
    assert catalog.playlist("made").recipe == recipe
