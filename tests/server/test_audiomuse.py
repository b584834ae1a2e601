"""The AudioMuse-compatible routes keep to the recorded contract."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recommender.catalog import Catalog
from recommender.catalog.server_records import RemoteKind, RemoteName, RemoteTrack
from recommender.recommendation.mix_request import MixRequest, SeedSet
from recommender.server.music_library import artist_id_of
from recommender.server.similarities import falling

CONTRACT: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("audiomuse_contract.json").read_text(encoding="utf-8")
)
NAMES = [one["name"] for one in CONTRACT]


def filled(template: Any, ids: dict[str, int]) -> Any:
    """A part of a request with the ids of this catalogue."""
    text = json.dumps(template)
    places = {
        "one": str(ids["First Light"]),
        "four": str(ids["Fourth"]),
        "anna": artist_id_of("Anna"),
    }
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


def matches(value: Any, shape: Any) -> bool:
    if isinstance(shape, dict):
        return value.keys() == shape.keys() and all(matches(value[k], shape[k]) for k in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(matches(one, shape[0]) for one in value)
    if shape == "distance":
        return isinstance(value, float) and 0 <= value <= 1
    if shape.endswith("?") and value is None:
        return True
    kinds = {"str": str, "number": int | float, "flag": bool}
    return isinstance(value, kinds[shape.removesuffix("?")])


def asked(client: TestClient, one: dict[str, Any], ids: dict[str, int]) -> Any:
    return client.request(
        one.get("method", "GET"),
        filled(one["path"], ids),
        json=filled(one["body"], ids) if "body" in one else None,
        headers=one.get("headers"),
    )


@pytest.mark.parametrize("one", CONTRACT, ids=NAMES)
def test_a_route_answers_as_recorded(
    reader: TestClient, ids: dict[str, int], one: dict[str, Any]
) -> None:
    answer = asked(reader, one, ids)
    assert answer.status_code == one["status"], answer.text
    found = answer.json()
    assert matches(found, one["answer"]), answer.text
    if "length" in one:
        assert len(found) == one["length"]


@pytest.mark.parametrize("one", CONTRACT, ids=NAMES)
def test_a_route_needs_the_token_unless_it_is_open(
    guarded: Any, ids: dict[str, int], one: dict[str, Any]
) -> None:
    client = guarded.client
    answer = asked(client, one, ids)
    if one.get("open"):
        assert answer.status_code == one["status"]
        return
    assert answer.status_code == 401
    assert answer.json().keys() == {"error"}
    assert answer.headers["www-authenticate"].startswith("Bearer")
    for secret, status in (("wrong", 401), (guarded.secrets.token, one["status"])):
        given = {**one, "headers": {**one.get("headers", {}), "Authorization": f"Bearer {secret}"}}
        assert asked(client, given, ids).status_code == status


def test_distances_rise_along_a_list_and_a_path_has_its_ends(
    reader: TestClient, ids: dict[str, int]
) -> None:
    first, fourth = ids["First Light"], ids["Fourth"]
    found = reader.get(f"/api/similar_tracks?item_id={first}&n=200").json()
    distances = [one["distance"] for one in found]
    assert distances == sorted(distances)
    assert str(first) not in [one["item_id"] for one in found]
    path = reader.get(f"/api/find_path?start_song_id={first}&end_song_id={fourth}").json()["path"]
    assert (path[0]["item_id"], path[-1]["item_id"]) == (str(first), str(fourth))


def test_linked_ids_are_used_both_ways(
    client: TestClient, database: Path, ids: dict[str, int]
) -> None:
    linked = {title: f"mf-{track_id}" for title, track_id in ids.items() if title != "Third"}
    with Catalog.open(database) as catalog:
        server = catalog.save_server("home", "navidrome", "http://navidrome.invalid")
        tracks = [RemoteTrack(linked[title], ids[title], "path") for title in linked]
        names = [RemoteName(RemoteKind.ARTIST, f"ar-{name}", name) for name in ("Anna", "Bela")]
        catalog.set_remote_ids(server.id, tracks, names, {"unmatched": 1})
    found = client.get("/api/similar_tracks", params={"item_id": linked["First Light"]}).json()
    assert {one["item_id"] for one in found} <= set(linked.values())
    assert found
    own = client.get("/api/similar_tracks", params={"item_id": ids["First Light"]})
    assert own.status_code == 404
    artists = client.get("/api/similar_artists?artist=ar-Anna").json()
    assert "ar-Bela" in [one["artist_id"] for one in artists]
    words = client.get("/api/search_tracks?search_query=third").json()
    assert words == []  # the server has no such track
    stored = client.post(
        "/api/create_playlist",
        json={"playlist_name": "From a player", "track_ids": [linked["Fourth"]]},
    ).json()
    shown = client.get(f"/api/v1/playlists/{stored['playlist_id']}").json()
    assert shown["playlist"]["track_ids"] == [ids["Fourth"]]


def test_a_playlist_does_not_replace_a_recipe(
    client: TestClient, database: Path, ids: dict[str, int]
) -> None:
    recipe = MixRequest("mix", SeedSet((ids["Third"],))).as_dict()
    with Catalog.open(database) as catalog:
        catalog.save_playlist("Evening", [ids["Third"]], recipe=recipe)
    body = {"playlist_name": "Evening", "track_ids": [str(ids["Fourth"])]}
    assert client.post("/api/create_playlist", json=body).status_code == 400
    with Catalog.open(database) as catalog:
        assert catalog.playlist("Evening").track_ids == (ids["Third"],)


def test_falling_values_are_the_nearest_that_fall() -> None:
    assert falling([0.9, 0.5, 0.7, 0.2]) == pytest.approx([0.9, 0.6, 0.6, 0.2])
    assert falling([-0.5, 1.5]) == pytest.approx([0.5, 0.5])
    assert falling([]) == []


def test_synchronisation_goes_page_by_page(reader: TestClient, ids: dict[str, int]) -> None:
    whole = reader.get("/api/sync?limit=500").json()
    assert not whole["has_more"]
    seen, page, more = [], 0, True
    while more:
        page += 1
        found = reader.get(f"/api/sync?limit=2&page={page}").json()
        seen += found["tracks"]
        more = found["has_more"]
    assert seen == whole["tracks"]
    first = str(ids["First Light"])
    (one,) = reader.get(f"/api/sync?ids={first}&include_embeddings=true").json()["tracks"]
    assert one["id"] == first
    assert sum(value**2 for value in one["embedding"]) == pytest.approx(1, abs=1e-3)
