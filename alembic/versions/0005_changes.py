"""The revision of each track, tracks that were dropped, and activations in half precision.

Columns are added in place. Activations are rewritten in batches; what was damaged before stays as
it is, and so without the checksum that is stored with it. Half precision holds every number of the
shipped models; a vector with a larger one stays in single precision. SQL that is only printed
converts nothing: both forms can be read.
"""

import zlib
from collections.abc import Callable, Iterator

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CHUNK = 500
_HALF, _SINGLE = np.dtype("<f2"), np.dtype("<f4")


def upgrade() -> None:
    op.add_column(
        "catalog",
        sa.Column("changes_known_since", sa.Integer(), nullable=False, server_default="0"),
    )
    # A new revision, as what an index was built of has other digits now.
    op.execute(
        "UPDATE catalog SET revision = revision + 1, changes_known_since = revision + 1"
        " WHERE EXISTS (SELECT 1 FROM tracks)"
    )
    op.add_column("tracks", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(op.f("ix_tracks_revision"), "tracks", ["revision"])
    op.create_table(
        "removals",
        sa.Column("track_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_removals")),
    )
    op.create_index(op.f("ix_removals_revision"), "removals", ["revision"])
    if not op.get_context().as_sql:
        _convert(op.get_bind(), _SINGLE, _halved)


def downgrade() -> None:
    if not op.get_context().as_sql:
        _convert(op.get_bind(), _HALF, lambda half: half.astype(_SINGLE))
    op.drop_index(op.f("ix_removals_revision"), "removals")
    op.drop_table("removals")
    op.drop_index(op.f("ix_tracks_revision"), "tracks")
    for table, column in (("tracks", "revision"), ("catalog", "changes_known_since")):
        # Not op.drop_column in a batch, which would copy the table twice.
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _halved(single: np.ndarray) -> np.ndarray | None:
    """None where a number is out of range."""
    with np.errstate(over="ignore"):
        half = single.astype(_HALF)
    return half if (np.isfinite(half) == np.isfinite(single)).all() else None


def _convert(
    connection: sa.Connection,
    stored: np.dtype,
    converted: Callable[[np.ndarray], np.ndarray | None],
) -> None:
    """Rewrite the blobs of numbers of type `stored`, with their checksums."""
    store = sa.text(
        "UPDATE analyses SET activations = :blob, checksum = :checksum"
        " WHERE track_id = :track AND space_id = :space"
    ).bindparams(sa.bindparam("blob", type_=sa.LargeBinary()))
    for rows in _batches(connection):
        values = []
        for track, space, checksum, dimension, blob in rows:
            is_whole = checksum is None or zlib.crc32(blob) == checksum
            if len(blob) != (dimension or 0) * stored.itemsize or not is_whole:
                continue
            numbers = converted(np.frombuffer(blob, stored))
            if numbers is not None:
                new = numbers.tobytes()
                values.append(
                    {"track": track, "space": space, "blob": new, "checksum": zlib.crc32(new)}
                )
        if values:
            connection.execute(store, values)


def _batches(connection: sa.Connection) -> Iterator[list[sa.Row]]:
    """The rows in chunks by primary key, so that few blobs are in memory."""
    after = sa.text(
        "SELECT track_id, space_id, checksum, dimension, activations FROM analyses"
        " JOIN spaces ON spaces.id = space_id"
        " WHERE track_id > :track OR (track_id = :track AND space_id > :space)"
        f" ORDER BY track_id, space_id LIMIT {_CHUNK}"
    )
    last = {"track": -1, "space": -1}
    while rows := connection.execute(after, last).all():
        yield list(rows)
        last = {"track": rows[-1].track_id, "space": rows[-1].space_id}
