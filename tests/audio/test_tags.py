"""Tags of every format, right, wrong and damaged."""

import shutil
from pathlib import Path

import mutagen
import numpy as np
import pytest
import sounds
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.id3 import ID3, TALB, TCON, TDRC, TIT2, TPE1, TPE2, TRCK, TSRC, TXXX, UFID, Encoding
from mutagen.mp4 import MP4

from recommender.audio.tags import Tags, isrcs_in, read_tags

FULL = Tags(
    title="Jóga — 歌",
    artist="Björk",
    album="Homogenic",
    album_artist="Björk Guðmundsdóttir",
    genre="Electronic",
    track_number=2,
    year=1997,
)
NATIVE = {
    "id3": {
        "TIT2": FULL.title,
        "TPE1": FULL.artist,
        "TALB": FULL.album,
        "TPE2": FULL.album_artist,
        "TCON": "(52)",
        "TRCK": "2/10",
        "TDRC": "1997-09-20",
    },
    "vorbis": {
        "TITLE": FULL.title,
        "ARTIST": FULL.artist,
        "ALBUM": FULL.album,
        "ALBUMARTIST": FULL.album_artist,
        "GENRE": FULL.genre,
        "TRACKNUMBER": "02",
        "DATE": "1997-09-20",
    },
    "mp4": {
        "©nam": FULL.title,
        "©ART": FULL.artist,
        "©alb": FULL.album,
        "aART": FULL.album_artist,
        "©gen": FULL.genre,
        "trkn": [(2, 10)],
        "©day": "1997-09-20T07:00:00Z",
    },
    "asf": {
        "Title": FULL.title,
        "Author": FULL.artist,
        "WM/AlbumTitle": FULL.album,
        "WM/AlbumArtist": FULL.album_artist,
        "WM/Genre": FULL.genre,
        "WM/TrackNumber": 2,
        "WM/Year": "1997",
    },
    "ape": {
        "Title": FULL.title,
        "Artist": FULL.artist,
        "Album": FULL.album,
        "Album Artist": FULL.album_artist,
        "Genre": FULL.genre,
        "Track": "2/10",
        "Year": "1997",
    },
}


def frames(values: dict[str, str], encoding: Encoding = Encoding.UTF8) -> ID3:
    tags = ID3()
    for frame in (TIT2, TPE1, TALB, TPE2, TCON, TRCK, TDRC):
        if frame.__name__ in values:
            tags.add(frame(encoding=encoding, text=values[frame.__name__]))
    return tags


def tagged_mp3(path: Path, encoding: Encoding = Encoding.UTF8, **values: str) -> Path:
    sounds.write_sound(path, sounds.tone(0.3), format_name="mp3")
    frames(values, encoding).save(path)
    return path


@pytest.mark.parametrize("name", [n for n in sounds.FORMATS if n not in ("au", "aac")])
def test_every_format(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"x{sounds.ending(name)}"
    sounds.write_sound(file, sounds.tone(0.3, 48_000), 48_000, format_name=name)
    audio = mutagen.File(file)
    if audio.tags is None:
        audio.add_tags()
    if hasattr(audio.tags, "getall"):
        for frame in frames(NATIVE["id3"]).values():
            audio.tags.add(frame)
    else:
        family = "mp4" if isinstance(audio, MP4) else "asf" if isinstance(audio, ASF) else "vorbis"
        audio.tags.update(NATIVE[family])
    audio.save()
    assert read_tags(file) == FULL


def test_apev2(tmp_path: Path) -> None:
    file = sounds.write_sound(tmp_path / "a.mp3", sounds.tone(0.3))
    tags = APEv2()
    tags.update(NATIVE["ape"])
    tags.save(file)
    assert read_tags(file) == FULL


MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"


@pytest.mark.parametrize("name", ["mp3", "flac", "ogg", "m4a", "ape"])
def test_the_recording_s_id_as_taggers_write_it(tmp_path: Path, name: str) -> None:
    made = "mp3" if name == "ape" else name
    file = sounds.write_sound(tmp_path / f"a.{made}", sounds.tone(0.3), format_name=made)
    if name == "ape":
        tags = APEv2()
        tags["MUSICBRAINZ_TRACKID"] = MBID
        tags.save(file)
    else:
        audio = mutagen.File(file)
        if audio.tags is None:
            audio.add_tags()
        if name == "mp3":
            audio.tags.add(UFID(owner="http://musicbrainz.org", data=MBID.upper().encode()))
        elif name == "m4a":
            audio.tags["----:com.apple.iTunes:MusicBrainz Track Id"] = MBID.encode()
        else:
            audio.tags["MUSICBRAINZ_TRACKID"] = MBID
        audio.save()
    assert read_tags(file) == Tags(recording_mbid=MBID)


ISRCS = ("USRC17607839", "GBAYE0601498")


@pytest.mark.parametrize(
    "name", [*(n for n in sounds.FORMATS if n not in ("au", "aac")), "ape", "cuts"]
)
def test_isrcs_of_every_format(tmp_path: Path, name: str) -> None:
    made = name if name in sounds.FORMATS else "mp3"
    file = tmp_path / f"x{sounds.ending(made)}"
    sounds.write_sound(file, sounds.tone(0.3, 48_000), 48_000, format_name=made)
    audio = mutagen.File(file)
    if name == "ape":
        audio.tags = tags = APEv2()
        tags["ISRC"] = list(ISRCS)
        tags.save(file)
    else:
        if audio.tags is None:
            audio.add_tags()
        if name == "cuts":
            audio.tags.add(TXXX(desc="ISRC", text=[f"us-rc1-76-07839; {ISRCS[1]}"]))
        elif hasattr(audio.tags, "getall"):
            audio.tags.add(TSRC(text=list(ISRCS)))
        elif isinstance(audio, MP4):
            audio.tags["----:com.apple.iTunes:ISRC"] = [code.encode() for code in ISRCS]
        elif isinstance(audio, ASF):
            audio.tags["WM/ISRC"] = list(ISRCS)
        else:
            audio.tags["ISRC"] = list(ISRCS)
        audio.save()
    assert read_tags(file) == Tags(isrcs=ISRCS)


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        (["USRC17607839"], ("USRC17607839",)),
        (["us-rc1-76-07839", "USRC17607839"], ("USRC17607839",)),
        (["US RC1 76 07839"], ("USRC17607839",)),
        (["ISRC USRC17607839/GBAYE0601498"], ISRCS),
        (["USRC17607839,GBAYE0601498 "], ISRCS),
        (["USRC176078391", "1SRC17607839", "unknown", "", "ＵSRC17607839", "USRC1٧607839"], ()),
    ],
)
def test_isrcs_as_they_are_written(texts: list[str], wanted: tuple[str, ...]) -> None:
    assert isrcs_in(texts) == wanted


def test_an_id_that_is_none(tmp_path: Path) -> None:
    file = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
    audio = mutagen.File(file)
    audio["MUSICBRAINZ_TRACKID"] = "unknown"
    audio.save()
    assert read_tags(file) == Tags()


def test_a_file_without_tags_or_without_sound_says_nothing(tmp_path: Path) -> None:
    assert read_tags(sounds.write_sound(tmp_path / "a.au", sounds.tone(0.3))) == Tags()
    assert read_tags(sounds.write_sound(tmp_path / "a.wav", sounds.tone(0.3))) == Tags()
    (tmp_path / "text.mp3").write_text("no music")
    assert read_tags(tmp_path / "text.mp3") == Tags()
    assert read_tags(tmp_path / "absent.mp3") == Tags()
    (tmp_path / "folder.mp3").mkdir()
    assert read_tags(tmp_path / "folder.mp3") == Tags()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Séculaire".encode().decode("latin-1"), "Séculaire"),  # UTF-8 called Latin-1
        ("Don’t".encode().decode("cp1252"), "Don’t"),
        ("Александр".encode("cp1251").decode("latin-1"), "Александр"),
        ("Séculaire", "Séculaire"),  # right already
        ("Ænima déjà-vu Ÿ", "Ænima déjà-vu Ÿ"),
        ("AT&amp;T &quot;live&quot; &co", 'AT&T "live" &co'),
        ("  two\nlines\x00 ", "two lines"),
    ],
)
def test_wrong_encodings_are_repaired(tmp_path: Path, written: str, read: str) -> None:
    assert read_tags(tagged_mp3(tmp_path / "a.mp3", TIT2=written)).title == read


def test_utf8_bytes_in_a_latin1_frame(tmp_path: Path) -> None:
    raw = "Björk".encode().decode("latin-1")
    assert read_tags(tagged_mp3(tmp_path / "a.mp3", Encoding.LATIN1, TPE1=raw)).artist == "Björk"


def test_several_values(tmp_path: Path) -> None:
    file = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
    audio = mutagen.File(file)
    audio["artist"] = ["Simon", "Garfunkel", "Simon"]
    audio["genre"] = ["", "Folk", "Pop"]
    audio["date"] = [""]
    audio["year"] = ["1970"]
    audio.save()
    tags = read_tags(file)
    assert (tags.artist, tags.genre, tags.year) == ("Simon; Garfunkel", "Folk", 1970)


@pytest.mark.parametrize(
    ("text", "track"),
    [("3/12", 3), ("07", 7), ("0", None), ("A1", None), ("99999", None), ("-3", None), ("", None)],
)
def test_track_numbers(tmp_path: Path, text: str, track: int | None) -> None:
    assert read_tags(tagged_mp3(tmp_path / "a.mp3", TRCK=text)).track_number == track


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1997-05-02", 1997),
        ("19970502", 1997),
        ("02.05.1997", 1997),
        ("2016-03-18T12:24:48", 2016),
        ("0000", None),
        ("99999", None),
        ("unknown", None),
    ],
)
def test_years(tmp_path: Path, text: str, year: int | None) -> None:
    file = sounds.write_sound(tmp_path / "a.flac", sounds.tone(0.3))
    audio = mutagen.File(file)
    audio["date"] = text
    audio.save()
    assert read_tags(file).year == year


def test_id3_genres_by_number(tmp_path: Path) -> None:
    assert read_tags(tagged_mp3(tmp_path / "a.mp3", TCON="(17)")).genre == "Rock"
    assert read_tags(tagged_mp3(tmp_path / "b.mp3", TCON="(17)(6)")).genre == "Rock"


def test_long_texts_are_cut(tmp_path: Path) -> None:
    title = read_tags(tagged_mp3(tmp_path / "a.mp3", TIT2="la " * 10_000)).title
    assert title is not None
    assert len(title) <= 500


def test_damaged_tags_never_raise(tmp_path: Path) -> None:
    whole = {}
    for name in sounds.FORMATS:
        file = tmp_path / name
        sounds.write_sound(file, sounds.tone(0.3, 48_000), 48_000, format_name=name)
        audio = mutagen.File(file)
        if name in ("flac", "ogg", "opus"):
            audio.tags.update(NATIVE["vorbis"])
            audio.save()
        elif name == "mp3":
            frames(NATIVE["id3"]).save(file)
        whole[name] = file.read_bytes()
    for content in whole.values():
        for seed in range(30):
            rng = np.random.default_rng(seed)
            damaged = bytearray(content)
            for position in rng.integers(0, min(400, len(content)), 12):
                damaged[position] = int(rng.integers(256))
            file = tmp_path / "damaged.bin"
            file.write_bytes(damaged[: int(rng.integers(10, len(damaged)))])
            for text in vars(read_tags(file)).values():
                assert text is None or str(text).encode("utf-8")


def test_what_is_readable_of_a_damaged_file_is_read(tmp_path: Path) -> None:
    file = tagged_mp3(tmp_path / "a.mp3", TIT2="kept")
    tag_size = len(file.read_bytes()) - len(mutagen_free(file))
    file.write_bytes(file.read_bytes()[:tag_size] + b"not a single frame of sound" * 50)
    assert read_tags(file).title == "kept"


def mutagen_free(file: Path) -> bytes:
    copy = Path(shutil.copy(file, file.with_suffix(".bare")))
    ID3(copy).delete(copy)
    return copy.read_bytes()


def test_a_real_folder(shared: Path) -> None:
    """Found by hand in these files: mojibake, HTML entities, empty fields, unusual keys."""
    music = shared / "music"
    cyrillic = read_tags(music / "valyriatear/dont_close_your_eyes.ogg")
    assert cyrillic.artist == "Александр Желанов"
    assert read_tags(music / "jamendolyrics/Yuanan_-_Miedo_-_Yuanan.mp3").artist == 'Yuanan "J.A.R"'
    assert read_tags(music / "librosa/Karissa_Hobbs_-_Lets_Go_Fishin.ogg").year == 2016
    assert read_tags(music / "opensurge/intro.ogg") == Tags()
    assert read_tags(music / "valyriatear/Zander Noriega - School of Quirks.ogg") == Tags(
        title="School of Quirks",
        artist="Zander Noriega",
        album="School of Quirks",
        album_artist="Zander Noriega",
        year=2012,
    )
