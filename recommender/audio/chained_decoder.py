"""The decoder of chained Ogg files: complete streams one after another, as of a web radio."""

from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO

import numpy as np
import soxr

from recommender.audio.damage import Faults
from recommender.audio.decoder import Decoder, DecoderError
from recommender.audio.ffmpeg_decoder import FfmpegDecoder
from recommender.audio.file_views import FileView
from recommender.audio.mixing import ChannelMixer
from recommender.audio.soundfile_decoder import SoundfileDecoder
from recommender.errors import NoSound
from recommender.utils.arrays import FloatArray

MOST_LINKS = 2_000
"""Links of a file that are decoded: a radio recorded for five days."""


class ChainedDecoder:
    """Each link by a decoder of its own, joined at the rate of the first; see `Decoder`.

    It does not seek. A link that cannot be decoded is left out and counted.
    """

    seeks = False
    is_lossy = False

    def __init__(self, file: BinaryIO, links: list[tuple[int, int]]) -> None:
        """Open every link once. Raises `DecoderError` where none can be decoded.

        Args:
            file: an ordinary open file.
            links: first byte and byte after the last of each.
        """
        self._file = file
        self.mixer = ChannelMixer()
        self.faults = Faults()
        self.container_faults = Faults()
        self.claimed_seconds: float | None = None
        self._links: list[tuple[int, int]] = []
        self.rate = 0
        seconds, known = 0.0, True
        for link in links[:MOST_LINKS]:
            try:
                with closing(self._decoder(link)) as decoder:
                    self.rate = self.rate or decoder.rate
                    self.is_lossy = self.is_lossy or decoder.is_lossy
                    known = known and decoder.frames is not None
                    seconds += (decoder.frames or 0) / decoder.rate
            except (DecoderError, NoSound):
                self.container_faults.skipped += 1
                continue
            self._links.append(link)
        if not self._links:
            raise DecoderError("not one link of it can be decoded")
        self.frames: int | None = round(seconds * self.rate) if known else None

    def _decoder(self, link: tuple[int, int]) -> Decoder:
        view = FileView(self._file, *link)
        try:
            return SoundfileDecoder(view, self.mixer)
        except DecoderError:
            return FfmpegDecoder(view, self.mixer)

    def close(self) -> None:
        """See `Decoder.close`."""

    def read(self, start: int, count: int) -> FloatArray:
        """See `Decoder.read`; decodes all that comes before."""
        parts = [np.empty(0, np.float32)]
        position = 0
        for block in self.blocks():
            first, end = max(start - position, 0), min(start + count - position, len(block))
            if first < end:
                parts.append(block[first:end])
            position += len(block)
            if position >= start + count:
                break
        return np.concatenate(parts)

    def blocks(self) -> Iterator[FloatArray]:
        """See `Decoder.blocks`."""
        self.faults.clear()
        for link in self._links:
            try:
                with closing(self._decoder(link)) as decoder:
                    yield from self._at_own_rate(decoder)
                    self.faults.add(decoder.faults)
            except DecoderError:
                self.faults.skipped += 1

    def _at_own_rate(self, decoder: Decoder) -> Iterator[FloatArray]:
        if decoder.rate == self.rate:
            yield from decoder.blocks()
            return
        stream = soxr.ResampleStream(decoder.rate, self.rate, 1, dtype="float32", quality="HQ")
        for block in decoder.blocks():
            yield stream.resample_chunk(block)
        yield stream.resample_chunk(np.empty(0, np.float32), last=True)
