"""Songs of a server are matched by path, by recording, by code, by names."""

import pytest

from recommender.catalog.records import TrackState
from recommender.catalog.server_records import RemoteTrack
from recommender.catalog.track_names import TrackNames
from recommender.history.track_lookup import TrackLookup
from recommender.server.linking.matching import UnmatchedSong, matched
from recommender.server.linking.remote_library import RemoteSong

ISRC = "GBAYE0601498"
MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"


class Names:
    """A catalogue as far as a lookup reads it."""

    def __init__(self, *names: TrackNames) -> None:
        self._names = names

    def track_names(self) -> list[TrackNames]:
        return list(self._names)


def track(id: int, file: str, title: str, **given: object) -> TrackNames:
    values = {
        "segment": 0,
        "start": None,
        "state": TrackState.ANALYSED,
        "duration": 200.0,
        "content_hash": str(id),
        "album": "Lights",
        "artists": ("Anna",),
        "recording_mbid": None,
        "isrcs": (),
        **given,
    }
    return TrackNames(id=id, file=file, title=title, **values)  # type: ignore[arg-type]


LOOKUP = TrackLookup(
    Names(  # type: ignore[arg-type]
        track(1, "/music/Anna/Lights/CD1/01.flac", "First"),
        track(2, "/music/Bela/Nights/CD1/01.flac", "Night", artists=("Bela",), album="Nights"),
        track(3, "/music/odd.flac", "Odd", recording_mbid=MBID),
        track(4, "/music/gone/gone.flac", "Gone", state=TrackState.MISSING),
        track(5, "/music/Live/live.flac", "First", album="Live", duration=260.0),
        track(6, "/music/coded.flac", "Coded", isrcs=(ISRC, "USRC17607839")),
        track(7, "/music/best.flac", "Coded", isrcs=(ISRC,), album="Best", duration=230.0),
    )
)


@pytest.mark.parametrize(
    ("song", "wanted"),
    [
        (RemoteSong("a", "First", path="/data/Anna/Lights/CD1/01.flac"), (1, "path")),
        (RemoteSong("b", path="D:\\Bela\\Nights\\CD1\\01.flac", duration=201), (2, "path")),
        (RemoteSong("c", "Odd", path="Someone/Other/x.mp3", recording_mbid=MBID), (3, "mbid")),
        (RemoteSong("g", "As they call it", isrcs=("XX0000000000", ISRC)), (6, "isrc")),
        (RemoteSong("h", "Coded", album="Best", duration=200, isrcs=(ISRC,)), (7, "isrc")),
        (RemoteSong("i", "Coded", duration=229, isrcs=(ISRC,)), (7, "isrc")),
        (RemoteSong("j", "First", recording_mbid=MBID, isrcs=(ISRC,)), (3, "mbid")),
        (RemoteSong("d", "first", "ANNA", "lights", duration=198.5), (1, "names")),
        (RemoteSong("e", "First", "Anna", "Live", duration=261), (5, "names")),
        (RemoteSong("f", "First", "Anna", duration=259), (5, "names")),
    ],
)
def test_a_song_is_the_track_that_agrees(song: RemoteSong, wanted: tuple[int, str]) -> None:
    found = matched(song, LOOKUP)
    assert found == RemoteTrack(song.id, *wanted)


@pytest.mark.parametrize(
    "song",
    [
        RemoteSong("a", "Other", "Anna", "Else", "/data/X/Y/CD1/01.flac", 99.0),
        RemoteSong("b", "First", "Anna", "Lights", duration=230.0),
        RemoteSong("c", "First", "Anna", "Else", duration=200.0),
        RemoteSong("d", "First", "Cara", "Lights", duration=200.0),
        RemoteSong("e"),
        RemoteSong("f", "Gone", "Anna", "Lights", "/data/gone/gone.flac", 200.0),
    ],
)
def test_a_song_that_does_not_agree_is_none(song: RemoteSong) -> None:
    found = matched(song, LOOKUP)
    assert isinstance(found, UnmatchedSong)
    assert ("at present" in found.reason) == (song.id == "f")
