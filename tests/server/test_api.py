"""The interface for programs: what it gives, page by page, and to whom."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from recommender.catalog import Catalog
from recommender.playlists.files import read_playlist
from recommender.recommendation.filters import Filters
from recommender.recommendation.mix_request import Length, MixRequest, SeedSet
from recommender.recommendation.service import SimilarityService
from recommender.server.users import UserStore

API = "/api/v1"


def every_item(client: TestClient, address: str) -> list[dict[str, Any]]:
    """The items of all pages."""
    items: list[dict[str, Any]] = []
    following: str | None = address
    while following is not None:
        page = client.get(following).json()
        assert page["items"]
        items += page["items"]
        following = page["next"]
    return items


def test_lists_are_explained_and_weighed_on_request(
    reader: TestClient, ids: dict[str, int]
) -> None:
    address = f"{API}/tracks/{ids['First Light']}/similar"
    plain = reader.get(address).json()["items"]
    for one, same in zip(reader.get(f"{address}?why=true").json()["items"], plain, strict=True):
        assert one["track"] == same["track"]
        assert sum(one["why"]["groups"].values()) == pytest.approx(one["similarity"], abs=1e-6)
        assert one["why"]["words"]
    weighed = reader.get(f"{address}?more=rhythm&more=rhythm&less=timbre&why=true").json()["items"]
    assert {one["track"]["id"] for one in weighed} == {one["track"]["id"] for one in plain}
    assert all("weights" in one["why"]["reranking"] for one in weighed)
    assert reader.get(f"{address}?more=mood").status_code == 422


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pages_together_are_all_tracks(reader: TestClient, ids: dict[str, int], limit: int) -> None:
    found = every_item(reader, f"{API}/tracks?limit={limit}")
    assert [one["id"] for one in found] == sorted(ids.values())
    assert len(every_item(reader, f"{API}/search?q=a&limit={limit}")) >= 3
    artists = every_item(reader, f"{API}/artists?limit={limit}")
    assert {"Anna", "Bela"} <= {one["name"] for one in artists}


def test_a_list_is_that_of_the_library(reader: TestClient, ids: dict[str, int], music: Any) -> None:
    seed = ids["First Light"]
    with SimilarityService.open(music.database) as service:
        expected = service.recommend(seed, 5, Filters(per_artist=1))
        radio = service.mix(MixRequest("radio", SeedSet((seed,)), length=Length(4)))
        order = service.mix(MixRequest("order", SeedSet(tuple(ids.values()))))
    answer = reader.get(f"{API}/tracks/{seed}/similar?k=5&per_artist=1").json()
    found = [(one["track"]["id"], one["similarity"]) for one in answer["items"]]
    assert found == [(one.track.id, one.similarity) for one in expected.neighbours]
    assert answer["seed"]["track"]["id"] == seed
    assert {one["why"] for one in answer["items"]} == {None}
    wanted: dict[str, Any] = {"seeds": {"like": [seed]}, "length": {"tracks": 4}}
    answer = reader.post(f"{API}/radio", json=wanted).json()
    assert [one["track"]["id"] for one in answer["items"]] == [
        entry.track.id for entry in radio.entries
    ]
    assert answer["left_out"] == dict(radio.left_out)
    answer = reader.post(f"{API}/order", json={"track_ids": list(ids.values())}).json()
    assert [one["track"]["id"] for one in answer["items"]] == [
        entry.track.id for entry in order.entries
    ]


def test_mixes_paths_and_lists_to_grow(reader: TestClient, ids: dict[str, int]) -> None:
    one, other = ids["First Light"], ids["Fourth"]
    seeds = {"like": [one], "unlike": [other]}
    for kind in ("mix", "similar"):
        mix = reader.post(f"{API}/{kind}", json={"seeds": seeds, "length": {"tracks": 3}}).json()
        assert len(mix["items"]) == 3
        assert not {one, other} & {entry["track"]["id"] for entry in mix["items"]}
    path = reader.post(f"{API}/path", json={"start": one, "end": other, "steps": 3}).json()
    assert [path["items"][at]["track"]["id"] for at in (0, -1)] == [one, other]
    grown = reader.post(f"{API}/grow", json={"seeds": {"like": [one]}, "threshold": -1}).json()
    assert one not in {entry["track"]["id"] for entry in grown["items"]}
    assert grown["items"]


def test_artists_and_albums_have_their_tracks(reader: TestClient, ids: dict[str, int]) -> None:
    albums = {one["name"]: one for one in every_item(reader, f"{API}/albums")}
    lights = reader.get(f"{API}/albums/{albums['Lights']['id']}").json()
    assert [track["title"] for track in lights["tracks"]] == ["First Light", "Second Light"]
    assert (lights["album"]["year"], lights["album"]["artist"]) == (1999, "Anna")
    anna = reader.get(f"{API}/artists/{lights['album']['artist_id']}").json()
    assert anna["artist"] == {**anna["artist"], "name": "Anna", "tracks": 3, "albums": 1}
    assert [album["name"] for album in anna["albums"]] == ["Lights"]
    similar = reader.get(f"{API}/artists/{lights['album']['artist_id']}/similar?k=5").json()
    assert "Bela" in {one["name"] for one in similar["items"]}
    for one in similar["items"]:
        assert reader.get(f"{API}/artists/{one['id']}").status_code == 200
    first = ids["First Light"]
    for address in (f"tracks/{first}/similar-albums", f"albums/{lights['album']['id']}/similar"):
        for one in reader.get(f"{API}/{address}").json()["items"]:
            assert reader.get(f"{API}/albums/{one['id']}").status_code == 200


def test_duplicates_come_with_their_evidence(reader: TestClient, ids: dict[str, int]) -> None:
    groups = every_item(reader, f"{API}/duplicates")
    copies = {ids["plain"], ids["copy"]}
    assert copies in [{track["id"] for track in group["tracks"]} for group in groups]
    assert all(group["evidence"][0]["same_sound"] in (True, False) for group in groups)
    assert reader.get(f"{API}/duplicates?minimum=-1").status_code == 400


def test_an_upload_is_recognised_and_a_damaged_one_refused(reader: TestClient, music: Any) -> None:
    content = (music.folder / "three.ogg").read_bytes()
    answer = reader.post(f"{API}/similar/upload?k=3", files={"file": ("x.ogg", content)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["seed"]["title"] == "Third"
    assert len(answer.json()["items"]) == 3
    for damaged in (b"", b"no sound", content[:200], b"\0" * 100_000):
        refused = reader.post(f"{API}/similar/upload", files={"file": ("x.ogg", damaged)})
        assert refused.status_code == 422
        assert refused.headers["content-type"] == "application/problem+json"
        assert "/tmp" not in refused.text
    assert reader.get("/readyz").status_code == 200


def test_answers_have_entity_tags_that_change_with_the_catalogue(
    client: TestClient, database: Path, ids: dict[str, int]
) -> None:
    seed = ids["First Light"]
    addresses = [
        f"{API}/tracks",
        f"{API}/tracks/{seed}",
        f"{API}/tracks/{seed}/similar",
        f"{API}/status",
        f"{API}/artists",
        f"{API}/search?q=light",
    ]
    tags = {}
    for address in addresses:
        tags[address] = client.get(address).headers["etag"]
        again = client.get(address, headers={"If-None-Match": f'"x", {tags[address]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tags[address]
    assert len(set(tags.values())) == len(tags)
    with Catalog.open(database) as catalog, catalog.writing() as write:
        write.missing([ids["Second Light"]])
    for address in addresses:
        changed = client.get(address, headers={"If-None-Match": tags[address]})
        assert changed.status_code == 200, address
    listed = client.get(f"{API}/tracks/{seed}/similar").json()["items"]
    assert ids["Second Light"] not in [one["track"]["id"] for one in listed]


def test_lists_repeat_neither_what_was_played_nor_playlists(
    client: TestClient, ids: dict[str, int]
) -> None:
    seeds = {"like": [ids["Third"]]}

    def listed(**rules: Any) -> set[int]:
        answer = client.post(f"{API}/mix", json={"seeds": seeds, "rules": rules})
        assert answer.status_code == 200, answer.text
        return {one["track"]["id"] for one in answer.json()["items"]}

    first, second = ids["First Light"], ids["Second Light"]
    assert {first, second} <= listed()
    client.post(f"{API}/history", json={"kind": "play", "track_id": first})
    saved = client.post(f"{API}/playlists", json={"name": "Queue", "track_ids": [second]}).json()
    queue = saved["playlist"]["id"]
    assert {first, second}.isdisjoint(listed(not_played=7, previous_playlists=[queue]))
    missing = {"seeds": seeds, "rules": {"previous_playlists": [999]}}
    assert client.post(f"{API}/mix", json=missing).status_code == 404


def test_playlists_are_the_users_own_or_shared(
    serve: Callable[..., TestClient], database: Path, ids: dict[str, int]
) -> None:
    with Catalog.open(database) as catalog:
        shared = catalog.save_playlist("Everybody's", [ids["Third"]])
    store = UserStore(database.with_name("catalog.db.users.json"))
    keys = {name: {"X-API-Key": store.add(name).api_key} for name in ("anna", "bela")}
    client = serve()
    wanted = {"name": "Mine", "track_ids": [ids["Fourth"], ids["Third"]], "comment": "slow"}
    made = client.post(f"{API}/playlists", json=wanted, headers=keys["anna"])
    assert made.status_code == 201
    own = made.json()["playlist"]["id"]
    assert [track["id"] for track in made.json()["tracks"]] == wanted["track_ids"]
    seen = {
        name: [one["name"] for one in client.get(f"{API}/playlists", headers=key).json()["items"]]
        for name, key in keys.items()
    }
    assert seen == {"anna": ["Mine", "Everybody's"], "bela": ["Everybody's"]}
    one = f"{API}/playlists/{own}"
    assert client.get(one, headers=keys["bela"]).status_code == 404
    assert client.delete(one, headers=keys["bela"]).status_code == 404
    changed = client.put(f"{one}/tracks", json={"track_ids": [ids["Third"]]}, headers=keys["anna"])
    assert changed.json()["playlist"]["track_ids"] == [ids["Third"]]
    unknown = client.put(f"{one}/tracks", json={"track_ids": [999_999]}, headers=keys["anna"])
    assert unknown.status_code == 404
    assert client.delete(one, headers=keys["anna"]).status_code == 204
    assert client.get(one, headers=keys["anna"]).status_code == 404
    both = [client.get(f"{API}/playlists/{shared.id}", headers=key) for key in keys.values()]
    assert [answer.status_code for answer in both] == [200, 200]


def test_a_list_by_hand_does_not_replace_a_recipe(
    client: TestClient, database: Path, ids: dict[str, int]
) -> None:
    recipe = MixRequest("mix", SeedSet((ids["First Light"],))).as_dict()
    file = database.with_name("evening.m3u8")
    with Catalog.open(database) as catalog:
        catalog.save_playlist("Made", [ids["Third"]], recipe=recipe)
        catalog.save_playlist("Filed", [ids["Third"]], target=file)
    wanted = {"name": "Made", "track_ids": [ids["Fourth"]]}
    refused = client.post(f"{API}/playlists", json=wanted)
    assert (refused.status_code, "recipe" in refused.text) == (400, True)
    assert client.post(f"{API}/playlists", json=wanted | {"name": "Filed"}).status_code == 201
    with Catalog.open(database) as catalog:
        assert catalog.playlist("Made").recipe is not None
        assert catalog.playlist("Filed").target == file
        assert [track.id for track in read_playlist(catalog, file).tracks] == [ids["Fourth"]]


def test_a_recipe_is_run(client: TestClient, database: Path, ids: dict[str, int]) -> None:
    seeds = SeedSet((ids["First Light"],))
    recipe = MixRequest("mix", seeds, length=Length(2)).as_dict()
    with Catalog.open(database) as catalog:
        made = catalog.save_playlist("Made", [], recipe=recipe)
        by_hand = catalog.save_playlist("By hand", [ids["Third"]])
        lost = catalog.save_playlist(
            "Lost", [ids["Third"]], recipe=recipe, target=database / "no folder.m3u"
        )
    answer = client.post(f"{API}/playlists/{made.id}/run")
    assert answer.status_code == 200
    listed = [entry["track"]["id"] for entry in answer.json()["items"]]
    shown = client.get(f"{API}/playlists/{made.id}").json()["playlist"]
    assert shown["track_ids"] == listed
    assert shown["run_at"] is not None
    for refused in (by_hand, lost):
        answer = client.post(f"{API}/playlists/{refused.id}/run")
        assert answer.status_code == 422
        assert str(database) not in answer.text
        kept = client.get(f"{API}/playlists/{refused.id}").json()["playlist"]["track_ids"]
        assert kept == [ids["Third"]]


def test_history_and_exclusions_are_stored(client: TestClient, ids: dict[str, int]) -> None:
    event = {"kind": "like", "track_id": ids["Third"], "at": "2026-01-02T03:04:05Z"}
    assert client.post(f"{API}/history", json=event).json()["is_new"] is True
    assert client.post(f"{API}/history", json=event).json()["is_new"] is False
    assert client.post(f"{API}/history", json={**event, "kind": "play"}).status_code == 201
    found = client.get(f"{API}/history?kind=like").json()
    assert [(one["kind"], one["track_id"]) for one in found["items"]] == [("like", ids["Third"])]
    made = client.post(f"{API}/exclusions", json={"kind": "artist", "value": "anna"})
    assert made.status_code == 201
    radio = client.post(f"{API}/radio", json={"seeds": {"like": [ids["Fourth"]]}}).json()
    assert "Anna" not in [one["track"]["artist"] for one in radio["items"]]
    assert radio["left_out"]["excluded"] == 3
    address = f"{API}/exclusions/{made.json()['exclusion']['id']}"
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 404
    assert client.get(f"{API}/exclusions").json()["items"] == []


def test_paths_are_shown_only_where_that_is_set(
    serve: Callable[..., TestClient], reader: TestClient, ids: dict[str, int], music: Any
) -> None:
    pages = ("tracks", "status", "search?q=light", "duplicates", f"tracks/{ids['Third']}/similar")
    for address in pages:
        text = reader.get(f"{API}/{address}").text
        assert str(music.folder) not in text
        assert '"path":null' in text or '"path"' not in text
    shown = serve(show_paths=True).get(f"{API}/tracks/{ids['Third']}").json()["track"]
    assert (shown["path"], shown["file"]) == ("three.ogg", str(music.folder / "three.ogg"))


def test_the_openapi_document_has_examples_and_problems(reader: TestClient) -> None:
    document = reader.get(f"{API}/openapi.json").json()
    assert {"/api/v1/tracks", "/api/v1/radio", "/api/similar_tracks"} <= document["paths"].keys()
    names = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    assert len(names) == len(set(names))
    assert "application/problem+json" in json.dumps(document["paths"][f"{API}/radio"])
    assert document["components"]["schemas"]["SimilarList"]["example"]["items"]
    assert document["components"]["securitySchemes"]
    undocumented = [
        path
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if not operation.get("description")
    ]
    assert not undocumented


def test_health_readiness_and_figures(reader: TestClient) -> None:
    assert reader.get("/healthz").json() == {"status": "ok"}
    assert reader.get("/readyz").json() == {"status": "ready"}
    reader.get(f"{API}/tracks/4711")
    text = reader.get("/metrics").text
    assert "recsys_tracks 10.0" in text or "recsys_tracks 11.0" in text
    assert 'route="/api/v1/tracks/{track_id}",status="404"' in text
    assert "4711" not in text


def test_a_base_path_is_before_every_route(
    serve: Callable[..., TestClient], ids: dict[str, int]
) -> None:
    client = serve(base_path="/recsys")
    assert client.get("/recsys/readyz").status_code == 200
    page = client.get(f"/recsys{API}/tracks?limit=1").json()
    assert page["next"].startswith(f"/recsys{API}/tracks?")
    assert client.get(page["next"]).status_code == 200
    assert client.get(f"/recsys/api/similar_tracks?item_id={ids['Third']}").status_code == 200
    assert client.get("/recsys/", headers={"Accept": "text/html"}).status_code == 200


def test_a_list_of_artists_of_before_is_not_taken_for_one_of_now(
    client: TestClient, database: Path, ids: dict[str, int]
) -> None:
    state = client.app.state.recsys  # type: ignore[attr-defined]
    before = client.get(f"{API}/artists")
    cache = state._music_library
    cache._rest_until = float("inf")  # as while an ingest changes a large catalogue
    with Catalog.open(database) as catalog, catalog.writing() as write:
        write.missing([ids["Fourth"]])
    stale = client.get(f"{API}/artists", headers={"If-None-Match": before.headers["etag"]})
    assert stale.json() == before.json()
    cache._rest_until = 0.0
    fresh = client.get(f"{API}/artists", headers={"If-None-Match": stale.headers["etag"]})
    assert fresh.status_code == 200
    assert "Bela" not in [one["name"] for one in fresh.json()["items"]]
    known = {"If-None-Match": fresh.headers["etag"]}
    assert client.get(f"{API}/artists", headers=known).status_code == 304


def test_musical_descriptors_of_a_track_and_filters_by_them(
    reader: TestClient, ids: dict[str, int]
) -> None:
    first = ids["First Light"]
    found = reader.get(f"/api/v1/tracks/{first}/descriptors").json()["descriptors"]
    assert found["loudness"] < 0
    assert reader.get("/api/v1/tracks/999999/descriptors").status_code == 404
    loud = reader.get(f"/api/v1/tracks/{first}/similar", params={"energy": ">0"}).json()
    assert set(loud["lacking"]) <= {"energy"}
    wrong = reader.get(f"/api/v1/tracks/{first}/similar", params={"tempo": "fast"})
    assert wrong.status_code == 400
    assert "tempo cannot be 'fast'" in wrong.json()["detail"]
    order = {"track_ids": [first, ids["Fourth"]], "by": "tempo-key"}
    assert len(reader.post("/api/v1/order", json=order).json()["items"]) == 2
