"""Musical descriptors of tracks.

The table is empty after the upgrade: the next ingest of a file fills its row, and analyses nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BEFORE_KEY = (
    *("loudness", "loudness_range", "tempo", "tempo_confidence", "second_tempo", "beat_strength"),
)
_BEHIND_KEY = (
    *("key_confidence", "tuning", "energy", "danceability", "acousticness", "brightness"),
    *("percussive", "vocals", "dynamic_complexity", "speech"),
)


def upgrade() -> None:
    op.create_table(
        "musical_descriptors",
        sa.Column("track_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(_number(name) for name in _BEFORE_KEY),
        sa.Column("key", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(8), nullable=True),
        *(_number(name) for name in _BEHIND_KEY),
        sa.ForeignKeyConstraint(
            ["track_id"],
            ["tracks.id"],
            name=op.f("fk_musical_descriptors_track_id_tracks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("track_id", name=op.f("pk_musical_descriptors")),
    )


def downgrade() -> None:
    op.drop_table("musical_descriptors")


def _number(name: str) -> "sa.Column[float]":
    return sa.Column(name, sa.Double(), nullable=True)
