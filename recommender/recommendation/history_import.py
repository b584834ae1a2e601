"""Histories of listening from ListenBrainz and Last.fm, matched to the catalogue's tracks."""

from collections.abc import Callable
from dataclasses import dataclass

from recommender.catalog import Catalog
from recommender.utils.files import AnyPath


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
        format: ``listenbrainz`` or ``lastfm``.
        read: events in the file.
        matched: of them those of tracks of the catalogue; `tracks` is how many those are.
        added: of the matched those that were not known.
        unmatched: the recordings that are not in the catalogue, the most frequent first.
        unreadable: lines that make no sense, as "line 3: why"; at most a few of them.
        unreadable_count: how many there are.
    """

    format: str
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
    """Add a history to that of `user`; what is known already is not added again."""
    raise NotImplementedError
