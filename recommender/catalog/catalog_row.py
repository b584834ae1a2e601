"""The catalogue's own row: its name and revisions, the active space and its analysis settings.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, ScalarSelect, select, update

from recommender.catalog.records import CatalogState
from recommender.catalog.schema import CatalogRow, SpaceRow
from recommender.catalog.spaces import ensure_space
from recommender.embedding.space import SpaceId


def state(connection: Connection) -> CatalogState:
    """See `Catalog.state`."""
    row = connection.execute(select(CatalogRow.uuid, CatalogRow.revision)).one()
    return CatalogState(row.uuid, row.revision)


def bump_revision(connection: Connection) -> None:
    """Mark that what can be recommended has changed: indexes built before are stale."""
    connection.execute(update(CatalogRow).values(revision=CatalogRow.revision + 1))


def bump_lists_revision(connection: Connection) -> None:
    """Mark that exclusions or playlists have changed."""
    connection.execute(update(CatalogRow).values(lists_revision=CatalogRow.lists_revision + 1))


def next_revision() -> ScalarSelect[int]:
    """The revision that `bump_revision` makes of the present one."""
    return select(CatalogRow.revision + 1).scalar_subquery()


def active_space(connection: Connection) -> SpaceId | None:
    """See `Catalog.active_space`."""
    row = connection.execute(
        select(SpaceRow.model, SpaceRow.weights, SpaceRow.analysis).join(
            CatalogRow, CatalogRow.active_space_id == SpaceRow.id
        )
    ).first()
    return None if row is None else SpaceId(*row)


def set_active(
    connection: Connection, space: SpaceId, analysis_settings: Mapping[str, Any]
) -> None:
    """See `Catalog.set_active`."""
    space_id, _ = ensure_space(connection, space)
    new = {"active_space_id": space_id, "analysis_settings": dict(analysis_settings)}
    old = connection.execute(select(CatalogRow.active_space_id, CatalogRow.analysis_settings)).one()
    if tuple(old) != tuple(new.values()):
        connection.execute(update(CatalogRow).values(new))
        bump_revision(connection)
