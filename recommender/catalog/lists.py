"""`Lists`: the part of `Catalog` that stores what users say: exclusions, history, playlists."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import select

from recommender.catalog import exclusions, history, playlists
from recommender.catalog.database import Database
from recommender.catalog.list_records import (
    DEFAULT_USER,
    Event,
    EventKind,
    Exclusion,
    ExclusionKind,
    StoredPlaylist,
)
from recommender.catalog.playlists import PlaylistValues
from recommender.catalog.schema import CatalogRow
from recommender.errors import UsageError
from recommender.utils.arrays import IntArray
from recommender.utils.files import AnyPath, as_path

_Kind = TypeVar("_Kind", bound=StrEnum)


class Lists(Database):
    """Exclusions, history and playlists; see `Catalog`, which is the whole.

    None of it changes `Catalog.state`: no index is built again because of a list.
    """

    def lists_revision(self) -> int:
        """Counts the changes of exclusions and playlists, not those of the history."""
        found = self._compiled_reads.lists_revision()
        if found is not None:
            return found
        with self._reading() as connection:
            return connection.scalar(select(CatalogRow.lists_revision)) or 0

    # Exclusions

    def exclusions(self) -> list[Exclusion]:
        """What is never in mixes, in the order in which it was added."""
        with self._reading() as connection:
            return exclusions.exclusions(connection)

    def add_exclusion(self, kind: ExclusionKind | str, value: str | int) -> Exclusion:
        """Exclude tracks from mixes; returns the one that is there already, where it is.

        Args:
            kind: ``track``, ``artist``, ``folder`` or ``genre``.
            value: a track's id; an artist or a genre by name; the path of a folder, which follows
                the library that it lies in when that is moved.

        Raises:
            TrackNotFound: there is no track with this id.
            UsageError: another kind, or a name that names nobody or nothing.
        """
        member = _member(ExclusionKind, kind)
        with self._changing() as connection:
            return exclusions.add(connection, member, str(value))

    def remove_exclusion(self, exclusion_id: int) -> bool:
        """Lift an exclusion; returns whether there was one with this id."""
        with self._changing() as connection:
            return exclusions.remove(connection, exclusion_id)

    def excluded_tracks(self) -> IntArray:
        """The tracks, in any state, that exclusions of tracks and of folders name.

        Returns:
            np.ndarray [shape=(n,)], int64, ascending. Tracks of excluded artists and genres are
            not among them, unless they are excluded otherwise as well.
        """
        with self._reading() as connection:
            return exclusions.excluded_tracks(connection)

    # History

    def record(
        self,
        user: str,
        kind: EventKind | str,
        track_id: int,
        at: datetime,
        source: str = "recsys",
    ) -> bool:
        """Store what a user did with a track.

        Args:
            user: empty for the only one.
            at: when; in the local time zone where it has none.
            source: what tells of it.

        Returns:
            Whether it was not known before: the same track, time, kind and source.

        Raises:
            TrackNotFound: there is no track with this id.
            UsageError: another kind.
        """
        event = Event(user, _member(EventKind, kind), track_id, at, source)
        return bool(self.record_events([event]))

    def record_events(self, events: Iterable[Event], within: timedelta = timedelta(0)) -> int:
        """Like `record`, many events in one transaction; returns how many were not known.

        Args:
            within: above 0, an event is known where one of the same user, kind and track, from
                whichever source, is no more than so far from it in time.
        """
        with self._changing() as connection:
            return history.record(connection, events, within)

    def history(
        self,
        user: str = DEFAULT_USER,
        since: datetime | None = None,
        kinds: Collection[EventKind | str] | None = None,
    ) -> list[Event]:
        """What a user did, by time.

        Args:
            user: empty for the only one.
            since: only from then on.
            kinds: None for all.
        """
        wanted = None if kinds is None else [_member(EventKind, kind) for kind in kinds]
        with self._reading() as connection:
            return history.history(connection, user, since, wanted)

    def likes(self, user: str = DEFAULT_USER) -> list[int]:
        """The tracks that a user likes and has not disliked since, the last one first."""
        with self._reading() as connection:
            return history.likes(connection, user)

    def history_users(self) -> dict[str, int]:
        """User → number of events, by name."""
        with self._reading() as connection:
            return history.users(connection)

    def clear_history(self, user: str = DEFAULT_USER, source: str | None = None) -> int:
        """Drop what a user did, of one source or of all; returns the number of events."""
        with self._changing() as connection:
            return history.clear(connection, user, source)

    # Playlists

    def save_playlist(
        self,
        name: str,
        track_ids: Sequence[int],
        user: str = DEFAULT_USER,
        *,
        comment: str = "",
        recipe: Mapping[str, Any] | None = None,
        target: AnyPath | None = None,
        absolute: bool = False,
        run_at: datetime | None = None,
    ) -> StoredPlaylist:
        """Store a playlist; the user's playlist of that name is replaced whole, and keeps its id.

        Args:
            name: blanks around it are left out.
            track_ids: in their order.
            user, comment, recipe, target, absolute, run_at: as in `StoredPlaylist`.

        Raises:
            TrackNotFound: one of the tracks does not exist; nothing is stored.
            UsageError: the name is empty.
        """
        file = None if target is None else as_path(target, "target")
        values = PlaylistValues(comment, recipe, file, absolute, run_at)
        with self._changing() as connection:
            return playlists.save(connection, name, user, track_ids, values)

    def set_playlist_tracks(
        self, playlist_id: int, track_ids: Sequence[int], run_at: datetime | None = None
    ) -> StoredPlaylist:
        """Replace the tracks of a playlist, in one transaction.

        Args:
            run_at: where they are those of its recipe.

        Raises:
            PlaylistNotFound: there is no playlist with this id.
            TrackNotFound: one of the tracks does not exist; nothing is changed.
        """
        with self._changing() as connection:
            return playlists.set_tracks(connection, playlist_id, track_ids, run_at)

    def describe_playlist(
        self, playlist_id: int, name: str | None = None, comment: str | None = None
    ) -> StoredPlaylist:
        """Change the name or the comment of a playlist; None leaves it as it is.

        Raises:
            PlaylistNotFound: there is no playlist with this id.
            UsageError: the name is empty, or that of another playlist of the user.
        """
        with self._changing() as connection:
            return playlists.describe(connection, playlist_id, name, comment)

    def playlist(self, name: str | int, user: str = DEFAULT_USER) -> StoredPlaylist:
        """The playlist with an id (`int`), or of a name (`str`) among those of a user.

        Raises:
            PlaylistNotFound: there is none.
        """
        with self._reading() as connection:
            if isinstance(name, int):
                return playlists.by_id(connection, name)
            return playlists.by_name(connection, name, user)

    def playlists(self, user: str | None = None) -> list[StoredPlaylist]:
        """The playlists of a user, by name; those of all where it is None."""
        with self._reading() as connection:
            return playlists.every(connection, user)

    def remove_playlist(self, playlist_id: int) -> bool:
        """Drop a playlist, not its file; returns whether there was one with this id."""
        with self._changing() as connection:
            return playlists.remove(connection, playlist_id)


def _member(kinds: type[_Kind], kind: str) -> _Kind:
    """The member of an enumeration with this value. Raises `UsageError`."""
    try:
        return kinds(kind)
    except ValueError as error:
        known = ", ".join(kinds)
        raise UsageError(f"{kind!r} is none of {known}.") from error
