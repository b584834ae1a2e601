"""`recsys playlist`: stored playlists, their recipes and files."""

from pathlib import Path

import pytest
from command_line import BAD, Shop, recsys

from recommender.catalog import Catalog
from recommender.errors import UsageError


def entries(name: str) -> list[str]:
    return [entry["title"] for entry in recsys("playlist", "show", name, "--json").json["entries"]]


def test_a_recipe_is_saved_and_run_again(catalog: Path) -> None:
    file = catalog.parent / "evening.xspf"
    saved = recsys("mix", "third", "-k", 3, "--save", "Evening", "--to", file)
    assert "saved as 'Evening': 3 tracks; 'recsys playlist run Evening' renews it" in saved.err
    first = entries("Evening")
    (listed,) = recsys("playlist", "list", "--json").json["playlists"]
    assert (listed["name"], listed["tracks"], listed["target"]) == ("Evening", 3, str(file))
    assert listed["recipe"]["kind"] == "mix"
    before = file.read_bytes()

    with Catalog.open(str(catalog)) as opened:  # a track of it is gone
        gone = opened.playlist("Evening").track_ids[0]
        with opened.writing() as write:
            write.missing([gone])
    dry = recsys("playlist", "run", "Evening", "--dry-run")
    assert "1 new, 1 gone" in dry.out
    assert "nothing was written" in dry.err
    assert (entries("Evening"), file.read_bytes()) == (first, before)
    done = recsys("playlist", "run", "Evening")
    assert (done.status, "1 new, 1 gone" in done.out) == (0, True)
    assert entries("Evening") != first
    assert file.read_bytes() != before


def test_every_recipe_is_run_and_one_that_fails_stays(catalog: Path) -> None:
    recsys("mix", "fourth", "-k", 2, "--save", "Of Bela")
    recsys("mix", "third", "-k", 2, "--save", "Of Anna")
    recsys("playlist", "save", "By hand", "third")
    before = entries("Of Bela")
    with Catalog.open(str(catalog)) as opened, opened.writing() as write:
        write.missing([track.id for track in opened.search("fourth")])
    recsys("prune")
    output = recsys("playlist", "run", "--all", "--json")
    assert output.status == 1
    runs = {run["name"]: run for run in output.json["playlists"]}
    assert set(runs) == {"Of Anna", "Of Bela"}
    assert runs["Of Anna"]["error"] is None
    assert len(runs["Of Anna"]["tracks"]) == 2
    assert "stays as it is" in runs["Of Bela"]["error"]
    assert "failed: " in output.err
    assert entries("Of Bela") == [title for title in before if title != "Fourth"]


def test_a_playlist_is_replaced_only_where_that_was_asked_for(catalog: Path) -> None:
    recsys("mix", "third", "-k", 3, "--save", "A")
    before = entries("A")
    again = recsys("mix", "fourth", "-k", 2, "--save", "A")
    assert (again.status, again.out) == (1, "")
    assert "--replace" in again.err
    dry = recsys("mix", "fourth", "-k", 2, "--save", "A", "--dry-run")
    assert "Of playlist 'A', " in dry.err
    assert entries("A") == before
    assert "gone" in recsys("mix", "fourth", "-k", 2, "--save", "A", "--replace").err
    assert len(entries("A")) == 2


def test_a_list_and_its_file_are_saved_both_or_neither(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = catalog.parent / "list.xspf"
    file.write_text("as it was")
    blank = recsys("mix", "third", "--save", " ", "--to", file)
    assert (blank.status, "needs a name" in blank.err) == (1, True)

    def fails(*_: object, **__: object) -> None:
        raise UsageError("it cannot be stored.")

    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "save_playlist", fails)
        assert recsys("mix", "third", "--save", "A", "--to", file).status == 1
    assert file.read_text() == "as it was"
    assert not list(catalog.parent.glob(".*.tmp"))


def test_a_replaced_playlist_leaves_its_comment_and_its_file(catalog: Path) -> None:
    file = catalog.parent / "list.xspf"
    recsys("mix", "third", "-k", 3, "--save", "A", "--to", file, "--absolute")
    with Catalog.open(str(catalog)) as opened:
        opened.describe_playlist(opened.playlist("A").id, comment="for the road")
    done = recsys("mix", "fourth", "-k", 2, "--save", "A", "--replace")
    assert f"playlist of 2 tracks written: {file}" in done.err
    (listed,) = recsys("playlist", "list", "--json").json["playlists"]
    assert (listed["comment"], listed["target"]) == ("for the road", str(file))
    assert listed["absolute"]
    text = file.read_text()
    assert (text.count("<track>"), text.count("file:///")) == (2, 2)
    assert "for the road" in text

    damaged = text.replace("</track>", "</trac", 2).replace("</trac", "</track>", 1)
    file.write_text(damaged)
    refused = recsys("order", file, "--save", "A", "--replace")
    assert (refused.status, "would lose the entries" in refused.err) == (1, True)
    assert file.read_text() == damaged
    other = file.with_name("other.m3u8")
    recsys("mix", "third", "-k", 1, "--save", "A", "--replace", "--to", other)
    assert file.read_text() == damaged
    assert recsys("playlist", "list", "--json").json["playlists"][0]["target"] == str(other)


def test_a_list_made_by_hand_drops_the_recipe_and_keeps_the_file(catalog: Path) -> None:
    file = catalog.parent / "a.m3u8"
    made = ("mix", "third", "-k", 3, "--save", "A", "--to", file, "--replace")
    recsys(*made)
    saved = recsys("playlist", "save", "A", "fourth", "--replace")
    assert "its recipe (mix) is dropped" in saved.err
    assert f"playlist of 1 track written: {file}" in saved.err
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4
    (listed,) = recsys("playlist", "list", "--json").json["playlists"]
    assert (listed["recipe"], listed["target"]) == (None, str(file))
    recsys(*made)
    edited = file.read_text(encoding="utf-8") + "unknown.ogg\n"
    file.write_text(edited, encoding="utf-8")
    imported = recsys("playlist", "import", file, "--name", "A", "--replace")
    assert "its recipe (mix) is dropped" in imported.err
    assert file.read_text(encoding="utf-8") == edited
    recsys(*made)
    grown = recsys("grow", "A", "--only-new", "-k", 1, "--save", "A", "--replace")
    assert "its recipe (mix) is dropped" in grown.err


def test_playlists_of_several_users(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recsys("playlist", "save", "Mine", "third", "--user", "Anna")
    assert recsys("playlist", "show", "Mine").status == 1
    monkeypatch.setenv("RECSYS_USER", "Anna")
    assert entries("Mine") == ["Third"]


def test_recipes_of_all_users_are_run(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    recsys("mix", "third", "-k", 2, "--save", "List")
    recsys("mix", "fourth", "-k", 2, "--save", "List", "--user", "Anna")

    def users(*words: str) -> list[str]:
        found = recsys("playlist", "run", *words, "--json").json["playlists"]
        return sorted(run["user"] for run in found)

    assert users("--all") == ["", "Anna"]
    assert users("--all", "--user", "Anna") == ["Anna"]
    assert users("--all", "--user", "") == [""]
    assert users("List") == [""]
    assert users("List", "--user", "Anna") == ["Anna"]
    assert "Anna" in recsys("playlist", "run", "--all").out
    monkeypatch.setenv("RECSYS_USER", "Anna")
    assert users("--all") == ["Anna"]


def test_files_come_in_and_go_out(shop: Shop, catalog: Path) -> None:
    file = catalog.parent / "in.m3u8"
    lines = ["#EXTM3U", shop.music / "one.flac", "absent.mp3", shop.music / "three.ogg"]
    file.write_text("\n".join(map(str, lines)) + "\n")
    dry = recsys("playlist", "import", file, "--dry-run")
    assert dry.out == "'in' would have 2 tracks (--dry-run).\n"
    assert recsys("playlist", "show", "in").status == 1
    done = recsys("playlist", "import", file, "--name", "Road")
    assert (done.status, done.out) == (0, "saved as 'Road': 2 tracks.\n")
    assert "1 of 3 entries cannot be used" in done.err
    assert "absent.mp3" in done.err
    assert recsys("playlist", "import", file, "--name", "Road").status == 1
    found = recsys("playlist", "import", file, "--name", "Road", "--replace", "--json").json
    assert len(found["tracks"]) == 2
    assert [(u["entry"], u["location"]) for u in found["unmatched"]] == [(2, "absent.mp3")]
    assert entries("Road") == ["First Light", "Third"]
    for name in ("out.m3u8", "out.xspf"):
        assert recsys("playlist", "export", "Road", catalog.parent / name).status == 0
        assert recsys("order", catalog.parent / name, "--json").json["seeds"][1]["title"] == "Third"
    text = recsys("playlist", "export", "Road", "-", "--absolute").out
    assert f"\n{shop.music / 'one.flac'}\n" in text


def test_a_name_that_is_no_text_is_written_as_it_is(catalog: Path) -> None:
    recsys("playlist", "save", "Odd", BAD.removesuffix(".wav"))
    out = recsys("playlist", "export", "Odd", "-").out
    assert BAD in out.encode(errors="surrogateescape").decode(errors="surrogateescape")


def test_a_file_of_unknown_entries_is_refused(catalog: Path) -> None:
    file = catalog.parent / "foreign.m3u8"
    file.write_text("a.mp3\nb\x1b[31m.mp3\n")
    output = recsys("playlist", "import", file)
    assert (output.status, output.out) == (1, "")
    assert "2 of 2 entries" in output.err
    assert "\x1b" not in output.err
    assert recsys("playlist", "list", "--json").json["playlists"] == []


def test_a_damaged_file_replaces_nothing(catalog: Path) -> None:
    file = catalog.parent / "broken.xspf"
    recsys("playlist", "save", "Road", "first light", "third", "fourth")
    recsys("playlist", "export", "Road", file)
    before = file.read_bytes().rpartition(b"<track>")[0] + b"<track><tit"
    file.write_bytes(before)
    for words in (
        ("order", file, "--m3u", file),
        ("order", file, "--save", "New", "--to", file),
        ("grow", file, "-k", 1, "--m3u", file),
        ("playlist", "import", file, "--name", "Road", "--replace"),
        ("playlist", "import", file, "--name", "Road", "--dry-run"),
    ):
        output = recsys(*words)
        assert (output.status, output.out) == (1, ""), words
        assert "what follows was not read" in output.err
    assert file.read_bytes() == before
    assert entries("Road") == ["First Light", "Third", "Fourth"]

    done = recsys("playlist", "import", file, "--name", "Rest", "--json")
    assert done.status == 0
    assert "it is damaged" in done.json["fault"]
    assert f"{file}: it is damaged" in done.err
    assert entries("Rest") == ["First Light", "Third"]
    whole = file.with_name("whole.m3u8")
    recsys("playlist", "export", "Road", whole)
    assert recsys("playlist", "import", whole, "--dry-run", "--json").json["fault"] is None


def test_show_and_remove(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert recsys("playlist", "list").err.startswith("no playlist is stored")
    recsys("playlist", "save", "By hand", "third", "fourth", "--comment", "for the road")
    shown = recsys("playlist", "show", "By hand").out
    assert shown.startswith("name     By hand\ntracks   2 (0:05)\ncomment  for the road\nchanged  ")
    assert "\n  1  Third " in shown
    assert recsys("playlist", "list").out.splitlines()[0].split()[:3] == ["id", "name", "tracks"]
    asked = recsys("playlist", "remove", "By hand")
    assert (asked.status, "--yes" in asked.err) == (1, True)
    assert recsys("playlist", "remove", "By hand", "--yes").out == (
        "playlist 'By hand' of 2 tracks dropped.\n"
    )
    assert recsys("playlist", "show", "By hand").status == 1


def test_recipes_that_are_not_there(catalog: Path) -> None:
    recsys("playlist", "save", "By hand", "third")
    by_hand = recsys("playlist", "run", "By hand")
    assert (by_hand.status, by_hand.out) == (1, "")
    assert "no recipe" in by_hand.err
    assert by_hand.err.count("\n") == 1
    nothing = recsys("playlist", "run", "--all")
    assert (nothing.status, nothing.out) == (0, "")
    assert "--save NAME" in nothing.err
    assert recsys("playlist", "run").status == 1


def test_todays_list_is_made_anew_from_the_history(catalog: Path) -> None:
    recsys("like", "third")
    recsys("today", "-k", 2, "--save", "Today")
    (stored,) = recsys("playlist", "list", "--json").json["playlists"]
    assert stored["recipe"]["kind"] == "today"
    recsys("like", "third", "--undo")
    recsys("like", "fourth")
    run = recsys("playlist", "run", "Today", "--json").json["playlists"][0]["list"]
    assert [seed["title"] for seed in run["seeds"]] == ["Fourth"]


def test_a_playlist_of_single_tracks_is_shown_before_it_is_stored(catalog: Path) -> None:
    dry = recsys("playlist", "save", "Hand", "third", "--dry-run", "--json").json
    assert (dry["name"], dry["id"], len(dry["tracks"])) == ("Hand", None, 1)
    assert recsys("playlist", "list", "--json").json["playlists"] == []
    stored = recsys("playlist", "save", "Hand", "third", "--json").json
    assert (type(stored["id"]), stored["tracks"]) == (int, dry["tracks"])
    changed = recsys("playlist", "save", "Hand", "fourth", "--dry-run")
    assert changed.out == "'Hand' would have 1 track, 1 new, 1 gone (--dry-run).\n"
    assert entries("Hand") == ["Third"]


def test_an_empty_playlist_file(catalog: Path) -> None:
    file = catalog.parent / "empty.m3u8"
    file.write_text("#EXTM3U\n")
    output = recsys("playlist", "import", file)
    assert (output.status, output.err) == (1, f"recsys: {file} names no file.\n")
