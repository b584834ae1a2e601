"""Several hosts: where each sees a library, and which files its ingests have claimed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = ("library_roots", "leases", "claims")


def upgrade() -> None:
    op.create_table(
        "library_roots",
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("mount_point", sa.Text(), nullable=True),
        sa.Column("linked_folders", sa.Text(), nullable=True),
        _reference("library_roots", "library_id", "libraries"),
        sa.PrimaryKeyConstraint("library_id", "host", name=op.f("pk_library_roots")),
    )
    op.create_table(
        "leases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_leases_expires_at"), "leases", ["expires_at"])
    op.create_table(
        "claims",
        sa.Column("library_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("lease_id", sa.Integer(), nullable=False),
        _reference("claims", "library_id", "libraries"),
        _reference("claims", "lease_id", "leases"),
        sa.PrimaryKeyConstraint("library_id", "path", name=op.f("pk_claims")),
    )
    # Without it, each lease that ends would take a look at every row.
    op.create_index(op.f("ix_claims_lease_id"), "claims", ["lease_id"])


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _reference(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    """A row goes with the row that it refers to."""
    name = op.f(f"fk_{table}_{column}_{of}")
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=name, ondelete="CASCADE")
