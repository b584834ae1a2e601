"""Players of others, each run as a process of its own and imported by nothing here.

``RECSYS_OPENSONIC_PYTHON`` names a Python that has ``py-opensonic`` 10.4.1 (GPL).
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from serving_process import server_process

from recommender.catalog import Catalog
from recommender.server.users import UserStore

SESSION = Path(__file__).with_name("opensonic_session.py")


@pytest.fixture
def opensonic() -> str:
    """The Python of an environment with py-opensonic."""
    python = os.environ.get("RECSYS_OPENSONIC_PYTHON", "")
    if not Path(python).is_file():
        pytest.skip("RECSYS_OPENSONIC_PYTHON names no Python that has py-opensonic")
    return python


def session(python: str, *words: str) -> dict[str, Any]:
    done = subprocess.run([python, SESSION, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("way", ["token", "key"])
def test_py_opensonic_has_a_session(
    opensonic: str, database: Path, ids: dict[str, int], way: str
) -> None:
    secrets = UserStore(database.with_name("catalog.db.users.json")).add("anna")
    words = ("anna", secrets.password) if way == "token" else ("-", "-", secrets.api_key)
    with server_process(database=database) as server:
        found = session(opensonic, server.line(), *words)
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
