"""Genres and artists of the tracks of a catalogue, to evaluate recommendations by.

Three sources: tags, names of folders, or a CSV file. Names are compared by `names.label_key`:
"Hip-Hop", "hip hop" and "HIPHOP" are one genre, shown in its most frequent spelling.
"""

import csv
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recommender.catalog.records import Track
from recommender.errors import DatasetError
from recommender.utils.artists import NOBODY, KnownArtists
from recommender.utils.files import AnyPath, as_path, require_regular
from recommender.utils.names import first_genre, label_key, most_frequent

ID_COLUMNS = ("path", "file", "filename", "track_id", "id")
"""Columns of a CSV that may identify its tracks; the first one present does."""

GENRE_COLUMNS = ("genre", "label")

_LONGEST_HEADER = 1 << 16


@dataclass(frozen=True)
class TrackLabels:
    """A genre and an artist, or None, for each track, in the order of the tracks.

    Attributes:
        genres: those with the same key in the same spelling.
        artists: likewise; None is not equal to another None.
        source: where they come from, in words.
        unmatched: names in CSV rows that match no track.
        ambiguous: names in CSV rows that match several tracks and were not used.
    """

    genres: tuple[str | None, ...]
    artists: tuple[str | None, ...]
    source: str
    unmatched: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()

    @property
    def unlabelled(self) -> int:
        """Number of tracks without a genre."""
        return self.genres.count(None)


def labels_from_tags(tracks: Sequence[Track]) -> TrackLabels:
    """The genre in each file's tags.

    Of several ("Rock; Pop", "Hip Hop/Rap") the first counts, and tags such as "Other" or "Unknown"
    do not; see `names.first_genre`.
    """
    genres = [first_genre(track.tags.genre) for track in tracks]
    return TrackLabels(_spelled_alike(genres), _tagged_artists(tracks), "the genre tags")


def labels_from_folders(tracks: Sequence[Track]) -> TrackLabels:
    """The name of the folder each file lies in, as in ``genres/blues/blues.00000.wav``.

    Artists come from the tags.
    """
    genres = [track.file.parent.name for track in tracks]
    return TrackLabels(_spelled_alike(genres), _tagged_artists(tracks), "the folders' names")


def labels_from_csv(tracks: Sequence[Track], path: AnyPath) -> TrackLabels:
    """Genres, and artists where the file has them, from a CSV file (UTF-8; comma, ; or tab).

    Its columns: one of `ID_COLUMNS`, one of `GENRE_COLUMNS`, and optionally ``artist`` (otherwise
    artists come from the tags). A row identifies a track by its path, by the end of its path, or by
    its file name, each with or without the file's ending; of a file that a cue sheet divides, with
    ``#`` and the track's number. Rows that match no track or several are
    listed in the result, and not used.

    Raises:
        DatasetError: the file cannot be read, lacks a column, or gives one track two labels.
        TypeError: `path` is no path.
    """
    path = as_path(path, "path")
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
                f"{tracks[found[0]].location}. Remove one of the rows."
            )
    rows = [row_of.get(index) for index in range(len(tracks))]
    has_artists = any(row.artist is not None for row in row_of.values())
    artists = [row.artist if row else None for row in rows]
    return TrackLabels(
        genres=_spelled_alike([row.genre if row else None for row in rows]),
        artists=_spelled_alike(artists, NOBODY) if has_artists else _tagged_artists(tracks),
        source=str(path),
        unmatched=tuple(unmatched),
        ambiguous=tuple(ambiguous),
    )


def _tagged_artists(tracks: Sequence[Track]) -> tuple[str | None, ...]:
    """The first artist that each track names, without those who are featured."""
    first = [next(iter(track.artists), None) for track in tracks]
    known = KnownArtists(Counter(name for name in first if name))
    return _spelled_alike([name and known.divided(name)[0] for name in first], NOBODY)


def _spelled_alike(
    names: Sequence[str | None], meaningless: frozenset[str] = frozenset()
) -> tuple[str | None, ...]:
    """Names with the same key in their most frequent spelling; None for those without a key."""
    keys = [label_key(name or "") for name in names]
    spellings: Mapping[str, Counter[str]] = defaultdict(Counter)
    for key, name in zip(keys, names, strict=True):
        if key and key not in meaningless and name:
            spellings[key][" ".join(name.split())] += 1
    shown = {key: most_frequent(of_key) for key, of_key in spellings.items()}
    return tuple(shown.get(key) for key in keys)


class _TrackFinder:
    """Finds the tracks that a CSV row identifies."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._paths = [_normalised(f"{track.library.root}/{track.location}") for track in tracks]
        self._relative = [_normalised(track.location) for track in tracks]
        self._by_name: Mapping[str, list[int]] = defaultdict(list)
        self._by_stem: Mapping[str, list[int]] = defaultdict(list)
        for index, path in enumerate(self._paths):
            self._by_name[path.name].append(index)
            self._by_stem[path.stem].append(index)

    def __call__(self, name: str) -> list[int]:
        """Indices of the tracks whose path ends with `name`, or else with it and an ending."""
        wanted = _normalised(name)
        for candidates in (self._by_name.get(wanted.name), self._by_stem.get(wanted.name)):
            folders = wanted.parent.parts
            fitting = [
                index
                for index in candidates or ()
                if not folders or self._paths[index].parent.parts[-len(folders) :] == folders
            ]
            # "a.wav" names the file at the root of its library before those deeper down.
            exact = [i for i in fitting if self._relative[i].parent == wanted.parent]
            if fitting:
                return exact if len(exact) == 1 else fitting
        return []


def _normalised(path: str) -> PurePosixPath:
    """A path with its accents composed, as file systems differ in that."""
    return PurePosixPath(unicodedata.normalize("NFC", path))


@dataclass(frozen=True)
class _Row:
    line: int
    name: str
    genre: str
    artist: str | None  # None: the file has no such column


def _read_rows(path: Path) -> Iterator[_Row]:
    """The rows of a CSV that identify a track."""
    try:
        require_regular(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(_LONGEST_HEADER)
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
