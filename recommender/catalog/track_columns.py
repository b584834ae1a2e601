"""The columns that filters compare, of all tracks at once: one query a revision.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, and_, func, select

from recommender.catalog.records import TrackState
from recommender.catalog.schema import AnalysisRow, CatalogRow, TrackRow
from recommender.utils.arrays import BoolArray, IntArray, Scores


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
class TrackColumns:
    """What filters compare of the n tracks in state ANALYSED.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        durations: np.ndarray [shape=(n,)], float64, seconds.
        artists: as `Track.artist`.
        genres: as tagged.
    """

    ids: IntArray
    durations: Scores
    artists: NameColumn
    genres: NameColumn

    def aligned(self, ids: IntArray) -> "TrackColumns":
        """The columns of `ids`, in their order; the duration of an absent track is NaN."""
        rows = _rows(self.ids, ids)
        durations = np.append(self.durations, np.nan)[rows]
        return TrackColumns(ids, durations, self.artists.take(rows), self.genres.take(rows))


def track_columns(connection: Connection) -> TrackColumns:
    """See `Catalog.track_columns`."""
    artist = func.coalesce(func.nullif(TrackRow.artist, ""), TrackRow.album_artist)
    query = (
        select(TrackRow.id, TrackRow.duration, artist, TrackRow.genre)
        .where(TrackRow.state == TrackState.ANALYSED)
        .order_by(TrackRow.id)
    )
    rows = connection.execute(query).all()
    ids, durations, artists, genres = zip(*rows, strict=True) if rows else ((), (), (), ())
    return TrackColumns(
        np.array(ids, dtype=np.int64),
        np.array(durations, dtype=np.float64),
        NameColumn.of(artists),
        NameColumn.of(genres),
    )


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
