"""What a decoder is, and the first of two: libsndfile. The other is `audio.ffmpeg_decoder`.

A decoder gives mono float32 at the file's own rate: the mean of the channels (ffmpeg's own mix
to mono is 3 dB louder, so it is not used). `read` seeks; `blocks` goes through the whole file.
What a decoder cannot do raises `DecoderError`, which tells `audio.reader` to try the next.
"""

import mmap
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
import soundfile

from recommender.audio.mp3_length import mp3_seconds
from recommender.errors import EmptyFile, FileVanished, NoPermission, UnreadableAudio
from recommender.utils.arrays import FloatArray

RUN_UP = 0.5
"""Seconds decoded before a wanted place, until a decoder's memory of what came before is right:
an mp3 frame may lean on 511 bytes of earlier ones, opus asks for 0.08 s, aac for a block."""

_MP3_TRIMMED = 0.2
"""Seconds by which an mp3's playable length may differ from its frames (delay and padding)."""

_BLOCK = 10  # seconds

_SOUNDFILE_ERRORS = (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError)


class DecoderError(Exception):
    """This decoder cannot go on with the file; another one might."""


class Decoder(Protocol):
    """A sound file opened by one library. Lengths and positions count frames at `rate`."""

    rate: int
    frames: int | None  # length as far as it is known without decoding; can be wrong
    seeks: bool  # whether `read` can be trusted

    def read(self, start: int, count: int) -> FloatArray:
        """`count` frames from `start`, mono; fewer where the sound ends. [shape=(n,)]."""

    def blocks(self) -> Iterator[FloatArray]:
        """All of the sound from its beginning, mono, one to ten seconds at a time. [shape=(n,)]."""

    def close(self) -> None:
        """Free what the library holds; the file object stays open."""


class SoundfileDecoder:
    """libsndfile: wav, au, aiff, flac, mp3, ogg vorbis, and a dozen rare formats."""

    def __init__(self, file: BinaryIO) -> None:
        """Open. Raises `DecoderError`, also for what PyAV does better."""
        file.seek(0)  # libsndfile takes the descriptor's position for the file's beginning
        try:
            self._sound = soundfile.SoundFile(file.fileno(), closefd=False)
        except _SOUNDFILE_ERRORS as error:
            raise DecoderError(one_line(error)) from error
        self.rate = plausible_rate(self._sound.samplerate)
        self.seeks = True
        self.frames: int | None = self._sound.frames
        self._run_up = 0
        if self._sound.subtype == "OPUS":
            raise DecoderError("PyAV seeks in opus in half the time")
        if self._sound.subtype == "MPEG_LAYER_III":
            self._run_up = round(RUN_UP * self.rate)  # libsndfile sees to it for other formats
            self._correct_mp3_length(file)

    def _correct_mp3_length(self, file: BinaryIO) -> None:
        """Put a claimed length right; leave the file to PyAV where libsndfile would stop early.

        libsndfile believes a header that lies, or guesses by the first frame's bit rate, and
        gives nothing beyond that length.
        """
        true = walked_mp3(file)
        claimed = self._sound.frames / self.rate
        if claimed < true - _MP3_TRIMMED:
            raise DecoderError("the mp3 is longer than libsndfile believes")
        if claimed > true + _MP3_TRIMMED:
            self.frames = round(true * self.rate)

    def close(self) -> None:
        """See `Decoder.close`."""
        self._sound.close()

    def read(self, start: int, count: int) -> FloatArray:
        """See `Decoder.read`."""
        if start >= self._sound.frames:
            return np.empty(0, np.float32)
        run_up = min(start, self._run_up)
        try:
            self._sound.seek(start - run_up)
            frames = self._sound.read(run_up + count, dtype="float32", always_2d=True)
        except _SOUNDFILE_ERRORS as error:
            raise DecoderError(one_line(error)) from error
        return mean_of_channels(frames[run_up:].T)

    def blocks(self) -> Iterator[FloatArray]:
        """See `Decoder.blocks`.

        Each block is a `read` of its own: the soundfile package seeks after every reading, which
        makes an mp3 lose what its next frames lean on.
        """
        position = 0
        while len(block := self.read(position, _BLOCK * self.rate)):
            yield block
            position += len(block)


def open_file(path: Path) -> BinaryIO:
    """Open a regular file for reading; an open file serves decoders that refuse odd names.

    Raises `FileVanished`, `NoPermission`, `EmptyFile`, and `UnreadableAudio` for folders, pipes
    and devices.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise UnreadableAudio(f"It is {what}; give a sound file.")
        if status.st_size == 0:
            raise EmptyFile("The file has no bytes; copy it again from where it came from.")
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileVanished("There is no such file; it was moved or deleted.") from error
    except PermissionError as error:
        raise NoPermission("The file may not be read; change its permissions.") from error
    except OSError as error:
        raise UnreadableAudio(f"The system cannot read it: {error.strerror}.") from error


def walked_mp3(file: BinaryIO) -> float:
    """Seconds in the frames of an mp3; 0.0 when it has none. Raises `DecoderError`."""
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return mp3_seconds(data)
    except OSError as error:
        raise DecoderError(one_line(error)) from error


def plausible_rate(rate: int) -> int:
    """The rate itself. Raises `DecoderError` for one that only damage can account for."""
    if not 1_000 <= rate <= 768_000:
        raise DecoderError(f"it claims {rate} samples a second")
    return rate


def mean_of_channels(channels: FloatArray) -> FloatArray:
    """[shape=(channels, n)] → [shape=(n,)]. A loop: NumPy's mean of two takes eight times it."""
    mixed: FloatArray = channels[0].copy()
    for channel in channels[1:]:
        mixed += channel
    if len(channels) > 1:
        mixed /= len(channels)
    return mixed


def one_line(error: BaseException) -> str:
    """What a library says, without the file object it names."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__
