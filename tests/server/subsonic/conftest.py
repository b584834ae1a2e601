"""Callers of the methods below ``/rest``."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient


@pytest.fixture(scope="session")
def call() -> Callable[..., dict[str, Any]]:
    """Calls a method by GET, and gives what it answers in JSON."""

    def called(client: TestClient, method: str, **given: Any) -> dict[str, Any]:
        answer = client.get(f"/rest/{method}", params={"f": "json", **given})
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()["subsonic-response"]
        return content

    return called


@pytest.fixture
def code(call: Callable[..., dict[str, Any]]) -> Callable[..., int]:
    """Calls a method that must fail, and gives the error's code."""

    def failed(client: TestClient, method: str, **given: Any) -> int:
        content = call(client, method, **given)
        assert content["status"] == "failed"
        assert content["error"]["message"]
        number: int = content["error"]["code"]
        return number

    return failed
