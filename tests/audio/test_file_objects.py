"""Binary file objects are decoded like the file they hold, and stay as they were."""

import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import sounds

from recommender.audio.reader import read_whole, read_windows
from recommender.audio.tags import read_tags
from recommender.audio.windows import Windowing
from recommender.errors import EmptyFile, UnreadableAudio


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A piece of 6 s in every format."""
    return sounds.write_every_format(tmp_path_factory.mktemp("pieces"), sounds.sweep, 6.0)


def in_memory(path: Path) -> BinaryIO:
    return io.BytesIO(path.read_bytes())


def opened(path: Path) -> BinaryIO:
    return path.open("rb")


def unbuffered(path: Path) -> BinaryIO:
    return path.open("rb", buffering=0)


def spooled(path: Path) -> BinaryIO:
    """As web frameworks hand uploads over."""
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115
    file.write(path.read_bytes())
    file.seek(0)
    return file


def compressed(path: Path) -> BinaryIO:
    """Its descriptor is that of other bytes."""
    packed = path.with_suffix(".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return gzip.open(packed)


class Stream(io.RawIOBase):
    """Can only be read forwards, as a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        return self._data.readinto(buffer)


def streamed(path: Path) -> BinaryIO:
    return Stream(path.read_bytes())


@pytest.mark.parametrize("name", sounds.FORMATS)
def test_every_format(pieces: dict[str, Path], name: str) -> None:
    expected = read_whole(pieces[name]).samples
    for make in (in_memory, opened):
        with make(pieces[name]) as file:
            np.testing.assert_array_equal(read_whole(file).samples, expected)
            assert not file.closed


@pytest.mark.parametrize("make", [in_memory, opened, unbuffered, spooled, compressed, streamed])
@pytest.mark.parametrize("name", ["flac", "mp3", "m4a-aac"])
def test_every_kind_of_file_object(
    pieces: dict[str, Path], name: str, make: Callable[[Path], BinaryIO]
) -> None:
    path = next(path for key, path in pieces.items() if key.startswith(name.split("-")[0]))
    windowing = Windowing(count=2, seconds=2.0)
    expected = read_windows(path, windowing)
    with make(path) as file:
        if file.seekable():
            file.seek(7)
        found = read_windows(file, windowing)
        assert found.starts == expected.starts
        for one, other in zip(found.clips, expected.clips, strict=True):
            np.testing.assert_array_equal(one.samples, other.samples)
        if file.seekable():
            assert file.tell() == 7
            assert file.read(5) == path.read_bytes()[7:12]
            assert read_tags(file) == read_tags(path)


def test_paths_as_text(pieces: dict[str, Path]) -> None:
    path = next(iter(pieces.values()))
    np.testing.assert_array_equal(read_whole(str(path)).samples, read_whole(path).samples)


@pytest.mark.parametrize(
    "sound",
    [3, None, b"x.wav", io.StringIO("text"), ["x.wav"]],
    ids=lambda sound: type(sound).__name__,
)
def test_other_types_are_refused_with_what_is_accepted(sound: object) -> None:
    with pytest.raises(TypeError, match=r"path \(str or os\.PathLike\).*binary mode, not"):
        read_whole(sound)  # type: ignore[arg-type]


def test_a_file_opened_as_text_is_refused(pieces: dict[str, Path]) -> None:
    with next(iter(pieces.values())).open(encoding="latin-1") as file, pytest.raises(TypeError):
        read_whole(file)  # type: ignore[arg-type]


def test_nothing_and_noise(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as file, pytest.raises(EmptyFile):
        read_whole(file)
    with pytest.raises(EmptyFile):
        read_whole(io.BytesIO())
    with pytest.raises(UnreadableAudio):
        read_whole(io.BytesIO(b"no sound at all" * 100))
