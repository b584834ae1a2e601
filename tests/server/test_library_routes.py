"""Failures, evaluation, credits, covers and playlist files, as the web page asks for them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sounds
from fastapi.testclient import TestClient

from recommender.catalog import Catalog
from recommender.catalog.labels import TrackLabels
from recommender.catalog.layout_records import LayoutKind, StoredLayout
from recommender.catalog.projector import catalog_projector
from recommender.ingestion import IngestSettings, ingest

API = "/api/v1"


def evaluation(client: TestClient) -> dict[str, Any]:
    """The evaluation, once it is there."""
    for _ in range(200):
        found: dict[str, Any] = client.get(f"{API}/evaluation").json()
        if found["state"] != "computing":
            return found
        time.sleep(0.05)
    raise AssertionError("it is never there")


def test_failures_say_what_to_do_without_naming_folders(
    serve: Callable[..., TestClient], tmp_path: Path
) -> None:
    folder = tmp_path / "private" / "music"
    folder.mkdir(parents=True)
    (folder / "empty.mp3").touch()
    (folder / "noise.flac").write_bytes(b"no sound at all" * 100)
    sounds.write_sound(folder / "fine.wav", sounds.music(2, 22_050), 22_050)
    database = tmp_path / "other.db"
    with Catalog.open(database) as catalog:
        ingest(catalog, folder, IngestSettings(workers=1))
    found = serve(database).get(f"{API}/failures").json()
    assert found["total"] == 2
    by_file = {one["file"]: one for one in found["items"]}
    assert set(by_file) == {"empty.mp3", "noise.flac"}
    assert by_file["empty.mp3"]["kind"] == "empty"
    assert all(one["advice"] for one in found["items"])
    assert "private" not in str(found)
    shown = serve(database, show_paths=True).get(f"{API}/failures").json()
    assert all(one["reason"] for one in shown["items"])


def test_the_evaluation_of_a_catalogue_has_intervals(reader: TestClient) -> None:
    found = evaluation(reader)
    assert found["state"] == "done"
    figures = found["figures"]
    assert figures["genres"]
    for one in (figures["overall"], *figures["genres"]):
        assert 0 <= one["low"] <= one["precision"] <= one["high"] <= 1
        assert 0 < one["chance"] < 1


def test_an_evaluation_without_genres_says_why(
    serve: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlabelled(tracks: Any) -> TrackLabels:
        return TrackLabels((None,) * len(tracks), (None,) * len(tracks), "no tags")

    monkeypatch.setattr("recommender.server.evaluations.labels_from_tags", unlabelled)
    found = evaluation(serve())
    assert found["state"] == "impossible"
    assert "genre" in found["reason"]
    assert found["figures"] is None


def test_clusters_have_their_tracks(
    serve: Callable[..., TestClient], database: Path, ids: dict[str, int]
) -> None:
    client = serve(database)
    for path in ("clusters", "clusters/1"):
        absent = client.get(f"{API}/{path}")
        assert absent.status_code == 404
        assert "recsys clusters" in absent.json()["detail"]
    track_ids = np.array(sorted(ids.values()))
    labels = np.arange(len(track_ids)) % 2
    with Catalog.open(database) as catalog:
        space = catalog_projector(catalog).space
        details = {"names": ["odd", "even"], "stability": {"mean": 0.5}, "method": "kmeans"}
        values = labels[:, None].astype(np.float32)
        when = datetime(2026, 11, 25, tzinfo=UTC)
        layout = StoredLayout(LayoutKind.CLUSTERS, space, when, details, track_ids, values)
        catalog.store_layout(layout)
    found = client.get(f"{API}/clusters").json()
    assert [(one["number"], one["name"]) for one in found["items"]] == [(1, "odd"), (2, "even")]
    assert [one["tracks"] for one in found["items"]] == np.bincount(labels).tolist()
    assert (found["noise"], found["unplaced"], found["stability"]) == (0, 0, 0.5)
    address, listed = f"{API}/clusters/2?limit=3", []
    while address:
        page = client.get(address).json()
        listed += [one["id"] for one in page["items"]]
        address = page["next"]
    assert sorted(listed) == track_ids[labels == 1].tolist()
    assert page["total"] == len(listed)
    assert client.get(f"{API}/clusters/3").status_code == 404
    assert client.get(f"{API}/clusters/0").status_code == 422


def test_credits_lead_to_artist_and_album(reader: TestClient, ids: dict[str, int]) -> None:
    tracks = reader.get(f"{API}/tracks").json()["items"]
    on_album = next(one for one in tracks if one["album"] == "Lights")
    found = reader.get(f"{API}/tracks/{on_album['id']}/credits").json()
    album = reader.get(f"{API}/albums/{found['album']['id']}").json()
    assert on_album["id"] in [one["id"] for one in album["tracks"]]
    artist = reader.get(f"{API}/artists/{found['artists'][0]['id']}").json()
    assert artist["artist"]["name"] == on_album["artist"]
    bare = next(one for one in tracks if one["album"] is None)
    assert reader.get(f"{API}/tracks/{bare['id']}/credits").json()["album"] is None
    assert reader.get(f"{API}/tracks/999999/credits").status_code == 404


def test_a_track_without_a_picture_has_none(reader: TestClient, ids: dict[str, int]) -> None:
    track = next(iter(ids.values()))
    assert reader.get(f"{API}/tracks/{track}/cover").status_code == 404
    assert reader.get(f"/web/media/{track}/cover").status_code == 204


def test_a_playlist_is_a_file_for_players(
    serve: Callable[..., TestClient], music: Any, ids: dict[str, int]
) -> None:
    wanted = [ids[name] for name in ("Third", "Fourth", "copy")]
    client = serve()
    body = {"name": 'Sun/"day"\r\n', "track_ids": wanted}
    playlist = client.post(f"{API}/playlists", json=body).json()["playlist"]
    answer = client.get(f"{API}/playlists/{playlist['id']}/file.m3u8")
    assert answer.headers["content-type"].startswith("audio/x-mpegurl")
    assert "\n" not in answer.headers["content-disposition"]
    lines = answer.text.splitlines()
    assert lines[0] == "#EXTM3U"
    entries = [line for line in lines if line and not line.startswith("#")]
    assert len(entries) == 3
    assert str(music.folder) not in answer.text
    assert all((music.folder / one).exists() for one in entries)
    shown = serve(show_paths=True).get(f"{API}/playlists/{playlist['id']}/file.m3u8")
    assert all(
        Path(line).is_absolute() for line in shown.text.splitlines() if not line.startswith("#")
    )


def test_descriptors_of_many_tracks(reader: TestClient, ids: dict[str, int]) -> None:
    wanted = sorted(ids.values())
    found = reader.post(f"{API}/descriptors", json={"track_ids": [*wanted, 999_999]}).json()[
        "items"
    ]
    assert [one["id"] for one in found] == wanted
    for one in found:
        assert one["tempo"] is None or 20 < one["tempo"] < 400
        assert one["energy"] is None or 0 <= one["energy"] <= 1
