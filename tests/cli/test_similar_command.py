"""`recsys similar`."""

import shutil
from pathlib import Path

import pytest
from command_line import Shop, neighbours, recsys


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
