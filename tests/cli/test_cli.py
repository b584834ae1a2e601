"""The command line as a user meets it: what it prints, where, and with which status."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import sounds
import toy_models
import typer.main
from command_line import RECSYS, Output, Terminal, recsys

from recommender.catalog import Catalog, Tags
from recommender.cli import app
from recommender.cli.output import counted
from recommender.embedding.model_files import DEFAULT_MODEL, find_model

BAD = os.fsdecode(b"bad\xff.wav")


def write_music(folder: Path) -> None:
    """Seven recordings of different lengths, so that none is taken for a copy, and one copy."""
    folder.mkdir()
    tagged = {
        "one.flac": ("First Light", "Anna", "Folk"),
        "two.flac": ("Second Light", "Anna", "Folk"),
        "three.ogg": ("Third", "Anna", "Rock"),
        "four.ogg": ("Fourth", "Bela", "Rock"),
        "plain.wav": None,
        "line\nbreak.wav": None,
        BAD: None,
    }
    for seed, (name, tags) in enumerate(tagged.items()):
        path = folder / name
        sounds.write_sound(path, sounds.music(2 + seed / 5, 22_050, seed), 22_050)
        if tags is not None:
            file = mutagen.File(path, easy=True)
            file.update(dict(zip(("title", "artist", "genre"), tags, strict=True)))
            file.save()
    shutil.copy(folder / "plain.wav", folder / "copy.wav")
    (folder / "text.mp3").write_text("no music")
    (folder / "notes.txt").write_text("not music either")
    sounds.write_video(folder / "silent film.mp4")


@dataclass(frozen=True)
class Shop:
    """A music folder, the catalogue that `recsys demo` made of it, and what it printed."""

    music: Path
    database: Path
    demo: Output


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    place = tmp_path_factory.mktemp("shop")
    write_music(place / "music")
    demo = recsys("demo", "--music", place / "music", "--folder", place / "demo")
    return Shop(place / "music", place / "demo" / "own-music.db", demo)


@pytest.fixture
def catalog(shop: Shop, tmp_path: Path) -> Path:
    """A copy of the catalogue, for one test, where the commands look for it (RECSYS_DB)."""
    return Path(shutil.copy(shop.database, tmp_path / "catalog.db"))


# Help


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        if below is None:
            yield (name,), command
        else:
            yield from (((name, inner), found) for inner, found in below.items())


COMMANDS = dict(commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_explained(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert all(parameter.help for parameter in command.params)
    shown = recsys(*path, "--help")
    assert (shown.status, shown.err) == (0, "")
    assert f"recsys {' '.join(path)}" in shown.out
    for parameter in command.params:
        assert parameter.help.split()[0] in shown.out
    assert recsys(*path, "-h") == shown


def test_help_names_every_command() -> None:
    shown = recsys("--help")
    assert {path[0] for path in COMMANDS} <= set(shown.out.split())
    assert max(map(len, shown.out.splitlines())) <= 80
    for group in ("library", "db"):
        assert recsys(group, "--help").status == 0


def test_the_readme_names_every_command() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    code = " ".join(re.findall(r"`([^`]+)`", text))
    for path in COMMANDS:
        assert all(re.search(rf"\b{re.escape(word)}\b", code) for word in path), path


def test_the_installed_script_runs() -> None:
    script = Path(sys.executable).with_name("recsys")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    assert "similar" in done.stdout


# The main job


def test_demo_with_a_folder_of_music(shop: Shop) -> None:
    assert shop.demo.status == 0
    steps = [line.split()[2] for line in shop.demo.out.splitlines() if line.startswith("$ recsys")]
    assert steps == ["ingest", "status", "similar", "evaluate"]
    assert "8 analysed" in shop.demo.out
    assert "1 failed" in shop.demo.out
    assert "genre-hit rate (P@3)" in shop.demo.out
    assert str(shop.database) in shop.demo.out
    assert "recsys failures" in shop.demo.err


def test_demo_goes_on_without_genre_tags(shop: Shop, catalog: Path) -> None:
    with Catalog.open(str(catalog)) as opened:
        library = opened.libraries()[0]
        known = opened.known_files(library, opened.spaces()[0][0])
        with opened.writing() as write:
            for file in known.values():
                if file.track_id:
                    write.retagged(file.track_id, file.stat, Tags(), file.content_hash or "")
    catalog.rename(catalog.with_name(shop.database.name))
    demo = recsys("demo", "--music", shop.music, "--folder", catalog.parent)
    assert demo.status == 0
    assert "not evaluated: no track has a genre" in demo.err


def test_demo_with_nothing_to_hear(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    demo = recsys("demo", "--music", tmp_path / "empty", "--folder", tmp_path / "demo")
    assert demo.status == 1
    assert "nothing in" in demo.err


def test_second_ingest(shop: Shop, catalog: Path) -> None:
    report = recsys("ingest", shop.music, "--json").json
    assert (report["unchanged"], report["still_failing"], report["skipped"]) == (8, 1, 2)
    again = recsys("ingest", shop.music)
    assert "8 unchanged" in again.out
    assert again.err == "'recsys failures' lists what could not be analysed, and why.\n"
    fewer = recsys("ingest", shop.music, "--exclude", "*.wav", "--json").json
    assert (fewer["unchanged"], fewer["excluded"], fewer["missing"]) == (4, 4, 4)


def neighbours(*words: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = recsys("similar", *words, "--json").json
    assert [track["rank"] for track in found] == list(range(1, len(found) + 1))
    return found


def artists(*words: object) -> list[str | None]:
    return [track["tags"]["artist"] for track in neighbours("plain.wav", *words)]


def test_similar_asks_by_path_id_or_words(shop: Shop, catalog: Path) -> None:
    by_words = neighbours("second light")
    track_id = recsys("list", "second", "light", "--json").json[0]["id"]
    assert neighbours(track_id) == neighbours(shop.music / "two.flac") == by_words
    assert track_id not in {track["id"] for track in by_words}
    similarities = [track["similarity"] for track in by_words]
    assert similarities == sorted(similarities, reverse=True)
    assert len(neighbours("second light", "-k", 2)) == 2


def test_similar_to_a_file_outside_the_catalogue(shop: Shop, catalog: Path) -> None:
    file = shutil.copy(shop.music / "one.flac", catalog.parent / "another.flac")
    listed = neighbours(file)
    assert "First Light" not in {track["tags"]["title"] for track in listed}  # it is that one
    assert neighbours(file, "--keep-duplicates")[0]["similarity"] == pytest.approx(1, abs=1e-3)


def test_tracks_per_artist(catalog: Path) -> None:
    assert artists().count("Anna") == 2
    assert artists("--per-artist", 1).count("Anna") == 1
    assert artists("--per-artist", 0).count("Anna") == 3
    assert artists("--per-artist", 1).count(None) == 2  # the unknown are not one artist
    of_annas = [t["tags"]["artist"] for t in neighbours("First Light", "--per-artist", 1)]
    assert of_annas.count("Anna") == 1  # the limit holds for the seed's artist, too
    others = [t["tags"]["artist"] for t in neighbours("First Light", "--no-same-artist")]
    assert "Anna" not in others
    assert "Bela" in others


def test_filters(catalog: Path) -> None:
    assert artists("--genre", "folk") == ["Anna", "Anna"]
    assert artists("--genre", "polka") == []
    lengths = [t["duration"] for t in neighbours(1, "--min-duration", 2.3, "--max-duration", 3)]
    assert lengths
    assert all(2.3 <= seconds <= 3 for seconds in lengths)
    analysed = {track["predicted_genre"] for track in neighbours(1)}
    for genre in analysed:
        assert {track["predicted_genre"] for track in neighbours(1, "--analysed", genre)} == {genre}


def test_copies_are_collapsed(catalog: Path) -> None:
    names = [track["path"] for track in neighbours("plain.wav", "--per-artist", 0)]
    assert "copy.wav" not in names
    assert len(names) == 6
    kept = neighbours("plain.wav", "--keep-duplicates")
    assert (kept[0]["path"], kept[0]["similarity"]) == ("copy.wav", 1)


def test_nobody_passes_the_filters(catalog: Path) -> None:
    table = recsys("similar", 1, "--genre", "polka")
    assert (table.status, table.out) == (0, "")
    assert "no other track" in table.err


def test_m3u(catalog: Path) -> None:
    playlist = catalog.parent / "list.m3u8"
    done = recsys("similar", "first light", "--m3u", playlist, "--json")
    lines = playlist.read_bytes().decode("utf-8", "surrogateescape").splitlines()
    entries = [line for line in lines if not line.startswith("#")]
    writable = [track["file"] for track in done.json if "\n" not in track["path"]]
    assert [(catalog.parent / entry).resolve() for entry in entries] == list(map(Path, writable))
    assert done.err == f"playlist of {len(entries)} tracks written: {playlist}\n"


def test_evaluate(shop: Shop, catalog: Path) -> None:
    report = recsys("evaluate", "-k", 2, "--json").json
    assert (report["k"], report["tracks"], report["unlabelled"]) == (2, 8, 4)
    assert report["ranking"] == "cosine"  # so few tracks have no neighbourhoods
    folder = recsys("evaluate", "--genre-from", "folder", "--csv", catalog.parent / "e.csv")
    assert "8 tracks with a genre" in folder.out
    assert folder.err == f"table written: {catalog.parent / 'e.csv'}\n"
    assert (catalog.parent / "e.csv").read_text().startswith("artist_filter,genre")
    labels = catalog.parent / "labels.csv"
    labels.write_text("filename,genre\none.flac,x\ntwo.flac,x\nabsent.mp3,y\n")
    assert recsys("evaluate", "--labels", labels, "--json").json["labels"]["rows_without_track"]


def test_evaluate_where_no_query_can_be_judged(catalog: Path) -> None:
    labels = catalog.parent / "labels.csv"
    labels.write_text("filename,genre\none.flac,x\nthree.ogg,y\n")
    for words in ((), ("--json",), ("--csv", catalog.parent / "e.csv")):
        output = recsys("evaluate", "--labels", labels, *words)
        assert (output.status, output.out) == (1, "")
        assert output.err.startswith("recsys: no query can be judged: no two tracks")
        assert output.err.count("\n") == 1
    assert not (catalog.parent / "e.csv").exists()


def test_evaluate_where_the_artist_filter_leaves_no_query(catalog: Path) -> None:
    labels = catalog.parent / "labels.csv"
    labels.write_text("filename,genre\none.flac,x\ntwo.flac,x\n")
    output = recsys("evaluate", "--labels", labels)
    assert (output.status, output.err) == (0, "")
    assert "Artist filter on: no query can be judged" in output.out
    assert "artist filter on:" not in output.out  # no table of dashes


def test_evaluate_compares_models(shop: Shop, catalog: Path) -> None:
    other = toy_models.with_other_weights(catalog.parent / "other").folder
    not_analysed = recsys("evaluate", "--compare", DEFAULT_MODEL, other)
    assert (not_analysed.status, not_analysed.out) == (1, "")
    assert f"run: recsys ingest FOLDER --model {other}\n" in not_analysed.err
    before = recsys("similar", 1, "--json").json
    options = ("--model", other, "--workers", 1, "--exclude", "plain.wav")
    assert recsys("ingest", shop.music, *options, "--json").json["analysed"] == 7
    # Nothing is analysed now: plain.wav is back, analysed by the default model alone.
    assert recsys("ingest", shop.music, "--json").json["analysed"] == 0
    assert recsys("similar", 1, "--json").json == before  # both spaces are kept
    report = recsys("evaluate", "-k", 1, "--compare", DEFAULT_MODEL, other, "--json").json
    assert [model["model"] for model in report["models"]] == [DEFAULT_MODEL, str(other)]
    assert [model["tracks_heard"] for model in report["models"]] == [8, 7]
    assert (report["tracks"], report["unlabelled"], report["tracks_left_out"]) == (7, 3, 1)
    first, second = report["without_filter"]
    assert first["difference"] is None
    rates = [row["scores"]["precision"]["value"] for row in (first, second)]
    assert second["difference"]["value"] == pytest.approx(rates[1] - rates[0])
    assert 0 < second["difference"]["p"] <= 1
    assert [row["scores"]["queries"] for row in report["with_filter"]] == [2, 2]
    for words in (("--compare", DEFAULT_MODEL, other), (other, "--compare", DEFAULT_MODEL)):
        text = recsys("evaluate", *words)
        assert (text.status, text.err) == (0, "")
        assert "4 tracks with a genre from the genre tags, analysed by every model" in text.out
        assert ", ranked by cosine, k = 10" in text.out
        assert f"to {DEFAULT_MODEL}, over the same queries" in text.out
        assert "were left out: 1." in text.out


def test_comparisons_that_make_no_sense(catalog: Path) -> None:
    cases = [
        (("--compare", DEFAULT_MODEL), "at least two models"),
        (("--compare", DEFAULT_MODEL, DEFAULT_MODEL), "the same model"),
        (("--compare", DEFAULT_MODEL, find_model().folder), "the same model"),
        (("--compare", DEFAULT_MODEL, "nonesuch"), "nonesuch"),
        (("nonesuch",), "after --compare"),
        (("--compare", "a", "b", "--csv", catalog.parent / "e.csv"), "use --json"),
    ]
    for words, fragment in cases:
        output = recsys("evaluate", *words)
        assert (output.status, output.out) == (1, ""), words
        assert output.err.count("\n") == 1, words
        assert fragment in output.err, words


# Looking at the catalogue


def test_list(catalog: Path) -> None:
    table = recsys("list")
    assert table.err == ""
    assert len(table.out.splitlines()) == 9
    tracks = recsys("list", "--json").json
    assert len(tracks) == 8
    assert len(recsys("list", "--limit", 3, "--json").json) == 3
    assert [track["tags"]["title"] for track in recsys("list", "ANNA", "third", "--json").json] == [
        "Third"
    ]
    nothing = recsys("list", "polka")
    assert (nothing.status, nothing.out, nothing.err) == (0, "", "no track matches.\n")
    assert recsys("list", "polka", "--json").json == []


def test_show(shop: Shop, catalog: Path) -> None:
    shown = recsys("show", "third", "--json").json
    assert shown["file"] == str(shop.music / "three.ogg")
    assert datetime.fromisoformat(shown["analysed_at"]).utcoffset() is not None
    assert sum(shown["genre_probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert len(shown["spaces"]) == 1
    text = recsys("show", shown["id"]).out
    for word in ("Third", "Anna", str(shop.music / "three.ogg"), shown["content_hash"], "0:02"):
        assert word in text


def test_show_a_track_whose_file_is_missing(shop: Shop, catalog: Path) -> None:
    track_id = recsys("show", "fourth", "--json").json["id"]
    with Catalog.open(str(catalog)) as opened, opened.writing() as write:
        write.missing([track_id])
    for asked in (track_id, shop.music / "four.ogg", "fourth"):
        assert recsys("show", asked, "--json").json["state"] == "missing"
    assert "missing" in recsys("show", track_id).out
    assert recsys("prune").out == "1 missing track dropped.\n"
    assert recsys("show", track_id).status == 1


def test_show_says_why_a_file_is_not_there(shop: Shop, catalog: Path) -> None:
    failed = recsys("show", shop.music / "text.mp3")
    assert failed.status == 1
    assert "could not be analysed (unreadable)" in failed.err
    new = recsys("show", shop.music / "notes.txt")
    assert f"'recsys ingest {shop.music}'" in new.err


def test_a_video_without_sound_is_no_failure(catalog: Path) -> None:
    (failure,) = recsys("failures", "--json").json
    assert failure["path"] == "text.mp3"
    assert failure["file"].endswith("/music/text.mp3")
    assert datetime.fromisoformat(failure["failed_at"]).utcoffset() is not None
    assert "silent film" not in recsys("failures").out
    assert recsys("status", "--json").json["failures"] == 1


def test_status(shop: Shop, catalog: Path) -> None:
    status = recsys("status", "--json").json
    assert (status["analysed"], status["missing"], status["libraries"]) == (8, 0, 1)
    assert status["spaces"] == {status["active_space"]: 8}
    text = recsys("status")
    assert text.err == ""
    assert str(shop.music) in text.out
    assert text.out.splitlines()[0].startswith("catalogue")


@pytest.mark.parametrize("command", ["list", "status", "failures", "verify", "prune"])
def test_no_catalogue_is_made_by_who_only_reads(command: str, tmp_path: Path) -> None:
    place = tmp_path / "mistyped" / "catalog.db"
    output = recsys(command, "--db", place)
    assert (output.status, output.out) == (1, "")
    assert "recsys ingest FOLDER" in output.err
    assert not place.parent.exists()


def test_an_empty_catalogue() -> None:
    assert recsys("db", "upgrade").status == 0
    assert recsys("list", "--json").json == []
    assert recsys("failures", "--json").json == []
    assert recsys("status", "--json").json["active_space"] is None
    assert recsys("library", "list", "--json").json == []
    for command in ("list", "status", "failures"):
        assert recsys(command).err.count("\n") == 1


def test_verify(catalog: Path) -> None:
    assert recsys("verify").out == "catalogue, files and index agree.\n"
    assert recsys("verify", "--json").json == []
    with Catalog.open(str(catalog)) as opened, opened.writing() as write:
        write.missing([1])
    found = recsys("verify", "--json")
    assert (found.status, [finding["kind"] for finding in found.json]) == (1, ["back"])
    mended = recsys("verify", "--repair")
    assert (mended.status, "repaired" in mended.out) == (0, True)
    assert recsys("verify").status == 0


def test_export(catalog: Path) -> None:
    file = catalog.parent / "e.npz"
    assert recsys("export", file).out == f"8 tracks written to {file}\n"
    with np.load(file, allow_pickle=False) as arrays:
        assert len(arrays["embedding"]) == len(arrays["title"]) == 8


def test_libraries(shop: Shop, catalog: Path) -> None:
    assert [library["root"] for library in recsys("library", "list", "--json").json] == [
        str(shop.music)
    ]
    copied = shutil.copytree(shop.music, catalog.parent / "moved")
    assert recsys("library", "move", shop.music, copied).status == 0
    assert str(copied) in recsys("library", "list").out
    assert recsys("ingest", copied, "--json").json["unchanged"] == 8


def test_database(catalog: Path) -> None:
    current = recsys("db", "current")
    assert (current.status, current.err) == (0, "")
    assert recsys("db", "upgrade").out == f"already at {current.out.split()[0]}.\n"
    new = catalog.parent / "new.db"
    assert recsys("db", "current", "--db", new).out.startswith("no schema")
    assert not new.exists()
    assert recsys("db", "upgrade", "--db", new).out.startswith("upgraded: new")


def test_models() -> None:
    report = recsys("models", "--json").json
    (model,) = [card for card in report["models"] if card["default"]]
    assert len(model["labels"]) == 10
    text = recsys("models").out
    assert model["name"] in text
    families = {family["name"]: family for family in report["families"]}
    assert families["conv1d-encoder"]["parameters"] == 597_514
    assert families["resnet50v2"]["section"] == "ResNet"
    assert all(name in text for name in families)


@pytest.mark.parametrize("networks", [0, 1])
def test_a_model_with_descriptors(shop: Shop, catalog: Path, networks: int) -> None:
    usual = len(neighbours("plain.wav"))
    folder = catalog.parent / "described"
    toy_models.with_descriptors(folder, networks)
    options = ("--model", folder, "--workers", 1, "--json")
    assert recsys("ingest", shop.music, *options).json["analysed"] == 8
    listed, kept = (
        [Path(track["path"]).name for track in neighbours("plain.wav", *words)]
        for words in ((), ("--keep-duplicates",))
    )
    assert len(listed) == usual
    assert "copy.wav" not in listed
    assert kept[0] == "copy.wav"
    outside = shop.music.parent / "outside.wav"
    sounds.write_sound(outside, sounds.music(3, 22_050, 0), 22_050)
    assert recsys("similar", outside, "--json").status == 0


def test_weights_that_are_not_shipped_say_how_to_make_them(shop: Shop) -> None:
    refused = recsys("ingest", shop.music, "--model", "resnet101")
    assert refused.status == 1
    assert "recsys train resnet101 --gtzan GTZAN --out runs/resnet101" in refused.err


# Errors


def test_errors_are_one_line(shop: Shop, catalog: Path) -> None:
    place = catalog.parent
    (place / "text.db").write_text("no database")
    (place / "folder.m3u8").mkdir()
    cases: list[tuple[tuple[object, ...], str]] = [
        (("ingest", place / "absent"), "absent"),
        (("ingest", shop.music / "one.flac"), "is a file"),
        (("ingest", shop.music, "--model", "nonesuch"), "nonesuch"),
        (("similar", 1, "--db", place / "new.db"), "recsys ingest"),
        (("evaluate", "--db", place / "new.db"), "recsys ingest"),
        (("export", place / "e.npz", "--db", place / "new.db"), "recsys ingest"),
        (("similar", 99), "99"),
        (("show", "no such words"), "no such words"),
        (("show", "polka\nmusic"), "'polka\\nmusic'"),
        (("similar", shop.music / "text.mp3"), ""),
        (("similar", 1, "--analysed", "polka"), "it knows blues"),
        (("similar", 1, "--min-duration", 9, "--max-duration", 8), "at most 8 s"),
        (("similar", 1, "--m3u", place / "folder.m3u8"), "cannot be written"),
        (("evaluate", "--labels", place / "absent.csv"), "absent.csv"),
        (("evaluate", "--csv", place / "absent" / "e.csv"), "cannot be written"),
        (("export", place / "e.csv"), "ends in"),
        (("list", "--db", place / "text.db"), "not a database"),
        (("list", "--db", place), "cannot be used"),
        (("list", "--db", "foo://bar"), "foo://bar"),
        (("list", "--db", "/dev/null/catalog.db"), "--db"),
        (("library", "move", place / "a", place), "library"),
        (("library", "move", place / "a", place / "b"), "no folder"),
        (("train", "nonesuch", "--gtzan", place, "--out", place), "conv1d-encoder"),
        (("train", "default", "--gtzan", place, "--out", place, "--seeds", "x"), "--seeds"),
        (("train", "default", "--gtzan", place / "absent", "--out", place), "absent"),
    ]
    for words, fragment in cases:
        output = recsys(*words)
        assert (output.status, output.out) == (1, ""), words
        assert output.err.startswith("recsys: "), words
        assert output.err.count("\n") == 1, words
        assert fragment in output.err, words


def test_no_gpu(catalog: Path) -> None:
    faiss = pytest.importorskip("faiss")
    if faiss.get_num_gpus():
        pytest.skip("FAISS sees a GPU here")
    output = recsys("similar", 1, "--device", "cuda")
    assert output.status == 1
    assert "sees no GPU" in output.err


def test_an_ambiguous_track_lists_those_it_may_be(catalog: Path) -> None:
    output = recsys("similar", "light")
    assert output.status == 1
    assert output.err.startswith("recsys: 2 tracks match 'light'")
    assert "First Light" in output.err
    assert "Second Light" in output.err


def test_a_damaged_database(catalog: Path) -> None:
    data = bytearray(catalog.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    catalog.write_bytes(data)
    for command in (("list",), ("similar", 1), ("status",)):
        output = recsys(*command)
        assert output.status == 1
        assert "damaged" in output.err
        assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        "similar 1 --device gpu",
        "similar 1 -k 0",
        "similar",
        "similar 1 --per-artist -1",
        "ingest",
        "nonesuch",
        "list --nonesuch",
        "ingest . --workers 0",
        "evaluate --genre-from nowhere",
        "train x --gtzan x",
        "train x --gtzan x --out y --protocol z",
    ],
)
def test_usage_errors(words: str) -> None:
    output = recsys(*words.split())
    assert (output.status, output.out) == (2, "")
    assert "Usage: recsys" in output.err
    assert "Error: " in output.err


def test_counted() -> None:
    assert [counted(n, "track") for n in (0, 1, 2, 1000)] == [
        "0 tracks",
        "1 track",
        "2 tracks",
        "1,000 tracks",
    ]
    assert (counted(1, "query", "queries"), counted(2, "query", "queries")) == (
        "1 query",
        "2 queries",
    )


# Streams


def test_names_that_are_no_text(catalog: Path) -> None:
    """Also where the terminal knows ASCII alone."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [*RECSYS, "list"], env={**os.environ, **ascii_only}, capture_output=True, check=True
    )
    for text in (done.stdout.decode("ascii"), recsys("list").out):
        assert r"line\nbreak.wav" in text
        assert r"bad\xff.wav" in text
    paths = {track["path"] for track in recsys("list", "--json").json}
    assert {"line\nbreak.wav", BAD} <= paths


def test_tables_are_whole_in_a_pipe_and_fit_a_terminal(
    catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    long = " ".join(["word"] * 100)
    with Catalog.open(str(catalog)) as opened:
        track = opened.track(1)
        with opened.writing() as write:
            stat = opened.known_files(track.library, opened.spaces()[0][0])[track.path].stat
            write.retagged(1, stat, Tags(title=long), track.content_hash)
    assert long in recsys("list").out
    folded = re.sub(r"\x1b\[\d*m", "", recsys("list", stream=Terminal).out).splitlines()
    assert max(map(len, folded)) <= 60
    assert "…" not in "".join(folded)


def test_progress_is_for_terminals(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert "verifying" in recsys("verify", stream=Terminal).err
    assert "evaluating" in recsys("evaluate", stream=Terminal).err
    for command in (("verify",), ("evaluate",), ("export", catalog.parent / "e.npz")):
        assert recsys(*command).err == ""


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"]])
def test_a_reader_that_leaves(catalog: Path, arguments: list[str]) -> None:
    process = subprocess.Popen(
        [*RECSYS, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait()


def test_ctrl_c_during_an_ingest(tmp_path: Path) -> None:
    music, database = tmp_path / "music", tmp_path / "catalog.db"
    music.mkdir()
    assert recsys("ingest", music).status == 0  # a catalogue that knows its library and its model
    lock = database.with_name(f"{database.name}.ingest.lock")
    lock.unlink(missing_ok=True)
    for seed in range(3):
        sounds.write_sound(music / f"{seed}.wav", sounds.noise(1.5, 22_050, seed), 22_050)
    # However slow this process is, the ingest cannot end before the signal: what it analyses can only
    # be written once the database is given back.
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        process = subprocess.Popen(
            [*RECSYS, "ingest", str(music), "--workers", "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None and not lock.exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        held.execute("ROLLBACK")
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    report = recsys("ingest", music, "--workers", 1, "--json")
    assert report.status == 0
    assert report.json["analysed"] + report.json["unchanged"] == 3
    assert recsys("verify").status == 0
