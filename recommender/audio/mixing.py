"""Channels to mono."""

import numpy as np

from recommender.utils.arrays import FloatArray

CANCELLATION = 0.7
"""Channels cancel one another where the energy of their sum is below this share of the sum of their
energies. For two channels of equal energy that is a correlation below -0.3: channels that have
nothing to do with one another have 0, music in stereo 0.3 to 1."""

_STEP = 8  # every eighth sample is enough to know energies


class ChannelMixer:
    """The mean of the channels, or, where they cancel one another, of the channels in phase.

    The first pass over a sound takes the plain mean. Where `turn_in_phase` then finds that the
    channels cancelled, the sound is decoded again, and channels that correlate negatively with the
    loudest one are inverted. So a song with one channel inverted becomes what it was, and sound
    in antiphase is not silence.
    """

    def __init__(self) -> None:
        """With nothing known of the channels."""
        self._signs: FloatArray | None = None
        self._reference: int | None = None  # index of the loudest channel of the first sound
        self._energies = np.zeros(0)
        self._products = np.zeros(0)  # of each channel with the reference
        self._energy_of_sum = 0.0

    def mix(self, channels: FloatArray) -> FloatArray:
        """[shape=(channels, n)] → [shape=(n,)]."""
        count = len(channels)
        if count == 1:
            return mean_of_channels(channels)
        if self._signs is not None and len(self._signs) == count:
            return mean_of_channels(channels, self._signs)
        mixed = mean_of_channels(channels)
        if self._signs is None and len(self._energies) in (0, count):
            self._observe(channels, mixed)
        return mixed

    def turn_in_phase(self) -> bool:
        """Whether the sound must be decoded again, because its channels cancelled one another."""
        total = self._energies.sum()
        if self._signs is not None or not self._energy_of_sum < CANCELLATION * total:
            return False
        signs = np.where(self._products < 0, -1, 1).astype(np.float32)
        self._signs = signs * signs[0]  # the first channel stays as it is
        return bool((signs < 0).any())

    @property
    def channel_gain(self) -> float:
        """Power of all channels together over that of their mix, as far as it was observed.

        That of as many equal channels where they were turned in phase; 1 where there is only one.
        """
        count = len(self._energies)
        if self._signs is not None or not self._energy_of_sum > 0:
            return float(max(count, 1))
        return float(self._energies.sum() * count**2 / self._energy_of_sum)

    def _observe(self, channels: FloatArray, mixed: FloatArray) -> None:
        sampled = np.ascontiguousarray(channels[:, ::_STEP])
        some = mixed[::_STEP]
        if not some.any():  # a tone may have its zeros just there
            sampled, some = channels, mixed
        energies = np.einsum("cn,cn->c", sampled, sampled)
        if self._reference is None:
            if not energies.any():
                return
            self._reference = int(energies.argmax())
            self._energies = np.zeros(len(channels))
            self._products = np.zeros(len(channels))
        self._energies += energies
        self._products += sampled @ sampled[self._reference]
        self._energy_of_sum += float(np.dot(some, some)) * len(channels) ** 2


def mean_of_channels(channels: FloatArray, signs: FloatArray | None = None) -> FloatArray:
    """[shape=(channels, n)] → [shape=(n,)]. A loop: NumPy's mean takes eight times as long.

    Args:
        signs: 1 or -1 for each channel; None for all 1.
    """
    if len(channels) == 2 and signs is None:
        mixed: FloatArray = channels[0] + channels[1]
        mixed *= 0.5  # as exact as a division by two, and faster
        return mixed
    mixed = channels[0].copy()
    if signs is not None and signs[0] < 0:
        np.negative(mixed, out=mixed)
    for index, channel in enumerate(channels[1:], 1):
        if signs is not None and signs[index] < 0:
            mixed -= channel
        else:
            mixed += channel
    if len(channels) > 1:
        mixed /= len(channels)
    return mixed
