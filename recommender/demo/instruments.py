"""Instruments: functions from pitch and length to sound. No music in here, only timbre.

Every function gives np.ndarray [shape=(n,)], float32, mono, peaking near 1, at `rate` samples a
second, and is a pure function of its arguments: the noise of a drum is the same at every stroke,
as if it were a recorded sample, and a note that is played again comes from a cache.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]
Harmonics = tuple[float, ...]
"""Amplitudes of the first, second, … harmonic of a periodic tone."""

TABLE = 2_048
SAW: Harmonics = tuple(1 / k for k in range(1, 65))
TRIANGLE: Harmonics = tuple((-1) ** (k // 2) / k**2 if k % 2 else 0.0 for k in range(1, 32))
ORGAN: Harmonics = (1.0, 0.8, 0.35, 0.5, 0.0, 0.2, 0.0, 0.25)


def hertz(midi: float) -> float:
    """Frequency of a MIDI note number: 69 is 440 Hz."""
    return float(440.0 * 2.0 ** ((midi - 69) / 12))


def pulse(duty: float) -> Harmonics:
    """Harmonics of a pulse wave that is high for `duty` (0 to 1) of each period."""
    return tuple(float(np.sin(np.pi * k * duty)) / k for k in range(1, 65))


def darker(harmonics: Harmonics, cutoff: float) -> Harmonics:
    """The same tone with harmonics above number `cutoff` fading, 12 dB an octave."""
    return tuple(a / (1 + (k / cutoff) ** 2) for k, a in enumerate(harmonics, start=1))


# Building blocks


def _times(rate: int, seconds: float) -> npt.NDArray[np.float64]:
    return np.arange(max(1, round(rate * seconds))) / rate


def _sine(rate: int, hz: float, count: int, fade: float = 0.0) -> Sound:
    """sin(2π hz t), falling by `fade` nepers a second.

    As an outer product of two short spirals in the complex plane: ten times as fast as `np.sin`.
    """
    turn = (2j * np.pi * hz - fade) / rate
    fine = np.exp(turn * np.arange(256)).astype(np.complex64)
    coarse = np.exp(turn * np.arange(0, count, 256)).astype(np.complex64)
    spiral: Sound = np.outer(coarse, fine).imag.ravel()[:count]
    return spiral


@lru_cache(maxsize=256)
def _cycle(harmonics: Harmonics, count: int) -> Sound:
    """One period of a tone from its first `count` harmonics, and its first sample once more."""
    spectrum = np.zeros(TABLE // 2 + 1, dtype=np.complex128)
    used = harmonics[: min(count, TABLE // 2)]
    spectrum[1 : len(used) + 1] = -1j * np.array(used)
    cycle = np.fft.irfft(spectrum)
    cycle /= max(float(np.abs(cycle).max()), 1e-12)
    return np.append(cycle, cycle[0]).astype(np.float32)


def _oscillator(rate: int, hz: float, phase: npt.NDArray[np.float64], wave: Harmonics) -> Sound:
    """A periodic tone without aliasing: only harmonics below half the sample rate sound."""
    cycle = _cycle(wave, max(1, int(0.45 * rate / hz)))
    position = (phase - np.floor(phase)) * TABLE
    index = position.astype(np.int32)
    here = cycle[index]
    between: Sound = here + (position - index).astype(np.float32) * (cycle[index + 1] - here)
    return between


def _shaped(times: npt.NDArray[np.float64], attack: float, release: float) -> Sound:
    """Envelope that rises linearly over `attack` s and falls over the last `release` s."""
    rise = np.minimum(times / max(attack, 1e-4), 1.0)
    fall = np.minimum((times[-1] - times) / max(release, 1e-4), 1.0)
    envelope: Sound = (rise * fall).astype(np.float32)
    return envelope


def _noise(count: int, seed: int) -> Sound:
    return np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)


# Pitched instruments


@lru_cache(maxsize=512)
def tone(
    rate: int,
    midi: float,
    seconds: float,
    wave: Harmonics,
    attack: float = 0.005,
    release: float = 0.02,
    decay: float = 0.0,
    vibrato: float = 0.0,
) -> Sound:
    """A plain synthesiser note.

    Args:
        rate: samples a second.
        midi: pitch.
        seconds: length.
        wave: harmonics.
        attack: s to full level.
        release: s of fade at the end.
        decay: 1/s of exponential fall in between; 0 holds the level.
        vibrato: depth in semitones, at 5.5 Hz, coming in over half a second.
    """
    hz, times = hertz(midi), _times(rate, seconds)
    phase = hz * times
    if vibrato:
        swing = hz * (2 ** (vibrato / 12) - 1) / (2 * np.pi * 5.5)
        phase += swing * np.minimum(2 * times, 1) * np.sin(2 * np.pi * 5.5 * times)
    sound = _oscillator(rate, hz, phase, wave) * _shaped(times, attack, release)
    if decay:
        sound *= np.exp(-decay * times).astype(np.float32)
    return sound


@lru_cache(maxsize=512)
def ensemble(
    rate: int, midi: float, seconds: float, wave: Harmonics, attack: float, release: float
) -> Sound:
    """Four players a few cents apart, each with a vibrato of its own: strings, or a pad."""
    times = _times(rate, seconds)
    total = np.zeros(len(times), dtype=np.float32)
    for cents, speed, start in ((-7, 4.9, 0.0), (-2, 5.6, 0.31), (3, 5.2, 0.57), (8, 6.1, 0.83)):
        hz = hertz(midi + cents / 100)
        depth = 0.004 * hz / (2 * np.pi * speed)
        phase = hz * times + start + depth * _sine(rate, speed, len(times))
        total += _oscillator(rate, hz, phase, wave)
    return 0.3 * total * _shaped(times, attack, release)


@lru_cache(maxsize=512)
def piano(rate: int, midi: float, seconds: float, brightness: float) -> Sound:
    """Struck string: stretched partials, the higher the sooner gone, and a soft hammer."""
    hz, times = hertz(midi), _times(rate, seconds)
    total = np.zeros(len(times), dtype=np.float32)
    for k in range(1, 13):
        partial = k * hz * np.sqrt(1 + 4e-4 * k**2)
        if partial > 0.45 * rate:
            break
        level = np.exp(-(k - 1) / brightness) / k**0.5
        fade = (0.6 + hz / 400) * (1 + 0.35 * k)
        total += np.float32(level) * _sine(rate, partial, len(times), fade)
    hammer = _noise(len(times), 11) * np.exp(-150 * times)
    total += 0.08 * hammer.astype(np.float32)
    return 0.6 * total * _shaped(times, 0.003, 0.08)


@lru_cache(maxsize=512)
def pluck(rate: int, midi: float, seconds: float, softness: float, sustain: float) -> Sound:
    """Plucked string after Karplus & Strong (1983), one whole period a step.

    Args:
        rate: samples a second.
        midi: pitch.
        seconds: length.
        softness: how often the first burst of noise is smoothed; more sounds like a thumb.
        sustain: share of the level kept from one period to the next, just below 1.
    """
    hz, times = hertz(midi), _times(rate, seconds)
    length = max(2, round(rate / hz))
    string = _noise(length, round(midi * 8))
    for _ in range(round(softness)):
        string = 0.5 * (string + np.roll(string, 1))
    string -= string.mean()
    string /= max(float(np.abs(string).max()), 1e-6)
    periods = np.empty((int(len(times) / length) + 3, length), dtype=np.float32)
    for row in range(len(periods)):
        periods[row] = string
        string = sustain * 0.5 * (string + np.roll(string, 1))
    # Averaging delays by half a sample; reading at a slightly other speed tunes the string.
    positions = np.arange(len(times)) * (hz * (length + 0.5) / rate)
    flat = periods.ravel()
    sound: Sound = np.interp(positions, np.arange(len(flat)), flat).astype(np.float32)
    return sound * _shaped(times, 0.001, 0.02)


@lru_cache(maxsize=128)
def bell(rate: int, midi: float, seconds: float, ratio: float, depth: float) -> Sound:
    """Frequency modulation after Chowning (1973): an inharmonic `ratio` sounds like metal."""
    hz, times = hertz(midi), _times(rate, seconds)
    index = depth * np.exp(-1.5 * times)
    phase = 2 * np.pi * hz * times
    sound = np.sin(phase + index * np.sin(ratio * phase)) * np.exp(-1.2 * times)
    return sound.astype(np.float32) * _shaped(times, 0.01, 0.3)


@lru_cache(maxsize=256)
def power_chord(rate: int, midi: float, seconds: float, drive: float, muted: bool) -> Sound:
    """Root, fifth and octave through one overdriven amplifier; `muted` with the palm."""
    times = _times(rate, seconds)
    wave = darker(SAW, 6 if muted else 20)
    total = np.zeros(len(times), dtype=np.float32)
    for interval, level in ((0, 1.0), (7.02, 0.8), (12.01, 0.6)):
        hz = hertz(midi + interval)
        total += level * _oscillator(rate, hz, hz * times + 0.37 * interval, wave)
    swell = np.exp(-(9.0 if muted else 0.5) * times).astype(np.float32)
    driven: Sound = np.tanh(np.float32(drive) * total * swell)
    driven[1:] -= np.float32(0.75) * driven[:-1]  # the bite of a small loudspeaker
    driven *= 1.5 * _shaped(times, 0.002, 0.015)
    return driven


# Drums


@lru_cache(maxsize=32)
def kick(rate: int, low: float = 48.0, click: float = 0.3, decay: float = 9.0) -> Sound:
    """Bass drum: a sine that falls to `low` Hz, and the `click` of the beater."""
    times = _times(rate, 0.35)
    phase = 2 * np.pi * (low * times + 110 / 32 * (1 - np.exp(-32 * times)))
    body = np.sin(phase) * np.exp(-decay * times)
    beater = _noise(len(times), 1) * np.exp(-260 * times)
    sound: Sound = (body + click * beater).astype(np.float32)
    return sound * _shaped(times, 0.001, 0.02)


@lru_cache(maxsize=32)
def snare(rate: int, pitch: float = 185.0, wires: float = 0.8, decay: float = 17.0) -> Sound:
    """Snare drum: two modes of the skin, and the noise of the wires."""
    times = _times(rate, 0.3)
    skin = np.sin(2 * np.pi * pitch * times) + 0.6 * np.sin(2 * np.pi * 1.78 * pitch * times)
    rattle = _noise(len(times), 2) * np.exp(-decay * times)
    return (0.4 * skin * np.exp(-28 * times) + wires * rattle).astype(np.float32)


@lru_cache(maxsize=32)
def cymbal(rate: int, decay: float, metal: float = 0.4) -> Sound:
    """Hi-hat (`decay` 50 /s), ride (8) or crash (3): bright noise over metal partials."""
    times = _times(rate, min(6 / decay, 2.0))
    noise = _noise(len(times) + 2, 3)
    hiss = (noise[2:] - 2 * noise[1:-1] + noise[:-2]) / 3  # second difference: 12 dB an octave
    ring = sum(np.sin(2 * np.pi * hz * times) for hz in (3_120, 4_270, 5_330, 6_410, 8_230)) / 5
    fade = np.exp(-decay * times)
    return (((1 - metal) * hiss + metal * ring) * fade).astype(np.float32)


@lru_cache(maxsize=8)
def rim(rate: int) -> Sound:
    """Stick across the rim: a short wooden knock."""
    times = _times(rate, 0.08)
    knock = np.sin(2 * np.pi * 1_680 * times) + 0.7 * np.sin(2 * np.pi * 620 * times)
    return (0.6 * knock * np.exp(-70 * times)).astype(np.float32)


@lru_cache(maxsize=32)
def crunch(rate: int, hold: int, decay: float) -> Sound:
    """Noise as an early game console makes it: every random level is held for `hold` samples."""
    times = _times(rate, 0.2)
    steps = _noise(len(times) // hold + 1, 4)
    held = np.repeat(np.sign(steps), hold)[: len(times)]
    return (0.7 * held * np.exp(-decay * times)).astype(np.float32)
