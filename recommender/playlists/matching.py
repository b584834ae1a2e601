"""Which tracks of a catalogue the entries of a playlist mean."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from recommender.catalog import Catalog, TrackState
from recommender.catalog.track_names import TrackNames
from recommender.history.track_lookup import Named, TrackLookup
from recommender.ingestion.file_types import is_cue_sheet
from recommender.playlists.locations import (
    NESTED_ENDINGS,
    Location,
    is_address,
    readings,
)
from recommender.playlists.text import LONGEST_LOCATION, PlaylistEntry

UnmatchedKind = Literal[
    "unknown", "doubled", "unreadable", "missing", "nested", "stream", "ambiguous"
]
"""No track of the catalogue; its track is in the list already; its file could not be analysed; its
file is gone and has no copy; a playlist or a folder; an address, no file; several tracks."""

START_TOLERANCE_S = 1.0
"""Between the start of a part in a playlist and of the track that is meant."""

_LONGEST_SHOWN = 1_000


@dataclass(frozen=True)
class UnmatchedEntry:
    """An entry of a playlist file that no track was taken for.

    Attributes:
        number: of the entry, from 1.
        location: as the file has it.
        kind: what is wrong, in a word.
        reason: what is wrong, as a clause.
    """

    number: int
    location: str
    kind: UnmatchedKind
    reason: str


def shown(entry: PlaylistEntry) -> str:
    """What an entry is called: its location, or else its names; cut where it is very long."""
    names = " - ".join(filter(None, (entry.artist, entry.title)))
    text = entry.locations[-1] if entry.locations else names or "(no location)"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


class EntryMatcher:
    """Matches the entries of one playlist file; opens no file that they name."""

    def __init__(self, catalog: Catalog, lookup: TrackLookup, file: Path) -> None:
        """Of the playlist `file` (absolute); `lookup` is of the catalogue, which stays open."""
        self._catalog = catalog
        self._lookup = lookup
        folders = (os.path.realpath(file.parent), str(file.parent))
        self._folders = tuple(dict.fromkeys(folders))

    def match(self, entry: PlaylistEntry) -> list[int] | UnmatchedEntry:
        """The ids of the tracks that an entry means: of at least one, or why of none."""
        places = [
            place
            for text in entry.locations
            if len(text) <= LONGEST_LOCATION and not is_address(text)
            for folder in self._folders
            for place in readings(text, folder, entry.is_uri)
        ]
        for place in places:
            if tracks := self._at(place.path):
                return self._part(entry, tracks, place)
        refused = self._refusal(entry, places)
        if refused is not None:
            return refused
        named = Named(entry.title, entry.artist, entry.album, entry.duration, entry.recording_mbid)
        for place in places:
            if tracks := self._lookup.ending(place.given, named):
                return self._part(entry, tracks, place)
        track = self._lookup.named(named)
        if track is not None:
            return self._present(entry, [track])
        return self._unknown(entry, places)

    def _at(self, path: str) -> Sequence[TrackNames]:
        """The tracks of the file, or of the cue sheet, at an absolute path."""
        tracks = self._lookup.at(path)
        if not tracks and is_cue_sheet(path):
            of_sheet = self._catalog.tracks_of_sheet(path)
            return [self._lookup.names(track.id) for track in of_sheet]
        if not tracks and os.path.isfile(path):  # noqa: PTH113 (False where it cannot be asked)
            return [self._lookup.names(track.id) for track in self._catalog.tracks_at(path)]
        return tracks

    def _part(
        self, entry: PlaylistEntry, tracks: Sequence[TrackNames], place: Location
    ) -> list[int] | UnmatchedEntry:
        """The tracks of a file, or the one among them that is the part that is meant."""
        contents = {(names.segment, names.content_hash) for names in tracks}
        if len({names.file for names in tracks}) > 1:
            if len(contents) > 1:
                files = len({names.file for names in tracks})
                reason = f"{files} files of the catalogue end alike; give a whole path"
                return UnmatchedEntry(entry.number, shown(entry), "ambiguous", reason)
            tracks = [min(tracks, key=lambda names: names.state is not TrackState.ANALYSED)]
        start = entry.start if place.start is None else place.start
        divided = len(tracks) > 1 or tracks[0].segment > 0
        meant = tracks
        if divided and place.segment is not None:
            meant = [names for names in tracks if names.segment == place.segment]
        elif divided and start is not None:
            near = min(tracks, key=lambda names: abs((names.start or 0.0) - start))
            meant = [near] if abs((near.start or 0.0) - start) <= START_TOLERANCE_S else []
        if not meant:
            part = f"number {place.segment}" if start is None else f"from {start:.1f} s"
            reason = f"the catalogue has no track {part} of this file"
            return UnmatchedEntry(entry.number, shown(entry), "unknown", reason)
        return self._present(entry, meant)

    def _present(
        self, entry: PlaylistEntry, tracks: Sequence[TrackNames]
    ) -> list[int] | UnmatchedEntry:
        """Those that are there, or copies of them."""
        found: list[int] = []
        for names in tracks:
            if names.state is TrackState.FAILED:
                reason = self._failures.get(names.file, "it has changed, and cannot be read now")
                return self._unreadable(entry, reason)
            if names.state is not TrackState.MISSING:
                found.append(names.id)
                continue
            copies = self._catalog.copies_of(self._catalog.track(names.id))
            usable = [copy.id for copy in copies if copy.state is TrackState.ANALYSED]
            found += usable[:1]
        if not found:
            reason = "its file was gone at the last ingest, and has no copy"
            return UnmatchedEntry(entry.number, shown(entry), "missing", reason)
        return found

    def _refusal(self, entry: PlaylistEntry, places: Sequence[Location]) -> UnmatchedEntry | None:
        """Why an entry cannot be a track; None where it can."""
        for place in places:
            if place.path in self._failures:
                return self._unreadable(entry, self._failures[place.path])
        if any(place.path.lower().endswith(NESTED_ENDINGS) for place in places):
            reason = "a playlist in a playlist: import it by itself"
        elif any(os.path.isdir(place.path) for place in places):  # noqa: PTH112 (never raises)
            reason = "a folder: name the files in it"
        else:
            return None
        return UnmatchedEntry(entry.number, shown(entry), "nested", reason)

    def _unreadable(self, entry: PlaylistEntry, reason: str) -> UnmatchedEntry:
        reason = f"its file cannot be analysed: {reason}"
        return UnmatchedEntry(entry.number, shown(entry), "unreadable", reason)

    def _unknown(self, entry: PlaylistEntry, places: Sequence[Location]) -> UnmatchedEntry:
        if not places and any(is_address(text) for text in entry.locations):
            reason = "an address, no file of the catalogue"
            return UnmatchedEntry(entry.number, shown(entry), "stream", reason)
        reason = "no track of the catalogue"
        if any(os.path.isfile(place.path) for place in places):  # noqa: PTH113
            reason = "a file that the catalogue does not have: ingest its folder"
        return UnmatchedEntry(entry.number, shown(entry), "unknown", reason)

    @cached_property
    def _failures(self) -> Mapping[str, str]:
        """File → why it could not be analysed."""
        failures = self._catalog.failures()
        return {(one.library.root / one.path).as_posix(): one.reason for one in failures}
