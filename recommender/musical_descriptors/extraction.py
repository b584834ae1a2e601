"""All musical descriptors of a track, of the windows that were decoded of it."""

from collections.abc import Sequence

import numpy as np

from recommender.audio.reader import DecodedWindows
from recommender.musical_descriptors import character, loudness, timbre
from recommender.musical_descriptors.key import Tonality, peaks, tonality
from recommender.musical_descriptors.record import MusicalDescriptors
from recommender.musical_descriptors.spectra import FRAME_RATE, Spectra, spectra
from recommender.musical_descriptors.tempo import Pulse, onset_curve, pulse
from recommender.musical_descriptors.voice import speech, vocals, voicing

_ENOUGH = 3

_SHORTEST_S = 3.0
"""Seconds of sound, at least, that voices and characters are told of."""


def describe_windows(decoded: DecodedWindows) -> MusicalDescriptors:
    """The descriptors of a track's windows. Raises `UsageError` for another rate than 22,050 Hz."""
    windows = [spectra(clip.samples, clip.sample_rate) for clip in decoded.clips]
    weighted = [window.weighted for window in windows]
    if not all(np.isfinite(window).all() for window in weighted):
        return MusicalDescriptors()
    beat = pulse([onset_curve(window.mel) for window in windows])
    tones = tonality([peaks(window.low) for window in windows])
    bright = timbre.brightness(windows)
    percussive = timbre.percussive_part(_few(windows))
    complexity = loudness.dynamic_complexity(weighted)
    loud = loudness.loudness(weighted, decoded.channel_gain)
    return MusicalDescriptors(
        loudness=_rounded(loud, 2),
        loudness_range=_rounded(loudness.loudness_range(weighted, decoded.channel_gain), 2),
        tempo=_rounded(beat.tempo, 2),
        tempo_confidence=_rounded(beat.confidence, 3),
        second_tempo=_rounded(beat.second_tempo, 2),
        beat_strength=_rounded(beat.beat_strength, 3),
        key=tones.key,
        mode=tones.mode,
        key_confidence=_rounded(tones.confidence, 3),
        tuning=_rounded(tones.tuning, 0),
        brightness=_rounded(bright, 0),
        percussive=_rounded(percussive, 3),
        dynamic_complexity=_rounded(complexity, 2),
        **_of_character(windows, loud, beat, bright, percussive, complexity),
        **_of_voice(windows, beat, tones),
    )


def _of_character(
    windows: Sequence[Spectra],
    loud: float | None,
    beat: Pulse,
    bright: float | None,
    percussive: float | None,
    complexity: float | None,
) -> dict[str, float | None]:
    """Energy, danceability and acousticness; none of a sound too short or too quiet to tell."""
    if (
        _seconds(windows) < _SHORTEST_S
        or loud is None
        or bright is None
        or percussive is None
        or complexity is None
    ):
        return {}
    found: dict[str, float | None] = {
        "energy": _rounded(character.energy(loud, beat.onset_rate, bright, complexity), 3),
        "acousticness": _rounded(character.acousticness(bright, loud, percussive, complexity), 3),
    }
    if beat.beat_strength is not None:
        tempi = [tempo for tempo in (beat.tempo, beat.second_tempo) if tempo is not None]
        strength, low = beat.beat_strength, character.bass_pulse(windows)
        dance = character.danceability(tempi, beat.confidence or 0.0, strength, low)
        found["danceability"] = _rounded(dance, 3)
    return found


def _of_voice(windows: Sequence[Spectra], beat: Pulse, tones: Tonality) -> dict[str, float | None]:
    """Vocals and speech; none of a sound too short to tell."""
    if _seconds(windows) < _SHORTEST_S or _loudest(windows) <= 0:
        return {}
    measures = [voicing(window) for window in _few(windows)]
    likely = speech(measures, tones.agreement, beat.beat_strength or 0.0)
    return {"vocals": _rounded(vocals(measures), 3), "speech": _rounded(likely, 3)}


def _few(windows: Sequence[Spectra]) -> Sequence[Spectra]:
    """At most `_ENOUGH` windows from the middle, for measures that more would hardly make surer.

    Songs are sung there, if anywhere, rather than at their beginning and end.
    """
    first = max(len(windows) - _ENOUGH, 0) // 2
    return windows[first : first + _ENOUGH]


def _seconds(windows: Sequence[Spectra]) -> float:
    return sum(len(window.weighted) for window in windows) / FRAME_RATE


def _loudest(windows: Sequence[Spectra]) -> float:
    return max(float(window.weighted.max()) for window in windows)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(float(value), digits) + 0.0
