"""Sounds and pictures for the page's elements: who may load them, and by what."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recommender.server.media_key import VALID_S, MediaKey
from recommender.server.users import UserStore

API = "/api/v1"


def opened(guarded: Any) -> str:
    """The cookie that a session gives."""
    headers = {"Authorization": f"Bearer {guarded.secrets.api_key}"}
    answer = guarded.client.post(f"{API}/media-session", headers=headers)
    assert answer.status_code == 204
    return str(answer.headers["set-cookie"])


def test_on_loopback_nothing_is_needed(reader: TestClient, ids: dict[str, int]) -> None:
    track = next(iter(ids.values()))
    assert reader.get(f"/web/media/{track}/file").status_code == 200
    assert reader.get(f"/web/media/{track}/cover").status_code in (200, 204)
    assert "set-cookie" not in reader.post(f"{API}/media-session").headers


def test_the_cookie_is_out_of_reach_and_opens_media_alone(
    guarded: Any, ids: dict[str, int]
) -> None:
    track = next(iter(ids.values()))
    guarded.client.cookies.clear()
    assert guarded.client.post(f"{API}/media-session").status_code == 401
    assert guarded.client.get(f"/web/media/{track}/file").status_code == 401
    cookie = opened(guarded)
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "Path=/web/media" in cookie
    for secret in (guarded.secrets.api_key, guarded.secrets.token, guarded.secrets.password):
        assert secret not in cookie
    value = {"Cookie": cookie.split(";")[0]}
    guarded.client.cookies.clear()
    part = guarded.client.get(f"/web/media/{track}/file", headers={**value, "Range": "bytes=0-9"})
    assert part.status_code == 206
    assert len(part.content) == 10
    for method, path in (("GET", f"{API}/tracks"), ("POST", f"{API}/ingests")):
        assert guarded.client.request(method, path, headers=value).status_code == 401
    guarded.client.cookies.clear()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_embed_nothing(reader: TestClient, ids: dict[str, int], site: str) -> None:
    track = next(iter(ids.values()))
    foreign = reader.get(f"/web/media/{track}/file", headers={"Sec-Fetch-Site": site})
    assert foreign.status_code == 403
    own = reader.get(f"/web/media/{track}/file", headers={"Sec-Fetch-Site": "same-origin"})
    assert own.status_code == 200


def test_a_forged_cookie_opens_nothing(guarded: Any, ids: dict[str, int]) -> None:
    track = next(iter(ids.values()))
    guarded.client.cookies.clear()
    other = MediaKey().signed("anna", 2e9)
    name = opened(guarded).partition("=")[0]
    guarded.client.cookies.clear()
    for value in (other, "anna|99999999999|", "", "x", "anna", "|||"):
        headers = {"Cookie": f"{name}={value}"}
        assert guarded.client.get(f"/web/media/{track}/file", headers=headers).status_code == 401


def test_a_key_signs_for_a_time() -> None:
    key = MediaKey()
    value = key.signed("anna", 1000)
    assert key.user_of(value, 1000) == "anna"
    assert key.user_of(value, 1000 + VALID_S) is None
    assert key.user_of(value.replace("anna", "bela"), 1000) is None
    assert MediaKey().user_of(value, 1000) is None


def test_a_removed_user_loads_nothing_more_be_it_added_anew(
    serve: Any, database: Path, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recommender.server.users._LOOK_S", 0.0)
    store = UserStore(database.with_name("catalog.db.users.json"))
    secret = store.add("anna").api_key
    store.add("bela")
    client = serve()
    client.post(f"{API}/media-session", headers={"X-API-Key": secret})
    track = next(iter(ids.values()))
    assert client.get(f"/web/media/{track}/file").status_code == 200
    store.remove("anna")
    assert client.get(f"/web/media/{track}/file").status_code == 401
    store.add("anna")
    assert client.get(f"/web/media/{track}/file").status_code == 401
