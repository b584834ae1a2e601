"""Ingests as jobs, beside queries; the catalogue that changes is served as it is."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import sounds
from fastapi.testclient import TestClient
from serving_process import server_process

from recommender.catalog import Catalog, ProjectionOrigin
from recommender.ingestion import IngestSettings, ingest

API = "/api/v1"


@pytest.fixture
def growing(music: Any, tmp_path: Path) -> tuple[Path, Path]:
    """A music folder of a test's own, with two tracks, and its catalogue."""
    folder = tmp_path / "growing"
    folder.mkdir()
    for name in ("one.flac", "four.ogg"):
        shutil.copy(music.folder / name, folder / name)
    database = tmp_path / "growing.db"
    with Catalog.open(database) as catalog:
        ingest(catalog, folder, IngestSettings(workers=1))
    return folder, database


def followed(client: TestClient, job: int) -> list[tuple[str, dict[str, Any]]]:
    """The events of an ingest, up to its end."""
    events: list[tuple[str, dict[str, Any]]] = []
    with client.stream("GET", f"{API}/ingests/{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                events.append((name, json.loads(value)))
    return events


def test_an_ingest_is_followed_to_its_end_and_its_tracks_are_served(
    serve: Callable[..., TestClient], growing: tuple[Path, Path]
) -> None:
    folder, database = growing
    sounds.write_sound(folder / "new.flac", sounds.music(4, 22_050, 99), 22_050)
    client = serve(database)
    assert len(client.get(f"{API}/tracks").json()["items"]) == 2
    library = client.get(f"{API}/status").json()["libraries"][0]["id"]
    started = client.post(f"{API}/ingests", json={"libraries": [library]})
    assert started.status_code == 202
    job = started.json()["ingest"]["id"]
    events = followed(client, job)
    assert [name for name, _ in events][-1] == "end"
    assert {name for name, _ in events[:-1]} <= {"progress"}
    end = events[-1][1]
    assert (end["state"], end["counts"]["analysed"]) == ("done", 1)
    assert str(folder) not in json.dumps(events)
    titles = [one["title"] for one in client.get(f"{API}/tracks").json()["items"]]
    assert "new" in titles
    seed = client.get(f"{API}/tracks").json()["items"][0]["id"]
    similar = client.get(f"{API}/tracks/{seed}/similar").json()["items"]
    assert "new" in [one["track"]["title"] for one in similar]
    assert client.get(f"{API}/ingests").json()["items"][0]["state"] == "done"
    assert client.get("/api/last_task").json()["status"] == "done"
    assert followed(client, job) == events[-1:]


def test_jobs_wait_for_one_another_and_can_be_ended(
    serve: Callable[..., TestClient], growing: tuple[Path, Path]
) -> None:
    client = serve(growing[1])
    jobs = [client.post(f"{API}/ingests", json={}).json()["ingest"] for _ in range(3)]
    assert len({job["id"] for job in jobs}) <= 2  # what waits already is not queued twice
    last = jobs[-1]["id"]
    assert client.delete(f"{API}/ingests/{last}").status_code == 202
    assert followed(client, last)[-1][1]["state"] in ("interrupted", "done")
    assert client.get(f"{API}/ingests/999").status_code == 404
    assert client.post(f"{API}/ingests", json={"libraries": [77]}).status_code == 404
    assert client.post(f"{API}/ingests", json={"folders": ["/etc"]}).status_code == 422


def test_the_server_ends_although_an_ingest_runs(
    serve: Callable[..., TestClient], growing: tuple[Path, Path]
) -> None:
    client = serve(growing[1])
    client.post(f"{API}/ingests", json={})
    started = time.monotonic()
    client.__exit__(None, None, None)
    assert time.monotonic() - started < 30


def test_another_projection_is_served_without_a_restart(
    serve: Callable[..., TestClient], growing: tuple[Path, Path]
) -> None:
    client = serve(growing[1])
    state = client.app.state.recsys  # type: ignore[attr-defined]
    before = client.get(f"{API}/status").json()
    assert state.holder.renew() is False
    with Catalog.open(growing[1]) as catalog:
        space = catalog.active_space()
        assert space is not None
        from recommender.catalog.projector import catalog_projector

        own = catalog_projector(catalog).own.projection
        turned = type(own)(own.mean, own.matrix[:, ::-1].copy())
        catalog.store_projection(space, ProjectionOrigin.ADAPTED, turned, {})
    assert state.holder.renew() is True
    after = client.get(f"{API}/status").json()
    assert after["space"] != before["space"]
    assert after["adapted"] is True
    assert client.get(f"{API}/tracks").status_code == 200


@pytest.mark.slow
def test_folders_that_are_watched_are_ingested(growing: tuple[Path, Path]) -> None:
    folder, database = growing
    inside = Path(shutil.copy(database, folder / "catalog.db"))  # whose changes are no music
    with server_process("--watch", database=inside) as server:
        address = server.line()
        time.sleep(2)
        sounds.write_sound(folder / "later.flac", sounds.music(4, 22_050, 98), 22_050)
        for _ in range(120):
            with urlopen(f"{address}{API}/search?q=later") as answer:
                found = json.load(answer)["items"]
            if found:
                break
            time.sleep(0.5)
        assert [one["title"] for one in found] == ["later"]
        time.sleep(12)
        with urlopen(f"{address}{API}/ingests") as answer:
            assert len(json.load(answer)["items"]) <= 2
        assert server.stop() == 0
    assert urlsplit(address).port


def test_an_interrupted_server_leaves_the_catalogue_whole(
    music: Any, growing: tuple[Path, Path]
) -> None:
    with server_process(database=growing[1]) as server:
        address = server.line()
        from urllib.request import Request

        request = Request(
            f"{address}{API}/ingests",
            data=b"{}",
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        with urlopen(request) as answer:
            assert answer.status == 202
        assert server.stop() == 0
    with Catalog.open(growing[1]) as catalog:
        assert catalog.counts().analysed == 2
        assert catalog.page_errors() == []
