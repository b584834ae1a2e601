"""The decoder that is tried first: libsndfile, through the soundfile package."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import soundfile

from recommender.audio.decoder import (
    RUN_UP,
    DecoderError,
    mean_of_channels,
    one_line,
    plausible_rate,
    walked_mp3,
)
from recommender.utils.arrays import FloatArray

_MP3_TRIMMED = 0.2
"""Seconds by which an mp3's playable length may differ from its frames (delay and padding)."""

_BLOCK = 10  # seconds

_SOUNDFILE_ERRORS = (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError)


class SoundfileDecoder:
    """libsndfile: wav, au, aiff, flac, mp3, ogg vorbis, and a dozen rare formats."""

    def __init__(self, file: BinaryIO) -> None:
        """Open. Raises `DecoderError`, also for what ffmpeg does better."""
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
