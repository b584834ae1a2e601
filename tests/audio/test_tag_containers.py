"""Tags in every container and of every kind of tag, alone and beside one another."""

import os
import struct
import threading
import zlib
from pathlib import Path

import mutagen
import pytest
import sounds
import tagged
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TALB, TIT2, TPE1, TPE2, TXXX

from recommender.audio.tags import Tags, read_tags

METADATA = {
    "title": "Jóga — 歌",
    "artist": "Björk",
    "album": "Homogenic",
    "genre": "Electronic",
    "track": "2/10",
    "date": "1997-09-20",
}
EXPECTED = Tags(
    title="Jóga — 歌",
    artist="Björk",
    album="Homogenic",
    genre="Electronic",
    track_number=2,
    year=1997,
)
RIFF = {
    "INAM": "Jóga — 歌".encode(),
    "IART": "Björk".encode(),
    "IPRD": b"Homogenic",
    "IGNR": b"Electronic",
    "ITRK": b"2",
    "ICRD": b"1997",
}
LONG = "A title of far more than thirty characters"


@pytest.mark.parametrize("name", [name for name in tagged.CONTAINERS if name != "mov"])
def test_what_ffmpeg_writes(tmp_path: Path, name: str) -> None:
    file = tagged.write_with_ffmpeg(tmp_path / f"x.{name}", name, METADATA)
    assert read_tags(file) == EXPECTED
    with file.open("rb") as opened:
        assert read_tags(opened) == EXPECTED


def test_quicktime(tmp_path: Path) -> None:
    tags = read_tags(tagged.write_with_ffmpeg(tmp_path / "x.mov", "mov", METADATA))
    assert (tags.title, tags.artist, tags.year) == ("Jóga — 歌", "Björk", 1997)


@pytest.mark.parametrize("name", ["mka", "caf", "ogg-flac", "wma"])
def test_the_album_artist_as_ffmpeg_writes_it(tmp_path: Path, name: str) -> None:
    metadata = METADATA | {"album_artist": "Ensemble"}
    file = tagged.write_with_ffmpeg(tmp_path / f"x.{name}", name, metadata)
    assert read_tags(file).album_artist == "Ensemble"


@pytest.mark.parametrize("first", [True, False], ids=["before the sound", "behind the sound"])
def test_riff_info(tmp_path: Path, first: bool) -> None:
    assert read_tags(tagged.wav_with_info(tmp_path / "a.wav", RIFF, first)) == EXPECTED


def test_riff_info_completes_an_id3_chunk(tmp_path: Path) -> None:
    file = tagged.wav_with_info(tmp_path / "a.wav", RIFF)
    audio = mutagen.File(file)
    audio.add_tags()
    audio.tags.add(TIT2(text="Of the chunk"))
    audio.save()
    tags = read_tags(file)
    assert (tags.title, tags.artist, tags.year) == ("Of the chunk", "Björk", 1997)


@pytest.mark.parametrize("first", [True, False], ids=["before the sound", "behind the sound"])
def test_text_chunks_of_aiff(tmp_path: Path, first: bool) -> None:
    chunks = {"NAME": "Jóga".encode(), "AUTH": "Björk".encode(), "ANNO": b"a remark"}
    tags = read_tags(tagged.aiff_with_chunks(tmp_path / "a.aiff", chunks, first))
    assert tags == Tags(title="Jóga", artist="Björk")


class TestMp3:
    def test_id3v1(self, tmp_path: Path) -> None:
        file = tagged.mp3(tmp_path / "a.mp3", behind=tagged.id3v1(b"T", b"A", b"Al", 17))
        assert read_tags(file) == Tags("T", "A", "Al", genre="Rock", year=1997)

    def test_id3v22(self, tmp_path: Path) -> None:
        frames = {"TT2": b"T\xe9", "TP1": b"A", "TAL": b"B", "TYE": b"1990", "TRK": b"3/9"}
        file = tagged.mp3(tmp_path / "a.mp3", before=tagged.id3v22(frames))
        assert read_tags(file) == Tags("Té", "A", "B", track_number=3, year=1990)

    @pytest.mark.parametrize("version", [3, 4])
    def test_id3v2(self, tmp_path: Path, version: int) -> None:
        file = tagged.mp3(tmp_path / "a.mp3")
        tags = ID3()
        tags.setall("TIT2", [TIT2(text="Jóga — 歌")])
        tags.setall("TPE1", [TPE1(text="Björk")])
        tags.save(file, v2_version=version)
        assert read_tags(file) == Tags("Jóga — 歌", "Björk")

    @pytest.mark.parametrize("behind", [b"", tagged.id3v1(LONG.encode(), b"Short")])
    def test_apev2_before_id3v1(self, tmp_path: Path, behind: bytes) -> None:
        file = tagged.mp3(tmp_path / "a.mp3")
        tags = APEv2()
        tags.update({"Title": LONG, "Artist": ["A", "B"], "Album Artist": "C", "Year": "2001"})
        tags.save(file)
        file.write_bytes(file.read_bytes() + behind)
        found = Tags(LONG, "A; B", album_artist="C", year=2001, artists=("A", "B"))
        assert read_tags(file) == found

    @pytest.mark.parametrize("behind", [b"", tagged.id3v1(b"Cut", b"Cut", b"Album")])
    @pytest.mark.parametrize("ape", [False, True], ids=["alone", "before APEv2"])
    def test_id3v24_at_the_end(self, tmp_path: Path, behind: bytes, ape: bool) -> None:
        frames = {"TIT2": "Jóga — 歌".encode(), "TPE1": "Björk".encode(), "TPE2": b"C"}
        file = tagged.mp3(tmp_path / "a.mp3", behind=tagged.appended_id3(frames))
        if ape:
            tags = APEv2()
            tags["Genre"] = "Pop"
            tags.save(file)
        file.write_bytes(file.read_bytes() + behind)
        found = read_tags(file)
        assert (found.title, found.artist, found.album_artist) == ("Jóga — 歌", "Björk", "C")
        assert found.album == ("Album" if behind else None)
        assert found.genre == ("Pop" if ape else None)

    def test_id3v1_completes_but_does_not_replace(self, tmp_path: Path) -> None:
        file = tagged.mp3(tmp_path / "a.mp3")
        tags = ID3()
        tags.add(TIT2(text=LONG))
        tags.save(file)
        file.write_bytes(file.read_bytes() + tagged.id3v1(LONG.encode(), b"A", b"Al"))
        assert read_tags(file) == Tags(LONG, "A", "Al", year=1997)


@pytest.mark.parametrize("key", ["ALBUM ARTIST", "AlbumArtist", "album_artist", "Album Artist"])
def test_spellings_of_the_album_artist(tmp_path: Path, key: str) -> None:
    mp3 = tagged.mp3(tmp_path / "a.mp3")
    frames = ID3()
    frames.add(TXXX(desc=key, text="Ensemble"))
    frames.save(mp3)
    assert read_tags(mp3).album_artist == "Ensemble"
    flac = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
    audio = mutagen.File(flac)
    audio[key] = "Ensemble"
    audio.save()
    assert read_tags(flac).album_artist == "Ensemble"


def test_id3_before_flac_completes_vorbis_comments(tmp_path: Path) -> None:
    file = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
    audio = mutagen.File(file)
    audio["title"] = "Of the comments"
    audio.save()
    frames = tagged.id3_frames({"TIT2": b"Of ID3", "TPE1": b"A"})
    before = b"ID3\4\0\0" + tagged.synchsafe(len(frames)) + frames
    file.write_bytes(before + file.read_bytes())
    assert read_tags(file) == Tags("Of the comments", "A")


class TestArtists:
    def test_several_values(self, tmp_path: Path) -> None:
        file = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
        audio = mutagen.File(file)
        audio["artist"] = ["Mira Lund feat. Otto Berg", "AC/DC"]
        audio["albumartist"] = ["Mira Lund", "AC/DC"]
        audio.save()
        tags = read_tags(file)
        assert tags.artist == "Mira Lund feat. Otto Berg; AC/DC"
        assert tags.artists == ("Mira Lund", "Otto Berg", "AC/DC")
        assert tags.album_artists == ("Mira Lund", "AC/DC")

    def test_nul_between_values(self, tmp_path: Path) -> None:
        file = tagged.mp3(tmp_path / "a.mp3")
        frames = ID3()
        frames.add(TPE1(encoding=3, text=["A", "B"]))
        frames.add(TPE2(encoding=1, text=["C", "D"]))
        frames.save(file)
        tags = read_tags(file)
        assert (tags.artist, tags.artists, tags.album_artists) == ("A; B", ("A", "B"), ("C", "D"))

    def test_the_list_that_taggers_of_musicbrainz_write(self, tmp_path: Path) -> None:
        file = tagged.mp3(tmp_path / "a.mp3")
        frames = ID3()
        frames.add(TPE1(text="Mira Lund & Tyler, The Creator"))
        frames.add(TXXX(desc="ARTISTS", text=["Mira Lund", "Tyler, The Creator"]))
        frames.save(file)
        tags = read_tags(file)
        assert tags.artist == "Mira Lund & Tyler, The Creator"
        assert tags.artists == ("Mira Lund", "Tyler, The Creator")


class TestHostileFiles:
    def test_a_compressed_frame_of_a_gigabyte_is_left_out(self, tmp_path: Path) -> None:
        squeezed = zlib.compress(b"\3" + b"a" * 40_000_000, 9)
        size = tagged.synchsafe(len(squeezed) + 4)
        bomb = b"TIT2" + size + b"\0\x09" + tagged.synchsafe(40_000_001) + squeezed
        frames = bomb + tagged.id3_frames({"TPE1": b"A"})
        before = b"ID3\4\0\0" + tagged.synchsafe(len(frames)) + frames
        assert read_tags(tagged.mp3(tmp_path / "a.mp3", before=before)) == Tags(artist="A")

    def test_a_compressed_frame_of_usual_length_is_read(self, tmp_path: Path) -> None:
        squeezed = zlib.compress(b"\3Title")
        size = tagged.synchsafe(len(squeezed) + 4)
        frame = b"TIT2" + size + b"\0\x09" + tagged.synchsafe(6) + squeezed
        before = b"ID3\4\0\0" + tagged.synchsafe(len(frame)) + frame
        assert read_tags(tagged.mp3(tmp_path / "a.mp3", before=before)) == Tags(title="Title")

    def test_a_tag_longer_than_tags_are_is_not_read(self, tmp_path: Path) -> None:
        file = tmp_path / "a.mp3"
        file.write_bytes(b"ID3\4\0\0" + tagged.synchsafe(200_000_000))
        os.truncate(file, 200_000_100)  # a hole takes no space
        assert read_tags(file) == Tags()

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "a.mp3")
        done = threading.Thread(target=read_tags, args=(tmp_path / "a.mp3",), daemon=True)
        done.start()
        done.join(10)
        assert not done.is_alive()

    def test_a_playlist_that_poses_as_a_sound_opens_nothing(self, tmp_path: Path) -> None:
        other = tagged.wav_with_info(tmp_path / "other.wav", RIFF)
        playlist = tmp_path / "a.wav"
        playlist.write_text(f"#EXTM3U\n#EXTINF:9,\n{other}\n")
        assert read_tags(playlist) == Tags()

    def test_fields_that_claim_to_be_longer_than_the_file(self, tmp_path: Path) -> None:
        file = tagged.wav_with_info(tmp_path / "a.wav", RIFF)
        data = file.read_bytes().replace(
            b"IPRD" + struct.pack("<I", 10), b"IPRD" + b"\xff\xff\xff\x7f"
        )
        file.write_bytes(data)
        assert read_tags(file).title == "Jóga — 歌"

    def test_very_many_values(self, tmp_path: Path) -> None:
        file = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
        audio = mutagen.File(file)
        audio["artist"] = [f"artist {number}" for number in range(20_000)]
        audio.save()
        tags = read_tags(file)
        assert tags.artist is not None
        assert len(tags.artist) <= 500
        assert len(tags.artists) == 50


def test_a_damaged_vorbis_comment_is_read_again(tmp_path: Path) -> None:
    """In Latin-1, where only UTF-8 may be."""
    file = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
    audio = mutagen.File(file)
    audio["title"] = "Mot@rhead@"
    audio.save()
    file.write_bytes(file.read_bytes().replace(b"Mot@rhead@", b"Mot\xf6rhead\xe9"))
    assert read_tags(file).title == "Motörheadé"


def test_an_album_of_frames_without_text(tmp_path: Path) -> None:
    file = tagged.mp3(tmp_path / "a.mp3")
    frames = ID3()
    frames.add(TALB(text=["", " ", "\ufeff"]))
    frames.save(file)
    assert read_tags(file) == Tags()
