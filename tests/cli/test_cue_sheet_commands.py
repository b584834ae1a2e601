"""An album in one file at the command line: listed, shown, asked for, written to a playlist."""

from pathlib import Path

import pytest
import sounds
from command_line import recsys
from cue_albums import RATE, Album, write_album_sound

PART = "#EXTVLCOPT:start-time="


@pytest.mark.slow
def test_the_tracks_of_an_album_in_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music = tmp_path / "music"
    album = write_album_sound(music / "album.flac")
    Album().write(music / "album.cue")
    sounds.write_sound(music / "other.flac", sounds.music(10, RATE, 9), RATE)
    wrong = Album(starts=(0, 70, 60), name="other.wav").write(music / "wrong.cue")
    ingested = recsys("ingest", music)
    assert ingested.status == 0
    assert f"cue sheet not used: {wrong}: line 14: TRACK 03 begins at 01:00:00" in ingested.err
    assert recsys("ingest", "--json").json["cue_sheets"] == []

    listed = recsys("list").out
    for row in ("album.flac#1", "album.flac#3", "Gavel", "other.flac"):
        assert row in listed
    assert "wrong.cue" in recsys("failures").out
    monkeypatch.chdir(music)
    shown = recsys("show", "album.flac#2")
    assert "track 2, from 12.00 s to 26.00 s" in shown.out
    asked = recsys("similar", "album.flac")
    assert asked.status != 0
    assert asked.err.count("\n") == 1
    assert "album.flac holds 3 tracks: give one as album.flac#1 to album.flac#3" in asked.err

    playlist = recsys("similar", "album.flac#2", "--m3u", "-", "--per-artist", 0, "--with-seed").out
    assert f"{PART}12.000\n#EXTVLCOPT:stop-time=26.000\nalbum.flac\n" in playlist
    assert playlist.count(PART) == 3
    assert playlist.count("\nother.flac\n") == 1
    assert recsys("similar", "album.cue#3", "--json").json["seed"]["segment"] == 3
    assert recsys("similar", "docket", "--json").json["seed"]["start"] == 12.0

    album.unlink()
    recsys("ingest")
    assert recsys("list", "album", "--json").json[0]["state"] == "missing"
    assert "3 missing tracks" in recsys("prune", "--force").out
    assert recsys("verify").status == 0
