"""A small music folder with hostile names and tags, its catalogue, and clients of servers of it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import pytest
import sounds
from command_line import write_music

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from fastapi.testclient import TestClient

from recommender.catalog import Catalog
from recommender.ingestion import IngestSettings, ingest
from recommender.server.app import create_app
from recommender.server.settings import ServerSettings
from recommender.server.users import Secrets, UserStore

HOSTILE = 'Mine"; filename="evil.exe\r\nSet-Cookie: a=b; x="<script>alert(1)</script>'


@dataclass(frozen=True)
class Music:
    """A music folder and its catalogue."""

    folder: Path
    database: Path


@dataclass(frozen=True)
class Guarded:
    """A client that sends no secret, and the secrets that would do."""

    client: TestClient
    secrets: Secrets


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Music:
    """Ten tracks: three by Anna, two of them on an album, one by Bela, one with hostile tags, one
    behind a link to a folder, and some without tags."""
    above = tmp_path_factory.mktemp("served")
    folder = above / "music"
    write_music(folder)
    for number, name in enumerate(("one.flac", "two.flac"), start=1):
        file = mutagen.File(folder / name, easy=True)
        file.update(album="Lights", tracknumber=str(number), date="1999")
        file["isrc"] = [f"US-RC1-76-0000{number}", f"GBAYE060000{number}"]
        file.save()
    hostile = folder / 'a"; x="b\r\nSet-Cookie: c=d.flac'
    sounds.write_sound(hostile, sounds.music(4.5, 22_050, 20), 22_050)
    file = mutagen.File(hostile, easy=True)
    file.update(title=HOSTILE, artist=HOSTILE, album=HOSTILE)
    file.save()
    (above / "elsewhere").mkdir()
    sounds.write_sound(above / "elsewhere" / "linked.flac", sounds.music(5, 22_050, 21), 22_050)
    (folder / "link").symlink_to(above / "elsewhere", target_is_directory=True)
    database = above / "catalog.db"
    with Catalog.open(database) as catalog:
        ingest(catalog, folder, IngestSettings(workers=1))
    return Music(folder, database)


@pytest.fixture
def database(music: Music, tmp_path: Path) -> Path:
    """A copy of the catalogue, for one test."""
    return Path(shutil.copy(music.database, tmp_path / "catalog.db"))


@contextmanager
def client_of(database: Path, **given: Any) -> Iterator[TestClient]:
    """A client of a server of a catalogue, given more settings."""
    client = TestClient(
        create_app(ServerSettings(database=str(database), **given)),
        base_url="http://127.0.0.1",
        raise_server_exceptions=False,
        follow_redirects=False,
    )
    with client:
        yield client


@pytest.fixture
def serve(database: Path) -> Iterator[Callable[..., TestClient]]:
    """Makes a client of a server of the test's own catalogue, or another, given settings."""
    with ExitStack() as stack:

        def started(other: Path | None = None, **given: Any) -> TestClient:
            return stack.enter_context(client_of(other or database, **given))

        yield started


@pytest.fixture
def client(serve: Callable[..., TestClient]) -> TestClient:
    """Of a server where nobody has to prove who asks, and whose catalogue a test may change."""
    return serve()


@pytest.fixture(scope="session")
def reader(music: Music, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The same, shared by tests whose changes disturb no other test."""
    copy = shutil.copy(music.database, tmp_path_factory.mktemp("reader") / "catalog.db")
    with client_of(Path(copy)) as client:
        yield client


@pytest.fixture(scope="session")
def guarded(music: Music, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Of a server where everybody has to prove who asks, with the secrets of its user."""
    copy = Path(shutil.copy(music.database, tmp_path_factory.mktemp("guarded") / "catalog.db"))
    secrets = UserStore(copy.with_name("catalog.db.users.json")).add("anna")
    with client_of(copy) as client:
        yield Guarded(client, secrets)


@pytest.fixture(scope="session")
def ids(music: Music) -> dict[str, int]:
    """Title → id."""
    with Catalog.open(music.database) as catalog:
        return {track.title: track.id for track in catalog.all_tracks()}
