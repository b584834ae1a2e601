"""A part of a sound file, decoded as if it were a file of its own."""

from collections.abc import Iterator

import numpy as np

from recommender.audio.decoder import Decoder, SeekError
from recommender.errors import PastEnd
from recommender.utils.arrays import FloatArray

Span = tuple[float, float | None]
"""First second, and the one after the last; None for the end of the file."""

_BLOCK = 10  # seconds


class SpanDecoder:
    """What another decoder gives between two moments; see `Decoder`.

    Samples outside the span do not exist for it, so that what is computed of it is what would be
    computed of a file cut there. Faults of the container are those of the whole file.
    """

    def __init__(self, decoder: Decoder, span: Span) -> None:
        """A part of `decoder`, which is closed with it. Raises `PastEnd`."""
        start, end = span
        self._decoder = decoder
        self.rate = decoder.rate
        self.seeks = decoder.seeks
        self.mixer = decoder.mixer
        self.is_lossy = decoder.is_lossy
        self.faults = decoder.faults
        self.container_faults = decoder.container_faults
        self._start = start
        self._first = round(start * self.rate)
        self._end = None if end is None else round(end * self.rate)
        self.frames = self._within(decoder.frames)
        if self.frames is not None and self.frames <= 0:
            raise self._past_end(decoder.frames or 0)
        claimed = decoder.claimed_seconds
        if claimed is not None:
            claimed = max((claimed if end is None else min(end, claimed)) - start, 0.0)
        self.claimed_seconds = claimed

    def _within(self, frames: int | None) -> int | None:
        """Frames of the span in a file of so many."""
        ends = [end for end in (self._end, frames) if end is not None]
        return min(ends) - self._first if ends else None

    def _past_end(self, frames: int) -> PastEnd:
        return PastEnd(
            f"A track begins at {self._start:.1f} s, and the sound ends at "
            f"{frames / self.rate:.1f} s."
        )

    def read(self, start: int, count: int) -> FloatArray:
        """See `Decoder.read`."""
        if self._end is not None:
            count = min(count, self._end - self._first - start)
        if count <= 0:
            return np.empty(0, np.float32)
        return self._decoder.read(self._first + start, count)

    def blocks(self) -> Iterator[FloatArray]:
        """See `Decoder.blocks`."""
        if self.seeks:
            position = 0
            try:
                while len(block := self.read(position, _BLOCK * self.rate)):
                    yield block
                    position += len(block)
                return
            except SeekError:
                if position:
                    raise
        yield from self._streamed()

    def _streamed(self) -> Iterator[FloatArray]:
        """The span on the way through the file, up to its end."""
        position = 0
        for block in self._decoder.blocks():
            first = max(self._first - position, 0)
            last = len(block) if self._end is None else min(self._end - position, len(block))
            if first < last:
                yield block[first:last]
            position += len(block)
            if self._end is not None and position >= self._end:
                return
        if position <= self._first:
            raise self._past_end(position)

    def close(self) -> None:
        """See `Decoder.close`."""
        self._decoder.close()
