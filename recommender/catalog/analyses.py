"""What networks made of the tracks: activations, predicted genres, windows.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Collection

import numpy as np
from sqlalchemy import Connection, LargeBinary, delete, select, type_coerce

from recommender.catalog.catalog_row import bump_revision
from recommender.catalog.column_types import VECTOR_DTYPE
from recommender.catalog.queries import CHUNK, chunks
from recommender.catalog.records import TrackState
from recommender.catalog.schema import AnalysisRow, SpaceRow, TrackRow
from recommender.catalog.spaces import space_row
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError
from recommender.utils.arrays import FloatArray, IntArray


def activations(connection: Connection, space: SpaceId) -> tuple[IntArray, FloatArray]:
    """See `Catalog.activations`."""
    row = connection.execute(
        select(SpaceRow.id, SpaceRow.dimension).where(space_row(space))
    ).first()
    if row is None or row.dimension is None:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    query = (
        select(TrackRow.id, type_coerce(AnalysisRow.activations, LargeBinary))
        .join(AnalysisRow, AnalysisRow.track_id == TrackRow.id)
        .where(AnalysisRow.space_id == row.id, TrackRow.state == TrackState.ANALYSED)
        .order_by(TrackRow.id)
    )
    ids: list[int] = []
    blob = bytearray()  # grows in place: the matrix never exists twice
    for id, vector in connection.execute(query.execution_options(yield_per=CHUNK)):
        if len(vector) != row.dimension * VECTOR_DTYPE.itemsize:
            raise CatalogError(
                f"the vector of track {id} has {len(vector)} bytes, not {row.dimension} numbers: "
                "the database is damaged. Restore a copy, or move it away and ingest again."
            )
        ids.append(id)
        blob += vector
    matrix = np.frombuffer(blob, dtype=VECTOR_DTYPE).astype(np.float32, copy=False)
    return np.asarray(ids, dtype=np.int64), matrix.reshape(-1, row.dimension)


def analysis_of(connection: Connection, track_id: int, space: SpaceId) -> Analysis | None:
    """See `Catalog.analysis_of`."""
    row = connection.execute(
        select(
            AnalysisRow.activations,
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
    windows = tuple((start, length) for start, length in row.windows)
    return Analysis(
        row.activations,
        row.genre_probabilities,
        row.duration,
        windows,
        space.unprojected,
        samples_hash=row.samples_hash,
    )


def forget(connection: Connection, track_ids: Collection[int]) -> None:
    """See `Catalog.forget_analyses`."""
    for chunk in chunks(track_ids):
        connection.execute(delete(AnalysisRow).where(AnalysisRow.track_id.in_(chunk)))
    bump_revision(connection)
