"""What a decoder is, and what the two share: `soundfile_decoder` and `ffmpeg_decoder`.

A decoder gives mono float32 at the file's own rate, mixed by `audio.mixing` (ffmpeg's own mix to
mono is 3 dB louder, so it is not used). `read` seeks; `blocks` goes through the whole file.
What a decoder cannot do raises `DecoderError`, upon which `audio.reader` tries the next.
"""

import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from recommender.audio.damage import Faults
from recommender.audio.file_views import FileView, buffered
from recommender.audio.mixing import ChannelMixer
from recommender.audio.mp3_length import Mp3Walk, walk_mp3
from recommender.errors import EmptyFile, FileVanished, NoPermission, UnreadableAudio
from recommender.utils.arrays import FloatArray

Sound = str | os.PathLike[str] | BinaryIO
"""What can be analysed: a path, or a binary file object."""

RUN_UP = 0.5
"""Seconds decoded before a requested position, until a decoder's memory of what came before is
right: an mp3 frame may lean on 511 bytes of earlier ones, opus asks for 0.08 s, aac for a block."""


class DecoderError(Exception):
    """This decoder cannot go on with the file; another one might."""


class SeekError(DecoderError):
    """The decoder cannot reach a position; it may still decode the file from its beginning."""


class Decoder(Protocol):
    """A sound file opened by one library. Lengths and positions count frames at `rate`."""

    rate: int
    frames: int | None  # length as far as it is known without decoding; can be wrong
    seeks: bool  # whether `read` can be trusted
    mixer: ChannelMixer
    claimed_seconds: float | None  # length that the file claims, whether or not it is there
    is_lossy: bool  # whether its codec keeps to full scale, save for rounding
    faults: Faults  # counted while decoding; `blocks` begins anew
    container_faults: Faults  # counted without decoding, over the whole file

    def read(self, start: int, count: int) -> FloatArray:
        """`count` frames from `start`, mono; fewer where the sound ends. [shape=(n,)]."""

    def blocks(self) -> Iterator[FloatArray]:
        """All of the sound from its beginning, mono, one to ten seconds at a time. [shape=(n,)]."""

    def close(self) -> None:
        """Free what the library holds; the file object stays open."""


@contextmanager
def opened(sound: Sound) -> Iterator[BinaryIO]:
    """A regular file open for reading, of a path or with what a file object holds.

    An open file serves decoders that refuse odd names.

    Raises:
        FileVanished, NoPermission, EmptyFile: there is nothing to read.
        UnreadableAudio: a folder, a pipe or a device.
        TypeError: neither a path nor a binary file object.
    """
    if hasattr(sound, "read"):
        with descriptor_file(cast(BinaryIO, sound)) as file:
            yield file
        return
    if not isinstance(sound, str | os.PathLike) or isinstance(os.fspath(sound), bytes):
        raise _no_sound(sound)
    with _open_path(Path(sound)) as file:
        yield file


@contextmanager
def descriptor_file(sound: BinaryIO) -> Iterator[BinaryIO]:
    """A regular file with all that a binary file object holds, from its beginning.

    The object itself where it is an ordinary open file; else a temporary copy, which is deleted
    afterwards. The object stays open; where it can seek, its position is what it was.

    Raises:
        EmptyFile: it holds nothing.
        TypeError: it gives text, or nothing can be read from it.
    """
    position = sound.tell() if _seekable(sound) else None
    try:
        if _is_ordinary(sound):
            if os.fstat(sound.fileno()).st_size == 0:
                raise _empty()
            # The first of these drops what is buffered, so that the second moves the descriptor.
            sound.seek(0, os.SEEK_END)
            sound.seek(0)
            yield sound
            return
        if position is not None:
            sound.seek(0)
        with tempfile.TemporaryFile() as copy:
            try:
                shutil.copyfileobj(sound, copy)
            except (TypeError, AttributeError, io.UnsupportedOperation) as error:
                raise _no_sound(sound) from error
            if copy.tell() == 0:
                raise _empty()
            copy.seek(0)
            yield cast(BinaryIO, copy)
    finally:
        if position is not None:
            sound.seek(position)


def _seekable(file: BinaryIO) -> bool:
    return bool(hasattr(file, "seekable") and file.seekable())


def _is_ordinary(file: BinaryIO) -> bool:
    """Whether its descriptor is a regular file with the same bytes: not so of gzip's, for one."""
    raw = getattr(file, "raw", file)
    if not isinstance(raw, io.FileIO) or not file.readable():
        return False
    if isinstance(file, io.BufferedRandom):
        file.flush()
    return stat.S_ISREG(os.fstat(raw.fileno()).st_mode)


def _no_sound(given: object) -> TypeError:
    return TypeError(
        "a sound is a path (str or os.PathLike) or a file object opened in binary mode, not "
        f"{type(given).__name__}."
    )


def _empty() -> EmptyFile:
    return EmptyFile("The file has no bytes; copy it again from where it came from.")


def _open_path(path: Path) -> BinaryIO:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise UnreadableAudio(f"It is {what}; give a sound file.")
        if status.st_size == 0:
            raise _empty()
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileVanished("There is no such file; it was moved or deleted.") from error
    except PermissionError as error:
        raise NoPermission("The file may not be read; change its permissions.") from error
    except OSError as error:
        raise UnreadableAudio(f"The system cannot read it: {error.strerror}.") from error


def walked_mp3(file: BinaryIO | FileView) -> Mp3Walk:
    """The frames of an mp3; `Mp3Walk.seconds` is 0.0 when it has none. Raises `DecoderError`."""
    try:
        return walk_mp3(buffered(file))
    except OSError as error:
        raise DecoderError(one_line(error)) from error


def plausible_rate(rate: int, highest: int = 768_000) -> int:
    """The rate itself. Raises `DecoderError` for one that only damage can account for."""
    if not 1_000 <= rate <= highest:
        raise DecoderError(f"it claims {rate} samples a second")
    return rate


def one_line(error: BaseException) -> str:
    """The message of a library's error, without the file object it names."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__
