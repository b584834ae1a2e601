"""`recsys mix`, `radio`, `path`, `order`, `grow` and `today`, on a real catalogue."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_line import Shop, recsys

from recommender.catalog import Catalog

KEYS = [
    "schema_version",
    "kind",
    "seeds",
    "unlike",
    "request",
    "model",
    "threshold",
    "entries",
    "minutes",
    "catalogue",
    "left_out",
    "shortest_artist_gap",
    "shortest_album_gap",
    "notes",
    "saved",
]


def titles(found: dict[str, Any]) -> list[str]:
    return [entry["title"] for entry in found["entries"]]


def made(*words: object) -> dict[str, Any]:
    output = recsys(*words, "--json")
    assert output.status == 0, output.err
    found: dict[str, Any] = output.json
    positions = [entry["position"] for entry in found["entries"]]
    assert positions == list(range(1, len(positions) + 1))
    return found


def test_a_mix_of_several_seeds(shop: Shop, catalog: Path) -> None:
    found = made("mix", "first light", shop.music / "three.ogg", "--not", "fourth", "-k", 3)
    assert list(found) == KEYS
    assert [seed["title"] for seed in found["seeds"]] == ["First Light", "Third"]
    assert [seed["title"] for seed in found["unlike"]] == ["Fourth"]
    assert len(found["entries"]) == 3
    assert not {"First Light", "Third", "Fourth"} & set(titles(found))
    assert (found["kind"], found["catalogue"]) == ("mix", 8)
    ids = [seed["id"] for seed in found["seeds"]]
    assert found["request"]["seeds"]["like"] == ids  # words that may mean another track later
    entry = found["entries"][0]
    assert {"id", "path", "file", "album", "duration", "similarity", "close"} <= set(entry)
    assert "genre_probabilities" not in entry
    assert "genre_probabilities" in made("mix", 1, "--full")["entries"][0]


def test_the_table_says_what_the_json_does(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = made("mix", "third", "-k", 3)
    table = recsys("mix", "third", "-k", 3).out
    assert table.startswith("like: Anna – Third\nno.  similarity  title")
    assert all(title.split()[0][:10] in table for title in titles(found) if title.isascii())
    assert "3 tracks, 0:0" in table


def test_rules_and_why(catalog: Path) -> None:
    one_each = made("mix", "plain.wav", "--per-artist", 1)
    assert [entry["artist"] for entry in one_each["entries"]].count("Anna") == 1
    assert one_each["left_out"]["artist limit"] > 0
    assert set(titles(made("mix", "third", "--genre", "folk"))) == {"First Light", "Second Light"}
    lengths = [e["duration"] for e in made("mix", 1, "--min-duration", "0:02.3")["entries"]]
    assert min(lengths) >= 2.3
    shown = recsys("mix", "third", "--genre", "folk", "--why")
    assert "left out of 8 by" in shown.out
    assert "\ngenre " in shown.out
    piped = recsys("mix", "third", "--genre", "folk", "--why", "--m3u", "-")
    assert "left out, genre: " in piped.err
    assert piped.out.startswith("#EXTM3U\n")


def test_a_radio_is_as_long_as_it_was_asked_to_be(catalog: Path) -> None:
    assert len(made("radio", "third", "-k", 4)["entries"]) == 4
    found = made("radio", "third", "--minutes", 0.1)
    assert 0 < found["minutes"] <= 0.1
    assert sum(entry["duration"] for entry in found["entries"]) <= 6
    strict = made("radio", "first light", "--strict", "--artist-gap", 5)
    assert [entry["artist"] for entry in strict["entries"][:4]].count("Anna") == 0


def test_what_was_played_is_not_repeated(catalog: Path) -> None:
    playlist = catalog.parent / "queue.xspf"
    first = made("radio", "third", "-k", 2, "--m3u", playlist)
    recsys("playlist", "save", "Yesterday", "fourth")
    then = made("radio", "third", "--previous", playlist, "--previous", "Yesterday")
    assert not {*titles(first), "Fourth"} & set(titles(then))
    assert then["left_out"]["played before"] == len({*titles(first), "Fourth"})
    recsys("played", "second light")
    recsys("played", "first light", "--at", "2001-01-01")
    later = titles(made("radio", "third", "--not-played", 30, "--per-artist", 0))
    assert "Second Light" not in later
    assert "First Light" in later


def test_a_saved_list_looks_up_what_it_leaves_out(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recsys("playlist", "save", "Queue", "fourth")
    recsys("playlist", "export", "Queue", "queue.m3u8")
    rules = ("--not-played", 7, "--previous", "Queue", "--previous", "queue.m3u8")
    for words in (("radio", "third"), ("path", "third", "first light"), ("today",)):
        saved = recsys(*words, *rules, "--save", "Made", "--replace")
        assert saved.status == 0, saved.err
        stored = json.loads(recsys("playlist", "show", "Made", "--json").out)["recipe"]["rules"]
        assert stored["not_played"] == 7
        assert stored["previous_playlists"] == ["Queue", str(tmp_path / "queue.m3u8")]
        assert stored["previous"] == []
    recsys("radio", "third", "--not-played", 7, "--per-artist", 0, "--save", "Made", "--replace")
    recsys("played", "second light")
    run = json.loads(recsys("playlist", "run", "Made", "--json").out)["playlists"][0]
    assert "Second Light" not in titles(run["list"])
    assert "First Light" in titles(run["list"])


def test_variety_is_repeatable(catalog: Path) -> None:
    varied = ("mix", "third", "--variety", 1, "--random-seed")
    assert titles(made(*varied, 7)) == titles(made(*varied, 7))
    lists = {tuple(titles(made(*varied, seed, "-k", 4))) for seed in range(5)}
    assert len(lists) > 1
    drawn = recsys("mix", "third", "--variety", 1)
    number = drawn.err.split("--random-seed ")[1].split()[0]
    assert recsys(*varied, number).out == drawn.out


def test_a_path(catalog: Path) -> None:
    found = made("path", "first light", "fourth", "--steps", 3)
    assert (titles(found)[0], titles(found)[-1]) == ("First Light", "Fourth")
    assert len(found["entries"]) == 4
    table = recsys("path", "first light", "fourth", "--steps", 3).out
    assert table.startswith("from: Anna – First Light\nto:   Bela – Fourth\n")


def test_an_order_of_a_playlist_file_a_stored_one_and_a_track(catalog: Path) -> None:
    playlist = catalog.parent / "some.xspf"
    made("mix", "third", "-k", 2, "--m3u", playlist)
    recsys("playlist", "save", "Two", "first light", "fourth")
    found = made("order", playlist, "Two", "third", "--first", "third")
    assert titles(found)[0] == "Third"
    assert len(found["entries"]) == len(found["seeds"]) == len(set(titles(found)))
    assert {"First Light", "Fourth", "Third"} <= set(titles(found))


def test_an_order_loses_no_entry_of_the_playlist_it_was_read_from(catalog: Path) -> None:
    playlist = catalog.parent / "list.m3u8"
    recsys("playlist", "save", "Three", "first light", "third", "fourth")
    recsys("playlist", "export", "Three", playlist)
    before = playlist.read_text() + "absent.mp3\nhttp://radio.example/stream\n"
    playlist.write_text(before)
    output = recsys("order", playlist, "--m3u", playlist)
    assert (output.status, output.out) == (1, "")
    assert "2 of 5 entries cannot be used" in output.err
    assert "entry 4, absent.mp3: " in output.err
    assert "would lose the entries" in output.err
    assert playlist.read_text() == before
    other = playlist.with_name("other.m3u8")
    assert recsys("order", playlist, "--m3u", other).status == 0
    assert other.read_text().count("#EXTINF") == 3


def test_a_playlist_grows(catalog: Path) -> None:
    recsys("playlist", "save", "Small", "first light", "third")
    found = made("grow", "Small", "-k", 2)
    assert len(found["entries"]) == 2
    assert not {"First Light", "Third"} & set(titles(found))
    grown = recsys("grow", "Small", "-k", 2, "--m3u", "-").out
    assert grown.count("#EXTINF") == 4
    assert recsys("grow", "Small", "-k", 2, "--only-new", "--m3u", "-").out.count("#EXTINF") == 2
    near = made("grow", "Small", "--threshold", -1, "--per-artist", 0)
    assert len(near["entries"]) >= 4
    dry = recsys("grow", "Small", "-k", 2, "--save", "Small", "--dry-run")
    assert "Of playlist 'Small', 2 new, 0 gone" in dry.err
    recsys("grow", "Small", "-k", 2, "--save", "Small", "--replace")
    assert len(recsys("playlist", "show", "Small", "--json").json["entries"]) == 4


def test_today_works_with_a_history_and_without(catalog: Path) -> None:
    without = recsys("today", "-k", 3, "--json")
    assert without.json["entries"]
    assert "drawn" in without.err
    recsys("like", "third")
    found = made("today", "-k", 3)
    assert [seed["title"] for seed in found["seeds"]] == ["Third"]
    others = recsys("today", "-k", 3, "--user", "Bela", "--json")
    assert "drawn" in others.err  # another's likes do not count


def test_what_is_excluded_is_in_no_list(catalog: Path) -> None:
    assert "Fourth" in titles(made("mix", "third"))
    recsys("exclude", "add", "--artist", "BELA")
    found = made("mix", "third")
    assert "Fourth" not in titles(found)
    assert found["left_out"]["excluded"] == 1
    assert "Fourth" in titles(made("mix", "third", "--no-exclusions"))


def test_seeds_that_are_unknown_are_named_and_the_rest_goes_on(catalog: Path) -> None:
    some = recsys("mix", "third", 999, "no such words", "-k", 2)
    assert some.status == 0
    assert "999" in some.err
    assert "no such words" in some.err
    assert some.out.startswith("like: Anna – Third\n")


@pytest.mark.parametrize("form", [(), ("--json",), ("--m3u", "-")], ids=str)
def test_what_a_list_notes_goes_to_standard_error(catalog: Path, form: tuple[str, ...]) -> None:
    output = recsys("mix", "third", 999, "-k", 2, *form)
    assert (output.status, "999" in output.err) == (0, True)
    if "--json" in form:
        assert output.json["notes"]


def test_playlists_of_a_list(catalog: Path) -> None:
    playlist = catalog.parent / "list.xspf"
    done = recsys("mix", "third", "-k", 9, "--m3u", playlist, "--with-seed")
    listed = done.out.splitlines()[-1].split()[0]
    assert f"playlist of {int(listed) + 1} tracks written: {playlist}" in done.err
    assert "line break" not in done.err
    assert playlist.read_bytes().startswith(b"<?xml")
    no_line_breaks = recsys("mix", "third", "-k", 9, "--m3u", playlist.with_suffix(".m3u8")).err
    assert "1 left out: " in no_line_breaks
    assert "XSPF" in no_line_breaks
    untouched = catalog.parent / "untouched.m3u8"
    dry = recsys("mix", "third", "--m3u", untouched, "--dry-run")
    assert "nothing was written" in dry.err
    assert not untouched.exists()


def test_an_outside_file_is_a_seed(shop: Shop, catalog: Path, tmp_path: Path) -> None:
    file = shutil.copy(shop.music / "one.flac", tmp_path / "new.flac")
    found = made("mix", file, "-k", 2, "--save", "Like new")
    assert found["seeds"][0]["id"] is None
    assert found["request"]["seeds"]["like"] == [str(file)]
    assert recsys("playlist", "run", "Like new").status == 0


def test_a_list_is_made_of_an_unchanged_catalogue(catalog: Path) -> None:
    with Catalog.open(str(catalog)) as opened:
        before = opened.state()
    recsys("radio", "third", "--save", "A", "--why")
    recsys("order", "A")
    with Catalog.open(str(catalog)) as opened:
        assert opened.state() == before
