"""Sounds whose tempo, key, tuning and level are known exactly."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recommender.audio.reader import AudioClip, DecodedWindows
from recommender.musical_descriptors import MusicalDescriptors
from recommender.musical_descriptors.extraction import describe_windows

RATE = 22_050
Samples = npt.NDArray[np.float32]

TIMBRES: dict[str, tuple[float, ...]] = {
    "flute": (1.0, 0.2, 0.05),
    "organ": (1.0, 0.7, 0.5, 0.4, 0.2, 0.2, 0.1),
    "saw": tuple(1 / n for n in range(1, 13)),
}
"""Amplitudes of partials."""

MAJOR_CADENCE = ((0, (0, 4, 7)), (5, (0, 4, 7)), (7, (0, 4, 7)), (0, (0, 4, 7)))
MINOR_CADENCE = ((0, (0, 3, 7)), (5, (0, 3, 7)), (7, (0, 4, 7)), (0, (0, 3, 7)))
"""Root above the tonic, and intervals of the chord: I IV V I, with the leading note in minor."""


def clicks(bpm: float, seconds: float = 10.0, swing: float = 0.0, rest_every: int = 0) -> Samples:
    """A click on every beat, faint noise behind it.

    Args:
        swing: another click at this share of the beat; 0 for none.
        rest_every: each so many-th beat is silent; 0 for none.
    """
    rng = np.random.default_rng(0)
    samples = (1e-4 * rng.standard_normal(int(seconds * RATE))).astype(np.float32)
    at = np.arange(600)
    click = np.exp(-at / 100) * np.sin(2 * np.pi * 1_500 * at / RATE)
    beats = np.arange(0.13, seconds - 0.05, 60 / bpm)
    for number, beat in enumerate(beats):
        if rest_every and number % rest_every == rest_every - 1:
            continue
        for moment in (beat, beat + swing * 60 / bpm) if swing else (beat,):
            first = int(moment * RATE)
            if first + len(click) < len(samples):
                samples[first : first + len(click)] += click
    return samples


def sine(hertz: float, seconds: float = 10.0, level: float = 0.3) -> Samples:
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(
        np.float32
    )


def noise(seconds: float = 10.0, level: float = 0.1, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    return (level * rng.standard_normal(int(seconds * RATE))).astype(np.float32)


def cadence(tonic: int, minor: bool, timbre: str, cents: float = 0.0) -> Samples:
    """Four chords of .8 s in a key, three times, so many cents sharp."""
    partials = TIMBRES[timbre]
    length = int(0.8 * RATE)
    at = np.arange(length) / RATE
    envelope = np.minimum(1, at / 0.02) * np.exp(-1.5 * at)
    chords = []
    for root, intervals in MINOR_CADENCE if minor else MAJOR_CADENCE:
        chord = np.zeros(length)
        for interval in (-12, *intervals):
            pitch = 60 + tonic + root + interval
            hertz = 440 * 2 ** ((pitch - 69 + cents / 100) / 12)
            for number, amplitude in enumerate(partials, 1):
                chord += amplitude * np.sin(2 * np.pi * hertz * number * at + number)
        chords.append(0.05 * chord * envelope)
    once = np.concatenate(chords)
    return np.tile(once, 3).astype(np.float32)


def described(*windows: Samples, channel_gain: float = 1.0) -> MusicalDescriptors:
    return describe_windows(decoded(windows, channel_gain))


def decoded(windows: Sequence[Samples], channel_gain: float = 1.0) -> DecodedWindows:
    clips = tuple(AudioClip(np.asarray(window, np.float32), RATE) for window in windows)
    starts = tuple(10.0 * number for number in range(len(clips)))
    seconds = sum(clip.duration for clip in clips)
    return DecodedWindows(clips, starts, seconds, channel_gain=channel_gain)
