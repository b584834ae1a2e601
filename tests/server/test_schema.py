"""Every operation of the OpenAPI document, with drawn requests: no 5xx, answers as documented."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from serving_process import server_process

from recommender.server.examples import EXAMPLES

DRAWN = 25
WITHOUT = {
    *("get /", "get /api/health", "get /api/active_tasks", "get /api/last_task"),
    "get /api/v1/genres",
}
"""Operations whose answers are plain objects."""


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
            max_examples=DRAWN,
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


def reached(document: dict[str, Any], part: object, seen: set[str]) -> Iterator[dict[str, Any]]:
    """The schemas in a part of the document, and those that they refer to."""
    if isinstance(part, list):
        for one in part:
            yield from reached(document, one, seen)
    elif isinstance(part, dict):
        yield part
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            yield from reached(document, document["components"]["schemas"][name], seen)
        for one in part.values():
            yield from reached(document, one, seen)


def test_operations_have_examples_that_are_valid(reader: Any) -> None:
    """In what they take or give, save where that is no JSON or a plain object."""
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    document = reader.get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    for name, example in EXAMPLES.items():
        assert name in schemas
        assert schemas[name]["example"] == example
        validator({"$ref": f"#/components/schemas/{name}", **document}).validate(example)
    lacking = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            contents = [
                content.get("schema", {})
                for status, answer in operation["responses"].items()
                if status.startswith("2")
                for kind, content in answer.get("content", {}).items()
                if kind == "application/json"
            ]
            parts = [part for schema in contents for part in reached(document, schema, set())]
            if parts and not any("example" in part for part in parts):
                lacking.add(f"{method} {path}")
    assert lacking <= WITHOUT
