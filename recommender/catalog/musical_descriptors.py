"""The stored musical descriptors of tracks.

Every function works on a connection, inside the caller's transaction.
"""

from collections.abc import Collection, Sequence

import numpy as np
from sqlalchemy import Connection, func, select

from recommender.catalog.chunks import chunks
from recommender.catalog.records import TrackState
from recommender.catalog.schema import DescriptorsRow, TrackRow, table
from recommender.errors import CatalogError, UsageError
from recommender.musical_descriptors import NAMES, VERSION, MusicalDescriptors
from recommender.utils.arrays import FloatArray, IntArray, places_in

_ROWS = table(DescriptorsRow)
_VALUES = [_ROWS.c[name] for name in NAMES]


def descriptors_of(connection: Connection, ids: Collection[int]) -> dict[int, MusicalDescriptors]:
    """See `Catalog.musical_descriptors`."""
    found: dict[int, MusicalDescriptors] = {}
    for chunk in chunks(ids):
        rows = connection.execute(
            select(_ROWS.c.track_id, _ROWS.c.version, *_VALUES).where(_ROWS.c.track_id.in_(chunk))
        )
        for track_id, version, *values in rows:
            named = dict(zip(NAMES, values, strict=True))
            found[track_id] = MusicalDescriptors(**named, version=version)
    return found


def descriptor_columns(connection: Connection, ids: IntArray, names: Sequence[str]) -> FloatArray:
    """See `Catalog.descriptor_columns`."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise UsageError(f"there is no musical descriptor {unknown[0]!r}.")
    columns = np.full((len(ids), len(names)), np.nan, np.float32)
    order = np.argsort(ids, kind="stable")
    wanted = [
        func.coalesce(_ROWS.c.mode == "minor", False) if name == "mode" else _ROWS.c[name]
        for name in names
    ]
    # The driver's own tuples: SQLAlchemy's take several times as long.
    rows = connection.execute(select(_ROWS.c.track_id, *wanted)).cursor.fetchall()
    if rows:
        try:
            found = np.array(rows, dtype=np.float64)
        except ValueError as error:
            raise CatalogError(
                "stored musical descriptors are damaged. Have 'recsys verify' repair them, then "
                "ingest."
            ) from error
        places = places_in(ids[order], found[:, 0].astype(np.int64))
        columns[order[places[places >= 0]]] = found[places >= 0, 1:]
    return columns


def number_described(connection: Connection) -> int:
    """How many tracks that can be recommended have descriptors of the present version."""
    count = connection.scalar(
        select(func.count())
        .select_from(DescriptorsRow)
        .join(TrackRow, TrackRow.id == DescriptorsRow.track_id)
        .where(TrackRow.state == TrackState.ANALYSED, DescriptorsRow.version == VERSION)
    )
    return count or 0
