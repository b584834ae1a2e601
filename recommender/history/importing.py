"""Histories of listening from ListenBrainz and Last.fm, matched to the catalogue's tracks."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from recommender.catalog import Catalog, Event, EventKind
from recommender.errors import HistoryError
from recommender.history.formats import HistoryFormat, read_history
from recommender.history.items import Listen, Unreadable
from recommender.history.track_lookup import Named, TrackLookup
from recommender.utils.files import AnyPath, as_path

SAME_TIME = timedelta(seconds=1)
"""Events of one track, kind and user that are no further apart are one: exports have whole seconds,
and several services are told of the same play."""

_AT_ONCE = 10_000
"""Events in a transaction."""

_MOST_UNREADABLE = 20


@dataclass(frozen=True)
class UnmatchedListens:
    """Listens of one recording that is not in the catalogue."""

    artist: str
    title: str
    count: int


@dataclass(frozen=True)
class HistoryImport:
    """What became of a history.

    Attributes:
        read: events in the file.
        matched: of them those of tracks of the catalogue.
        added: of the matched those that were not known.
        tracks: of the catalogue that the matched ones are of.
        unmatched: the recordings that are not in the catalogue, the most frequent first.
        unreadable: what makes no sense, as "line 3: why"; the first of it.
        unreadable_count: how much that is.
    """

    format: HistoryFormat
    read: int
    matched: int
    added: int
    tracks: int
    unmatched: list[UnmatchedListens]
    unreadable: list[str]
    unreadable_count: int


def import_history(
    catalog: Catalog,
    file: AnyPath,
    user: str = "",
    on_progress: Callable[[int], None] | None = None,
) -> HistoryImport:
    """Add a history to that of `user`.

    A recording is known by its MusicBrainz id where the file's tags have it, else by artist and
    title (`TrackLookup.named`). What is known already, from whichever source (`SAME_TIME`), is not
    added again, so that a newer export may be imported whole, an import that was interrupted once
    more, and one's own export as well.

    Args:
        catalog: stays open.
        file: see `history.formats`; ListenBrainz's may also be an unpacked folder.
        user: empty for the only one.
        on_progress: called with the number of events read, now and then.

    Raises:
        HistoryError: the file cannot be read, or is no history, as nothing in it is an event.
    """
    file = as_path(file, "file")
    kind, items = read_history(file)
    found = _Import(catalog, user, kind)
    for number, item in enumerate(items, start=1):
        found.take(item)
        if number % _AT_ONCE == 0 and on_progress is not None:
            on_progress(number)
    result = found.finished()
    if result.unreadable_count and not result.read:
        raise HistoryError(
            f"{file}: of {result.unreadable_count:,} entries none can be read as an event "
            f"({result.unreadable[0]}): give an export of a history."
        )
    return result


class _Import:
    """Counts, and events that wait to be stored."""

    def __init__(self, catalog: Catalog, user: str, format: HistoryFormat) -> None:
        self._catalog = catalog
        self._user = user
        self._format = format
        self._lookup = TrackLookup(catalog)
        self._known: dict[Named, int | None] = {}
        self._names: dict[str, Named] = {}
        self._feedback: list[Listen] = []
        self._waiting: list[Event] = []
        self._tracks: set[int] = set()
        self._unmatched: Counter[tuple[str, str]] = Counter()
        self._unreadable: list[str] = []
        self._unreadable_count = self._read = self._matched = self._added = 0

    def take(self, item: Listen | Unreadable) -> None:
        """Store an event, or wait for the name that feedback refers to."""
        if isinstance(item, Unreadable):
            self._unreadable_count += 1
            if len(self._unreadable) < _MOST_UNREADABLE:
                self._unreadable.append(f"{item.where}: {item.reason}")
            return
        if item.named.title:
            for id in filter(None, (item.messybrainz_id, item.named.recording_mbid)):
                self._names.setdefault(id, item.named)
        if item.kind is EventKind.PLAY:
            self._store(item, item.named)
        else:
            self._feedback.append(item)

    def _store(self, item: Listen, named: Named) -> None:
        self._read += 1
        if named not in self._known:
            track = self._lookup.named(named)
            self._known[named] = None if track is None else track.id
        track_id = self._known[named]
        if track_id is None:
            shown = (named.artist or "", named.title or named.recording_mbid or "(no name)")
            self._unmatched[shown] += 1
            return
        self._matched += 1
        self._tracks.add(track_id)
        self._waiting.append(Event(self._user, item.kind, track_id, item.at, self._format))
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        self._added += self._catalog.record_events(self._waiting, SAME_TIME)
        self._waiting = []

    def finished(self) -> HistoryImport:
        """Store what waits."""
        for item in self._feedback:
            ids = (item.named.recording_mbid or "", item.messybrainz_id or "")
            by_id = [self._names[id] for id in ids if id in self._names]
            self._store(item, by_id[0] if by_id and not item.named.title else item.named)
        self._flush()
        ordered = sorted(self._unmatched.items(), key=lambda one: (-one[1], one[0]))
        return HistoryImport(
            format=self._format,
            read=self._read,
            matched=self._matched,
            added=self._added,
            tracks=len(self._tracks),
            unmatched=[UnmatchedListens(*names, count) for names, count in ordered],
            unreadable=self._unreadable,
            unreadable_count=self._unreadable_count,
        )
