"""Exclusions, events of listening, playlists with recipes; MusicBrainz ids of recordings.

Tables and columns are added in place: SQLite copies no table, and no file is read again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("catalog", sa.Column("lists_revision", sa.Integer(), nullable=False, server_default="0")),
    ("tracks", sa.Column("recording_mbid", sa.Text(), nullable=True)),
)
_TABLES = ("exclusions", "events", "playlists", "playlist_entries")


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    _create_exclusions()
    _create_events()
    _create_playlists()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    for table, column in reversed(_COLUMNS):
        # Not op.drop_column in a batch, which would copy the table.
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column.name}")


def _create_exclusions() -> None:
    op.create_table(
        "exclusions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=True),
        sa.Column("library_id", sa.Integer(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        _reference("exclusions", "track_id", "tracks"),
        _reference("exclusions", "library_id", "libraries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusions")),
        sqlite_autoincrement=True,
    )
    _index("exclusions", "track_id")


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        _reference("events", "track_id", "tracks"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint(
            *("user_name", "at", "track_id", "kind", "source"),
            name=op.f("uq_events_user_name_at_track_id_kind_source"),
        ),
    )
    _index("events", "track_id")


def _create_playlists() -> None:
    op.create_table(
        "playlists",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("recipe", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("absolute", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlists")),
        sa.UniqueConstraint("user_name", "name", name=op.f("uq_playlists_user_name_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "playlist_entries",
        sa.Column("playlist_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("track_id", sa.Integer(), nullable=False),
        _reference("playlist_entries", "playlist_id", "playlists"),
        _reference("playlist_entries", "track_id", "tracks"),
        sa.PrimaryKeyConstraint("playlist_id", "position", name=op.f("pk_playlist_entries")),
    )
    _index("playlist_entries", "track_id")


def _reference(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    """A row goes with the row that it refers to."""
    name = op.f(f"fk_{table}_{column}_{of}")
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=name, ondelete="CASCADE")


def _index(table: str, column: str) -> None:
    """Without it, each track that is dropped would take a look at every row."""
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
