"""Players of others before a server of others, with the proxy between them."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import av
import pytest
from peers import peer_python
from proxied_server import Proxied, asked, proxied
from supysonic_server import LOGIN, PASSWORD, supysonic

from recommender.catalog import Catalog
from recommender.server.linking.link import link


@pytest.fixture
def before_supysonic(music: Any, database: Path, tmp_path: Path) -> Iterator[Proxied]:
    """Before a server that knows no tokens, with the password of its user."""
    secret = tmp_path / "secret"
    secret.write_text(PASSWORD)
    with supysonic(music.folder, tmp_path / "supysonic") as behind:
        with Catalog.open(database) as catalog:
            link(catalog, "subsonic", behind, LOGIN, PASSWORD)
        login = {"u": LOGIN, "p": PASSWORD, "v": "1.12.0", "c": "test"}
        words = ("--login", LOGIN, "--secret-file", secret)
        with proxied(behind, database, login, *words) as found:
            yield found


@pytest.mark.slow
def test_tokens_are_checked_before_a_server_that_knows_none(before_supysonic: Proxied) -> None:
    first = before_supysonic.ids["First Light"]
    token = hashlib.md5(f"{PASSWORD}pepper".encode()).hexdigest()
    for t, status in ((token, "ok"), ("0" * 32, "failed")):
        given = {"u": LOGIN, "t": t, "s": "pepper", "v": "1.13.0", "c": "test", "f": "json"}
        for method in ("ping", "getSong", "getSimilarSongs", "getSonicSimilarTracks", "star"):
            found = json.loads(asked(before_supysonic.address, method, id=first, **given)[1])
            assert found["subsonic-response"]["status"] == status, method
        form = urlencode({"id": first, **given}).encode()
        posted = json.loads(asked(before_supysonic.address, "getSong.view", form=form)[1])
        assert posted["subsonic-response"]["status"] == status
    with Catalog.open(before_supysonic.database) as catalog:
        assert [one.kind.value for one in catalog.history(LOGIN)] == ["like"]


def session(before: Proxied, client: str, *words: object) -> dict[str, Any]:
    """What a session with a client library of others has found."""
    script = Path(__file__).parents[1] / "subsonic" / f"{client}_session.py"
    command = [peer_python(client), script, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_py_opensonic_has_a_session_through_the_proxy(before_supysonic: Proxied) -> None:
    found = session(before_supysonic, "opensonic", before_supysonic.address, LOGIN, PASSWORD)
    first, last = before_supysonic.ids["First Light"], before_supysonic.ids["Fourth"]
    assert found["extensions"] == {"sonicSimilarity": [1]}
    for name in ("similar", "similar2"):
        assert len(set(found[name])) == 3
        assert set(found[name]) <= set(before_supysonic.ids.values())
    assert len(found["sonic"]) == 3
    assert (found["path"][0][0], found["path"][-1][0]) == (first, last)
    assert found["starred"] == [first]


@pytest.mark.slow
def test_knuckles_has_a_session_through_the_proxy(
    before_supysonic: Proxied, music: Any, tmp_path: Path
) -> None:
    received = tmp_path / "received.flac"
    where = before_supysonic.address.removeprefix("http://")
    found = session(before_supysonic, "knuckles", where, LOGIN, PASSWORD, received)
    first, last = before_supysonic.ids["First Light"], before_supysonic.ids["Fourth"]
    assert found["ping"] == "ok"
    for name in ("similar", "similar2"):
        assert len(set(found[name])) == 3
    assert received.read_bytes() == (music.folder / "one.flac").read_bytes()
    assert found["playlist"] == [first, last]
    assert set(found["starred"]) == {first}
    with Catalog.open(before_supysonic.database) as catalog:
        events = {(one.kind.value, one.source) for one in catalog.history(LOGIN)}
        assert len(catalog.history(LOGIN)) == 4
    assert events == {("like", "subsonic"), ("play", "subsonic")}


@pytest.mark.slow
def test_pysubsonic_reads_xml_through_the_proxy(before_supysonic: Proxied) -> None:
    found = session(before_supysonic, "pysubsonic", before_supysonic.address, LOGIN, PASSWORD)
    first, last = before_supysonic.ids["First Light"], before_supysonic.ids["Fourth"]
    assert (found["ping"], found["openSubsonic"]) == ("ok", "true")
    assert found["extensions"] == {"sonicSimilarity": "1"}
    for name in ("getSimilarSongs", "getSimilarSongs2"):
        assert len(set(found[name])) == 3
        assert set(found[name]) <= set(before_supysonic.ids.values())
    for name in ("sonic", "path"):
        values = [value for _, value in found[name]]
        assert values == sorted(values, reverse=True)
    assert (found["path"][0][0], found["path"][-1][0]) == (first, last)
    assert found["playlist"] == [first, last]
    assert found["starred"] == [first]


@pytest.mark.slow
def test_players_seek_through_the_proxy(before_supysonic: Proxied, music: Any) -> None:
    whole = (music.folder / "one.flac").read_bytes()
    given = {**before_supysonic.login, "id": before_supysonic.ids["First Light"]}
    assert asked(before_supysonic.address, "stream", **given)[:2] == (200, whole)
    half = len(whole) // 2
    for wanted, part in (
        (f"bytes={half}-", whole[half:]),
        (f"bytes={half}-{half + 9}", whole[half : half + 10]),
        ("bytes=-7", whole[-7:]),
    ):
        for method in ("stream", "download.view"):
            status, content, headers = asked(
                before_supysonic.address, method, headers={"Range": wanted}, **given
            )
            assert (status, content) == (206, part)
            assert headers["content-range"].endswith(f"/{len(whole)}")
    query = urlencode(given)
    with av.open(f"{before_supysonic.address}/rest/stream?{query}") as container:
        container.seek(1_000_000, backward=True)  # microseconds
        frame = next(container.decode(audio=0))
    assert frame.time > 0.5  # FFmpeg did not read from the beginning


@pytest.mark.slow
def test_artists_without_a_name_are_asked_for_at_the_server(before_supysonic: Proxied) -> None:
    index = before_supysonic.call("getArtists")["artists"]["index"]
    artists = {one["name"]: one["id"] for letter in index for one in letter["artist"]}
    found = before_supysonic.call("getSimilarSongs2", id=artists["[unknown]"], count=2)
    assert len(found["similarSongs2"]["song"]) == 2
