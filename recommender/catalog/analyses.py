"""The analyses of tracks: activations, predicted genres, windows.

Every function works on a connection, inside the caller's transaction.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Select, delete, func, select
from sqlalchemy.exc import DatabaseError

from recommender.catalog.activation_blob import decode, is_whole
from recommender.catalog.catalog_row import bump_revision
from recommender.catalog.changes import mark
from recommender.catalog.chunks import CHUNK, chunks
from recommender.catalog.records import TrackState
from recommender.catalog.schema import AnalysisRow, SpaceRow, TrackRow
from recommender.catalog.spaces import space_row
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError
from recommender.utils.arrays import FloatArray, IntArray

logger = logging.getLogger(__name__)

_BLOBS = (TrackRow.id, AnalysisRow.checksum, AnalysisRow.activations)

Blobs = Select[int, int | None, bytes]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some of the activations of a space.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        activations: np.ndarray [shape=(n, d)], float32.
        damaged: tracks left out, whose vectors are damaged.
        last: the highest id there was a row of; the next batch begins behind it.
    """

    ids: IntArray
    activations: FloatArray
    damaged: list[int]
    last: int


def activations(connection: Connection, space: SpaceId) -> tuple[IntArray, FloatArray, list[int]]:
    """See `Catalog.activations`; also the tracks left out, whose vectors are damaged."""
    dimension = _dimension(connection, space)
    counted = _blobs(space).with_only_columns(func.count(TrackRow.id)).order_by(None)
    number = connection.scalar(counted) or 0
    matrix = np.empty((number, dimension), np.float32)  # filled in place, and never there twice
    ids = np.empty(number, np.int64)
    damaged: list[int] = []
    filled = last = 0
    while (batch := batch_after(connection, space, last)) is not None:
        end = filled + len(batch.ids)
        ids[filled:end], matrix[filled:end] = batch.ids, batch.activations
        damaged += batch.damaged
        filled, last = end, batch.last
    return ids[:filled], matrix[:filled], damaged


def batch_after(connection: Connection, space: SpaceId, last: int) -> Batch | None:
    """The activations of at most `CHUNK` tracks whose ids are above `last`; None for no more."""
    return _batch(connection, space, _blobs(space).where(TrackRow.id > last).limit(CHUNK))


def batch_of(connection: Connection, space: SpaceId, ids: Collection[int]) -> Batch | None:
    """The activations of these tracks, at most `CHUNK`, as far as they have any; None for none."""
    return _batch(connection, space, _blobs(space).where(TrackRow.id.in_(ids)))


def _dimension(connection: Connection, space: SpaceId) -> int:
    """The length of the space's vectors; 0 for a space that no track was ever analysed in."""
    return connection.scalar(select(SpaceRow.dimension).where(space_row(space))) or 0


def _blobs(space: SpaceId) -> Blobs:
    """The blobs of all tracks that can be recommended in the space, by id."""
    # A subquery, which is evaluated once, and so no third table whose order the planner may choose.
    space_id = select(SpaceRow.id).where(space_row(space)).scalar_subquery()
    return (
        select(*_BLOBS)
        .join(AnalysisRow, AnalysisRow.track_id == TrackRow.id)
        .where(AnalysisRow.space_id == space_id, TrackRow.state == TrackState.ANALYSED)
        .order_by(TrackRow.id)
    )


def _batch(connection: Connection, space: SpaceId, query: Blobs) -> Batch | None:
    dimension = _dimension(connection, space)
    ids: list[int] = []
    vectors: list[FloatArray] = []
    damaged: list[int] = []
    last = None
    for id, stored, blob in _read(connection, query):
        last = id
        if is_whole(blob, stored, dimension):
            ids.append(id)
            vectors.append(decode(blob, dimension))
        else:
            damaged.append(id)
    if last is None:
        return None
    matrix = np.array(vectors, dtype=np.float32).reshape(-1, dimension)
    return Batch(np.array(ids, dtype=np.int64), matrix, damaged, last)


def _read(connection: Connection, query: Blobs) -> Iterator[tuple[int, int | None, bytes | None]]:
    """The rows of `query`; a blob whose pages cannot be read is None."""
    last = 0
    try:
        # Closed, or the statement that failed would fail once more at the end of the transaction.
        with connection.execute(query.execution_options(yield_per=CHUNK)) as rows:
            for id, stored, blob in rows:
                yield id, stored, blob
                last = id
    except DatabaseError:
        logger.debug("reading vectors one by one after track %d", last, exc_info=True)
    else:
        return
    names = query.with_only_columns(TrackRow.id, maintain_column_froms=True)
    for id in connection.execute(names.where(TrackRow.id > last)).scalars().all():
        try:
            row = connection.execute(query.where(TrackRow.id == id)).first()
        except DatabaseError:
            yield id, None, None
        else:
            if row is not None:
                yield row.id, row.checksum, row.activations


def analysis_of(connection: Connection, track_id: int, space: SpaceId) -> Analysis | None:
    """See `Catalog.analysis_of`."""
    row = connection.execute(
        select(
            *_BLOBS,
            SpaceRow.dimension,
            AnalysisRow.genre_probabilities,
            AnalysisRow.windows,
            AnalysisRow.samples_hash,
            TrackRow.duration,
        )
        .join(TrackRow, TrackRow.id == AnalysisRow.track_id)
        .join(SpaceRow, SpaceRow.id == AnalysisRow.space_id)
        .where(AnalysisRow.track_id == track_id, space_row(space))
    ).first()
    if row is None:
        return None
    if not is_whole(row.activations, row.checksum, row.dimension or 0):
        raise CatalogError(
            f"the stored embedding of track {track_id} is damaged. Have 'recsys verify' repair it, "
            "then ingest its folder."
        )
    windows = tuple((start, length) for start, length in row.windows)
    return Analysis(
        decode(row.activations, row.dimension),
        row.genre_probabilities,
        row.duration,
        windows,
        space.unprojected,
        samples_hash=row.samples_hash,
    )


def is_analysed(connection: Connection, track_id: int, space: SpaceId) -> bool:
    """See `Catalog.is_analysed`."""
    query = (
        select(*_BLOBS, SpaceRow.dimension)
        .select_from(AnalysisRow)
        .join(TrackRow, TrackRow.id == AnalysisRow.track_id)
        .join(SpaceRow, SpaceRow.id == AnalysisRow.space_id)
        .where(AnalysisRow.track_id == track_id, space_row(space))
    )
    try:
        row = connection.execute(query).first()
    except DatabaseError:
        return False
    return row is not None and is_whole(row.activations, row.checksum, row.dimension or 0)


def forget(connection: Connection, track_ids: Collection[int]) -> None:
    """See `Catalog.forget_analyses`."""
    for chunk in chunks(track_ids):
        connection.execute(delete(AnalysisRow).where(AnalysisRow.track_id.in_(chunk)))
    mark(connection, track_ids)
    bump_revision(connection)
