"""Which windows of a track are analysed. Settings and arithmetic only."""

import math
from dataclasses import dataclass

from recommender.errors import UsageError

SHORTEST = 1.0
"""Seconds of sound, at least, that can be analysed."""

MOST_WINDOWS_LONG = 24
"""Windows of a long track, at most (or `Windowing.count` where that is more)."""

MOST_WINDOWS_WHOLE = 360
"""Windows of a track analysed whole at most: an hour of 10 s windows, 320 MB."""


@dataclass(frozen=True)
class Windowing:
    """How a track is analysed: settings only.

    Attributes:
        count: windows of a track; 0 = the whole track, cut into consecutive windows.
        seconds: length of a window.
        long_after: a track of more seconds than this gets more windows, one for every
            ``long_after / count`` seconds, at most `MOST_WINDOWS_LONG`.
    """

    count: int = 3
    seconds: float = 10.0
    long_after: float = 1200.0

    def __post_init__(self) -> None:
        """Raises `UsageError` for values out of range."""
        if self.count < 0 or self.seconds < SHORTEST or self.long_after <= 0:
            raise UsageError(
                f"{self} is not possible: count must be 0 or more, seconds at least "
                f"{SHORTEST:g}, long_after more than 0."
            )

    def starts(self, duration: float) -> tuple[float, ...]:
        """The first second of each window of a track, ascending.

        Window i is centred in the i-th of equal parts of the track, moved inside it where it
        would stick out. There are no more windows than cover the track. A track shorter than a
        window has one, at 0.

        With `count` 0 the windows follow one another; the last is moved back to end with the
        track, or dropped when it would add less than a second. A track of more than
        `MOST_WINDOWS_WHOLE` windows gets that many, spread evenly.
        """
        room = duration - self.seconds
        if room <= 0:
            return (0.0,)
        covering = math.ceil(duration / self.seconds)
        if self.count:
            return self._spread(min(self._count_for(duration), covering), duration)
        consecutive = math.ceil((duration - SHORTEST) / self.seconds)
        if consecutive > MOST_WINDOWS_WHOLE:
            return self._spread(MOST_WINDOWS_WHOLE, duration)
        return tuple(min(i * self.seconds, room) for i in range(max(consecutive, 1)))

    def _count_for(self, duration: float) -> int:
        if duration <= self.long_after:
            return self.count
        wanted = math.ceil(duration * self.count / self.long_after)
        return min(wanted, max(self.count, MOST_WINDOWS_LONG))

    def _spread(self, count: int, duration: float) -> tuple[float, ...]:
        part = duration / count
        room = duration - self.seconds
        centred = ((i + 0.5) * part - self.seconds / 2 for i in range(count))
        return tuple(min(max(start, 0.0), room) for start in centred)
