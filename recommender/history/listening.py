"""What was played and what was skipped, derived from what a player does.

A track counts as played once half of it, or four minutes, were listened to, as for Last.fm
(last.fm/api/scrobbling). It counts as skipped where another one began before.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from recommender.catalog import Catalog, Event, EventKind
from recommender.catalog.records import Track
from recommender.errors import TrackNotFound

ENOUGH_S = 240.0
"""Listened to for so long, even a long track counts as played."""

SHORTEST_S = 2.0
"""What was listened to for less was passed over on the way to another track."""


@dataclass
class _Playing:
    key: object
    track: Track
    began: datetime
    listened: float
    running_since: float | None


class Listening:
    """Records plays and skips of one user, as a player is observed."""

    def __init__(
        self,
        catalog: Catalog,
        user: str,
        source: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is playing yet; `catalog` stays open."""
        self._catalog = catalog
        self._user = user
        self._source = source
        self._clock = clock
        self._playing: _Playing | None = None
        self._unrecorded: list[Event] = []

    def observe(
        self, key: object, track: Track | None, is_playing: bool, elapsed: float = 0.0
    ) -> None:
        """Take in what the player does now; to be called whenever that changes.

        Args:
            key: distinguishes what is playing from what was before; None for nothing.
            track: of the catalogue, where it is one.
            is_playing: False where it is paused or stopped.
            elapsed: seconds into the track, counted as listened to where it is new here.

        Raises `CatalogError` where the catalogue cannot be written; it is tried again next time.
        """
        now = self._clock()
        self._count(now)
        if self._playing is not None and self._playing.key != key:
            self._finish(another_began=key is not None and is_playing)
        if self._playing is None and track is not None and is_playing:
            self._playing = _Playing(key, track, datetime.now(UTC), elapsed, None)
        if self._playing is not None:
            self._playing.running_since = now if is_playing else None
        self._record()

    def _count(self, now: float) -> None:
        playing = self._playing
        if playing is not None and playing.running_since is not None:
            playing.listened += now - playing.running_since
            playing.running_since = None

    def _finish(self, another_began: bool) -> None:
        playing, self._playing = self._playing, None
        assert playing is not None
        if playing.listened >= min(playing.track.duration / 2, ENOUGH_S):
            kind = EventKind.PLAY
        elif another_began and playing.listened >= SHORTEST_S:
            kind = EventKind.SKIP
        else:
            return
        at = playing.began
        self._unrecorded.append(Event(self._user, kind, playing.track.id, at, self._source))

    def _record(self) -> None:
        while self._unrecorded:
            with suppress(TrackNotFound):  # it was dropped while it was playing
                self._catalog.record_events(self._unrecorded[:1])
            del self._unrecorded[0]
