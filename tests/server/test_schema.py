"""Every operation of the OpenAPI document, with drawn requests: no 5xx, answers as documented."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from serving_process import server_process

EXAMPLES = 25


@pytest.fixture(scope="module")
def address(music: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server that runs."""
    copy = shutil.copy(music.database, tmp_path_factory.mktemp("drawn") / "catalog.db")
    with server_process(database=Path(copy)) as server:
        yield server.line()


@pytest.mark.slow
def test_operations_answer_as_documented(address: str) -> None:
    schemathesis = pytest.importorskip("schemathesis")
    from schemathesis import checks
    from schemathesis.specs.openapi import checks as openapi

    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
    wanted = [
        checks.not_a_server_error,
        openapi.status_code_conformance,
        openapi.content_type_conformance,
        openapi.response_schema_conformance,
    ]
    failures = {}
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 40
    for operation in operations:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def answers_as_documented(case: Any) -> None:
            case.call_and_validate(checks=wanted, timeout=60)

        try:
            answers_as_documented()
        except (Exception, BaseExceptionGroup) as error:
            failures[operation.label] = str(error)[:1500]
    assert not failures, "\n\n".join(f"{name}:\n{text}" for name, text in failures.items())
