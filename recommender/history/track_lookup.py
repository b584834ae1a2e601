"""Finding the tracks that playlists, histories and players name: by path, by its end, by names."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from recommender.catalog import Catalog, TrackState
from recommender.catalog.track_names import TrackNames
from recommender.utils.artists import artist_key, split_artists
from recommender.utils.names import name_key

DURATION_TOLERANCE_S = 2.0
"""Programs round durations, and decoders differ by some padding."""

_EDITION = re.compile(
    r"""\s*(?:[(\[][^)\]]*[)\]]\s*|\s[-–—]\s+(?:\d{4}\s+)?(?:digital(?:ly)?\s+)?
        (?:remaster(?:ed)?|mono|stereo|live|single|album|radio|bonus|original)\b.*)$""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Named:
    """What something else says of a track; None where it does not."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    duration: float | None = None
    recording_mbid: str | None = None


class TrackLookup:
    """The tracks of a catalogue as they were when it was made, by what names them."""

    def __init__(self, catalog: Catalog) -> None:
        """Reads the names of every track."""
        self._names = {names.id: names for names in catalog.track_names()}

    def names(self, track_id: int) -> TrackNames:
        """What a track is named by."""
        return self._names[track_id]

    def at(self, file: str) -> list[TrackNames]:
        """The tracks of the file at this absolute path, in their order."""
        return self._by_file.get(file, [])

    def ending(self, path: str, named: Named = Named()) -> list[TrackNames]:
        """The tracks of the files whose paths end most like `path`, which may be another system's.

        At least the name of the file and of its folder must agree, but for case and the form of
        accents. The name alone suffices for the only file of that name, where either `path` has no
        more, or title or duration agree as well.

        Returns:
            Those of one file or, where they cannot be told apart, of several.
        """
        parts = _parts(path)
        if not parts:
            return []
        files: dict[int, dict[str, list[TrackNames]]] = defaultdict(lambda: defaultdict(list))
        for names in self._by_last_part.get(parts[-1], ()):
            files[_common(_parts(names.file), parts)][names.file].append(names)
        if not files:
            return []
        depth = max(files)
        best = files[depth]
        if depth == 1 and len(parts) > 1:
            best = {file: names for file, names in best.items() if _agrees(names, named)}
        elif len(best) > 1:
            best = {f: names for f, names in best.items() if _agrees(names, named)} or best
        if depth == 1 and len(best) > 1:
            return []
        return [names for file in best.values() for names in file]

    def named(self, named: Named) -> TrackNames | None:
        """The track with these names: by the recording's id, else by artist and title.

        Of several the one of the album, that can be recommended, whose duration is nearest. Where
        no title agrees, additions such as "(Remastered 2009)" or "- Live" are left out of both.
        """
        if named.recording_mbid:
            found = self._by_mbid.get(named.recording_mbid.lower())
            if found:
                return _best(found, named)
        title = name_key(named.title)
        artists = _artist_keys([named.artist or ""])
        if not title or not artists:
            return None
        for titles, key in ((self._by_title, title), (self._by_work, _work(title))):
            found = [
                names
                for names in titles.get(key, ())
                if not artists.isdisjoint(_artist_keys(names.artists))
            ]
            if found:
                return _best(found, named)
        return None

    def coded(self, isrcs: Iterable[str], named: Named = Named()) -> TrackNames | None:
        """The track with any of these ISRCs (as `Tags.isrcs`); of several as in `named`."""
        found = [names for code in isrcs for names in self._by_isrc.get(code, ())]
        return _best(found, named) if found else None

    @cached_property
    def _by_file(self) -> Mapping[str, list[TrackNames]]:
        found: dict[str, list[TrackNames]] = defaultdict(list)
        for names in sorted(self._names.values(), key=lambda names: names.segment):
            found[names.file].append(names)
        return dict(found)

    @cached_property
    def _by_last_part(self) -> Mapping[str, list[TrackNames]]:
        found: dict[str, list[TrackNames]] = defaultdict(list)
        for tracks in self._by_file.values():
            found[_folded(tracks[0].file.rpartition("/")[2])] += tracks
        return dict(found)

    @cached_property
    def _by_mbid(self) -> Mapping[str, list[TrackNames]]:
        found: dict[str, list[TrackNames]] = defaultdict(list)
        for names in self._names.values():
            if names.recording_mbid:
                found[names.recording_mbid].append(names)
        return dict(found)

    @cached_property
    def _by_isrc(self) -> Mapping[str, list[TrackNames]]:
        found: dict[str, list[TrackNames]] = defaultdict(list)
        for names in self._names.values():
            for code in names.isrcs:
                found[code].append(names)
        return dict(found)

    @cached_property
    def _by_title(self) -> Mapping[str, list[TrackNames]]:
        found: dict[str, list[TrackNames]] = defaultdict(list)
        for names in self._names.values():
            if names.title:
                found[name_key(names.title)].append(names)
        return dict(found)

    @cached_property
    def _by_work(self) -> Mapping[str, list[TrackNames]]:
        found: dict[str, list[TrackNames]] = defaultdict(list)
        for title, tracks in self._by_title.items():
            found[_work(title)] += tracks
        return dict(found)


def _best(found: Sequence[TrackNames], named: Named) -> TrackNames:
    album = name_key(named.album)

    def distance(names: TrackNames) -> tuple[bool, bool, float, int]:
        apart = 0.0 if named.duration is None else abs(names.duration - named.duration)
        other_album = bool(album) and name_key(names.album) != album
        return names.state is not TrackState.ANALYSED, other_album, apart, names.id

    return min(found, key=distance)


def _agrees(tracks: Iterable[TrackNames], named: Named) -> bool:
    """Whether title or duration of any of a file's tracks are those that are named."""
    title = name_key(named.title)
    return any(
        (bool(title) and name_key(names.title) == title)
        or (
            named.duration is not None
            and named.duration > 0
            and abs(names.duration - named.duration) <= DURATION_TOLERANCE_S
        )
        for names in tracks
    )


def _artist_keys(names: Iterable[str]) -> set[str]:
    """Of each name, and of those that it surely names together."""
    keys = {artist_key(part) for name in names for part in (name, *split_artists(name))}
    return keys - {""}


def _work(title: str) -> str:
    """A title without what distinguishes editions; itself where nothing else is left."""
    while (shorter := _EDITION.sub("", title)) != title and shorter:
        title = shorter
    return title


def _parts(path: str) -> list[str]:
    return [_folded(part) for part in path.split("/") if part not in ("", ".", "..")]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the last parts are equal."""
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
