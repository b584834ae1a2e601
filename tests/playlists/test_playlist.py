"""Playlists: what a player reads, byte for byte."""

import os
from pathlib import Path

import pytest

from recommender.audio.tags import Tags
from recommender.catalog.records import Library, Track, TrackState
from recommender.errors import UsageError
from recommender.playlists.files import write_playlist
from recommender.playlists.m3u import m3u_text
from recommender.recommendation.seeds import Seed


def track(root: Path, path: str, duration: float = 61.6, **tags: str) -> Track:
    return Track(1, Library(1, root), path, 1, 1, "d", duration, Tags(**tags), TrackState.ANALYSED)


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")


def test_entries_are_what_players_expect(tmp_path):
    playlist = tmp_path / "lists" / "mine.m3u8"
    playlist.parent.mkdir()
    tracks = [
        track(tmp_path / "music", "a/b.flac", title="Stück", artist="Björk"),
        track(tmp_path / "music", "c.mp3", duration=0.2, album_artist="Choir"),
        track(tmp_path / "lists", "here.ogg"),
    ]
    assert write_playlist(playlist, tracks) == 3
    assert playlist.read_text(encoding="utf-8") == (
        "#EXTM3U\n"
        "#EXTINF:62,Björk - Stück\n../music/a/b.flac\n"
        "#EXTINF:0,Choir - c\n../music/c.mp3\n"
        "#EXTINF:62,here\nhere.ogg\n"
    )


def test_paths_lead_to_the_files_from_the_playlist_folder(tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    (music / "x y.ogg").touch()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    write_playlist(tmp_path / "deep" / "er" / "p.m3u8", [track(music, "x y.ogg")])
    location = lines(tmp_path / "deep" / "er" / "p.m3u8")[2].decode()
    assert (tmp_path / "deep" / "er" / location).resolve() == music / "x y.ogg"


@pytest.mark.skipif(os.name != "posix", reason="symbolic links and byte paths are POSIX's")
def test_a_playlist_reached_through_a_link_leads_to_the_files(tmp_path):
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "x.ogg").touch()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    write_playlist(tmp_path / "link" / "p.m3u8", [track(tmp_path, "x.ogg")])
    location = lines(tmp_path / "far" / "away" / "p.m3u8")[2].decode()
    assert (tmp_path / "link" / location).exists()


@pytest.mark.skipif(os.name != "posix", reason="symbolic links and byte paths are POSIX's")
def test_bytes_that_are_not_utf8_are_written_as_they_are(tmp_path):
    write_playlist(tmp_path / "p.m3u8", [track(tmp_path, os.fsdecode(b"caf\xe9.mp3"))])
    assert lines(tmp_path / "p.m3u8")[1:3] == [b"#EXTINF:62,caf\xe9", b"caf\xe9.mp3"]


def test_names_the_format_cannot_say(tmp_path):
    tracks = [
        track(tmp_path, "two\nlines.mp3"),
        track(tmp_path, "#1 hit.mp3", title="two\nlines"),
        track(tmp_path, " blank.mp3"),
    ]
    assert write_playlist(tmp_path / "p.m3u8", tracks) == 2
    assert lines(tmp_path / "p.m3u8") == [
        b"#EXTM3U",
        b"# left out, line break in its name: two lines.mp3",
        b"#EXTINF:62,two lines",
        b"./#1 hit.mp3",
        b"#EXTINF:62,blank",
        b"./ blank.mp3",
        b"",
    ]


def test_no_folder_is_created(tmp_path):
    with pytest.raises(UsageError, match=r"the folder .*absent does not exist"):
        write_playlist(tmp_path / "absent" / "p.m3u8", [track(tmp_path, "a.mp3")])
    assert not (tmp_path / "absent").exists()


def test_absolute_paths_and_the_seed(tmp_path):
    one = track(tmp_path / "music", "a.mp3", title="A")
    outside = Seed(title="Outside", artist="Ana", path=tmp_path / "x.ogg", duration=12.3)
    assert m3u_text([outside, Seed(), one], None) == (
        "#EXTM3U\n"
        f"#EXTINF:12,Ana - Outside\n{(tmp_path / 'x.ogg').as_posix()}\n"
        f"#EXTINF:62,A\n{(tmp_path / 'music' / 'a.mp3').as_posix()}\n"
    )
    assert m3u_text([one], tmp_path).splitlines()[-1] == "music/a.mp3"
    assert write_playlist(str(tmp_path / "p.m3u8"), [outside, one], absolute=True) == 2
    assert lines(tmp_path / "p.m3u8")[4] == os.fsencode(tmp_path / "music" / "a.mp3")


def test_the_file_is_replaced_whole_or_not_at_all(tmp_path):
    playlist = tmp_path / "p.m3u8"
    write_playlist(playlist, [track(tmp_path, "a.mp3")])
    before = playlist.read_bytes()

    def breaks_off():
        yield track(tmp_path, "b.mp3")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_playlist(playlist, breaks_off())
    assert playlist.read_bytes() == before
    write_playlist(playlist, [])
    assert playlist.read_bytes() == b"#EXTM3U\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.m3u8"]
