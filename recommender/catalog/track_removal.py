"""Dropping tracks, and what becomes of the likes, playlists and exclusions that name them.

Where a copy of a track stays, it inherits them, and is named by recipes; otherwise they go with the
track, and a recipe that is run says what is gone. Every function works on a connection, inside the
caller's transaction.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, case, delete, exists, func, select, union, update
from sqlalchemy.orm import aliased

from recommender.catalog.catalog_row import bump_lists_revision
from recommender.catalog.changes import record_removals
from recommender.catalog.chunks import chunks
from recommender.catalog.recipe_tracks import named_in_recipes, rename_in_recipes
from recommender.catalog.records import TrackState
from recommender.catalog.schema import EventRow, ExclusionRow, PlaylistEntryRow, TrackRow

_NAMING: Mapping[Any, tuple[str, ...]] = {
    EventRow: ("user_name", "kind", "at", "source"),
    PlaylistEntryRow: ("playlist_id",),
    ExclusionRow: ("kind",),
}
"""Tables that name tracks, and the columns that are equal in rows of which one is enough."""


def drop_tracks(connection: Connection, *conditions: Any, heirs: Mapping[int, int] = {}) -> int:
    """Drop the tracks that meet all `conditions`, with their analyses.

    Args:
        heirs: track id → the track that has its place now, where that is known; others are
            inherited by a copy of the same content.

    Returns:
        The number of tracks dropped.
    """
    named = _named(connection, *conditions)
    inheriting: dict[int, int] = {}
    for track_id in named:
        heir = heirs.get(track_id) or _copy_of(connection, track_id, *conditions)
        if heir is not None:
            _hand_over(connection, track_id, heir)
            inheriting[track_id] = heir
    rename_in_recipes(connection, inheriting)
    record_removals(connection, *conditions)
    dropped = connection.execute(delete(TrackRow).where(*conditions)).rowcount
    if named:
        bump_lists_revision(connection)
    return dropped


def _named(connection: Connection, *conditions: Any) -> list[int]:
    """Those of the tracks that a list, an event or a recipe names."""
    going = select(TrackRow.id).where(*conditions)
    naming = (select(row.track_id).where(row.track_id.in_(going)) for row in _NAMING)
    found = set(connection.scalars(union(*naming)))
    largest = connection.scalar(select(func.max(TrackRow.id))) or 0
    for chunk in chunks(sorted(id for id in named_in_recipes(connection) if 0 < id <= largest)):
        found.update(connection.scalars(going.where(TrackRow.id.in_(chunk))))
    return sorted(found)


def _copy_of(connection: Connection, track_id: int, *conditions: Any) -> int | None:
    """A track of the same content that stays; one that can be recommended before others."""
    content = select(TrackRow.content_hash).where(TrackRow.id == track_id).scalar_subquery()
    going = select(TrackRow.id).where(*conditions)
    return connection.scalar(
        select(TrackRow.id)
        .where(TrackRow.content_hash == content, TrackRow.id.not_in(going))
        .order_by(case((TrackRow.state == TrackState.ANALYSED, 0), else_=1), TrackRow.id)
        .limit(1)
    )


def _hand_over(connection: Connection, track_id: int, heir: int) -> None:
    """Have `heir` named instead of a track, once where it would be twice."""
    for row, columns in _NAMING.items():
        other = aliased(row)
        is_there = and_(
            other.track_id == heir,
            *(getattr(other, column) == getattr(row, column) for column in columns),
        )
        connection.execute(
            update(row)
            .where(row.track_id == track_id, ~exists(select(other.track_id).where(is_there)))
            .values(_renamed(row, heir))
            .execution_options(synchronize_session=False)
        )


def _renamed(row: Any, heir: int) -> dict[str, object]:
    return {"track_id": heir} | ({"value": str(heir)} if row is ExclusionRow else {})
