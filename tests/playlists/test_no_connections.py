"""Playlists open neither addresses nor other files: not as sounds, and not when they are read."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import fuzz_files
import pytest
import sounds

from recommender.audio.reader import read_windows
from recommender.audio.tags import Tags, read_tags
from recommender.audio.windows import Windowing
from recommender.catalog import Catalog
from recommender.errors import AudioError, PlaylistError
from recommender.playlists.files import read_playlist


@pytest.fixture
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port that must not be called, and the calls it got."""
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            with suppress(OSError):  # the end of the test
                while True:
                    calls.append(server.accept()[1])

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], calls


def test_the_port_is_listened_to(listening: tuple[int, list[object]]) -> None:
    port, calls = listening
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(5)
    for _ in range(100):
        if calls:
            return
        threading.Event().wait(0.02)
    raise AssertionError("no call was noticed")


def test_a_playlist_that_poses_as_a_sound(
    listening: tuple[int, list[object]], tmp_path: Path
) -> None:
    port, calls = listening
    rng = random.Random(0)
    for number in range(60):
        ending, content = fuzz_files.playlists(port, rng)
        file = tmp_path / f"{number}.{ending}"
        file.write_bytes(content)
        assert read_tags(file) == Tags()
        with pytest.raises(AudioError):
            read_windows(file, Windowing())
    assert calls == []


def test_a_playlist_of_a_sound_that_poses_as_one(tmp_path: Path) -> None:
    """The sound that it names is not taken for its own."""
    sounds.write_sound(tmp_path / "other.wav", sounds.tone(3))
    for name, text in (
        ("a.mp3", "#EXTM3U\n#EXTINF:3,\nother.wav\n"),
        ("b.wav", f"ffconcat version 1.0\nfile '{tmp_path / 'other.wav'}'\n"),
        ("c.flac", '<playlist version="1"><trackList><track><location>other.wav</location>'),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(AudioError):
            read_windows(tmp_path / name, Windowing())


def test_a_playlist_that_names_addresses(
    listening: tuple[int, list[object]], tmp_path: Path
) -> None:
    port, calls = listening
    rng = random.Random(1)
    address = f"http://127.0.0.1:{port}/x"
    texts = [fuzz_files.playlists(port, rng)[1] for _ in range(20)]
    texts += [
        f"#EXTM3U\n{address}\n{address}.m3u8\n//127.0.0.1/share/x.mp3\nfile://127.0.0.1/x".encode(),
        f'<!DOCTYPE x SYSTEM "{address}"><playlist/>'.encode(),
        f'<!DOCTYPE x [<!ENTITY y SYSTEM "{address}">]><playlist>&y;</playlist>'.encode(),
        f'<playlist version="1" xml:base="{address}/"><trackList><track><location>a.mp3'
        f"</location><location>{address}</location></track></trackList></playlist>".encode(),
        f'<?xml-stylesheet href="{address}"?><playlist version="1"><link>{address}</link>'
        "<trackList/></playlist>".encode(),
    ]
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        for number, text in enumerate(texts):
            for ending in ("m3u8", "xspf"):
                file = tmp_path / f"{number}.{ending}"
                file.write_bytes(text)
                with suppress(PlaylistError):
                    assert read_playlist(catalog, file).tracks == []
    assert calls == []
