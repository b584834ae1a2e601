"""Answers keep to OpenSubsonic's OpenAPI, and XML says the same as JSON."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient
from subsonic_schema import validator

from recommender.server.music_library import album_id_of, artist_id_of
from recommender.server.subsonic.answers import NAMESPACE, response_of, succeeded

ANNA, LIGHTS = artist_id_of("Anna"), album_id_of("Lights", "Anna")

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("ping", {}),
    ("getLicense", {}),
    ("getOpenSubsonicExtensions", {}),
    ("tokenInfo", {}),
    ("getUser", {"username": "anna"}),
    ("getScanStatus", {}),
    ("getMusicFolders", {}),
    ("getArtists", {}),
    ("getIndexes", {}),
    ("getArtist", {"id": ANNA}),
    ("getAlbum", {"id": LIGHTS}),
    ("getSong", {"id": "{one}"}),
    ("getMusicDirectory", {"id": ANNA}),
    ("getMusicDirectory", {"id": LIGHTS}),
    ("getGenres", {}),
    ("search3", {"query": "light"}),
    ("search3", {"query": ""}),
    *(
        (method, {"type": kind, "genre": "Folk", "fromYear": 1990, "toYear": 2000})
        for method in ("getAlbumList", "getAlbumList2")
        for kind in (
            *("random", "newest", "alphabeticalByName", "alphabeticalByArtist", "byYear"),
            *("byGenre", "frequent", "recent", "highest", "starred"),
        )
    ),
    ("search2", {"query": "light"}),
    ("getSongsByGenre", {"genre": "folk"}),
    ("getStarred", {}),
    ("getTopSongs", {"artist": "Anna"}),
    ("getArtistInfo", {"id": ANNA}),
    ("getArtistInfo2", {"id": ANNA}),
    ("getAlbumInfo", {"id": LIGHTS}),
    ("getAlbumInfo2", {"id": LIGHTS}),
    ("scrobble", {"id": "{one}", "submission": "false", "c": "a player"}),
    ("getNowPlaying", {}),
    ("savePlayQueue", {"id": "{one}", "current": "{one}", "position": 7, "c": "a player"}),
    ("getPlayQueue", {}),
    ("createBookmark", {"id": "{one}", "position": 7, "comment": "here"}),
    ("getBookmarks", {}),
    ("getInternetRadioStations", {}),
    ("getNewestPodcasts", {}),
    ("getPodcasts", {}),
    ("getShares", {}),
    ("getVideos", {}),
    ("getRandomSongs", {}),
    ("getStarred2", {}),
    ("getSimilarSongs", {"id": "{one}"}),
    ("getSimilarSongs2", {"id": ANNA}),
    ("getSonicSimilarTracks", {"id": "{one}"}),
    ("findSonicPath", {"startSongId": "{one}", "endSongId": "{four}"}),
    ("getPlaylists", {}),
    ("createPlaylist", {"name": "Evening", "songId": "{one}"}),
    ("scrobble", {"id": "{one}"}),
    ("star", {"id": "{one}"}),
    ("getSong", {"id": "nosuch"}),
    ("getSong", {}),
]


def filled(given: dict[str, Any], ids: dict[str, int]) -> dict[str, Any]:
    places = {"{one}": ids["First Light"], "{four}": ids["Fourth"]}
    return {name: places.get(value, value) for name, value in given.items()}


@pytest.mark.parametrize(("method", "given"), CALLS, ids=[f"{m}-{g}" for m, g in CALLS])
def test_json_is_as_the_openapi_document_has_it(
    reader: TestClient, ids: dict[str, int], shared: Path, method: str, given: dict[str, Any]
) -> None:
    folder = shared / "opensubsonic" / "openapi"
    if not folder.is_dir():
        pytest.skip(f"no copy of OpenSubsonic's OpenAPI document in {folder}")
    answer = reader.get(f"/rest/{method}", params={"f": "json", **filled(given, ids)})
    assert answer.status_code == 200
    validator(folder, method).validate(answer.json())


@pytest.mark.parametrize(("method", "given"), CALLS, ids=[f"{m}-{g}" for m, g in CALLS])
def test_xml_says_the_same_as_json(
    reader: TestClient, ids: dict[str, int], method: str, given: dict[str, Any]
) -> None:
    if "random" in (method.lower(), given.get("type")) or method == "getRandomSongs":
        pytest.skip("its answers differ")
    asked = filled(given, ids)
    json = reader.get(f"/rest/{method}", params={"f": "json", **asked}).json()
    answer = reader.get(f"/rest/{method}.view", params=asked)
    assert answer.headers["content-type"].startswith("application/xml")
    found = tree_of_xml(ElementTree.fromstring(answer.content))
    wanted = tree_of_json(json["subsonic-response"])
    if method == "createPlaylist":
        found["playlist"][0].pop("changed")
        wanted["playlist"][0].pop("changed")
    assert found == wanted


def test_text_that_xml_cannot_hold_is_replaced_in_both_formats() -> None:
    tree = succeeded({"song": {"title": 'a\0b\x0b<&"\r\nc\ud800', "none": None, "list": ["d"]}})
    for format in ("json", "xml"):
        answer = bytes(response_of(tree, format).body)
        assert b"none" not in answer
        assert answer.decode().count("\N{REPLACEMENT CHARACTER}") == 3
    song = ElementTree.fromstring(answer).find(f"{{{NAMESPACE}}}song")
    assert song is not None
    replaced = "\N{REPLACEMENT CHARACTER}"
    assert song.get("title") == f'a{replaced}b{replaced}<&"\r\nc{replaced}'


def tree_of_xml(element: ElementTree.Element) -> Any:
    """An element as JSON has it, where all that is not text or a tree is a list of trees."""
    found: dict[str, Any] = dict(element.attrib)
    for child in element:
        found.setdefault(child.tag.removeprefix(f"{{{NAMESPACE}}}"), []).append(tree_of_xml(child))
    if not found:
        return element.text or {}
    if element.text:
        found["value"] = element.text
    return found


def tree_of_json(value: Any) -> Any:
    """The same of JSON: lists that are empty are not there, and values are text."""
    if isinstance(value, dict):
        found = {name: tree_of_json(one) for name, one in value.items()}
        as_elements = {
            name: [one] if isinstance(one, dict) or name == "similarity" else one
            for name, one in found.items()
        }
        return {name: one for name, one in as_elements.items() if one != []}
    if isinstance(value, list):
        return [tree_of_json(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
