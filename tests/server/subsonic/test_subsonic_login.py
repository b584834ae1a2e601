"""Keys, tokens with salts and passwords, in addresses and forms."""

import hashlib
from typing import Any

import pytest
from fastapi.testclient import TestClient


def salted(password: str, salt: str) -> str:
    return hashlib.md5((password + salt).encode()).hexdigest()


def test_every_way_to_prove_who_calls(guarded: Any, call: Any) -> None:
    client, secrets = guarded.client, guarded.secrets
    ways = [
        {"u": "anna", "p": secrets.password},
        {"u": "anna", "p": f"enc:{secrets.password.encode().hex()}"},
        {"u": "anna", "t": salted(secrets.password, "c19b2d"), "s": "c19b2d"},
        {"apiKey": secrets.api_key},
    ]
    for way in ways:
        assert call(client, "ping", **way)["status"] == "ok"
        form = client.post("/rest/ping.view", data={"f": "json", **way})
        assert form.json()["subsonic-response"]["status"] == "ok"
        assert call(client, "tokenInfo", **way)["tokenInfo"] == {"username": "anna"}


@pytest.mark.parametrize(
    ("way", "wanted"),
    [
        ({}, 10),
        ({"u": "anna"}, 10),
        ({"u": "anna", "p": "wrong"}, 40),
        ({"u": "anna", "p": "enc:zz"}, 40),
        ({"u": "nobody", "p": ""}, 10),
        ({"u": "nobody", "t": salted("", "salt"), "s": "salt"}, 40),
        ({"u": "anna", "t": salted("wrong", "salt"), "s": "salt"}, 40),
        ({"u": "anna", "t": "ü", "s": "salt"}, 40),
        ({"u": "anna", "t": "0" * 32}, 10),
        ({"u": "anna", "p": "x", "t": "0" * 32, "s": "salt"}, 43),
        ({"apiKey": "wrong"}, 44),
        ({"apiKey": "wrong", "u": "anna"}, 43),
    ],
)
def test_what_proves_nothing_is_an_error_of_the_protocol(
    guarded: Any, code: Any, way: dict[str, str], wanted: int
) -> None:
    for method in ("ping", "getArtists", "stream", "getCoverArt", "getSimilarSongs"):
        assert code(guarded.client, method, id="1", **way) == wanted


def test_the_extensions_need_no_user(guarded: Any, call: Any) -> None:
    found = call(guarded.client, "getOpenSubsonicExtensions")["openSubsonicExtensions"]
    assert {"name": "sonicSimilarity", "versions": [1]} in found


def test_without_users_a_web_page_elsewhere_may_call_nothing(
    reader: TestClient, ids: dict[str, int]
) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://example.org"},
        {"Host": "example.org"},
    ):
        answer = reader.get(f"/rest/star?f=json&id={ids['Third']}", headers=headers)
        assert answer.json()["subsonic-response"]["error"]["code"] == 50
    same = reader.get("/rest/ping?f=json", headers={"Sec-Fetch-Site": "same-origin"})
    assert same.json()["subsonic-response"]["status"] == "ok"


def test_too_large_forms_are_refused(reader: TestClient) -> None:
    answer = reader.post("/rest/ping", data={"songId": "1" * 2_000_000})
    assert answer.status_code == 413
