"""The projections that a catalogue stores for its spaces.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from recommender.catalog.records import ProjectionOrigin, StoredProjection
from recommender.catalog.schema import ProjectionRow, SpaceRow
from recommender.catalog.spaces import ensure_space, space_row
from recommender.embedding.projection import Projection
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError


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
    rows = len(row.mean)
    fits = rows > 0 and len(row.matrix) % rows == 0
    projection = Projection(row.mean, row.matrix.reshape(rows, -1) if fits else row.matrix)
    if projection.digest != row.digest:
        raise CatalogError(
            f"the projection stored for {space.unprojected} has other values than when it was "
            "stored: the database is damaged. Restore a copy, or move it away and ingest again."
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
    if old.first() == (projection.digest, dict(details)):
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
