"""Sounds that are sent and mean harm cost their sender an answer, and nobody else anything."""

import io
import random
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fuzz_files
import pytest
import sounds
import tagged
from fastapi.testclient import TestClient

from recommender.ingestion.worker_limits import FileLimits

API = "/api/v1"
_GROWTH = 150 << 20
"""Bytes by which the server's own memory may grow: what is sent is opened by another process."""


class Chosen(random.Random):
    """Draws the bomb that was chosen, in its smallest size."""

    def __init__(self, kind: int) -> None:
        super().__init__(0)
        self._kind = kind

    def randrange(self, *_: Any) -> int:
        return self._kind

    def choice(self, options: Any) -> Any:
        return options[0]


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.fixture(scope="module")
def uploads(music: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of a server with narrow limits, which is the same for all of these."""
    import shutil

    from recommender.server.app import create_app
    from recommender.server.settings import ServerSettings

    folder = tmp_path_factory.mktemp("uploads")
    database = Path(shutil.copy(music.database, folder / "catalog.db"))
    limits = FileLimits(memory_mb=512, timeout_s=20)
    settings = ServerSettings(database=str(database), file_limits=limits)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def sent(
    uploads: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, bytes], int]:
    """Sends a sound, and gives the status of the answer."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    def upload(name: str, content: bytes) -> int:
        before = resident()
        answer = uploads.post(f"{API}/similar/upload?k=2", files={"file": (name, content)})
        assert resident() - before < _GROWTH
        assert not list(folder.iterdir())
        assert "/" not in answer.json().get("detail", "")
        assert uploads.get(f"{API}/tracks/1/similar?k=1").status_code == 200
        return answer.status_code

    return upload


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(9))
def test_a_small_file_that_takes_much_is_given_up_or_heard(
    sent: Callable[[str, bytes], int], tmp_path: Path, kind: int
) -> None:
    base = sounds.write_sound(tmp_path / "base.mp3", sounds.music(3, 22_050, 5), 22_050)
    ending, content = fuzz_files.bombs(base.read_bytes(), tmp_path, Chosen(kind))
    assert sent(f"bomb.{ending}", content) in (200, 413, 422)


def _hours_that_are_claimed(tmp: Path) -> bytes:
    """A FLAC whose header claims 6 hours more than there are."""
    sound = sounds.write_sound(tmp / "a.flac", sounds.music(3, 22_050, 5), 22_050)
    content = bytearray(sound.read_bytes())
    content[22:26] = struct.pack(">I", 6 * 3600 * 22_050)
    return bytes(content)


def _huge_wav(tmp: Path) -> bytes:
    fmt = struct.pack("<HHIIHH", 1, 2, 44_100, 176_400, 4, 16)
    head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + fmt
    return head + b"data\xff\xff\xff\xff" + bytes(1000)


def _zip_bomb(tmp: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(50 << 20))
    return packed.getvalue()


def _picture_in_id3(tmp: Path) -> bytes:
    frame = b"APIC" + struct.pack(">IH", 1 << 30, 0) + b"\0image/png\0\3\0\x89PNG"
    before = b"ID3\3\0\0" + tagged.synchsafe(len(frame)) + frame
    return tagged.mp3(tmp / "a.mp3", before=before).read_bytes()


def _picture_in_flac(tmp: Path) -> bytes:
    sound = sounds.write_sound(tmp / "a.flac", sounds.music(3, 22_050, 5), 22_050).read_bytes()
    inside = (
        struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">IIIIII", 0, 1, 1, 1, 1, 1 << 30)
    )
    block = b"\x06" + (len(inside) + 4).to_bytes(3, "big") + inside + b"\x89PNG"
    return sound[:42] + block + sound[42:]


def _picture_in_mp4(tmp: Path) -> bytes:
    box = struct.pack(">I4s", 1 << 30, b"covr") + struct.pack(">I4sII", 1 << 30, b"data", 14, 0)
    for name in (b"ilst", b"udta", b"moov"):
        box = struct.pack(">I4s", len(box) + 8, name) + box
    return b"\0\0\0\x18ftypM4A " + bytes(12) + box


def _comment_in_ogg(tmp: Path) -> bytes:
    sound = sounds.write_sound(tmp / "a.ogg", sounds.music(3, 22_050, 5), 22_050).read_bytes()
    at = sound.index(b"\x03vorbis") + 7
    return sound[:at] + b"\xff\xff\xff\xff" + sound[at + 4 :]


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (_hours_that_are_claimed, {200, 422}),
        (_huge_wav, {422}),
        (_zip_bomb, {422}),
        (_picture_in_id3, {200, 422}),
        (_picture_in_flac, {200, 422}),
        (_picture_in_mp4, {422}),
        (_comment_in_ogg, {422}),
    ],
)
def test_sizes_that_are_only_claimed_are_not_believed(
    sent: Callable[[str, bytes], int],
    tmp_path: Path,
    make: Callable[[Path], bytes],
    expected: set[int],
) -> None:
    assert sent("sound", make(tmp_path)) in expected


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.ogg", "a.wav"])
def test_damaged_sounds_are_heard_or_refused(
    sent: Callable[[str, bytes], int], tmp_path: Path, name: str
) -> None:
    sound = sounds.write_sound(tmp_path / name, sounds.music(3, 22_050, 5), 22_050)
    whole = sound.read_bytes()
    assert sent(name, whole) == 200
    drawn = random.Random(0)
    assert sent(name, drawn.randbytes(50_000)) == 422
    assert sent(name, whole[: len(whole) // 2]) in (200, 422)
    assert sent("../../etc/cron.d/x\r\nX-A: b.flac", sounds.flip_bits(sound, 200).read_bytes()) in (
        200,
        422,
    )


def test_pictures_that_are_only_claimed_are_not_sent(
    serve: Callable[..., TestClient], tmp_path: Path
) -> None:
    from recommender.catalog import Catalog
    from recommender.ingestion import IngestSettings, ingest

    folder = tmp_path / "pictures"
    folder.mkdir()
    (tmp_path / "made").mkdir()
    for name, make in (("a.mp3", _picture_in_id3), ("a.flac", _picture_in_flac)):
        (folder / name).write_bytes(make(tmp_path / "made"))
    database = tmp_path / "pictures.db"
    with Catalog.open(database) as catalog:
        ingest(catalog, folder, IngestSettings(workers=1))
        ids = [track.id for track in catalog.all_tracks()]
    client = serve(database)
    for track_id in ids:
        before = resident()
        answer = client.get(f"/rest/getCoverArt?f=json&id={track_id}")
        assert answer.json()["subsonic-response"]["error"]["code"] == 70
        assert resident() - before < _GROWTH
    assert ids
