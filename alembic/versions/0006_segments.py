"""Several tracks of one file, as a cue sheet divides it, and the cue sheets that were read.

SQLite cannot change a constraint, so the table of tracks, without the embeddings, is copied.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COLUMNS = (
    sa.Column("segment", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("segment_start", sa.Double(), nullable=True),
    sa.Column("segment_end", sa.Double(), nullable=True),
)
_ONE_A_FILE = ("uq_tracks_library_id_path", ("library_id", "path"))
_ONE_A_SEGMENT = ("uq_tracks_library_id_path_segment", ("library_id", "path", "segment"))


def upgrade() -> None:
    for column in _COLUMNS:
        op.add_column("tracks", column)
    _replace_unique(_ONE_A_FILE, _ONE_A_SEGMENT)
    op.create_table(
        "cue_sheets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["library_id"], ["libraries.id"], name=op.f("fk_cue_sheets_library_id_libraries")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cue_sheets")),
        sa.UniqueConstraint(
            "library_id", "path", "file", name=op.f("uq_cue_sheets_library_id_path_file")
        ),
    )


def downgrade() -> None:
    op.drop_table("cue_sheets")
    # Schema 0005 has one track for a file: the next ingest analyses those files whole.
    op.execute("DELETE FROM analyses WHERE track_id IN (SELECT id FROM tracks WHERE segment <> 0)")
    op.execute("DELETE FROM tracks WHERE segment <> 0")
    _replace_unique(_ONE_A_SEGMENT, _ONE_A_FILE)
    for column in reversed(_COLUMNS):
        # Not op.drop_column in a batch, which would copy the table once more.
        op.execute(f"ALTER TABLE tracks DROP COLUMN {column.name}")


def _replace_unique(old: tuple[str, tuple[str, ...]], new: tuple[str, tuple[str, ...]]) -> None:
    if op.get_context().dialect.name != "sqlite":
        op.drop_constraint(old[0], "tracks", type_="unique")
        op.create_unique_constraint(new[0], "tracks", list(new[1]))
        return
    last_id = "SELECT seq FROM sqlite_sequence WHERE name = 'tracks'"
    # No id is given twice, not even that of a track which was dropped.
    op.execute("CREATE TEMPORARY TABLE last_track_id AS " + last_id)
    with op.batch_alter_table("tracks", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(old[0], type_="unique")
        batch.create_unique_constraint(new[0], list(new[1]))
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'tracks'")
    op.execute("INSERT INTO sqlite_sequence (name, seq) SELECT 'tracks', seq FROM last_track_id")
    op.execute("DROP TABLE last_track_id")
