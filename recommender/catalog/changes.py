"""Which tracks changed since a revision, so that an index need not be built of all of them again.

A track's row has the revision in which what is recommended of it last changed: its analyses, its
state, or a column that is shown or compared. A track that is dropped leaves a row in `removals`.
Every function works on a connection, inside the caller's transaction; who calls `mark` or
`record_removals` also calls `catalog_row.bump_revision`, afterwards.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, and_, case, delete, func, insert, select, update

from recommender.catalog.catalog_row import next_revision
from recommender.catalog.chunks import chunks
from recommender.catalog.records import CatalogState, TrackState
from recommender.catalog.schema import AnalysisRow, CatalogRow, RemovalRow, SpaceRow, TrackRow
from recommender.catalog.spaces import space_row
from recommender.embedding.space import SpaceId
from recommender.utils.arrays import IntArray

MOST_REMOVALS = 20_000
"""Removals that are kept. Where there are more, the older half is dropped: who last looked before
those reads the whole catalogue, which at that size costs little more."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What has changed in a catalogue since one of its revisions, as an index of a space sees it.

    Attributes:
        state: of the catalogue now.
        changed: np.ndarray [shape=(n,)], int64, ascending: tracks that can be recommended in the
            space now and whose analyses, columns or state have changed. Where an embedding is
            damaged, `Catalog.activation_batches` leaves the track out.
        removed: np.ndarray [shape=(m,)], int64, ascending: tracks that cannot be recommended there
            now; among them may be some that never could.
    """

    state: CatalogState
    changed: IntArray
    removed: IntArray


def changes_since(connection: Connection, revision: int, space: SpaceId) -> Changes | None:
    """See `Catalog.changes_since`."""
    now = connection.execute(
        select(CatalogRow.uuid, CatalogRow.revision, CatalogRow.changes_known_since)
    ).one()
    if not now.changes_known_since <= revision <= now.revision:
        return None
    analysed = (
        select(AnalysisRow.track_id)
        .join(SpaceRow, SpaceRow.id == AnalysisRow.space_id)
        .where(AnalysisRow.track_id == TrackRow.id, space_row(space))
        .exists()
    )
    rows = connection.execute(
        select(TrackRow.id, and_(TrackRow.state == TrackState.ANALYSED, analysed)).where(
            TrackRow.revision > revision
        )
    ).all()
    dropped = connection.scalars(
        select(RemovalRow.track_id).where(RemovalRow.revision > revision)
    ).all()
    return Changes(
        CatalogState(now.uuid, now.revision),
        _ascending([id for id, is_there in rows if is_there]),
        _ascending([*(id for id, is_there in rows if not is_there), *dropped]),
    )


def _ascending(ids: list[int]) -> IntArray:
    return np.unique(np.asarray(ids, dtype=np.int64))


def mark(connection: Connection, track_ids: Collection[int]) -> None:
    """Record that these tracks change in the revision that the transaction makes."""
    for chunk in chunks(track_ids):
        connection.execute(
            update(TrackRow).where(TrackRow.id.in_(chunk)).values(revision=next_revision())
        )


def record_removals(connection: Connection, *conditions: Any) -> None:
    """Record that the tracks that meet all `conditions` are about to be dropped.

    Of one that was not recommended anyway, it is that since the revision of its row.
    """
    revision = case(
        (TrackRow.state == TrackState.ANALYSED, next_revision()), else_=TrackRow.revision
    )
    since = select(TrackRow.id, revision).where(*conditions)
    recorded = connection.execute(insert(RemovalRow).from_select(["track_id", "revision"], since))
    if recorded.rowcount:
        _limit_removals(connection)


def _limit_removals(connection: Connection) -> None:
    count = connection.scalar(select(func.count()).select_from(RemovalRow)) or 0
    if count <= MOST_REMOVALS:
        return
    oldest_kept = select(RemovalRow.revision).order_by(RemovalRow.revision.desc())
    last = connection.scalar(oldest_kept.offset(MOST_REMOVALS // 2).limit(1))
    connection.execute(delete(RemovalRow).where(RemovalRow.revision <= last))
    connection.execute(update(CatalogRow).values(changes_known_since=last))


def forget_history(connection: Connection) -> None:
    """Have everybody read the whole catalogue: rows have changed that no revision tells of."""
    connection.execute(delete(RemovalRow))
    connection.execute(update(CatalogRow).values(changes_known_since=next_revision()))
