"""The decoder that is tried first: libsndfile, through the soundfile package."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import soundfile

from recommender.audio.damage import Faults
from recommender.audio.decoder import RUN_UP, DecoderError, one_line, plausible_rate, walked_mp3
from recommender.audio.file_views import FileView
from recommender.audio.mixing import ChannelMixer
from recommender.audio.pcm_header import UNKNOWN_TO_FLAC, PcmHeader, pcm_header
from recommender.utils.arrays import FloatArray

_MP3_TRIMMED = 0.2
"""Seconds by which an mp3's playable length may differ from its frames (delay and padding)."""

_MPEG_1_RATE = 32_000
_MPEG_1_RUN_UP = 0.25
"""Seconds decoded before a position in an mp3 of `_MPEG_1_RATE` or more: a frame has 104 bytes at
least there, so that the 511 bytes it may lean on are those of five frames, .13 s."""

_SUBTYPES_OF_16_BITS = ("PCM_S8", "PCM_U8", "PCM_16", "ALAC_16", "ULAW", "ALAW")
"""Subtypes whose samples 16 bits can hold."""

_BLOCK = 10  # seconds
_MOST_SAMPLES = 8_000_000
"""Samples of all channels that are read at once: 32 MB."""

_SOUNDFILE_ERRORS = (soundfile.SoundFileError, OSError, RuntimeError, TypeError, ValueError)


class SoundfileDecoder:
    """libsndfile: wav, au, aiff, flac, mp3, ogg vorbis, and a dozen rare formats.

    Attributes:
        bits: that hold every sample: 16, or 32 for all that may need more.
    """

    def __init__(self, file: BinaryIO | FileView, mixer: ChannelMixer | None = None) -> None:
        """Open. Raises `DecoderError`, also for what ffmpeg does better."""
        self._header = None if isinstance(file, FileView) else pcm_header(file)
        self._sound = _opened(file, self._header)
        self.rate = plausible_rate(self._sound.samplerate)
        self.seeks = True
        self.is_lossy: bool = self._sound.subtype in ("MPEG_LAYER_III", "VORBIS")
        self.bits = 16 if self._sound.subtype in _SUBTYPES_OF_16_BITS else 32
        self.mixer = mixer or ChannelMixer()
        self.faults = Faults()
        self.container_faults = Faults()
        self.claimed_seconds: float | None = None
        self.frames: int | None = self._sound.frames
        self._run_up = 0
        if self._sound.subtype == "OPUS":
            raise DecoderError("PyAV seeks in opus in half the time")
        if self._sound.subtype == "MPEG_LAYER_III":
            run_up = _MPEG_1_RUN_UP if self.rate >= _MPEG_1_RATE else RUN_UP
            self._run_up = round(run_up * self.rate)  # libsndfile sees to it for other formats
            self._correct_mp3_length(file)
        else:
            self.claimed_seconds = self._claimed_seconds()

    def _claimed_seconds(self) -> float | None:
        """What the header claims: libsndfile has shortened it to what the file can hold."""
        seconds: float = self._sound.frames / self.rate
        header = self._header
        if header is None:
            return seconds if 0 < self._sound.frames < UNKNOWN_TO_FLAC else None
        if header.claimed is None or not header.present:
            return None
        return seconds * header.claimed / header.present

    def _correct_mp3_length(self, file: BinaryIO | FileView) -> None:
        """Put a claimed length right; leave the file to PyAV where libsndfile would stop early.

        libsndfile believes a header that lies, or guesses by the first frame's bit rate, and
        gives nothing beyond that length.
        """
        walk = walked_mp3(file)
        self.claimed_seconds, self.container_faults = walk.claimed_seconds, walk.faults
        true = walk.seconds
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
            return self._mixed(run_up, count)
        except _SOUNDFILE_ERRORS as error:
            raise DecoderError(one_line(error)) from error

    def _mixed(self, run_up: int, count: int) -> FloatArray:
        """Mono from the current position, less the run-up; many channels in several parts."""
        at_once = max(_MOST_SAMPLES // self._sound.channels, 1)
        if run_up or count <= at_once:
            frames = self._sound.read(run_up + count, dtype="float32", always_2d=True)
            return self.mixer.mix(frames[run_up:].T)
        parts = []
        while count > 0:
            frames = self._sound.read(min(count, at_once), dtype="float32", always_2d=True)
            parts.append(self.mixer.mix(frames.T))
            count -= len(frames) or count
        return np.concatenate(parts)

    def blocks(self) -> Iterator[FloatArray]:
        """See `Decoder.blocks`.

        Each block is a `read` of its own: the soundfile package seeks after every reading, which
        makes an mp3 lose what its next frames lean on.
        """
        position = 0
        while len(block := self.read(position, _BLOCK * self.rate)):
            yield block
            position += len(block)


def _opened(file: BinaryIO | FileView, header: PcmHeader | None) -> Any:
    """The file opened by libsndfile, with sizes that were never written as they should be."""
    reason: Exception | None = None
    try:
        file.seek(0)  # libsndfile takes the descriptor's position for the file's beginning
        if isinstance(file, FileView):
            return soundfile.SoundFile(file)
        sound = soundfile.SoundFile(file.fileno(), closefd=False)
        if sound.frames or header is None or not header.patches:
            return sound
        sound.close()
    except _SOUNDFILE_ERRORS as error:
        reason = error
    try:
        if header is not None and header.patches and not isinstance(file, FileView):
            return soundfile.SoundFile(FileView(file, patches=header.patches))
    except _SOUNDFILE_ERRORS as error:
        reason = reason or error
    raise DecoderError(one_line(reason or OSError())) from reason
