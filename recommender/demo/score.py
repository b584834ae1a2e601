"""Tools for composing: scales, chords, random melodies, and a stereo mix."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from recommender.demo.effects import lowpassed, reverberated
from recommender.demo.instruments import Sound

T = TypeVar("T")
Mix = npt.NDArray[np.float32]
Scale = tuple[int, ...]

MAJOR: Scale = (0, 2, 4, 5, 7, 9, 11)
MINOR: Scale = (0, 2, 3, 5, 7, 8, 10)
DORIAN: Scale = (0, 2, 3, 5, 7, 9, 10)
PHRYGIAN: Scale = (0, 1, 3, 5, 7, 8, 10)
MIXOLYDIAN: Scale = (0, 2, 4, 5, 7, 9, 10)
BLUES: Scale = (0, 3, 5, 6, 7, 10)

STEPS = (-2, -1, 0, 1, 2)
NEXT_STEP = {  # after a leap a melody turns back by step; after a step it tends to go on
    -2: (0.05, 0.10, 0.10, 0.55, 0.20),
    -1: (0.10, 0.45, 0.10, 0.25, 0.10),
    0: (0.15, 0.30, 0.10, 0.30, 0.15),
    1: (0.10, 0.25, 0.10, 0.45, 0.10),
    2: (0.20, 0.55, 0.10, 0.10, 0.05),
}


class Score:
    """The decisions of one piece, and the stage it is played on.

    Attributes:
        rng: the only source of chance.
        rate: samples a second.
        beat: seconds.
        key: MIDI note of the tonic.
        scale: semitones above the tonic.
        progression: the degree (0 is the tonic) that each bar's chord stands on, repeated.
    """

    def __init__(self, rng: np.random.Generator, rate: int, seconds: float) -> None:
        """An empty stage of `seconds`."""
        self.rng = rng
        self.rate = rate
        self.beat = 0.5
        self.key = 60
        self.scale = MAJOR
        self.progression: tuple[int, ...] = (0,)
        self._dry: Mix = np.zeros((2, round(rate * seconds)), dtype=np.float32)
        self._wet: Sound = np.zeros_like(self._dry[0])

    def choose(
        self,
        tempo: tuple[float, float],
        lowest: int,
        scales: Sequence[Scale],
        progressions: Sequence[tuple[int, ...]],
    ) -> None:
        """Draw tempo (range in beats a minute), key (`lowest` or up to 11 higher) and harmony."""
        self.beat = 60 / self.rng.uniform(*tempo)
        self.key = lowest + int(self.rng.integers(12))
        self.scale = self.pick(scales)
        self.progression = self.pick(progressions)

    def pick(self, options: Sequence[T]) -> T:
        """One of them."""
        return options[int(self.rng.integers(len(options)))]

    def happens(self, probability: float) -> bool:
        """True with this probability."""
        return bool(self.rng.random() < probability)

    # Time and pitch

    @property
    def seconds(self) -> float:
        """Length of the piece."""
        return float(self._dry.shape[1]) / self.rate

    def bars(self, beats: float) -> Iterator[tuple[float, int]]:
        """Start in seconds and chord degree of each bar of so many beats, to the end."""
        count = int(np.ceil(self.seconds / (beats * self.beat)))
        for bar in range(count):
            yield bar * beats * self.beat, self.progression[bar % len(self.progression)]

    def note(self, degree: int) -> int:
        """MIDI note of a scale degree; degrees go on through the octaves, both ways."""
        octave, step = divmod(degree, len(self.scale))
        return self.key + 12 * octave + self.scale[step]

    def chord(self, degree: int, size: int = 3) -> tuple[int, ...]:
        """MIDI notes of the thirds piled on a degree."""
        return tuple(self.note(degree + 2 * i) for i in range(size))

    def walk(self, low: int, high: int) -> Iterator[int]:
        """Degrees of an endless melody between two degrees: a Markov chain over its steps."""
        degree, step = (low + high) // 2, 0
        while True:
            step = int(self.rng.choice(STEPS, p=NEXT_STEP[step]))
            if not low <= degree + step <= high:
                step = -step
            degree += step
            yield degree

    # Mixing

    def play(
        self, sound: Sound, at: float, gain: float, pan: float = 0.0, wet: float = 0.0
    ) -> None:
        """Add a sound to the mix.

        Args:
            sound: np.ndarray [shape=(n,)].
            at: start in seconds; what lies beyond the piece is cut off.
            gain: amplitude.
            pan: -1 (left) to 1 (right).
            wet: share that is also sent to the reverberation.
        """
        start = max(0, round(at * self.rate))
        sound = sound[: max(0, self._dry.shape[1] - start)] * np.float32(gain)
        angle = (pan + 1) * np.pi / 4
        here = slice(start, start + len(sound))
        if wet:
            self._wet[here] += np.float32(wet) * sound
        for channel, level in enumerate((np.cos(angle), np.sin(angle))):
            self._dry[channel, here] += np.float32(level) * sound

    def mixed(self, reverb_s: float, cutoff: float, fade_s: float = 2.0) -> Mix:
        """The finished piece: np.ndarray [shape=(2, n)], peaking at 0.8.

        Args:
            reverb_s: time in which the reverberation falls by 60 dB; 0 for none.
            cutoff: Hz above which everything fades, 12 dB an octave.
            fade_s: fade-out at the end.
        """
        out = self._dry.copy()
        if reverb_s:
            room = reverberated(self._wet, self.rate, reverb_s)
            later = round(0.011 * self.rate)  # left and right wall are not equally far
            out[0] += room
            out[1, later:] += room[:-later]
        out = np.stack([lowpassed(channel, self.rate, cutoff) for channel in out])
        fade = round(fade_s * self.rate)
        out[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32) ** 2
        return out * np.float32(0.8 / max(float(np.abs(out).max()), 1e-9))
