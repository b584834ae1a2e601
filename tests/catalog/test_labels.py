"""Genres and artists from tags, folders and CSV files."""

import os
from pathlib import Path

import pytest

from recommender.audio.tags import Tags
from recommender.catalog.labels import labels_from_csv, labels_from_folders, labels_from_tags
from recommender.catalog.records import Library, Track, TrackState
from recommender.errors import DatasetError

LIBRARY = Library(1, Path("/music"))


def track(path: str, genre: str | None = None, artist: str | None = None) -> Track:
    return Track(
        id=1,
        library=LIBRARY,
        path=path,
        size=1,
        mtime_ns=1,
        content_hash="",
        duration=30.0,
        tags=Tags(genre=genre, artist=artist),
        state=TrackState.ANALYSED,
    )


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


# Tags and folders.


@pytest.mark.parametrize(
    ("tag", "genre"),
    [
        ("Rock; Pop", "Rock"),
        ("Hip Hop/Rap", "Hip Hop"),
        ("Folk, World, & Country", "Folk"),
        ("Rock\0Pop", "Rock"),
        ("; Jazz", "Jazz"),
        ("  ", None),
        ("Other", None),
        ("unknown", None),
        (None, None),
    ],
)
def test_the_first_genre_of_a_tag_counts(tag: str | None, genre: str | None) -> None:
    assert labels_from_tags([track("a.mp3", tag)]).genres == (genre,)


def test_genres_are_spelled_as_most_tracks_spell_them() -> None:
    tags = ["Hip-Hop", "hip hop", "Hip  Hop", "hip hop", None]
    labels = labels_from_tags([track(f"{i}.mp3", tag) for i, tag in enumerate(tags)])
    assert labels.genres == ("hip hop", "hip hop", "hip hop", "hip hop", None)
    assert labels.unlabelled == 1


def test_artists_that_say_nothing_are_blank() -> None:
    names = ["Björk", "bjork", "Various Artists", "", None, "V.A."]
    labels = labels_from_tags([track(f"{i}.mp3", "Pop", name) for i, name in enumerate(names)])
    assert labels.artists == ("Björk", "Björk", None, None, None, "V.A.")


def test_the_folder_above_the_file() -> None:
    tracks = [track("genres/blues/a.wav", "Pop", "x"), track("b.wav"), track("Blues/c.wav")]
    labels = labels_from_folders(tracks)
    assert labels.genres == ("Blues", "music", "Blues")
    assert labels.artists == ("x", None, None)


# CSV.

TRACKS = [
    track("blues/blues.00000.flac", artist="tagged"),
    track("blues/blues.00001.flac"),
    track("rock/01.mp3"),
    track("jazz/01.mp3"),
    track("café.ogg"),
]


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("track_id", ["blues.00000", "blues.00001"]),
        ("id", ["blues.00000", "blues.00001"]),
        ("filename", ["blues.00000.flac", "blues.00001.flac"]),
        ("path", ["blues/blues.00000.flac", "./blues/blues.00001.flac"]),
        ("path", ["blues/blues.00000", "/music/blues/blues.00001.flac"]),
        ("File", ["music/blues/blues.00000.flac", "blues.00001"]),
    ],
)
def test_rows_name_tracks_by_path_name_or_stem(
    tmp_path: Path, column: str, names: list[str]
) -> None:
    rows = "".join(f"{name},Blues\n" for name in names)
    labels = labels_from_csv(TRACKS, write(tmp_path, f"{column},Genre\n{rows}"))
    assert labels.genres == ("Blues", "Blues", None, None, None)
    assert labels.artists == ("tagged", None, None, None, None)
    assert (labels.unmatched, labels.unlabelled) == ((), 3)


def test_artists_of_the_csv_replace_the_tags(tmp_path: Path) -> None:
    text = "track_id,genre,artist,title\nblues.00000,blues,,x\nblues.00001,blues,J. L. Hooker,y\n"
    labels = labels_from_csv(TRACKS, write(tmp_path, text))
    assert labels.artists == (None, "J. L. Hooker", None, None, None)


def test_rows_that_fit_no_track_or_several_are_listed(tmp_path: Path) -> None:
    text = "filename,genre\n01.mp3,rock\nnowhere.mp3,rock\nock/01.mp3,rock\njazz/01.mp3,jazz\n,x\n"
    labels = labels_from_csv(TRACKS, write(tmp_path, text))
    assert labels.ambiguous == ("01.mp3",)
    assert labels.unmatched == ("nowhere.mp3", "ock/01.mp3")
    assert labels.genres == (None, None, None, "jazz", None)


def test_a_relative_path_names_the_file_at_the_root_first(tmp_path: Path) -> None:
    tracks = [track("01.mp3"), track("rock/01.mp3")]
    labels = labels_from_csv(tracks, write(tmp_path, "path,genre\n01.mp3,pop\nrock/01.mp3,rock\n"))
    assert labels.genres == ("pop", "rock")


def test_names_match_however_accents_are_composed(tmp_path: Path) -> None:
    labels = labels_from_csv(TRACKS, write(tmp_path, "file,genre\ncafe\u0301.ogg,jazz\n"))
    assert labels.genres[4] == "jazz"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_spreadsheet_dialects(tmp_path: Path, separator: str) -> None:
    text = '\ufefffilename,label\r\n"blues.00000.flac",blues\r\n'.replace(",", separator)
    assert labels_from_csv(TRACKS, write(tmp_path, text)).genres[0] == "blues"


def test_a_blank_genre_labels_nothing(tmp_path: Path) -> None:
    labels = labels_from_csv(TRACKS, write(tmp_path, "id,genre\nblues.00000,\nblues.00001\n"))
    assert labels.unlabelled == 5
    assert labels.unmatched == ()


def test_the_same_label_twice_is_fine_and_another_is_not(tmp_path: Path) -> None:
    good = "id,genre\nblues.00000,blues\nblues.00000.flac,Blues\n"
    assert labels_from_csv(TRACKS, write(tmp_path, good)).unlabelled == 4
    with pytest.raises(DatasetError, match="lines 2 and 3: two different labels"):
        labels_from_csv(TRACKS, write(tmp_path, good.replace("Blues", "rock")))


def test_files_that_are_no_such_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"needs a column called path or file.*it has genre, x"):
        labels_from_csv(TRACKS, write(tmp_path, "genre,x\nblues,1\n"))
    with pytest.raises(DatasetError, match="genre or label"):
        labels_from_csv(TRACKS, write(tmp_path, "path\na\n"))
    with pytest.raises(DatasetError, match="it has none"):
        labels_from_csv(TRACKS, write(tmp_path, ""))
    os.mkfifo(tmp_path / "pipe.csv")
    for never_ending in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(DatasetError, match="Not a regular file"):
            labels_from_csv(TRACKS, never_ending)
    with pytest.raises(DatasetError, match="cannot be read"):
        labels_from_csv(TRACKS, write(tmp_path, "path,genre\ncafé,x\n", "latin-1"))
    with pytest.raises(DatasetError, match="cannot be read"):
        labels_from_csv(TRACKS, tmp_path / "absent.csv")


def test_the_artist_list_of_gtzan(shared: Path) -> None:
    tracks = [
        track(f"{file.parent.name}/{file.name}")
        for file in sorted((shared / "gtzan" / "audio").glob("*/*"))
    ]
    labels = labels_from_csv(tracks, shared / "gtzan" / "artists.csv")
    assert labels.unlabelled == 0
    assert len(labels.unmatched) == 1000 - len(tracks)
    assert labels.genres == labels_from_folders(tracks).genres
