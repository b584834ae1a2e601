"""Short pieces of synthetic music for golden outputs: the same samples on every machine.

Formulas and a linear congruential generator, so that no library's random stream is part of them.
numpy only, as the script that makes the golden outputs runs in an environment of its own.
"""

import numpy as np

RATE = 16_000
SECONDS = 12.2

SOUNDS = ("plucked", "beat", "noise")


def golden_sound(name: str) -> np.ndarray:
    """A sound of `SOUNDS`, mono, float32, `RATE` Hz, `SECONDS` long, peak .2."""
    samples = {"plucked": _plucked, "beat": _beat, "noise": _swept_noise}[name]()
    return (0.2 * samples / np.abs(samples).max()).astype(np.float32)


def _time() -> np.ndarray:
    return np.arange(int(RATE * SECONDS)) / RATE


def _plucked() -> np.ndarray:
    """Notes of a broken chord, each with six partials that die away."""
    time, result = _time(), np.zeros(int(RATE * SECONDS))
    for number, step in enumerate([0, 4, 7, 12, 7, 4, -5, 0] * 4):
        since = time - number * 0.4
        pitch = 220.0 * 2 ** (step / 12)
        for partial in range(1, 7):
            wave = np.sin(2 * np.pi * pitch * partial * since) / partial
            result += np.where(since >= 0, wave * np.exp(-4 * partial * np.maximum(since, 0)), 0)
    return result


def _beat() -> np.ndarray:
    """A drum of falling pitch on every half second, a click of noise between, a bass tone."""
    time = _time()
    since = time % 0.5
    drum = np.sin(2 * np.pi * (50 * since + 12 * (1 - np.exp(-20 * since)))) * np.exp(-9 * since)
    click = _noise(len(time)) * np.exp(-60 * ((time + 0.25) % 0.5))
    return drum + 0.4 * click + 0.3 * np.sin(2 * np.pi * 55 * time)


def _swept_noise() -> np.ndarray:
    """Noise that swells and fades, under a tone that glides over five octaves."""
    time = _time()
    glide = np.sin(2 * np.pi * 110 * (32 ** (time / SECONDS) - 1) * SECONDS / np.log(32))
    return 0.5 * _noise(len(time)) * (1 + np.sin(2 * np.pi * 0.3 * time)) + glide


def _noise(count: int) -> np.ndarray:
    """Uniform in [-1, 1): the generator of Numerical Recipes, 32 bits."""
    state, values = 12_345, np.empty(count)
    for index in range(count):
        state = (1_664_525 * state + 1_013_904_223) % 2**32
        values[index] = state / 2**31 - 1
    return values
