"""Runs the migrations: on recsys's own connection, or for the command ``alembic`` in a checkout.

There the catalogue is $RECSYS_DB or the platform's default, as everywhere. Revisions are numbered
in four digits: ``alembic revision --rev-id 0004 -m "what changes"``.
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.types import TypeDecorator

from recommender.catalog.engine import catalog_url, make_engine, transaction
from recommender.catalog.schema import Base


def plain_types(kind: str, obj: Any, _: Any) -> str | Literal[False]:
    """Render our column types in migrations as the types that they have in the database."""
    if kind == "type" and isinstance(obj, TypeDecorator):
        return f"sa.{obj.impl!r}"
    return False


SETTINGS: dict[str, Any] = {
    "target_metadata": Base.metadata,
    "render_as_batch": True,
    "render_item": plain_types,
}


def migrate(connection: Connection) -> None:
    """Run the requested migrations in the connection's transaction."""
    context.configure(connection=connection, **SETTINGS)
    context.run_migrations()


def print_sql() -> None:
    """Print the statements for the catalogue's database: ``alembic upgrade head --sql``."""
    context.configure(
        url=catalog_url(), literal_binds=True, dialect_opts={"paramstyle": "named"}, **SETTINGS
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    print_sql()
elif given is not None:
    migrate(given)
else:
    engine = make_engine(catalog_url(), foreign_keys=False)
    with transaction(engine, writes=True) as own:
        migrate(own)
