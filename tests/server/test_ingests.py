"""Ingests as jobs, beside queries; the catalogue that changes is served as it is."""

import asyncio
import io
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import sounds
from fastapi.testclient import TestClient
from media_servers import server_of
from serving_process import server_process

from recommender.catalog import Catalog, Library, ProjectionOrigin
from recommender.errors import CatalogError
from recommender.ingestion import IngestSettings, ingest
from recommender.ingestion.worker_limits import FileLimits
from recommender.server import ingest_process
from recommender.server import watch as watching
from recommender.server.linking.credentials import keep

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
def test_limits_of_files_reach_ingests_and_servers_are_linked_again(
    serve: Callable[..., TestClient], growing: tuple[Path, Path]
) -> None:
    folder, database = growing
    sounds.write_sound(folder / "new.flac", sounds.music(4, 22_050, 99), 22_050)
    songs = [{"id": "s1", "path": "growing/new.flac", "duration": 4.0}]

    def navidrome(path: str, given: dict[str, str], headers: Any, sent: Any) -> Any:
        if path == "/auth/login":
            return {"token": "T"}
        return songs if path == "/api/song" and given["_start"] == "0" else []

    with server_of(navidrome) as address:
        with Catalog.open(database) as catalog:
            for name, url in (("home", address), ("gone", "http://127.0.0.1:9")):
                server = catalog.save_server(name, "navidrome", url, "anna")
                catalog.set_remote_ids(server.id, [], [], {})
                keep(catalog, server, "secret")
        client = serve(database, file_limits=FileLimits(timeout_s=0.0001))
        failed = client.post(f"{API}/ingests", json={}).json()["ingest"]["id"]
        assert followed(client, failed)[-1][1]["counts"]["failed"] == 1
        client.__exit__(None, None, None)
        client = serve(database)
        sounds.write_sound(folder / "new.flac", sounds.music(4, 22_050, 98), 22_050)
        done = client.post(f"{API}/ingests", json={}).json()["ingest"]["id"]
        end = followed(client, done)[-1][1]
    assert (end["state"], end["counts"]["analysed"]) == ("done", 1)
    with Catalog.open(database) as catalog:
        home, gone = sorted(catalog.servers(), key=lambda one: one.name, reverse=True)
        assert len(catalog.tracks_of_remote(home.id, ["s1"])) == 1
        assert not catalog.tracks_of_remote(gone.id, ["s1"])


@pytest.mark.slow
def test_a_job_that_ends_unexpectedly_holds_up_no_other(
    serve: Callable[..., TestClient],
    growing: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = serve(growing[1])
    jobs = client.app.state.recsys.jobs  # type: ignore[attr-defined]
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "_take", lambda job, event: 1 / 0)
        first = client.post(f"{API}/ingests", json={}).json()["ingest"]["id"]
        end = followed(client, first)[-1][1]
        assert (end["state"], "log says why" in end["error"]) == ("failed", True)
    assert "ZeroDivisionError" in caplog.text
    second = client.post(f"{API}/ingests", json={}).json()["ingest"]["id"]
    assert followed(client, second)[-1][1]["state"] == "done"


class Queue:
    """Takes jobs as `IngestJobs` does."""

    def __init__(self) -> None:
        self.jobs: list[tuple[list[Path], list[int]]] = []

    def add(self, folders: list[Path], library_ids: list[int]) -> None:
        self.jobs.append((folders, library_ids))


def test_what_changed_while_nobody_watched_is_found_by_one_ingest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_LOOK_S", 0.05)
    monkeypatch.setattr(watching, "_SETTLE_MS", 100)
    libraries = [Library(number, tmp_path / str(number)) for number in (1, 2, 3)]
    for library in libraries[:2]:
        library.root.mkdir()
    queue, threads, problems = Queue(), set(), iter([OSError("gone"), None, CatalogError("busy")])

    async def known() -> list[Library]:
        if problem := next(problems, None):
            raise problem
        return libraries

    def real_path(path: Path) -> Path:
        threads.add(threading.current_thread())
        return path

    async def session() -> None:
        task = asyncio.create_task(watching.watch(known, None, queue))  # type: ignore[arg-type]
        await until(lambda: len(queue.jobs) == 1)
        await asyncio.sleep(0.3)
        (libraries[1].root / "new.flac").write_bytes(b"x")
        await until(lambda: len(queue.jobs) == 2)
        libraries[2].root.mkdir()  # a disk that is mounted
        await until(lambda: len(queue.jobs) == 3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    monkeypatch.setattr(watching, "real_path", real_path)
    asyncio.run(session())
    roots = [library.root for library in libraries]
    assert [folders for folders, _ in queue.jobs] == [roots[:2], [roots[1]], [roots[2]]]
    assert threading.main_thread() not in threads


def test_folders_that_cannot_be_looked_at_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    answers: list[Any] = [CatalogError("none yet"), CatalogError("none yet"), [], OSError("x")]

    async def known() -> list[Library]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    async def looked() -> list[Any]:
        folders = watching._Folders(known)
        return [await folders.roots() for _ in range(4)]

    assert asyncio.run(looked()) == [None, None, {}, None]
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == ["none yet", "x"]


@pytest.mark.parametrize("breaks", [KeyboardInterrupt, CatalogError])
def test_an_ingest_that_is_broken_off_says_so_in_its_last_line(
    growing: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    breaks: type[BaseException],
) -> None:
    """Also while the index is made, behind the analysis that ends in good order by itself."""

    def broken_off(*_: object) -> None:
        raise breaks("now")

    order = {"database": str(growing[1]), "folders": [], "workers": 1}
    line = json.dumps({**order, "memory_limit_mb": 1024, "timeout_s": 60})
    monkeypatch.setattr(ingest_process, "ingest", broken_off)
    monkeypatch.setattr(ingest_process.os, "nice", lambda _: 0)
    monkeypatch.setattr("sys.stdin", io.StringIO(line + "\n"))
    ingest_process.main()
    end = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert end["event"] == "end"
    if breaks is KeyboardInterrupt:
        assert end == {"event": "end", "interrupted": True, "counts": None, "notes": []}
    else:
        assert end["kind"] == "CatalogError"


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


@pytest.mark.slow
def test_folders_that_are_watched_are_ingested(growing: tuple[Path, Path]) -> None:
    folder, database = growing
    inside = Path(shutil.copy(database, folder / "catalog.db"))  # whose changes are no music
    sounds.write_sound(folder / "before.flac", sounds.music(4, 22_050, 97), 22_050)
    with server_process("--watch", database=inside) as server:
        address = server.line()

        def titles(word: str) -> list[str]:
            for _ in range(120):
                with urlopen(f"{address}{API}/search?q={word}") as answer:
                    if found := json.load(answer)["items"]:
                        return [one["title"] for one in found]
                time.sleep(0.5)
            return []

        assert titles("before") == ["before"]
        sounds.write_sound(folder / "later.flac", sounds.music(4, 22_050, 98), 22_050)
        assert titles("later") == ["later"]
        time.sleep(12)
        with urlopen(f"{address}{API}/ingests") as answer:
            assert len(json.load(answer)["items"]) <= 3
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
