"""The map: whole, in one piece, the same again, and a fair sample of a large library."""

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from recommender.server.map_points import NO_GROUP, SIDE, regions

API = "/api/v1"


def unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The head and the columns of a packed map."""
    assert content[:4] == b"RMAP"
    length = int.from_bytes(content[4:8], "little")
    head, at, columns = json.loads(content[8 : 8 + length]), 8 + length, {}
    for name, kind in head["columns"]:
        column = np.frombuffer(content, f"<{kind}", head["shown"], at)
        columns[name] = column
        at += -(-column.nbytes // 4) * 4
    assert at == len(content)
    return head, columns


def test_every_track_has_a_place(reader: TestClient, ids: dict[str, int]) -> None:
    answer = reader.get(f"{API}/map")
    assert answer.status_code == 200
    head, columns = unpacked(answer.content)
    tracks = {one["id"]: one for one in reader.get(f"{API}/tracks").json()["items"]}
    assert columns["id"].tolist() == sorted(tracks)
    assert head["total"] == head["shown"] == len(tracks)
    for track_id, genre, year in zip(
        *(columns[one] for one in ("id", "genre", "year")), strict=True
    ):
        track = tracks[int(track_id)]
        named = None if genre == NO_GROUP else head["genres"][genre]
        assert named == track["predicted_genre"]
        assert int(year) == (track["year"] or 0)
    spread = max(np.ptp(columns["x"].astype(int)), np.ptp(columns["y"].astype(int)))
    assert spread == pytest.approx(SIDE, abs=2)


def test_it_is_known_again_and_compressed(reader: TestClient) -> None:
    first = reader.get(f"{API}/map", headers={"Accept-Encoding": "identity"})
    zipped = reader.get(f"{API}/map", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.content == first.content
    again = reader.get(f"{API}/map", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


def test_of_a_large_library_a_sample_is_drawn_and_said_so(reader: TestClient) -> None:
    head, columns = unpacked(reader.get(f"{API}/map?limit=4").content)
    assert head["shown"] == 4 < head["total"]
    assert len(set(columns["id"].tolist())) == 4
    whole = unpacked(reader.get(f"{API}/map").content)[1]
    everywhere = dict(
        zip(
            whole["id"].tolist(),
            zip(whole["x"].tolist(), whole["y"].tolist(), strict=True),
            strict=True,
        )
    )
    for track_id, x, y in zip(columns["id"], columns["x"], columns["y"], strict=True):
        assert everywhere[int(track_id)] == (x, y)
    missing = sorted(set(everywhere) - set(columns["id"].tolist()))
    wanted = {"track_ids": [*missing, 999_999]}
    places = reader.post(f"{API}/map/places", json=wanted).json()["items"]
    assert [one["id"] for one in places] == missing
    assert all(everywhere[one["id"]] == (one["x"], one["y"]) for one in places)


def test_regions_are_where_tracks_of_a_kind_are() -> None:
    draw = np.random.default_rng(1)
    centres = np.array([[0.2, 0.2], [0.8, 0.7]])
    points = np.concatenate([draw.normal(one, 0.05, (400, 2)) for one in centres])
    places = (np.clip(points, 0, 1) * SIDE).astype(np.uint16)
    groups = np.repeat([0, 1], 400).astype(np.uint8)
    found = list(regions(places, groups, ["blues", "metal"]))
    assert [one.name for one in found] == ["blues", "metal"]
    for region, centre in zip(found, centres, strict=True):
        assert np.hypot(region.x / SIDE - centre[0], region.y / SIDE - centre[1]) < 0.06
        assert region.tracks == 400
