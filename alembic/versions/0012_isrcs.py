"""International Standard Recording Codes of tracks.

The column is added in place and empty: ingest fills it where it reads tags anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tracks", sa.Column("isrcs", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    # Not op.drop_column in a batch, which would copy the table.
    op.execute("ALTER TABLE tracks DROP COLUMN isrcs")
