"""The rows of embedding spaces. A catalogue knows unprojected spaces only.

Every function works on a connection, inside the caller's transaction.
"""

from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, update

from recommender.catalog.records import TrackState
from recommender.catalog.schema import AnalysisRow, SpaceRow, TrackRow
from recommender.embedding.space import SpaceId


def space_row(space: SpaceId) -> Any:
    """The condition that selects the row of the unprojected space of `space`."""
    return and_(
        SpaceRow.model == space.model,
        SpaceRow.weights == space.weights,
        SpaceRow.analysis == space.analysis,
    )


def spaces(connection: Connection) -> list[tuple[SpaceId, int]]:
    """See `Catalog.spaces`."""
    analysed = and_(TrackRow.id == AnalysisRow.track_id, TrackRow.state == TrackState.ANALYSED)
    rows = connection.execute(
        select(SpaceRow.model, SpaceRow.weights, SpaceRow.analysis, func.count(TrackRow.id))
        .outerjoin(AnalysisRow, AnalysisRow.space_id == SpaceRow.id)
        .outerjoin(TrackRow, analysed)
        .group_by(SpaceRow.id, SpaceRow.model, SpaceRow.weights, SpaceRow.analysis)
        .order_by(SpaceRow.id)
    )
    return [(SpaceId(model, weights, analysis), n) for model, weights, analysis, n in rows]


def ensure_space(
    connection: Connection, space: SpaceId, dimension: int | None = None
) -> tuple[int, int | None]:
    """The id of the unprojected space of `space`, and the length of its vectors.

    A new space gets a row; the length is stored when the row has none yet.
    """
    row = connection.execute(
        select(SpaceRow.id, SpaceRow.dimension).where(space_row(space))
    ).first()
    if row is None:
        statement = insert(SpaceRow).values(
            model=space.model, weights=space.weights, analysis=space.analysis, dimension=dimension
        )
        return connection.execute(statement.returning(SpaceRow.id)).scalar_one(), dimension
    if row.dimension is None and dimension is not None:
        connection.execute(
            update(SpaceRow).where(SpaceRow.id == row.id).values(dimension=dimension)
        )
        return row.id, dimension
    return row.id, row.dimension
