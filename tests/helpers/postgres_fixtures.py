"""Fixtures of catalogues on a PostgreSQL server; tests that use them are marked ``postgres``."""

from collections.abc import Iterator

import pytest
from postgres_server import PostgresServer, why_none


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of a process; skips where none can be started."""
    reason = why_none()
    if reason is not None:
        pytest.skip(reason)
    server = PostgresServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty catalogue of its own for a test."""
    url = postgres_server.catalogue()
    yield url
    postgres_server.drop(url)
