"""What histories of listening consist of, and the values in them, which may be anything."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from recommender.catalog import EventKind
from recommender.history.track_lookup import Named

LONGEST_LINE = 2**20

_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_DATES = ("%d %b %Y %H:%M", "%d %b %Y, %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class Listen:
    """One event in a file.

    Attributes:
        named: the recording.
        at: when.
        kind: play, like or unlike.
        messybrainz_id: ListenBrainz's id of the names, by which its feedback may refer to them.
    """

    named: Named
    at: datetime
    kind: EventKind = EventKind.PLAY
    messybrainz_id: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """A part of a file that makes no sense: where, and why."""

    where: str
    reason: str


Items = Iterator[Listen | Unreadable]


def moment(value: object) -> datetime | None:
    """Of seconds or milliseconds since 1970, or of a date in UTC as text."""
    found: datetime | None = None
    try:
        text = str(value).strip()
        number = float(text) if not isinstance(value, bool) else None
        if number is not None:
            found = datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
    except (ValueError, OverflowError, OSError):
        found = _dated(text)
    return found if found is not None and _EARLIEST <= found < _LATEST else None


def _dated(text: str) -> datetime | None:
    for form in _DATES:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def loaded(text: str) -> object:
    """A JSON value; None for what is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def text_of(value: object) -> str | None:
    """A text without blanks around it; None for an empty one and for anything else."""
    return value.strip() or None if isinstance(value, str) else None
