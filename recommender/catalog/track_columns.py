"""The columns that filters compare, of all tracks at once: one query a revision.

Every function works on a connection, inside the caller's transaction.
"""

import json
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection, Text, and_, cast, select

from recommender.audio.tags import Tags
from recommender.catalog.records import TrackState
from recommender.catalog.schema import AnalysisRow, CatalogRow, TrackRow
from recommender.utils.arrays import BoolArray, IntArray, Scores
from recommender.utils.artists import KnownArtists

_Value = TypeVar("_Value", bound=Hashable)


@dataclass(frozen=True, eq=False)
class NameColumn:
    """One name for each of n tracks.

    Attributes:
        codes: np.ndarray [shape=(n,)], int64: index into `names`; -1 for a track without.
        names: the names that occur, once each.
    """

    codes: IntArray
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "NameColumn":
        """The column of `values`; empty names count as none."""
        codes: dict[str, int] = {}
        column = [codes.setdefault(value, len(codes)) if value else -1 for value in values]
        return cls(np.array(column, dtype=np.int64), tuple(codes))

    def folded(self, keys: Sequence[str]) -> "NameColumn":
        """The same with names that share a key as one; `keys` are of `names`, empty for none."""
        column = NameColumn.of(keys)
        return NameColumn(np.append(column.codes, -1)[self.codes], column.names)

    def take(self, rows: IntArray) -> "NameColumn":
        """The column of `rows`, where -1 stands for a track without a name."""
        return NameColumn(np.append(self.codes, -1)[rows], self.names)

    def equal(self, name: str) -> BoolArray:
        """Which tracks have exactly this name."""
        code = self.names.index(name) if name in self.names else len(self.names)
        equal: BoolArray = self.codes == code
        return equal


@dataclass(frozen=True, eq=False)
class ArtistColumn:
    """The artists of each of n tracks, as far as they are somebody.

    Attributes:
        credits: one combination of artists for each track.
        codes: combination → codes of its artists, distinct; as many as there are combinations.
        known: the evidence for what names of other sounds name.
    """

    credits: NameColumn
    codes: tuple[tuple[int, ...], ...]
    known: KnownArtists
    _code_of: Mapping[str, int]

    @classmethod
    def of(cls, credited: Sequence[tuple[str, ...]]) -> "ArtistColumn":
        """The column of names as tags have them, for each track."""
        credits = NameColumn.of(["\0".join(names) for names in credited])
        counts = np.bincount(credits.codes[credits.codes >= 0], minlength=len(credits.names))
        tracks: Counter[str] = Counter()
        for names, count in zip(credits.names, counts.tolist(), strict=True):
            tracks.update(dict.fromkeys(names.split("\0"), count))
        known = KnownArtists(tracks)
        code_of: dict[str, int] = {}
        codes = tuple(
            tuple(code_of.setdefault(key, len(code_of)) for key in known.keys(names.split("\0")))
            for names in credits.names
        )
        return cls(credits, codes, known, code_of)

    def take(self, rows: IntArray) -> "ArtistColumn":
        """The column of `rows`, of which -1 stands for a track without artists."""
        return replace(self, credits=self.credits.take(rows))

    def at(self, row: int) -> tuple[int, ...]:
        """Codes of the artists of a track."""
        credit = int(self.credits.codes[row])
        return self.codes[credit] if credit >= 0 else ()

    def codes_of(self, names: Sequence[str]) -> tuple[int, ...]:
        """Codes of the artists that names of a tag stand for, as far as they have tracks here."""
        keys = self.known.keys(names)
        return tuple(self._code_of[key] for key in keys if key in self._code_of)

    def any_of(self, codes: Collection[int]) -> BoolArray:
        """Which tracks have one of these artists, [n]."""
        having = np.array([not set(codes).isdisjoint(own) for own in self.codes], dtype=np.bool_)
        found: BoolArray = np.append(having, False)[self.credits.codes]
        return found


@dataclass(frozen=True, eq=False)
class TrackColumns:
    """What filters compare of the n tracks in state ANALYSED.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        durations: np.ndarray [shape=(n,)], float64, seconds.
        artists: `Track.artists`, divided where the catalogue proves that one name is several.
        genres: as tagged.
        damaged: np.ndarray [shape=(n,)], bool: whether the file is, see `audio.damage`.
    """

    ids: IntArray
    durations: Scores
    artists: ArtistColumn
    genres: NameColumn
    damaged: BoolArray

    def aligned(self, ids: IntArray) -> "TrackColumns":
        """The columns of `ids`, in their order; the duration of an absent track is NaN."""
        rows = _rows(self.ids, ids)
        durations = np.append(self.durations, np.nan)[rows]
        damaged = np.append(self.damaged, False)[rows]
        artists, genres = self.artists.take(rows), self.genres.take(rows)
        return TrackColumns(ids, durations, artists, genres, damaged)


def track_columns(connection: Connection) -> TrackColumns:
    """See `Catalog.track_columns`."""
    # The lists as text: the same few come often, and each is parsed once.
    lists = cast(TrackRow.artists, Text), cast(TrackRow.album_artists, Text)
    names = TrackRow.artist, TrackRow.album_artist
    query = (
        select(
            *(TrackRow.id, TrackRow.duration, TrackRow.genre, TrackRow.damage.is_not(None)),
            *(*lists, *names),
        )
        .where(TrackRow.state == TrackState.ANALYSED)
        .order_by(TrackRow.id)
    )
    rows = connection.execute(query).all()
    ids, durations, genres, damaged, *tagged = zip(*rows, strict=True) if rows else [()] * 8
    return TrackColumns(
        np.array(ids, dtype=np.int64),
        np.array(durations, dtype=np.float64),
        ArtistColumn.of([_credited(*values) for values in zip(*tagged, strict=True)]),
        NameColumn.of(genres),
        np.array(damaged, dtype=np.bool_),
    )


@lru_cache(maxsize=50_000)
def _credited(
    artists: str | None, album_artists: str | None, artist: str | None, album_artist: str | None
) -> tuple[str, ...]:
    """`Track.artists`, of the lists as JSON."""
    tags = Tags(
        artist=artist,
        album_artist=album_artist,
        artists=tuple(json.loads(artists or "null") or ()),
        album_artists=tuple(json.loads(album_artists or "null") or ()),
    )
    return tags.credited


def predicted_genres(connection: Connection, ids: IntArray) -> tuple[NameColumn, tuple[str, ...]]:
    """See `Catalog.predicted_genres`."""
    active = select(CatalogRow.active_space_id).scalar_subquery()
    query = (
        select(TrackRow.id, AnalysisRow.genre_probabilities)
        .join(
            AnalysisRow, and_(AnalysisRow.track_id == TrackRow.id, AnalysisRow.space_id == active)
        )
        .where(TrackRow.state == TrackState.ANALYSED)
        .order_by(TrackRow.id)
    )
    rows = connection.execute(query).all()
    best = [max(p, key=lambda label: p[label]) if p else None for _, p in rows]
    labels = dict.fromkeys(label for _, probabilities in rows for label in probabilities or ())
    known = np.array([id for id, _ in rows], dtype=np.int64)
    return NameColumn.of(best).take(_rows(known, ids)), tuple(labels)


def _rows(known: IntArray, ids: IntArray) -> IntArray:
    """The row in `known` (ascending) of each id; -1 for those that are absent."""
    rows = np.searchsorted(known, ids)
    return np.where(np.append(known, -1)[rows] == ids, rows, -1)
