"""Fills the queue of the Music Player Daemon with what sounds like what is playing.

The protocol is that of MPD 0.21 and newer (mpd.readthedocs.io/en/stable/protocol.html).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from recommender.catalog import CatalogState
from recommender.catalog.records import Track
from recommender.errors import PlayerError, RecsysError
from recommender.history.listening import Listening
from recommender.history.track_lookup import TrackLookup
from recommender.players.mpd_connection import (
    ConnectionLost,
    MpdSettings,
    connected,
    said_clearly,
)
from recommender.playlists.locations import is_address
from recommender.playlists.matching import EntryMatcher, UnmatchedEntry
from recommender.playlists.text import PlaylistEntry
from recommender.recommendation.mix_request import (
    Length,
    MixRequest,
    Rules,
    SeedSet,
    latest_last,
)
from recommender.recommendation.service import SimilarityService
from recommender.utils.terminal_text import one_line

logger = logging.getLogger(__name__)

SPARE = 20
"""Tracks that are asked for besides, in the place of those that MPD does not have."""

_Song = Mapping[str, Any]
_Result = TypeVar("_Result")


class MpdQueue:
    """The queue of a running MPD. To be closed, or used in a `with` statement.

    The radio that is played has one seed: the last track up to the one that is playing which was
    not added here, so that it does not drift.
    """

    def __init__(self, service: SimilarityService, settings: MpdSettings | None = None) -> None:
        """Connect.

        Args:
            service: stays open.
            settings: None for the defaults of `MpdSettings`.

        Raises:
            PlayerError: MPD does not answer, or refuses the password.
            UsageError: python-mpd2 is not installed.
        """
        self._service = service
        self._settings = settings = settings or MpdSettings()
        self._client = connected(settings)
        self._directory = settings.music_directory or self._stated_directory()
        self._added: set[str] = set()  # MPD's ids of songs
        self._absent: set[int] = set()  # tracks that MPD does not have
        self._lookup: tuple[CatalogState, TrackLookup] | None = None
        user = settings.record_as
        self._listening = None if user is None else Listening(service.catalog, user, "mpd")

    def __enter__(self) -> Self:
        """The queue itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Disconnect; the queue stays."""
        self.close()

    def close(self) -> None:
        """Disconnect; the queue stays."""
        with suppress(Exception):  # the connection may be lost already
            self._client.disconnect()

    def fill(self) -> list[Track]:
        """Add what is lacking behind the track that is playing.

        Returns:
            The tracks that were added, in their order.

        Raises:
            PlayerError: nothing is playing, what is playing is not in the catalogue, MPD has none
                of the catalogue's files, or the connection is lost.
            RecsysError: what `SimilarityService.mix` raises.
        """
        with said_clearly():
            status = self._client.status()
            if "song" not in status:
                raise PlayerError("MPD plays nothing: play a track, and its radio follows.")
            position = int(status["song"])
            lacking = self._settings.ahead - (int(status["playlistlength"]) - position - 1)
            if lacking <= 0:
                return []
            songs = self._client.playlistinfo()
            return self._add(songs, min(position, len(songs) - 1), lacking, _seconds(status))

    def follow(self, on_added: Callable[[Sequence[Track]], None] | None = None) -> None:
        """Fill the queue whenever something changes, until the connection ends or Ctrl-C.

        What keeps it from being filled at present, as nothing is playing, is logged as a warning;
        and what keeps plays from being recorded, as the catalogue is busy.

        Args:
            on_added: called with the tracks after they were added.

        Raises:
            PlayerError: the connection is lost.
        """
        listen, fill = _SaidOnce(self._listen), _SaidOnce(self.fill)
        while True:
            listen()
            added = fill()
            if added and on_added is not None:
                on_added(added)
            with said_clearly():
                self._client.idle("player", "playlist")

    def _listen(self) -> None:
        """Tell the history what is playing now. Raises `RecsysError`."""
        if self._listening is None:
            return
        with said_clearly():
            status, song = self._client.status(), self._client.currentsong()
        track = self._track_of(song, _seconds(status)) if song else None
        self._listening.observe(
            key=status.get("songid"),
            track=track,
            is_playing=status.get("state") == "play",
            elapsed=_seconds(status),
        )

    def _add(
        self, songs: Sequence[_Song], position: int, lacking: int, elapsed: float
    ) -> list[Track]:
        seed_at = next(
            (at for at in range(position, -1, -1) if songs[at].get("id") not in self._added),
            position,
        )
        seed = self._track_of(songs[seed_at], elapsed if seed_at == position else 0.0)
        if seed is None:
            name = one_line(str(songs[seed_at].get("file")))
            raise PlayerError(f"{name} is playing, which is no track of the catalogue: ingest it.")
        queued = (self._track_of(song, 0.0) for song in songs)
        rules = self._settings.rules or Rules()
        known = (one.id for one in queued if one is not None)
        looked_up = self._settings.repeats.track_ids(self._service.catalog)
        previous = latest_last((*sorted(self._absent), *looked_up, *rules.previous, *known))
        request = MixRequest(
            "radio",
            SeedSet((seed.id,)),
            replace(rules, previous=previous),
            Length(tracks=lacking + SPARE),
        )
        mix = self._service.mix(request)
        added: list[Track] = []
        for entry in mix.entries:
            if len(added) < lacking and self._append(entry.track):
                added.append(entry.track)
        if mix.entries and not added:
            raise PlayerError(
                f"MPD has none of the {len(mix.entries)} files that would follow, such as "
                f"{one_line(mix.entries[0].track.location)}: its music directory is not the "
                "catalogue's, or its database is not up to date."
            )
        return added

    def _append(self, track: Track) -> bool:
        """Add a track at the end of the queue; returns whether MPD has it."""
        from mpd import CommandError

        uri = self._uri_of(track)
        if uri is None:
            self._absent.add(track.id)
            return False
        try:
            song = self._client.addid(uri)
            if track.start is not None and track.end is not None:
                self._client.rangeid(song, f"{track.start:.3f}:{track.end:.3f}")
        except CommandError as error:
            logger.debug("MPD refuses %s: %s", uri, error)
            self._absent.add(track.id)
            return False
        self._added.add(str(song))
        return True

    def _uri_of(self, track: Track) -> str | None:
        """Relative to the music directory; None for a file outside it."""
        if self._directory is None or not track.file.is_relative_to(self._directory):
            return None
        uri = track.file.relative_to(self._directory).as_posix()
        try:
            uri.encode()
        except UnicodeEncodeError:  # bytes that MPD's protocol cannot say
            return None
        return None if "\n" in uri else uri

    def _track_of(self, song: _Song, elapsed: float) -> Track | None:
        """The track that a song of the queue is; None for what the catalogue does not have."""
        uri = str(song.get("file", ""))
        if not uri or is_address(uri):
            return None
        start, _, _ = str(song.get("range", "")).partition("-")
        entry = PlaylistEntry(
            number=1,
            locations=[uri],
            title=_first(song.get("title")),
            artist=_first(song.get("artist")),
            album=_first(song.get("album")),
            duration=float(song["duration"]) if song.get("duration") else None,
            start=float(start) if start else None,
        )
        lookup = self._current_lookup()
        folder = self._directory or Path("/")
        found = EntryMatcher(self._service.catalog, lookup, folder / "queue").match(entry)
        if isinstance(found, UnmatchedEntry):
            return None
        tracks = self._service.catalog.tracks(found)
        playing = [one for one in tracks if one.start is not None and one.start <= elapsed]
        track = playing[-1] if playing else tracks[0]
        if self._directory is None and str(track.file).endswith(f"/{uri}"):
            self._directory = Path(str(track.file).removesuffix(f"/{uri}"))
        return track

    def _current_lookup(self) -> TrackLookup:
        state = self._service.catalog.state()
        if self._lookup is None or self._lookup[0] != state:
            self._lookup = (state, TrackLookup(self._service.catalog))
            self._absent = set()
        return self._lookup[1]

    def _stated_directory(self) -> Path | None:
        from mpd import CommandError

        try:
            config = self._client.config()
        except CommandError:  # it answers clients on its socket only
            return None
        directory = config.get("music_directory") if isinstance(config, dict) else config
        return Path(directory) if directory and Path(directory).is_absolute() else None


class _SaidOnce(Generic[_Result]):
    """A step that is tried again: why it fails is logged as a warning, and not twice in a row."""

    def __init__(self, step: Callable[[], _Result]) -> None:
        self._step = step
        self._said = ""

    def __call__(self) -> _Result | None:
        """What the step gives; None where it fails. Raises `ConnectionLost`."""
        try:
            found = self._step()
        except ConnectionLost:
            raise
        except RecsysError as error:
            if str(error) != self._said:
                logger.warning("%s", error)
            self._said = str(error)
            return None
        self._said = ""
        return found


def _seconds(status: _Song) -> float:
    return float(status.get("elapsed", 0.0))


def _first(value: object) -> str | None:
    """The first value of a tag, which MPD gives as a list where there are several."""
    if isinstance(value, list):
        value = value[0] if value else None
    return str(value) if value else None
