"""Client libraries of others: py-opensonic 10.4.1 (GPL) and knuckles 1.2.0, which read JSON alone,
and pysubsonic 0.1.0, which reads XML alone."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from peers import peer_python
from serving_process import server_process

from recommender.catalog import Catalog
from recommender.server.users import UserStore

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


def session(client: str, *words: str) -> dict[str, Any]:
    """What a session with a client library has found."""
    command = [peer_python(client), HERE / f"{client}_session.py", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("way", ["token", "key"])
def test_py_opensonic_has_a_session(database: Path, ids: dict[str, int], way: str) -> None:
    secrets = UserStore(database.with_name("catalog.db.users.json")).add("anna")
    words = ("anna", secrets.password) if way == "token" else ("-", "-", secrets.api_key)
    with server_process(database=database) as server:
        found = session("opensonic", server.line(), *words)
        assert server.stop() == 0
    songs, first, last = found["songs"], found["songs"]["First Light"], found["songs"]["Fourth"]
    assert found["ping"] is True
    assert found["extensions"]["sonicSimilarity"] == [1]
    assert len(songs) == len(ids)
    assert {"Anna", "Bela"} <= set(found["artists"])
    assert "Lights" in found["albums"]
    for name in ("similar", "similar2"):
        assert len(set(found[name])) == 3
        assert set(found[name]) <= set(songs.values()) - {first}
    values = [value for _, value in found["sonic"]]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)
    assert (found["path"][0], found["path"][-1][0]) == ([first, 1.0], last)
    assert found["playlist"] == [first, last]
    assert found["starred"] == [first]
    with Catalog.open(database) as catalog:
        events = [(one.kind.value, str(one.track_id)) for one in catalog.history("anna")]
    assert sorted(events) == [("like", first), ("play", first)]


def test_knuckles_has_a_session(
    database: Path, ids: dict[str, int], music: Any, tmp_path: Path
) -> None:
    secrets = UserStore(database.with_name("catalog.db.users.json")).add("anna")
    received = tmp_path / "received.flac"
    with server_process(database=database) as server:
        where = server.line().removeprefix("http://")
        found = session("knuckles", where, "anna", secrets.password, str(received))
        assert server.stop() == 0
    first, last = str(ids["First Light"]), str(ids["Fourth"])
    assert found["ping"] == "ok"
    assert len(found["songs"]) == len(ids)
    assert found["albums"] == ["Lights"]
    assert "Lights" in found["newest"]
    assert found["song"] == "First Light"
    for name in ("similar", "similar2"):
        assert len(set(found[name])) == 3
    assert received.read_bytes() == (music.folder / "one.flac").read_bytes()
    assert found["playlist"] == [first, last]
    assert set(found["starred"]) == {first, last}
    with Catalog.open(database) as catalog:
        events = sorted((one.kind.value, str(one.track_id)) for one in catalog.history("anna"))
    assert events == sorted([("like", first), ("like", last), ("play", first), ("play", last)])


def test_pysubsonic_has_a_session_in_xml(database: Path, ids: dict[str, int]) -> None:
    secrets = UserStore(database.with_name("catalog.db.users.json")).add("anna")
    with server_process(database=database) as server:
        found = session("pysubsonic", server.line(), "anna", secrets.password)
        assert server.stop() == 0
    first, last = str(ids["First Light"]), str(ids["Fourth"])
    assert (found["ping"], found["openSubsonic"]) == ("ok", "true")
    assert found["extensions"]["sonicSimilarity"] == "1"
    assert len(found["songs"]) == len(ids)
    assert {"Anna", "Bela"} <= set(found["artists"])
    assert found["searched"] == [first]
    for name in ("getSimilarSongs", "getSimilarSongs2"):
        assert len(set(found[name])) == 3
    assert len(found["sonic"]) == 3
    for name in ("sonic", "path"):
        values = [value for _, value in found[name]]
        assert values == sorted(values, reverse=True)
    assert (found["path"][0], found["path"][-1][0]) == ([first, 1.0], last)
    assert found["playlist"] == [first, last]
    assert found["holds"] is True
    assert (found["star"], found["starred"]) == ("ok", [first])
