"""Loudness, loudness range and dynamic complexity, of the windows of a track.

Sources: ITU-R BS.1770-4, annex 1 (K-weighting, blocks of 400 ms, gates at -70 LUFS and 10 LU below
the mean); EBU Tech 3342, section 3 (blocks of 3 s, gates at -70 LUFS and 20 LU below, 10th to 95th
percentile); Streich, Music Complexity (2007), section 3.2, as the mean distance of short-time
levels from their mean.
"""

from collections.abc import Sequence

import numpy as np

from recommender.musical_descriptors.spectra import FRAME_RATE
from recommender.utils.arrays import FloatArray, Scores

_OFFSET = -0.691
_ABSOLUTE_GATE = -70.0
_MOMENTARY = round(0.4 * FRAME_RATE)
_MOMENTARY_HOP = round(0.1 * FRAME_RATE)
_SHORT_TERM = round(3.0 * FRAME_RATE)
_FEWEST_SHORT_TERM = 20
"""Blocks of 3 s, at least, that percentiles are taken of: 5 s of sound that is not silent."""


def loudness(weighted: Sequence[FloatArray], channel_gain: float = 1.0) -> float | None:
    """LUFS of windows; None where nothing is above the absolute gate.

    Args:
        weighted: of each window its `Spectra.weighted`.
        channel_gain: power of all channels together over that of their mix.
    """
    blocks = _blocks(weighted, _MOMENTARY, _MOMENTARY_HOP) * channel_gain
    kept = blocks[_levels(blocks) > _ABSOLUTE_GATE]
    if not len(kept):
        return None
    kept = kept[_levels(kept) > _levels(kept.mean()) - 10]
    return float(_levels(kept.mean()))


def loudness_range(weighted: Sequence[FloatArray], channel_gain: float = 1.0) -> float | None:
    """LU between quiet and loud parts of windows; None for less than 5 s that sound."""
    blocks = _blocks(weighted, _SHORT_TERM, _MOMENTARY_HOP) * channel_gain
    kept = blocks[_levels(blocks) > _ABSOLUTE_GATE]
    if len(kept) < _FEWEST_SHORT_TERM:
        return None
    levels = _levels(kept)
    levels = levels[levels > _levels(kept.mean()) - 20]
    low, high = np.percentile(levels, (10, 95))
    return float(high - low)


def dynamic_complexity(weighted: Sequence[FloatArray]) -> float | None:
    """dB by which levels of .2 s differ from their mean, in the mean; None where all is silent."""
    blocks = _blocks(weighted, _MOMENTARY // 2, _MOMENTARY // 2)
    levels = _levels(blocks)
    levels = levels[levels > max(_ABSOLUTE_GATE, levels.max(initial=-200.0) - 60)]
    if len(levels) < 5:
        return None
    return float(np.abs(levels - levels.mean()).mean())


def _blocks(weighted: Sequence[FloatArray], length: int, hop: int) -> Scores:
    """Mean power of all blocks of so many frames, float64; of a shorter window its mean."""
    found = []
    for window in weighted:
        sums = np.concatenate([[0.0], np.cumsum(window, dtype=np.float64)])
        wide = min(length, len(window))
        found.append((sums[wide:] - sums[:-wide])[::hop] / wide)
    return np.concatenate(found)


def _levels(power: Scores) -> Scores:
    """LUFS of mean powers."""
    levels: Scores = _OFFSET + 10 * np.log10(np.maximum(power, 1e-20))
    return levels
