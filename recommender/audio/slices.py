"""Slices of a decoded track at another sample rate, by seeking or on the way through."""

import math
from collections.abc import Iterator

import numpy as np
import soxr

from recommender.audio.decoder import Decoder
from recommender.utils.arrays import FloatArray

MARGIN = 0.1
"""Seconds read around a window for the resampling filter, whose response is far shorter."""


def window_positions(starts: tuple[float, ...], sample_rate: int) -> list[int]:
    """First sample of each window, rounded down so that the last one fits."""
    return [int(start * sample_rate + 1e-6) for start in starts]


def slice_by_seeking(decoder: Decoder, position: int, length: int, sample_rate: int) -> FloatArray:
    """`length` samples from `position` of the track resampled, by seeking; fewer where it ends.

    The reading begins where a frame of the file and a sample of the result fall together, so that
    the resampler's grid is that of the whole track.
    """
    common = math.gcd(sample_rate, decoder.rate)
    grid = sample_rate // common
    margin = math.ceil(MARGIN * sample_rate)
    first = max(position - margin, 0) // grid
    start = first * (decoder.rate // common)
    end = math.ceil((position + length + margin) * decoder.rate / sample_rate)
    native = decoder.read(start, end - start)
    resampled = soxr.resample(native, decoder.rate, sample_rate, quality="HQ")
    offset = position - first * grid
    clip: FloatArray = resampled[offset : offset + length]
    return clip


def slices_by_streaming(
    decoder: Decoder, positions: list[int], length: int, sample_rate: int
) -> tuple[list[FloatArray], float]:
    """The same slices by decoding everything, keeping only them; and the track's true seconds."""
    parts: list[list[FloatArray]] = [[np.empty(0, np.float32)] for _ in positions]
    done = 0
    for block in resampled(decoder, sample_rate):
        for position, part in zip(positions, parts, strict=True):
            first, end = max(position - done, 0), min(position + length - done, len(block))
            if first < end:
                part.append(block[first:end])
        done += len(block)
    return [np.concatenate(part) for part in parts], done / sample_rate


def resampled(decoder: Decoder, sample_rate: int) -> Iterator[FloatArray]:
    """All of the track at `sample_rate`, block by block."""
    if decoder.rate == sample_rate:
        yield from decoder.blocks()
        return
    stream = soxr.ResampleStream(decoder.rate, sample_rate, 1, dtype="float32", quality="HQ")
    for block in decoder.blocks():
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)
