"""Genres and artists for the tracks of a catalogue, to evaluate recommendations on.

Three sources: the tags, the name of the folder a file lies in, or a CSV file. Names are compared
folded (`fold`): "Hip-Hop", "hip hop" and "HIPHOP" are one genre, shown as it is spelled most often.
"""

import csv
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recommender.catalog.records import Track
from recommender.errors import DatasetError
from recommender.utils.names import NOT_AN_ARTIST, first_genre, label_key

ID_COLUMNS = ("path", "file", "filename", "track_id", "id")
"""Columns of a CSV that may name its tracks; the first one present does."""

GENRE_COLUMNS = ("genre", "label")


@dataclass(frozen=True)
class TrackLabels:
    """A genre and an artist, or None, for each track, in the order of the tracks.

    Attributes:
        genres: spelled alike where they fold alike.
        artists: the same; None equals no other.
        source: what they come from, in words.
        unmatched: names of the CSV rows that fit no track.
        ambiguous: names of the CSV rows that fit several tracks and were not used.
    """

    genres: tuple[str | None, ...]
    artists: tuple[str | None, ...]
    source: str
    unmatched: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()

    @property
    def unlabelled(self) -> int:
        """How many tracks have no genre."""
        return self.genres.count(None)


def labels_from_tags(tracks: Sequence[Track]) -> TrackLabels:
    """The genre in each file's tags.

    Of several ("Rock; Pop", "Hip Hop/Rap") the first counts, which taggers take for the main one.
    Tags such as "Other" or "Unknown" are no genre.
    """
    genres = [first_genre(track.tags.genre) for track in tracks]
    return TrackLabels(_spelled_alike(genres), _tagged_artists(tracks), "the genre tags")


def labels_from_folders(tracks: Sequence[Track]) -> TrackLabels:
    """The name of the folder each file lies in, as in ``genres/blues/blues.00000.wav``.

    Artists come from the tags.
    """
    genres = [track.file.parent.name for track in tracks]
    return TrackLabels(_spelled_alike(genres), _tagged_artists(tracks), "the folders' names")


def labels_from_csv(tracks: Sequence[Track], path: Path) -> TrackLabels:
    """Genres, and artists where the file has them, from a CSV file (UTF-8; comma, ; or tab).

    Its columns: one of `ID_COLUMNS`, one of `GENRE_COLUMNS`, and optionally ``artist`` (else the
    artists come from the tags). A row's name is a track's path, as much of its end as is needed, or
    a file name, each with or without its ending. Rows that fit no track or several are told in the
    result and label none.

    Raises:
        DatasetError: the file cannot be read, lacks a column, or gives one track two labels.
    """
    find = _TrackFinder(tracks)
    unmatched: list[str] = []
    ambiguous: list[str] = []
    row_of: dict[int, _Row] = {}
    for row in _read_rows(path):
        found = find(row.name)
        if len(found) != 1:
            (ambiguous if found else unmatched).append(row.name)
            continue
        earlier = row_of.setdefault(found[0], row)
        if (label_key(earlier.genre), label_key(earlier.artist or "")) != (
            label_key(row.genre),
            label_key(row.artist or ""),
        ):
            raise DatasetError(
                f"{path}, lines {earlier.line} and {row.line}: two different labels for "
                f"{tracks[found[0]].path}. Remove one of the rows."
            )
    rows = [row_of.get(index) for index in range(len(tracks))]
    has_artists = any(row.artist is not None for row in row_of.values())
    artists = [row.artist if row else None for row in rows]
    return TrackLabels(
        genres=_spelled_alike([row.genre if row else None for row in rows]),
        artists=_spelled_alike(artists, NOT_AN_ARTIST) if has_artists else _tagged_artists(tracks),
        source=str(path),
        unmatched=tuple(unmatched),
        ambiguous=tuple(ambiguous),
    )


def _tagged_artists(tracks: Sequence[Track]) -> tuple[str | None, ...]:
    return _spelled_alike([track.artist for track in tracks], NOT_AN_ARTIST)


def _spelled_alike(
    names: Sequence[str | None], meaningless: frozenset[str] = frozenset()
) -> tuple[str | None, ...]:
    """Names that fold alike in their most frequent spelling (the first by alphabet of several)."""
    folded = [label_key(name or "") for name in names]
    spellings: Mapping[str, Counter[str]] = defaultdict(Counter)
    for key, name in zip(folded, names, strict=True):
        if key and key not in meaningless and name:
            spellings[key][" ".join(name.split())] += 1
    shown = {key: min(all_, key=lambda s: (-all_[s], s)) for key, all_ in spellings.items()}
    return tuple(shown.get(key) for key in folded)


class _TrackFinder:
    """Which tracks a name of a CSV row fits."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._places = [_place(track.file.as_posix()) for track in tracks]
        self._relative = [_place(track.path) for track in tracks]
        self._by_name: Mapping[str, list[int]] = defaultdict(list)
        self._by_stem: Mapping[str, list[int]] = defaultdict(list)
        for index, place in enumerate(self._places):
            self._by_name[place.name].append(index)
            self._by_stem[place.stem].append(index)

    def __call__(self, name: str) -> list[int]:
        """Tracks whose path ends with `name`, with its ending or else without."""
        wanted = _place(name)
        for candidates in (self._by_name.get(wanted.name), self._by_stem.get(wanted.name)):
            folders = wanted.parent.parts
            fitting = [
                index
                for index in candidates or ()
                if not folders or self._places[index].parent.parts[-len(folders) :] == folders
            ]
            # "a.wav" names the file at the root of its library before those deeper down.
            exact = [i for i in fitting if self._relative[i].parent == wanted.parent]
            if fitting:
                return exact if len(exact) == 1 else fitting
        return []


def _place(path: str) -> PurePosixPath:
    """A path that compares equal however a file system composes its accents."""
    return PurePosixPath(unicodedata.normalize("NFC", path))


@dataclass(frozen=True)
class _Row:
    line: int
    name: str
    genre: str
    artist: str | None  # None: the file has no such column


def _read_rows(path: Path) -> Iterator[_Row]:
    """The rows of a CSV that name a track."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            separator = max(",;\t", key=header.count)
            reader = csv.reader(file, delimiter=separator, strict=True)
            columns = [column.strip().lower() for column in next(reader, [])]
            name_at = _column(path, columns, ID_COLUMNS)
            genre_at = _column(path, columns, GENRE_COLUMNS)
            artist_at = columns.index("artist") if "artist" in columns else None
            for values in reader:
                cells = [value.strip() for value in values]
                cells += [""] * (len(columns) - len(cells))
                if cells[name_at]:
                    artist = None if artist_at is None else cells[artist_at]
                    yield _Row(reader.line_num, cells[name_at], cells[genre_at], artist)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read as a CSV file in UTF-8: {error}.") from error


def _column(path: Path, columns: Sequence[str], wanted: Sequence[str]) -> int:
    for name in wanted:
        if name in columns:
            return columns.index(name)
    raise DatasetError(
        f"{path} needs a column called {' or '.join(wanted)}; it has "
        f"{', '.join(column for column in columns if column) or 'none'}."
    )
