"""Media servers and their ids of tracks, artists and albums; folders that links led scans to.

Tables and columns are added in place: SQLite copies no table, and no file is read again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("servers", "remote_tracks", "remote_names")


def upgrade() -> None:
    op.add_column("libraries", sa.Column("linked_folders", sa.Text(), nullable=True))
    op.create_table(
        "servers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_servers")),
        sa.UniqueConstraint("name", name=op.f("uq_servers_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "remote_tracks",
        sa.Column("server_id", sa.Integer(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("matched_by", sa.Text(), nullable=False),
        _reference("remote_tracks", "server_id", "servers"),
        _reference("remote_tracks", "track_id", "tracks"),
        sa.PrimaryKeyConstraint("server_id", "remote_id", name=op.f("pk_remote_tracks")),
    )
    # Without it, each track that is dropped would take a look at every row.
    op.create_index(op.f("ix_remote_tracks_track_id"), "remote_tracks", ["track_id"])
    op.create_table(
        "remote_names",
        sa.Column("server_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=True),
        _reference("remote_names", "server_id", "servers"),
        sa.PrimaryKeyConstraint("server_id", "kind", "remote_id", name=op.f("pk_remote_names")),
    )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    # Not op.drop_column in a batch, which would copy the table.
    op.execute("ALTER TABLE libraries DROP COLUMN linked_folders")


def _reference(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    """A row goes with the row that it refers to."""
    name = op.f(f"fk_{table}_{column}_{of}")
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=name, ondelete="CASCADE")
