"""Effects on a whole mix: reverberation, and a low-pass filter."""

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]

COMBS_S = (0.0297, 0.0371, 0.0411, 0.0437)  # Schroeder's delays
DIFFUSERS_S = (0.0126, 0.0089)
DIFFUSION = np.float32(0.6)


def reverberated(sound: Sound, rate: int, seconds: float) -> Sound:
    """Reverberation after Schroeder (1962): four comb filters, then two all-pass filters.

    Args:
        sound: np.ndarray [shape=(n,)].
        rate: samples a second.
        seconds: time in which the response falls by 60 dB.
    """
    total = np.zeros_like(sound)
    for delay_s in COMBS_S:
        blocks = _blocks(sound, rate, delay_s)
        feedback = np.float32(10 ** (-3 * delay_s / seconds))
        for row in range(1, len(blocks)):
            blocks[row] += feedback * blocks[row - 1]
        total += blocks.ravel()[: len(sound)]
    for delay_s in DIFFUSERS_S:
        delayed = _blocks(total, rate, delay_s)
        response = -DIFFUSION * delayed
        for row in range(1, len(delayed)):
            response[row] += delayed[row - 1] + DIFFUSION * response[row - 1]
        total = response.ravel()[: len(sound)]
    return 0.25 * total


def _blocks(sound: Sound, rate: int, delay_s: float) -> Sound:
    """A copy cut into rows of one delay each, so that feedback is a step from row to row."""
    delay = round(rate * delay_s)
    return np.pad(sound, (0, -len(sound) % delay)).reshape(-1, delay)


def lowpassed(sound: Sound, rate: int, cutoff: float) -> Sound:
    """Frequencies f fade as 1 / (1 + (f / cutoff)²), without delay.

    That response is the Fourier transform of a two-sided exponential, cut here at -52 dB.
    """
    decay = 2 * np.pi * cutoff / rate
    reach = int(np.ceil(6 / decay))
    kernel = np.exp(-decay * np.abs(np.arange(-reach, reach + 1)))
    return np.convolve(sound, (kernel / kernel.sum()).astype(np.float32), mode="same")
