"""The projections that a catalogue stores for its spaces.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import DatabaseError

from recommender.catalog.records import ProjectionOrigin, StoredProjection
from recommender.catalog.schema import ProjectionRow, SpaceRow
from recommender.catalog.spaces import ensure_space, space_row
from recommender.embedding.projection import Projection
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError
from recommender.utils.arrays import FloatArray


def load(
    connection: Connection, space: SpaceId, origin: ProjectionOrigin
) -> StoredProjection | None:
    """See `Catalog.projection`."""
    row = connection.execute(
        select(
            ProjectionRow.digest,
            ProjectionRow.stored_at,
            ProjectionRow.details,
            ProjectionRow.mean,
            ProjectionRow.matrix,
        )
        .join(SpaceRow, SpaceRow.id == ProjectionRow.space_id)
        .where(space_row(space), ProjectionRow.origin == origin)
    ).first()
    if row is None:
        return None
    projection = _projection(row.mean, row.matrix)
    if projection.digest != row.digest:
        raise CatalogError(
            f"the projection stored for {space.unprojected} has other values than when it was "
            "stored: the database is damaged. Have 'recsys verify' repair it, then ingest."
        )
    return StoredProjection(projection, origin, row.stored_at, row.details)


def store(
    connection: Connection,
    space: SpaceId,
    origin: ProjectionOrigin,
    projection: Projection,
    details: Mapping[str, Any],
) -> None:
    """See `Catalog.store_projection`."""
    space_id, _ = ensure_space(connection, space)
    same = (ProjectionRow.space_id == space_id, ProjectionRow.origin == origin)
    old = connection.execute(select(ProjectionRow.digest, ProjectionRow.details).where(*same))
    if old.first() == (projection.digest, dict(details)) and _is_whole(connection, same):
        return
    connection.execute(delete(ProjectionRow).where(*same))
    connection.execute(
        insert(ProjectionRow).values(
            space_id=space_id,
            origin=origin,
            digest=projection.digest,
            stored_at=datetime.now(UTC),
            details=dict(details),
            mean=projection.mean,
            matrix=projection.matrix,
        )
    )


def drop(connection: Connection, space: SpaceId, origin: ProjectionOrigin) -> bool:
    """See `Catalog.drop_projection`."""
    space_id = select(SpaceRow.id).where(space_row(space)).scalar_subquery()
    dropped = connection.execute(
        delete(ProjectionRow).where(
            ProjectionRow.space_id == space_id, ProjectionRow.origin == origin
        )
    )
    return dropped.rowcount > 0


def damaged(connection: Connection) -> list[tuple[SpaceId, ProjectionOrigin]]:
    """See `Catalog.damaged_projections`."""
    rows = connection.execute(
        select(SpaceRow.model, SpaceRow.weights, SpaceRow.analysis, ProjectionRow.origin)
        .join(ProjectionRow, ProjectionRow.space_id == SpaceRow.id)
        .order_by(SpaceRow.id, ProjectionRow.origin)
    )
    return [
        (SpaceId(*space), ProjectionOrigin(origin))
        for *space, origin in rows.all()
        if not _is_whole(connection, (space_row(SpaceId(*space)), ProjectionRow.origin == origin))
    ]


def _is_whole(connection: Connection, conditions: Sequence[Any]) -> bool:
    """Whether the values of the projection that meets `conditions` have its digest."""
    query = select(ProjectionRow.digest, ProjectionRow.mean, ProjectionRow.matrix)
    query = query.join(SpaceRow, SpaceRow.id == ProjectionRow.space_id).where(*conditions)
    try:
        row = connection.execute(query).first()
        return row is None or _projection(row.mean, row.matrix).digest == row.digest
    except (DatabaseError, ValueError, TypeError):  # pages, or numbers, that are not whole
        return False


def _projection(mean: FloatArray, matrix: FloatArray) -> Projection:
    """The projection of a flat matrix; that of a damaged one has another digest."""
    fits = len(mean) > 0 and len(matrix) % len(mean) == 0
    return Projection(mean, matrix.reshape(len(mean), -1) if fits else matrix)
