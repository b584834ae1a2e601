"""What players leave at the server for each user: the queue, and places in long tracks.

They lie in a file of their own beside the catalogue, as they are of use to players alone, and are
lost without harm. What is playing is not kept beyond the process.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recommender.errors import RecsysError, UsageError
from recommender.server.private_files import changing, read_private, write_private

SCHEMA_VERSION = 1
MOST_ENTRIES = 10_000
"""Tracks of a queue, and places that a user may keep."""

_LARGEST_FILE = 64 << 20


@dataclass(frozen=True)
class PlayQueue:
    """What a user plays, and will.

    Attributes:
        track_ids: in their order.
        current: track that is playing; None for none.
        position: milliseconds into it.
        changed_at: seconds since 1970.
        changed_by: name of the player.
    """

    track_ids: tuple[int, ...]
    current: int | None
    position: int
    changed_at: float
    changed_by: str


@dataclass(frozen=True)
class Bookmark:
    """A place in a track: milliseconds from its beginning; times in seconds since 1970."""

    track_id: int
    position: int
    comment: str
    created_at: float
    changed_at: float


@dataclass(frozen=True)
class NowPlaying:
    """What a user began to play: a track, when by `time.monotonic`, and by which player."""

    track_id: int
    since: float
    player: str


@dataclass(frozen=True)
class _Notes:
    queue: PlayQueue | None = None
    bookmarks: tuple[Bookmark, ...] = ()


class PlayerNotes:
    """The notes of all users. Thread-safe."""

    def __init__(self, file: Path) -> None:
        """Read nothing yet."""
        self._file = file
        self._lock = threading.Lock()
        self._playing: dict[str, NowPlaying] = {}

    def queue(self, user: str) -> PlayQueue | None:
        """The queue of a user. Raises `RecsysError` where the file cannot be read."""
        return self._read().get(user, _Notes()).queue

    def save_queue(self, user: str, queue: PlayQueue | None) -> None:
        """Replace the queue of a user.

        Raises `UsageError` for too many entries, and `RecsysError` where the file cannot be
        changed; so do the methods below.
        """
        if queue is not None and len(queue.track_ids) > MOST_ENTRIES:
            raise UsageError(f"a queue has at most {MOST_ENTRIES} songs.")
        self._change(user, lambda notes: replace(notes, queue=queue))

    def bookmarks(self, user: str) -> tuple[Bookmark, ...]:
        """The places that a user keeps."""
        return self._read().get(user, _Notes()).bookmarks

    def save_bookmark(self, user: str, track_id: int, position: int, comment: str) -> None:
        """Keep a place, in place of another in the track."""
        now = time.time()

        def changed(notes: _Notes) -> _Notes:
            former = next((one for one in notes.bookmarks if one.track_id == track_id), None)
            others = tuple(one for one in notes.bookmarks if one.track_id != track_id)
            if len(others) >= MOST_ENTRIES:
                raise _TooMany(f"a user keeps at most {MOST_ENTRIES} bookmarks.")
            since = now if former is None else former.created_at
            return replace(
                notes, bookmarks=(*others, Bookmark(track_id, position, comment, since, now))
            )

        self._change(user, changed)

    def drop_bookmark(self, user: str, track_id: int) -> None:
        """Forget the place in a track."""
        self._change(
            user,
            lambda notes: replace(
                notes, bookmarks=tuple(one for one in notes.bookmarks if one.track_id != track_id)
            ),
        )

    def begin(self, user: str, track_id: int, player: str) -> None:
        """Note what a user begins to play."""
        with self._lock:
            self._playing[user] = NowPlaying(track_id, time.monotonic(), player)

    def playing(self) -> Mapping[str, NowPlaying]:
        """User → what was begun last."""
        with self._lock:
            return dict(self._playing)

    def _change(self, user: str, change: Callable[[_Notes], _Notes]) -> None:
        with self._lock, _named_for_the_log(), changing(self._file):
            notes = self._read()
            notes[user] = change(notes.get(user, _Notes()))
            content = {
                "schema_version": SCHEMA_VERSION,
                "users": {name: asdict(one) for name, one in notes.items()},
            }
            write_private(self._file, json.dumps(content).encode())

    def _read(self) -> dict[str, _Notes]:
        try:
            with _named_for_the_log():
                content = json.loads(read_private(self._file, _LARGEST_FILE))
            return {name: _notes_of(one) for name, one in content["users"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecsysError(f"{self._file} is damaged: delete it to begin anew.") from error


class _TooMany(Exception):
    """A user keeps too much."""


@contextmanager
def _named_for_the_log() -> Iterator[None]:
    """Errors that name the file are the server's, not the client's."""
    try:
        yield
    except UsageError as error:
        raise RecsysError(str(error)) from error
    except _TooMany as error:
        raise UsageError(str(error)) from None


def _notes_of(stored: Mapping[str, Any]) -> _Notes:
    queue = stored["queue"]
    return _Notes(
        None if queue is None else PlayQueue(**{**queue, "track_ids": tuple(queue["track_ids"])}),
        tuple(Bookmark(**one) for one in stored["bookmarks"]),
    )
