"""All artists of a track, damage that was decoded over, mount points; checksums of embeddings.

Columns are added in place: SQLite copies no table. The checksums of the embeddings that are there
are computed now, as nothing else knows them undamaged; SQL that is only printed leaves them NULL,
and they are computed when they are first verified.
"""

import zlib

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("libraries", sa.Column("mount_point", sa.Text(), nullable=True)),
    ("tracks", sa.Column("artists", sa.JSON(), nullable=True)),
    ("tracks", sa.Column("album_artists", sa.JSON(), nullable=True)),
    ("tracks", sa.Column("damage", sa.JSON(), nullable=True)),
    ("analyses", sa.Column("samples_hash", sa.Text(), nullable=True)),
    ("analyses", sa.Column("checksum", sa.BigInteger(), nullable=True)),
)
_CHUNK = 500


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    if not op.get_context().as_sql:
        _fill_checksums(op.get_bind())


def downgrade() -> None:
    for table, column in reversed(_COLUMNS):
        # Not op.drop_column in a batch, which would copy the table twice.
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column.name}")


def _fill_checksums(connection: sa.Connection) -> None:
    """CRC-32 of each blob, in chunks by primary key, so that few blobs are in memory."""
    after = sa.text(
        "SELECT track_id, space_id, activations FROM analyses"
        " WHERE track_id > :track OR (track_id = :track AND space_id > :space)"
        f" ORDER BY track_id, space_id LIMIT {_CHUNK}"
    )
    store = sa.text(
        "UPDATE analyses SET checksum = :checksum WHERE track_id = :track AND space_id = :space"
    )
    last = {"track": -1, "space": -1}
    while rows := connection.execute(after, last).all():
        values = [
            {"track": track, "space": space, "checksum": zlib.crc32(blob)}
            for track, space, blob in rows
        ]
        connection.execute(store, values)
        last = {name: values[-1][name] for name in last}
