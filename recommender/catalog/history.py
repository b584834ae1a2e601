"""What users did with tracks: likes, plays and skips.

Every function works on a connection, inside the caller's transaction.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, delete, func, insert, select

from recommender.catalog.chunks import CHUNK
from recommender.catalog.list_records import Event, EventKind
from recommender.catalog.queries import LARGEST_ID, no_such_track
from recommender.catalog.schema import EventRow, TrackRow, table
from recommender.utils.names import storable

_EVENTS = table(EventRow)
_KEY = (_EVENTS.c.user_name, _EVENTS.c.kind, _EVENTS.c.track_id, _EVENTS.c.at, _EVENTS.c.source)


def record(connection: Connection, events: Iterable[Event], within: timedelta) -> int:
    """See `Catalog.record_events`."""
    added = 0
    for part in _parts(events):
        _require_tracks(connection, {event.track_id for event in part})
        each = list(dict.fromkeys(map(_stored, part)))
        known = _known(connection, each, within)
        new = _apart(each, known, within) if within else [key for key in each if key not in known]
        rows = [
            dict(zip(("user_name", "kind", "track_id", "at", "source"), key, strict=True))
            for key in new
        ]
        if rows:
            connection.execute(insert(_EVENTS), rows)
        added += len(rows)
    return added


_Stored = tuple[str, EventKind, int, datetime, str]


def _stored(event: Event) -> _Stored:
    kind = EventKind(event.kind)
    return storable(event.user), kind, event.track_id, event.at.astimezone(), storable(event.source)


def _parts(events: Iterable[Event]) -> Iterator[list[Event]]:
    rest = iter(events)
    while part := list(islice(rest, CHUNK)):
        yield part


def _apart(keys: Sequence[_Stored], known: Iterable[_Stored], within: timedelta) -> list[_Stored]:
    """Those of the events that are not within that time of a known one, or of one another."""
    times: dict[tuple[str, EventKind, int], list[datetime]] = defaultdict(list)
    for user, kind, track_id, at, _ in known:
        times[user, kind, track_id].append(at)
    for own in times.values():
        own.sort()
    found = []
    for key in keys:
        user, kind, track_id, at, _ = key
        own = times[user, kind, track_id]
        place = bisect_left(own, at - within)
        if place == len(own) or own[place] > at + within:
            insort(own, at)
            found.append(key)
    return found


def _known(connection: Connection, keys: Sequence[_Stored], within: timedelta) -> set[_Stored]:
    """Those of the events that are stored, and perhaps others of their tracks and times."""
    times = [at for *_, at, _ in keys]
    query = select(*_KEY).where(
        _EVENTS.c.user_name.in_({user for user, *_ in keys}),
        _EVENTS.c.at.between(min(times) - within, max(times) + within),
        _EVENTS.c.track_id.in_({track_id for _, _, track_id, *_ in keys}),
    )
    return {tuple(row) for row in connection.execute(query)}


def _require_tracks(connection: Connection, ids: Collection[int]) -> None:
    query = select(TrackRow.id).where(TrackRow.id.in_([id for id in ids if 0 < id <= LARGEST_ID]))
    for id in sorted(set(ids) - set(connection.scalars(query))):
        raise no_such_track(id)


def history(
    connection: Connection,
    user: str,
    since: datetime | None,
    kinds: Collection[EventKind] | None,
) -> list[Event]:
    """See `Catalog.history`."""
    query = select(*_KEY).where(_EVENTS.c.user_name == storable(user))
    if since is not None:
        query = query.where(_EVENTS.c.at >= since)
    if kinds is not None:
        query = query.where(_EVENTS.c.kind.in_([EventKind(kind) for kind in kinds]))
    rows = connection.execute(query.order_by(_EVENTS.c.at, _EVENTS.c.id))
    return [Event(*row) for row in rows]


def likes(connection: Connection, user: str) -> list[int]:
    """See `Catalog.likes`."""
    liked: dict[int, None] = {}
    for event in history(connection, user, None, (EventKind.LIKE, EventKind.UNLIKE)):
        liked.pop(event.track_id, None)
        if event.kind is EventKind.LIKE:
            liked[event.track_id] = None
    return list(reversed(liked))


def users(connection: Connection) -> dict[str, int]:
    """See `Catalog.history_users`."""
    rows = connection.execute(
        select(_EVENTS.c.user_name, func.count())
        .group_by(_EVENTS.c.user_name)
        .order_by(_EVENTS.c.user_name)
    )
    return {user: count for user, count in rows}  # noqa: C416 (rows are no pairs)


def clear(connection: Connection, user: str, source: str | None) -> int:
    """See `Catalog.clear_history`."""
    statement = delete(_EVENTS).where(_EVENTS.c.user_name == storable(user))
    if source is not None:
        statement = statement.where(_EVENTS.c.source == source)
    return connection.execute(statement).rowcount
