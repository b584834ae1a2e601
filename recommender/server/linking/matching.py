"""Which track a song of a server is: by its path's end, its recording, or its names."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.catalog import TrackState
from recommender.catalog.server_records import RemoteTrack
from recommender.catalog.track_names import TrackNames
from recommender.history.track_lookup import DURATION_TOLERANCE_S, Named, TrackLookup
from recommender.server.linking.remote_library import RemoteSong
from recommender.utils.names import name_key

METHODS = ("path", "mbid", "isrc", "names")
"""The ways in which songs are matched, in the order in which they are tried."""


@dataclass(frozen=True)
class UnmatchedSong:
    """A song that is no track of the catalogue.

    Attributes:
        reason: as a clause.
    """

    song: RemoteSong
    reason: str


def matched(song: RemoteSong, lookup: TrackLookup) -> RemoteTrack | UnmatchedSong:
    """The track that a song is, or why there is none.

    A path counts where title or duration agree as well, for servers make paths up, and many albums
    have a ``CD1/01.mp3``. Names count where the duration agrees to two seconds, and the albums,
    where both name one, are the same.
    """
    named = Named(song.title, song.artist, song.album, song.duration)
    gone = False
    for method in METHODS:
        names = _found(method, song, named, lookup)
        if names is not None and names.state is TrackState.ANALYSED:
            return RemoteTrack(song.id, names.id, method)
        gone = gone or names is not None
    reason = "its file cannot be recommended at present" if gone else "no track of the catalogue"
    return UnmatchedSong(song, reason)


def _found(method: str, song: RemoteSong, named: Named, lookup: TrackLookup) -> TrackNames | None:
    if method == "path":
        of_file = [] if song.path is None else lookup.ending(_posix(song.path), named)
        return _of_file(of_file, named)
    if method == "mbid":
        if song.recording_mbid is None:
            return None
        recorded = Named(None, None, song.album, song.duration, song.recording_mbid)
        return lookup.named(recorded)
    if method == "isrc":
        return lookup.coded(song.isrcs, named)
    names = lookup.named(named)
    if names is None or not _same_length(names, named):
        return None
    albums = {name_key(named.album), name_key(names.album)} - {""}
    return names if len(albums) <= 1 else None


def _posix(path: str) -> str:
    """A path of Windows with forward slashes; others have none of the other kind."""
    return path if "/" in path else path.replace("\\", "/")


def _of_file(tracks: Sequence[TrackNames], named: Named) -> TrackNames | None:
    """The one of these tracks whose title or duration agrees, the title first."""
    title = name_key(named.title)
    same = [one for one in tracks if title and name_key(one.title) == title]
    same = same or [one for one in tracks if _same_length(one, named)]
    if len({one.id for one in same}) > 1:
        same = [one for one in same if _same_length(one, named)]
    return same[0] if len(same) == 1 else None


def _same_length(names: TrackNames, named: Named) -> bool:
    duration = named.duration
    return duration is not None and abs(names.duration - duration) <= DURATION_TOLERANCE_S
