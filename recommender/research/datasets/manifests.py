"""Lists of labelled tracks: any CSV, and the manifests of larger data sets.

Each data set is declared: its name, its licence and whom to cite. Nothing is downloaded: who has
the data names the folder, and each reader says which files it looks for there. Tracks of several
genres get the first one; those without a genre are left out.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from recommender.errors import DatasetError

SOUND_ENDINGS = (".mp3", ".flac", ".ogg", ".opus", ".m4a", ".wav")

_SHOWN = 3
"""Missing files that an error names."""


@dataclass(frozen=True)
class LabelledFile:
    """A sound file, its genre, and its artist; a blank artist equals no other."""

    path: Path
    genre: str
    artist: str = ""


@dataclass(frozen=True)
class DataSet:
    """A data set as it is declared.

    Attributes:
        name: as on the command line.
        title: for the model's card.
        licence: of the labels and the sound, as their makers state it.
        citation: BibTeX; blank for a user's own list.
        expects: which files its folder has.
        read: path → labelled files. Raises `DatasetError`.
    """

    name: str
    title: str
    licence: str
    citation: str
    expects: str
    read: Callable[[Path], list[LabelledFile]]

    def files(self, path: Path) -> list[LabelledFile]:
        """The labelled files, all of which are there.

        Raises:
            DatasetError: the manifest cannot be read, names no labelled file, or one that is not
                there.
        """
        try:
            found = self.read(path)
        except (OSError, UnicodeError, csv.Error) as error:
            raise DatasetError(f"{path} cannot be read ({error}); {self.expects}.") from error
        if not found:
            raise DatasetError(f"{path} names no track with a genre; {self.expects}.")
        missing = [str(file.path) for file in found if not file.path.is_file()]
        if missing:
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            raise DatasetError(
                f"{len(missing)} of the {len(found)} files that {path} names are not there: "
                f"{', '.join(missing[:_SHOWN])}{more}; correct the list, or bring them there."
            )
        return found


def _read_csv(path: Path) -> list[LabelledFile]:
    rows = _rows(path)
    heading = [name.strip().lower() for name in next(rows, [])]
    absent = [name for name in ("path", "genre", "artist") if name not in heading]
    if absent:
        raise DatasetError(
            f"{path} has no column {' and '.join(absent)} in its first line; a list of tracks has "
            "the columns path, genre and artist."
        )
    found = []
    for number, row in enumerate(rows, start=2):
        if len(row) != len(heading):
            raise DatasetError(
                f"{path}, row {number}: {len(row)} cells where the heading has {len(heading)}."
            )
        cells = dict(zip(heading, (cell.strip() for cell in row), strict=True))
        if cells["path"] and cells["genre"]:
            file = path.parent / Path(cells["path"]).expanduser()
            found.append(LabelledFile(file, cells["genre"].lower(), cells["artist"]))
    return found


def _read_fma(folder: Path) -> list[LabelledFile]:
    """``fma_metadata/tracks.csv``, whose heading takes three lines, and ``000/000002.mp3``."""
    rows = _rows(folder / "fma_metadata" / "tracks.csv")
    groups, names = next(rows, []), next(rows, [])
    next(rows, [])
    columns = list(zip(groups, names, strict=False))
    try:
        artist, genre = (columns.index(c) for c in (("artist", "name"), ("track", "genre_top")))
    except ValueError as error:
        raise DatasetError(f"{folder}: tracks.csv has no artist or no genre ({error}).") from error
    listed = []
    for row in rows:
        if len(row) > max(artist, genre) and row[0].isdecimal() and row[genre].strip():
            number = f"{int(row[0]):06d}"
            listed.append((f"{number[:3]}/{number}.mp3", row[genre], row[artist]))
    # The data set comes in several sizes, each a folder; what is not in this one is not meant.
    audio = next(iter(sorted(folder.glob("fma_*/000"))), folder / "fma_small" / "000").parent
    here = {str(path.relative_to(audio)) for path in audio.glob("*/*.mp3")}
    return [
        LabelledFile(audio / path, genre.strip().lower(), artist.strip())
        for path, genre, artist in listed
        if path in here
    ]


def _read_jamendo(folder: Path) -> list[LabelledFile]:
    """``autotagging_genre.tsv``, or under ``data/``: track, artist, album, path, seconds, tags."""
    path = _first(folder, "autotagging_genre.tsv", "data/autotagging_genre.tsv")
    found = []
    for row in _rows(path, "\t"):
        tags = [tag.partition("---")[2] for tag in row[5:] if tag.startswith("genre---")]
        if len(row) > 5 and tags:
            found.append(LabelledFile(folder / "audio" / row[3], tags[0], row[1]))
    return found


def _read_audioset(folder: Path) -> list[LabelledFile]:
    """``segments.csv`` and ``class_labels_indices.csv``; sound as ``audio/<id>.<ending>``."""
    names = {row[1]: row[2].lower() for row in _rows(folder / "class_labels_indices.csv")}
    sounds = _by_stem(folder / "audio")
    found = []
    for row in _rows(folder / "segments.csv", skip_blank=True):
        if row[0].startswith("#") or len(row) < 4:
            continue
        labels = [names[mid] for mid in row[3].split(",") if mid in names]
        path = sounds.get(row[0])
        if labels and path is not None:
            found.append(LabelledFile(path, labels[0]))
    return found


def _read_million_songs(folder: Path) -> list[LabelledFile]:
    """``unique_tracks.txt``, ``genres.cls``; sound, which it has none of, as ``audio/TR….mp3``."""
    artists = {}
    with (folder / "unique_tracks.txt").open(encoding="utf-8") as file:
        for line in file:
            cells = line.rstrip("\n").split("<SEP>")
            if len(cells) == 4:
                artists[cells[0]] = cells[2]
    sounds = _by_stem(folder / "audio")
    if not sounds:
        raise DatasetError(
            f"{folder / 'audio'} holds no sound: the Million Song Dataset has none. Put there what "
            "you have of it, each file named by its track id (TRAAAAW128F429D538.mp3)."
        )
    found = []
    for row in _rows(folder / "genres.cls", "\t"):
        if len(row) > 1 and not row[0].startswith(("#", "%")) and row[0] in sounds:
            found.append(LabelledFile(sounds[row[0]], row[1].lower(), artists.get(row[0], "")))
    return found


def _rows(path: Path, delimiter: str = ",", skip_blank: bool = False) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file, delimiter=delimiter, skipinitialspace=skip_blank):
            if row:
                yield row


def _by_stem(folder: Path) -> dict[str, Path]:
    """Sound files at any depth by their name without ending."""
    files: Iterable[Path] = sorted(folder.rglob("*")) if folder.is_dir() else ()
    return {path.stem: path for path in files if path.suffix.lower() in SOUND_ENDINGS}


def _first(folder: Path, *names: str) -> Path:
    return next((folder / name for name in names if (folder / name).is_file()), folder / names[0])


DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            "csv",
            "a list of tracks",
            "that of the tracks",
            "",
            "expected a CSV file with the columns path, genre and artist",
            _read_csv,
        ),
        DataSet(
            "fma",
            "FMA: a dataset for music analysis",
            "metadata CC BY 4.0; each track under the licence that its artist chose",
            "@inproceedings{fma_dataset, title={{FMA}: A Dataset for Music Analysis}, "
            'author={Defferrard, Micha\\"el and Benzi, Kirell and Vandergheynst, Pierre and '
            "Bresson, Xavier}, booktitle={ISMIR}, year={2017}, eprint={1612.01840}}",
            "expected a folder with fma_metadata/tracks.csv and one of fma_small … fma_full",
            _read_fma,
        ),
        DataSet(
            "mtg-jamendo",
            "The MTG-Jamendo dataset",
            "metadata CC BY-NC-SA 4.0; each track under its Creative Commons licence",
            "@inproceedings{bogdanov2019mtg, title={The {MTG-Jamendo} Dataset for Automatic Music "
            "Tagging}, author={Bogdanov, Dmitry and Won, Minz and Tovstogan, Philip and Porter, "
            "Alastair and Serra, Xavier}, booktitle={Machine Learning for Music Discovery "
            "Workshop, ICML}, year={2019}}",
            "expected a folder with autotagging_genre.tsv and audio/",
            _read_jamendo,
        ),
        DataSet(
            "audioset",
            "clips listed as AudioSet's are",
            "labels CC BY 4.0; the sound is not part of AudioSet",
            "@inproceedings{gemmeke2017audioset, title={Audio Set: An ontology and human-labeled "
            "dataset for audio events}, author={Gemmeke, Jort F. and others}, "
            "booktitle={ICASSP}, year={2017}}",
            "expected a folder with segments.csv, class_labels_indices.csv and audio/",
            _read_audioset,
        ),
        DataSet(
            "msd",
            "tracks of the Million Song Dataset",
            "metadata for research; it has no sound",
            "@inproceedings{bertin2011msd, title={The Million Song Dataset}, "
            "author={Bertin-Mahieux, Thierry and Ellis, Daniel P.W. and Whitman, Brian and "
            "Lamere, Paul}, booktitle={ISMIR}, year={2011}}",
            "expected a folder with unique_tracks.txt, genres.cls (id, tab, genre) and audio/",
            _read_million_songs,
        ),
    )
}
"""Name → data set."""
