"""What a server accepted reaches the history; what only looks like that does not."""

import pytest

from recommender.server.proxy.history import has_succeeded, names_one_user
from recommender.server.subsonic.parameters import Parameters


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b'{"subsonic-response": {"status": "ok", "version": "1.12.0"}}', True),
        (b'{"subsonic-response": {"status": "failed", "error": {"code": 40}}}', False),
        (b'<subsonic-response xmlns="http://subsonic.org/restapi" status="ok"/>', True),
        (b'<?xml version="1.0"?><subsonic-response status="failed"/>', False),
        (b'status="ok"({"subsonic-response": {"status": "failed"}})', False),
        (b'{"x": "status=\'ok\'"}', False),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a status='ok'>&b;</a>", False),
        (b"", False),
        (b"[" * 100_000, False),
    ],
)
def test_only_a_whole_answer_says_ok(answer: bytes, expected: bool) -> None:
    assert has_succeeded(answer) is expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"u": ["anna"]}, True),
        ({"u": ["anna", "otto"]}, False),
        ({"u": ["anna"], "apiKey": ["x"]}, False),
        ({}, False),
    ],
)
def test_a_call_is_somebodys_only_where_it_names_one_user(
    given: dict[str, list[str]], expected: bool
) -> None:
    assert names_one_user(Parameters(given)) is expected
