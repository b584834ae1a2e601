"""`Layouts`: the part of `Catalog` that keeps a map of the tracks, and clusters of them."""

import logging
import zlib
from dataclasses import asdict

import numpy as np
from sqlalchemy import delete, insert, select

from recommender.catalog.database import Database
from recommender.catalog.layout_records import LayoutKind, StoredLayout
from recommender.catalog.schema import LayoutRow
from recommender.embedding.space import SpaceId

logger = logging.getLogger(__name__)

_IDS, _VALUES = np.dtype("<i8"), np.dtype("<f4")
"""Types of the numbers in the blobs, on every machine."""


class Layouts(Database):
    """What was computed of all tracks together; see `Catalog`.

    None of it changes `Catalog.state`: a layout is a view of the tracks, which it names by id.
    """

    def layout(self, kind: LayoutKind) -> StoredLayout | None:
        """The stored layout of this kind; None where there is none, or where it is damaged."""
        with self._reading() as connection:
            row = connection.execute(
                select(
                    LayoutRow.space,
                    LayoutRow.computed_at,
                    LayoutRow.details,
                    LayoutRow.width,
                    LayoutRow.checksum,
                    LayoutRow.track_ids,
                    LayoutRow.track_values,
                ).where(LayoutRow.kind == kind)
            ).first()
        if row is None:
            return None
        if not _is_whole(row.track_ids, row.track_values, row.width, row.checksum):
            logger.warning("the stored %s is damaged, and left out: compute it again.", kind.value)
            return None
        return StoredLayout(
            kind,
            SpaceId(**row.space),
            row.computed_at,
            row.details,
            np.frombuffer(row.track_ids, _IDS).astype(np.int64, copy=False),
            np.frombuffer(row.track_values, _VALUES).reshape(-1, row.width).astype(np.float32),
        )

    def store_layout(
        self, layout: StoredLayout, *, in_place_of: StoredLayout | None = None
    ) -> bool:
        """Store a layout, in place of the one of its kind; returns whether it was.

        Args:
            in_place_of: store it only where this one is still there, which it was made of: another
                process may have computed a new one meanwhile.
        """
        ids, values = layout.ids.astype(_IDS).tobytes(), layout.values.astype(_VALUES).tobytes()
        with self._changing() as connection:
            found = connection.scalar(
                select(LayoutRow.computed_at).where(LayoutRow.kind == layout.kind)
            )
            if in_place_of is not None and found != in_place_of.computed_at:
                return False
            connection.execute(delete(LayoutRow).where(LayoutRow.kind == layout.kind))
            connection.execute(
                insert(LayoutRow).values(
                    kind=layout.kind,
                    space=asdict(layout.space),
                    computed_at=layout.computed_at,
                    details=dict(layout.details),
                    width=layout.values.shape[1],
                    checksum=_checksum(ids, values),
                    track_ids=ids,
                    track_values=values,
                )
            )
            return True

    def layout_kinds(self) -> tuple[LayoutKind, ...]:
        """The kinds that a layout is stored of."""
        with self._reading() as connection:
            return tuple(connection.scalars(select(LayoutRow.kind).order_by(LayoutRow.kind)))


def _checksum(ids: bytes, values: bytes) -> int:
    return zlib.crc32(values, zlib.crc32(ids))


def _is_whole(ids: bytes, values: bytes, width: int, checksum: int) -> bool:
    fits = width > 0 and len(values) * _IDS.itemsize == len(ids) * width * _VALUES.itemsize
    return fits and len(ids) % _IDS.itemsize == 0 and _checksum(ids, values) == checksum
