"""Files are sent by track id only, and only from where music lies."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from recommender.catalog import Catalog, Track
from recommender.ingestion import IngestSettings, ingest
from recommender.server.open_file import open_file

DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture
def own_music(music: object, tmp_path: Path) -> tuple[Path, Path]:
    """A music folder and catalogue that a test may change: a file, and one behind a link."""
    folder, elsewhere = tmp_path / "own", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    source = music.folder  # type: ignore[attr-defined]
    (folder / "inside.flac").write_bytes((source / "one.flac").read_bytes())
    (elsewhere / "linked.flac").write_bytes((source / "two.flac").read_bytes())
    (folder / "link").symlink_to(elsewhere, target_is_directory=True)
    database = tmp_path / "own.db"
    with Catalog.open(database) as catalog:
        ingest(catalog, folder, IngestSettings(workers=1))
    return folder, database


def tracks_of(database: Path) -> dict[str, Track]:
    with Catalog.open(database) as catalog:
        return {track.path: track for track in catalog.all_tracks()}


def test_a_file_is_sent_whole_in_ranges_and_not_again(
    reader: TestClient, ids: dict[str, int], music: object
) -> None:
    content = (music.folder / "one.flac").read_bytes()  # type: ignore[attr-defined]
    address = f"/api/v1/tracks/{ids['First Light']}/file"
    whole = reader.get(address)
    assert whole.status_code == 200
    assert whole.content == content
    assert whole.headers["content-type"] == "audio/flac"
    assert whole.headers["accept-ranges"] == "bytes"
    tag = whole.headers["etag"]
    for given, expected in {
        "bytes=0-0": content[:1],
        "bytes=5-9": content[5:10],
        "bytes=-7": content[-7:],
        f"bytes={len(content) - 3}-": content[-3:],
        f"bytes=10-{10 * len(content)}": content[10:],
    }.items():
        part = reader.get(address, headers={"Range": given})
        assert part.status_code == 206
        assert part.content == expected
        assert part.headers["content-range"].endswith(f"/{len(content)}")
    beyond = reader.get(address, headers={"Range": f"bytes={len(content)}-"})
    assert beyond.status_code == 416
    head = reader.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(content))
    several = reader.get(address, headers={"Range": "bytes=0-1,4-5"})
    assert several.status_code == 206
    assert several.headers["content-type"].startswith("multipart/byteranges")
    assert reader.get(address, headers={"If-None-Match": tag}).status_code == 304
    same = reader.get(address, headers={"Range": "bytes=0-0", "If-Range": tag})
    assert same.status_code == 206
    other = reader.get(address, headers={"Range": "bytes=0-0", "If-Range": '"other"'})
    assert other.status_code == 200
    assert other.content == content


def test_a_linked_folder_that_ingest_followed_is_served(
    serve: Callable[..., TestClient], own_music: tuple[Path, Path]
) -> None:
    _, database = own_music
    client = serve(database)
    for path, track in tracks_of(database).items():
        answer = client.get(f"/api/v1/tracks/{track.id}/file")
        assert answer.status_code == 200, path
        assert answer.content == track.file.read_bytes()


def test_links_that_appear_later_lead_nowhere(
    serve: Callable[..., TestClient], own_music: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, database = own_music
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "linked.flac").write_text("private")
    (secret / "key").write_text("private")
    found = tracks_of(database)
    client = serve(database)
    inside = f"/api/v1/tracks/{found['inside.flac'].id}/file"
    linked = f"/api/v1/tracks/{found['link/linked.flac'].id}/file"
    (folder / "inside.flac").unlink()
    for target in (secret / "key", Path("/etc/passwd"), Path("/dev/zero"), folder / "inside.flac"):
        (folder / "inside.flac").symlink_to(target)
        assert client.get(inside).status_code == 404
        (folder / "inside.flac").unlink()
    (folder / "link").unlink()
    (folder / "link").symlink_to(secret, target_is_directory=True)
    assert client.get(linked).status_code == 404
    os.mkfifo(folder / "inside.flac")
    assert client.get(inside).status_code == 404
    (folder / "inside.flac").unlink()
    (folder / "inside.flac").mkdir()
    assert client.get(inside).status_code == 404


def test_what_is_sent_is_the_file_that_was_checked(own_music: tuple[Path, Path]) -> None:
    folder, database = own_music
    content = (folder / "inside.flac").read_bytes()
    with Catalog.open(database) as catalog:
        track = next(one for one in catalog.all_tracks() if one.path == "inside.flac")
        opened = open_file(track, catalog.libraries())
    (folder / "inside.flac").unlink()
    (folder / "inside.flac").symlink_to("/etc/passwd")
    assert opened.path.read_bytes() == content
    opened.close()
    opened.close()


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="the system does not list descriptors")
def test_no_descriptor_is_left_open(reader: TestClient, ids: dict[str, int]) -> None:
    address = f"/api/v1/tracks/{ids['First Light']}/file"
    reader.get(address)
    before = len(list(DESCRIPTORS.iterdir()))
    for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "nonsense"}, {"If-None-Match": "*"}):
        for _ in range(5):
            reader.get(address, headers=headers)
            reader.head(address, headers=headers)
    assert len(list(DESCRIPTORS.iterdir())) <= before + 2


RATE = 44_100
SHEET = """PERFORMER "Anna"
TITLE "Album"
FILE "album.flac" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Two"
    INDEX 01 00:03:37
  TRACK 03 AUDIO
    TITLE "Three"
    INDEX 01 00:06:01
"""
BOUNDS = (0, round((3 + 37 / 75) * RATE), round((6 + 1 / 75) * RATE), 10 * RATE)


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, "np.ndarray[Any, Any]"]:
    """A catalogue of a file in stereo that a cue sheet divides in three, and its samples."""
    folder = tmp_path_factory.mktemp("divided")
    drawn = np.random.default_rng(0).integers(-20_000, 20_000, (10 * RATE, 2), np.int16)
    soundfile.write(folder / "album.flac", drawn, RATE)
    (folder / "album.cue").write_text(SHEET)
    database = folder / "divided.db"
    with Catalog.open(database) as catalog:
        ingest(catalog, folder, IngestSettings(workers=1))
    return database, drawn


def test_a_part_of_a_file_is_sent_as_a_file_of_its_own(
    serve: Callable[..., TestClient], divided: tuple[Path, "np.ndarray[Any, Any]"]
) -> None:
    database, samples = divided
    client = serve(database)
    for track in tracks_of_segments(database):
        for address in (f"/api/v1/tracks/{track.id}/file", f"/rest/stream?id={track.id}"):
            whole = client.get(address)
            assert whole.headers["content-type"] == "audio/flac"
            found, rate = soundfile.read(io.BytesIO(whole.content), dtype="int16")
            assert rate == RATE
            wanted = samples[BOUNDS[track.segment - 1] : BOUNDS[track.segment]]
            assert np.array_equal(found, wanted)
            part = client.get(address, headers={"Range": "bytes=100-299"})
            assert (part.status_code, part.content) == (206, whole.content[100:300])
            assert part.headers["etag"] == whole.headers["etag"]
            head = client.head(address)
            assert int(head.headers["content-length"]) == len(whole.content)
            again = client.get(address, headers={"If-None-Match": whole.headers["etag"]})
            assert again.status_code == 304
        song = client.get(f"/rest/getSong?f=json&id={track.id}").json()["subsonic-response"]["song"]
        assert (song["suffix"], song["contentType"]) == ("flac", "audio/flac")


def test_a_part_is_cut_anew_where_it_was_tidied_away_and_not_where_its_file_is_gone(
    serve: Callable[..., TestClient], divided: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = divided
    client = serve(database)
    monkeypatch.setattr("recommender.server.segments._MOST_FILES", 1)
    addresses = [f"/api/v1/tracks/{track.id}/file" for track in tracks_of_segments(database)]
    first = [client.get(one).content for one in addresses]
    files = client.app.state.recsys.segment_files  # type: ignore[attr-defined]
    assert len(files._files) == 1
    next(iter(files._files.values())).unlink()
    assert client.get(addresses[-1]).status_code == 503
    assert [client.get(one).content for one in addresses] == first
    album = database.with_name("album.flac")
    content = album.read_bytes()
    try:
        album.write_bytes(content[:5000])
        assert client.get(addresses[-1]).status_code == 404
    finally:
        album.write_bytes(content)
    folder = Path(files._folder.name)
    client.__exit__(None, None, None)
    assert not folder.exists()


def tracks_of_segments(database: Path) -> list[Track]:
    with Catalog.open(database) as catalog:
        found = [track for track in catalog.all_tracks() if track.segment]
    assert [track.title for track in found] == ["One", "Two", "Three"]
    return found
