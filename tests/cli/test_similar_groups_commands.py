"""`recsys artists`, `albums` and `duplicates`."""

from pathlib import Path

import mutagen
from command_line import Shop, recsys, write_music


def test_similar_artists_and_where_to_begin(catalog: Path) -> None:
    found = recsys("artists", "ANNA", "--json").json
    assert list(found) == ["schema_version", "artist", "near", "artists", "left_out"]
    (bela,) = found["artists"]
    assert (bela["artist"], bela["tracks"]) == ("Bela", 1)
    assert bela["entry_points"][0]["title"] == "Fourth"
    table = recsys("artists", "anna").out.splitlines()
    assert table[:2] == [
        "like: anna",
        "similarity  artist  tracks  begin with  id",
    ]
    assert table[2].split()[1:4] == ["Bela", "1", "Fourth"]
    assert "/four.ogg" in recsys("artists", "anna", "--m3u", "-", "--absolute").out
    of_bela = recsys("artists", "Bela", "--near", "third", "--json").json["artists"][0]
    assert of_bela["entry_points"][0]["title"] == "Third"  # nearest to what is playing is itself


def test_exclusions_hold_and_are_counted(catalog: Path) -> None:
    recsys("exclude", "add", "--artist", "bela")
    output = recsys("artists", "anna", "--why")
    assert ("Bela" in output.out, "excluded" in output.out) == (False, True)
    beside = recsys("artists", "anna", "--why", "--m3u", "-")
    assert (beside.out, "left out, excluded: 1" in beside.err) == ("#EXTM3U\n", True)
    assert "Bela" in recsys("artists", "anna", "--no-exclusions").out


def test_similar_albums(tmp_path: Path) -> None:
    music = tmp_path / "music"
    write_music(music)
    for name, album in {
        "one.flac": "A",
        "two.flac": "A",
        "three.ogg": "B",
        "four.ogg": "C",
    }.items():
        file = mutagen.File(music / name, easy=True)
        file["album"] = album
        file.save()
    assert recsys("ingest", music).status == 0
    found = recsys("albums", "first light", "--json").json["albums"]
    assert {(one["album"], one["artist"], one["tracks"]) for one in found} == {
        ("B", "Anna", 1),
        ("C", "Bela", 1),
    }
    table = recsys("albums", "first light").out.splitlines()
    assert table[0] == "like: first light"
    assert table[1].split() == ["similarity", "album", "artist", "tracks", "begin", "with", "id"]


def test_no_album_at_all(catalog: Path) -> None:
    output = recsys("albums", "third")
    assert (output.status, output.out) == (1, "")
    assert output.err.count("\n") == 1


def test_duplicates_with_evidence(shop: Shop, catalog: Path) -> None:
    (group,) = recsys("duplicates", "--json").json["groups"]
    assert [track["path"] for track in group["tracks"]] == ["copy.wav", "plain.wav"]
    assert group["evidence"][0]["same_sound"] is True
    table = recsys("duplicates").out.splitlines()
    assert table[0].split() == ["group", "id", "path", "length", "evidence"]
    assert table[2].endswith("the same sound data")
    assert table[-1] == "1 recording with 1 further copy."
    assert recsys("duplicates", "--m3u", "-").out.count("#EXTINF") == 2
