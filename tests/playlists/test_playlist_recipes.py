"""Recipes replace a playlist and its file, both or neither."""

import json
import os
import subprocess
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from toy_world import World, analysis

from recommender.catalog import Catalog, FileStat, StoredPlaylist, Tags
from recommender.errors import PlaylistError, PlaylistNotFound, UsageError
from recommender.playlists.files import read_playlist, write_playlist
from recommender.playlists.recipes import (
    check_recipe,
    replace_tracks,
    run_recipe,
    run_recipes,
    save_by_hand,
    todays_recipe,
    with_repeats,
)
from recommender.playlists.repeats import Repeats
from recommender.recommendation.mix_request import Length, MixRequest, Rules, SeedSet

DAY = date(2026, 11, 25)


@pytest.fixture
def ids(world: World) -> list[int]:
    """Tracks at 0°, 10° … 110°, each by an artist of its own, with files."""
    found = []
    for number in range(12):
        (world.folder / "music" / f"{number}.ogg").touch()
        lasts, artist = 60.0 + number, f"artist {number}"
        found.append(world.add(f"{number}.ogg", 10.0 * number, duration=lasts, artist=artist))
    return found


def mix_of(*seeds: int | str, **options: Any) -> dict[str, Any]:
    return MixRequest("mix", SeedSet(seeds), length=Length(tracks=3), **options).as_dict()


def save(
    world: World, old: list[int], recipe: dict[str, Any], file: str = "p.m3u8"
) -> StoredPlaylist:
    playlist = world.catalog.save_playlist(
        "mine", old, recipe=recipe, comment="by hand", target=world.folder / file
    )
    return replace_tracks(world.catalog, playlist, old)


def assert_unchanged(world: World, before: StoredPlaylist, content: bytes) -> None:
    assert world.catalog.playlist(before.id) == before
    assert before.target is not None
    assert before.target.read_bytes() == content
    assert not list(world.folder.glob(".*.tmp"))


@pytest.mark.parametrize("file", ["p.m3u8", "p.xspf"])
def test_a_recipe_replaces_tracks_and_file(world: World, ids: list[int], file: str) -> None:
    playlist = save(world, ids[8:], mix_of(ids[0]), file)
    mix = run_recipe(world.service, playlist, DAY)
    after = world.catalog.playlist("mine")
    assert list(after.track_ids) == [entry.track.id for entry in mix.entries] == ids[1:4]
    assert (after.id, after.recipe, after.comment) == (playlist.id, playlist.recipe, "by hand")
    assert after.run_at is not None
    content = read_playlist(world.catalog, world.folder / file)
    assert [track.id for track in content.tracks] == ids[1:4]
    assert content.title == "mine"


def test_variety_draws_anew_each_day(world: World, ids: list[int]) -> None:
    playlist = save(world, ids[8:], mix_of(ids[0], rules=Rules(variety=1.0)))

    def drawn(days: int) -> list[int]:
        mix = run_recipe(world.service, playlist, DAY + timedelta(days))
        return [entry.track.id for entry in mix.entries]

    assert drawn(0) == drawn(0)
    assert len({tuple(drawn(days)) for days in range(8)}) > 4


def test_a_list_grows(world: World, ids: list[int]) -> None:
    request = MixRequest("grow", SeedSet((ids[0], ids[1])), length=Length(tracks=2))
    playlist = save(world, ids[:2], request.as_dict())
    run_recipe(world.service, playlist, DAY)
    assert world.catalog.playlist("mine").track_ids == (ids[0], ids[1], ids[2], ids[3])


def test_one_that_fails_leaves_all_as_it_was(world: World, ids: list[int]) -> None:
    playlist = save(world, ids[8:], mix_of("no such track"))
    content = (world.folder / "p.m3u8").read_bytes()
    cases = {
        "no such track": mix_of("no such track"),
        "no such file": mix_of("/nowhere/at all.ogg"),
        "rules": mix_of(ids[0], rules=Rules(min_duration=800.0)),
        "unknown 'mood'": {**mix_of(ids[0]), "mood": "sad"},
        "version": {**mix_of(ids[0]), "schema_version": 99},
    }
    for words, recipe in cases.items():
        broken = world.catalog.save_playlist(
            "mine", ids[8:], recipe=recipe, comment="by hand", target=playlist.target
        )
        with pytest.raises(PlaylistError, match="the playlist 'mine' stays as it is: ") as raised:
            run_recipe(world.service, broken, DAY)
        assert "\n" not in str(raised.value), words
        assert_unchanged(world, broken, content)


def test_seeds_that_are_gone_are_named(world: World, ids: list[int]) -> None:
    playlist = save(world, ids[8:], mix_of(ids[0], ids[11]))
    with world.catalog.writing() as write:
        write.missing([ids[11]])
    world.catalog.prune()
    mix = run_recipe(world.service, world.catalog.playlist("mine"), DAY)
    assert any(str(ids[11]) in note for note in mix.notes)
    assert world.catalog.playlist("mine").track_ids == tuple(ids[1:4])
    with world.catalog.writing() as write:
        write.missing([ids[0]])
    world.catalog.prune(force=True)
    before = world.catalog.playlist("mine")
    content = (world.folder / "p.m3u8").read_bytes()
    with pytest.raises(PlaylistError, match=f"no track has the id {ids[0]}.*save it again"):
        run_recipe(world.service, before, DAY)
    assert_unchanged(world, before, content)
    assert playlist.id == before.id


def test_a_file_that_cannot_be_written_leaves_the_playlist(world: World, ids: list[int]) -> None:
    save(world, ids[8:], mix_of(ids[0]))
    (world.folder / "p.m3u8").unlink()
    (world.folder / "p.m3u8").mkdir()
    (world.folder / "p.m3u8" / "x").touch()
    playlist = world.catalog.playlist("mine")
    away = world.catalog.save_playlist("away", ids, target=world.folder / "gone" / "p.m3u8")
    for one in (playlist, away):
        with pytest.raises(PlaylistError, match=r"cannot be written|does not exist"):
            replace_tracks(world.catalog, one, ids[:2])
    assert not list(world.folder.glob(".*.tmp"))
    assert world.catalog.playlist("away") == away


def test_a_disk_that_is_full_leaves_both(
    world: World, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = save(world, ids[8:], mix_of(ids[0]))
    content = (world.folder / "p.m3u8").read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PlaylistError, match="No space left on device"):
        run_recipe(world.service, before, DAY)
    monkeypatch.undo()
    assert_unchanged(world, before, content)


def test_a_playlist_that_is_gone_leaves_its_file(world: World, ids: list[int]) -> None:
    before = save(world, ids[8:], mix_of(ids[0]))
    content = (world.folder / "p.m3u8").read_bytes()
    world.catalog.remove_playlist(before.id)
    with pytest.raises(PlaylistNotFound):
        run_recipe(world.service, before, DAY)
    assert (world.folder / "p.m3u8").read_bytes() == content


def test_one_recipe_that_fails_does_not_stop_the_others(world: World, ids: list[int]) -> None:
    world.catalog.save_playlist("a", ids[:1], recipe=mix_of(ids[0]))
    world.catalog.save_playlist("b", ids[:1], recipe=mix_of("nobody"))
    world.catalog.save_playlist("by hand", ids[:1])
    world.catalog.save_playlist("c", ids[:1], "ana", recipe=mix_of(ids[5]))
    before = world.catalog.playlists()
    tried = list(run_recipes(world.service, before, DAY, dry_run=True))
    assert world.catalog.playlists() == before
    runs = list(run_recipes(world.service, before, DAY))
    assert [run.track_ids for run in tried] == [run.track_ids for run in runs]
    assert [(run.after.name, run.error is None) for run in runs] == [
        ("a", True),
        ("b", False),
        ("by hand", False),
        ("c", True),
    ]
    assert runs[0].after.track_ids == tuple(ids[1:4])
    assert runs[1].after.track_ids == tuple(ids[:1])
    assert runs[1].mix is None
    assert "nobody" in str(runs[1].error)
    assert "made by hand" in str(runs[2].error)


def at_noon(days: int = 0) -> datetime:
    return datetime(2026, 11, 25, 12).astimezone() + timedelta(days=days)


def test_what_is_not_to_be_repeated_is_looked_up_each_time(world: World, ids: list[int]) -> None:
    write_playlist(world.folder / "queue.m3u8", world.catalog.tracks([ids[1]]))
    world.catalog.save_playlist("Evening", [ids[2]])
    names = ("Evening", str(world.folder / "queue.m3u8"))
    recipe = with_repeats(mix_of(ids[0]), Repeats(7, names, "ana"))
    playlist = save(world, [], json.loads(json.dumps(recipe)))
    check_recipe(recipe)

    def listed(day: int = 0) -> list[int]:
        mix = run_recipe(world.service, playlist, DAY + timedelta(day))
        assert mix.notes == []
        return [entry.track.id for entry in mix.entries]

    assert listed() == ids[3:6]
    world.catalog.save_playlist("Evening", [ids[3]])
    assert listed() == [ids[2], *ids[4:6]]
    world.catalog.record("", "play", ids[4], at_noon(-6))
    assert listed() == [ids[2], *ids[5:7]]
    assert listed(2) == [ids[2], *ids[4:6]]


def test_what_cannot_be_looked_up_is_said(world: World, ids: list[int]) -> None:
    recipe = with_repeats(mix_of(ids[0]), Repeats(None, ("Evening", "/no/such.m3u8")))
    mix = run_recipe(world.service, save(world, [], recipe), DAY)
    assert [entry.track.id for entry in mix.entries] == ids[1:4]
    assert len(mix.notes) == 2
    assert "'Evening' is neither" in mix.notes[0]
    assert "/no/such.m3u8" in mix.notes[1]


def test_recipes_that_name_what_was_played_still_run(world: World, ids: list[int]) -> None:
    playlist = save(world, [], mix_of(ids[0], rules=Rules(previous=(ids[1], 99))))
    mix = run_recipe(world.service, playlist, DAY)
    assert [entry.track.id for entry in mix.entries] == ids[2:5]


@pytest.mark.parametrize(
    "rules",
    [
        {"not_played": -1},
        {"not_played": "a week"},
        {"not_played": 1e9},
        {"previous_playlists": "Evening"},
        {"previous_playlists": [3]},
    ],
)
def test_repeats_that_make_no_sense(rules: dict[str, Any]) -> None:
    for recipe in (mix_of(1), todays_recipe(MixRequest("mix", SeedSet((1,))), "")):
        with pytest.raises(UsageError):
            check_recipe({**recipe, "rules": {**recipe["rules"], **rules}})


def test_an_order_goes_on_without_the_track_that_came_first(world: World, ids: list[int]) -> None:
    recipe = MixRequest("order", SeedSet((ids[0], ids[5], ids[2])), first=ids[5]).as_dict()
    playlist = save(world, ids[:1], recipe)
    assert run_recipe(world.service, playlist, DAY).entries[0].track.id == ids[5]
    with world.catalog.writing() as write:
        write.missing([ids[5]])
    world.catalog.prune()
    mix = run_recipe(world.service, world.catalog.playlist("mine"), DAY)
    assert {entry.track.id for entry in mix.entries} == {ids[0], ids[2]}
    assert any(f"{ids[5]}" in note and "comes first" in note for note in mix.notes)


def test_a_file_that_cannot_be_replaced(
    world: World, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    playlist = save(world, ids[8:], mix_of(ids[0]))
    content = (world.folder / "p.m3u8").read_bytes()

    def refused(path: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", refused)
        with pytest.raises(PlaylistError, match="'mine' has its new tracks, but its file"):
            replace_tracks(world.catalog, playlist, ids[:2])
    assert world.catalog.playlist("mine").track_ids == tuple(ids[:2])
    assert (world.folder / "p.m3u8").read_bytes() == content
    (world.folder / "p.m3u8").unlink()
    (world.folder / "p.m3u8").mkdir()
    before = world.catalog.playlist("mine")
    with pytest.raises(PlaylistError, match=r"stays as it is: its file .* cannot be written"):
        run_recipe(world.service, before, DAY)
    assert world.catalog.playlist("mine") == before
    assert not list(world.folder.glob(".*.tmp"))


def test_a_recipe_for_today_asks_the_history(world: World, ids: list[int]) -> None:
    noon = datetime(2026, 11, 25, 12).astimezone()
    request = MixRequest("mix", SeedSet((ids[0],)), Rules(previous=(1,)), Length(tracks=2))
    recipe = todays_recipe(request, "ana")
    check_recipe(recipe)
    playlist = world.catalog.save_playlist("today", [], "ana", recipe=recipe)
    world.catalog.record("ana", "like", ids[9], noon - timedelta(days=1))
    world.catalog.record("ana", "play", ids[10], noon - timedelta(days=1))
    mix = run_recipe(world.service, playlist, DAY)
    assert set(mix.request.seeds.like) <= {ids[9], ids[10]}
    assert ids[10] not in [entry.track.id for entry in mix.entries]
    assert len(mix.entries) == 2


@pytest.mark.parametrize(
    "change", [{"user": 3}, {"seeds": {"like": [1]}}, {"mood": 1}, {"rules": {"x": 1}}]
)
def test_a_recipe_for_today_that_makes_no_sense(change: dict[str, Any]) -> None:
    recipe = todays_recipe(MixRequest("mix", SeedSet((1,))), "")
    with pytest.raises(UsageError):
        check_recipe(recipe | change)


def test_files_that_are_gone_are_replaced_by_copies_in_the_file(
    world: World, ids: list[int]
) -> None:
    (world.folder / "music" / "3.ogg").rename(world.folder / "music" / "kept.ogg")
    gone = world.catalog.track(ids[3])
    with world.catalog.writing() as write:
        copy = write.analysed(
            gone.library,
            FileStat("kept.ogg", 1, 1),
            gone.content_hash,
            Tags(),
            analysis(30, 63),
            "t",
        )
    playlist = world.catalog.save_playlist("mine", [], target=world.folder / "p.m3u8")
    replace_tracks(world.catalog, playlist, [ids[3]])
    found = read_playlist(world.catalog, world.folder / "p.m3u8")
    assert [track.id for track in found.tracks] == [copy]
    assert world.catalog.playlist("mine").track_ids == (ids[3],)


def test_another_process_sees_the_old_or_the_new_list(world: World, ids: list[int]) -> None:
    playlist = save(world, ids[8:], mix_of(ids[0]))
    with Catalog.open(world.catalog.url) as other:
        assert other.playlist("mine").track_ids == tuple(ids[8:])
        run_recipe(world.service, playlist, DAY)
        assert other.playlist("mine").track_ids == tuple(ids[1:4])
        assert Path(world.catalog.playlist("mine").target or "").is_file()


CHILD = """
import sys
from recommender.catalog import Catalog
from recommender.playlists.recipes import replace_tracks

with Catalog.open(sys.argv[1]) as catalog:
    playlist = catalog.playlist("mine")
    ids = [int(one) for one in sys.argv[2].split()]
    print("ready", flush=True)
    while True:
        for half in (ids[::2], ids[1::2]):
            replace_tracks(catalog, playlist, half)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_whole_lists(world: World, ids: list[int]) -> None:
    save(world, ids[::2], mix_of(ids[0]))
    halves = [ids[::2], ids[1::2]]
    for number in range(8):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, world.catalog.url, " ".join(map(str, ids))],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.1 + 0.013 * number)
        child.kill()
        child.communicate()
        assert list(world.catalog.playlist("mine").track_ids) in halves
        found = read_playlist(world.catalog, world.folder / "p.m3u8")
        assert [track.id for track in found.tracks] in halves
        assert found.unmatched == []
    assert world.catalog.page_errors() == []


class TestByHand:
    def test_it_keeps_comment_and_file_of_what_it_replaces(
        self, world: World, ids: list[int]
    ) -> None:
        assert save_by_hand(world.catalog, "new", ids[:2], "").track_ids == tuple(ids[:2])
        file = world.folder / "p.m3u8"
        world.catalog.save_playlist("mine", ids[:3], comment="slow", target=file)
        stored = save_by_hand(world.catalog, "mine", ids[4:6], "")
        assert (stored.comment, stored.target) == ("slow", file)
        assert [track.id for track in read_playlist(world.catalog, file).tracks] == ids[4:6]
        assert save_by_hand(world.catalog, "mine", ids[:1], "", "fast").comment == "fast"

    def test_a_recipe_is_not_lost(self, world: World, ids: list[int]) -> None:
        before = save(world, ids[:3], mix_of(ids[0]))
        content = (world.folder / "p.m3u8").read_bytes()
        with pytest.raises(UsageError, match="'mine' is made by a recipe"):
            save_by_hand(world.catalog, "mine", ids[4:6], "")
        assert_unchanged(world, before, content)


def test_what_is_not_repeated_is_found_by_its_new_name(world: World, ids: list[int]) -> None:
    queue = world.catalog.save_playlist("Queue", [ids[1]])
    elsewhere = world.catalog.save_playlist("Queue", [ids[2]], "ana")
    recipe = with_repeats(mix_of(ids[0]), Repeats(None, ("Queue", "/some/file.m3u8")))
    mine = world.catalog.save_playlist("mine", [], recipe=recipe)
    of_ana = world.catalog.save_playlist("mine", [], "ana", recipe=recipe)
    world.catalog.describe_playlist(queue.id, name="Night")

    def names(playlist: StoredPlaylist) -> list[str]:
        stored = world.catalog.playlist(playlist.id).recipe
        assert stored is not None
        return list(stored["rules"]["previous_playlists"])

    assert names(mine) == ["Night", "/some/file.m3u8"]
    assert names(of_ana) == ["Queue", "/some/file.m3u8"]
    world.catalog.describe_playlist(elsewhere.id, comment="another word")
    assert names(of_ana) == ["Queue", "/some/file.m3u8"]
    mix = run_recipe(world.service, world.catalog.playlist(mine.id))
    assert ids[1] not in [entry.track.id for entry in mix.entries]
