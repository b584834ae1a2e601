"""The analyses of tracks: activations, predicted genres, windows.

Every function works on a connection, inside the caller's transaction.
"""

import logging
from collections.abc import Collection, Iterator
from typing import TypeGuard

import numpy as np
from sqlalchemy import Connection, LargeBinary, Select, delete, select, type_coerce
from sqlalchemy.exc import DatabaseError

from recommender.catalog.catalog_row import bump_revision
from recommender.catalog.column_types import VECTOR_DTYPE, checksum
from recommender.catalog.queries import CHUNK, chunks
from recommender.catalog.records import TrackState
from recommender.catalog.schema import AnalysisRow, SpaceRow, TrackRow
from recommender.catalog.spaces import space_row
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError
from recommender.utils.arrays import FloatArray, IntArray

logger = logging.getLogger(__name__)

_VECTORS = (
    TrackRow.id,
    AnalysisRow.checksum,
    type_coerce(AnalysisRow.activations, LargeBinary).label("vector"),
)


def activations(connection: Connection, space: SpaceId) -> tuple[IntArray, FloatArray, list[int]]:
    """See `Catalog.activations`; also the tracks left out, whose vectors are damaged."""
    row = connection.execute(
        select(SpaceRow.id, SpaceRow.dimension).where(space_row(space))
    ).first()
    if row is None or row.dimension is None:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32), []
    size = row.dimension * VECTOR_DTYPE.itemsize
    query = (
        select(*_VECTORS)
        .join(AnalysisRow, AnalysisRow.track_id == TrackRow.id)
        .where(AnalysisRow.space_id == row.id, TrackRow.state == TrackState.ANALYSED)
        .order_by(TrackRow.id)
    )
    ids: list[int] = []
    damaged: list[int] = []
    blob = bytearray()  # grows in place: the matrix never exists twice
    for id, stored, vector in _vectors(connection, query):
        if is_whole(vector, stored, size):
            ids.append(id)
            blob += vector
        else:
            damaged.append(id)
    matrix = np.frombuffer(blob, dtype=VECTOR_DTYPE).astype(np.float32, copy=False)
    return np.asarray(ids, dtype=np.int64), matrix.reshape(-1, row.dimension), damaged


def is_whole(vector: bytes | None, stored: int | None, size: int) -> TypeGuard[bytes]:
    """Whether a blob has its size in bytes and its checksum, where one is stored."""
    return (
        isinstance(vector, bytes)
        and len(vector) == size
        and (stored is None or checksum(vector) == stored)
    )


def _vectors(
    connection: Connection, query: Select[int, int | None, bytes]
) -> Iterator[tuple[int, int | None, bytes | None]]:
    """The rows of `query`; a vector whose pages cannot be read is None."""
    last = 0
    try:
        # Closed, or the statement that failed would fail once more at the end of the transaction.
        with connection.execute(query.execution_options(yield_per=CHUNK)) as rows:
            for id, stored, vector in rows:
                yield id, stored, vector
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
                yield row.id, row.checksum, row.vector


def analysis_of(connection: Connection, track_id: int, space: SpaceId) -> Analysis | None:
    """See `Catalog.analysis_of`."""
    row = connection.execute(
        select(
            *_VECTORS,
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
    if not is_whole(row.vector, row.checksum, (row.dimension or 0) * VECTOR_DTYPE.itemsize):
        raise CatalogError(
            f"the stored embedding of track {track_id} is damaged. Have 'recsys verify' repair it, "
            "then ingest its folder."
        )
    windows = tuple((start, length) for start, length in row.windows)
    vector = np.frombuffer(row.vector, VECTOR_DTYPE).astype(np.float32, copy=False)
    return Analysis(
        vector,
        row.genre_probabilities,
        row.duration,
        windows,
        space.unprojected,
        samples_hash=row.samples_hash,
    )


def is_analysed(connection: Connection, track_id: int, space: SpaceId) -> bool:
    """See `Catalog.is_analysed`."""
    query = (
        select(*_VECTORS, SpaceRow.dimension)
        .select_from(AnalysisRow)
        .join(TrackRow, TrackRow.id == AnalysisRow.track_id)
        .join(SpaceRow, SpaceRow.id == AnalysisRow.space_id)
        .where(AnalysisRow.track_id == track_id, space_row(space))
    )
    try:
        row = connection.execute(query).first()
    except DatabaseError:
        return False
    size = VECTOR_DTYPE.itemsize
    return row is not None and is_whole(row.vector, row.checksum, (row.dimension or 0) * size)


def forget(connection: Connection, track_ids: Collection[int]) -> None:
    """See `Catalog.forget_analyses`."""
    for chunk in chunks(track_ids):
        connection.execute(delete(AnalysisRow).where(AnalysisRow.track_id.in_(chunk)))
    bump_revision(connection)
