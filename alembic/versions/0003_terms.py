"""Tables, columns and states get the field's names; no embedding is copied or computed again.

SQLite renames tables and columns in place (since 3.25), so the table of the embeddings is not
rewritten. It cannot rename constraints: those of that table keep their old names there; on
PostgreSQL they get the new ones.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("catalog", "active_listening", "analysis_settings"),
    ("spaces", "hearing", "analysis"),
    ("tracks", "digest", "content_hash"),
    ("tracks", "whole_digest", "file_hash"),
    ("analyses", "heard_at", "analysed_at"),
    ("analyses", "heard_by", "analysed_by"),
    ("projections", "made_at", "stored_at"),
)

_CONSTRAINTS = (
    ("analyses", "pk_hearings", "pk_analyses"),
    ("analyses", "fk_hearings_track_id_tracks", "fk_analyses_track_id_tracks"),
    ("analyses", "fk_hearings_space_id_spaces", "fk_analyses_space_id_spaces"),
)

_DETAILS = (
    ("closeness", "similarity_calibration"),
    ("same_recording", "duplicate_threshold"),
    ("half", "midpoint"),
)
"""Keys of the facts stored with the models' own projections; their values are numbers."""


def upgrade() -> None:
    op.rename_table("hearings", "analyses")
    for table, old, new in _COLUMNS:
        _rename_column(table, old, new)
    for table, old, new in _CONSTRAINTS:
        _rename_constraint(table, old, new)
    _rename_unique("hearing", "analysis", column="analysis")
    op.execute("UPDATE tracks SET state = 'analysed' WHERE state = 'heard'")
    for old, new in _DETAILS:
        _rename_detail(old, new)


def downgrade() -> None:
    # Schema 0002 has no unavailable tracks: those of an absent folder stayed as they were.
    op.execute("UPDATE tracks SET state = 'heard' WHERE state IN ('analysed', 'unavailable')")
    for old, new in _DETAILS:
        _rename_detail(new, old)
    _rename_unique("analysis", "hearing", column="analysis")
    for table, old, new in _CONSTRAINTS:
        _rename_constraint(table, new, old)
    for table, old, new in _COLUMNS:
        _rename_column(table, new, old)
    op.rename_table("analyses", "hearings")


def _rename_column(table: str, old: str, new: str) -> None:
    # Not op.alter_column: its batch mode would copy the whole table.
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def _is_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _rename_constraint(table: str, old: str, new: str) -> None:
    if _is_postgresql():
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}")


def _rename_unique(old: str, new: str, column: str) -> None:
    old, new = (f"uq_spaces_model_weights_{name}" for name in (old, new))
    if _is_postgresql():
        _rename_constraint("spaces", old, new)
        return
    # SQLite copies the table, which has a few rows only.
    with op.batch_alter_table("spaces") as batch:
        batch.drop_constraint(old, type_="unique")
        batch.create_unique_constraint(new, ["model", "weights", column])


def _rename_detail(old: str, new: str) -> None:
    renamed = f"""replace(CAST(details AS TEXT), '"{old}":', '"{new}":')"""
    if _is_postgresql():
        renamed = f"CAST({renamed} AS JSON)"
    op.execute(f"UPDATE projections SET details = {renamed} WHERE origin = 'model'")
