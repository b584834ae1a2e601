"""Which track a query means: an id, a path, or words that match one title."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from recommender.catalog import Catalog
from recommender.catalog.records import Track, TrackState
from recommender.errors import AmbiguousTrack, TrackNotFound
from recommender.ingestion.file_types import is_cue_sheet
from recommender.utils.files import real_path
from recommender.utils.names import name_key

LISTED = 10
"""Tracks listed in the message of `AmbiguousTrack`."""

COMPARED = 100
"""Matches among which duplicates are looked for; more than that can hardly mean one track."""

IsDuplicate = Callable[[Track, Track], bool]
"""Whether two tracks are duplicates."""


def resolve(
    catalog: Catalog,
    query: "str | int | os.PathLike[str]",
    is_duplicate: IsDuplicate | None = None,
) -> Track | Path:
    """The track of the catalogue that `query` means, or the path of a sound file outside it.

    A string is tried as a track id (digits alone), as a path, and then as words: they must match
    one track, or be the whole title of one track among those they match. Tracks whose file is
    there come before missing ones. Of a file that a cue sheet divides, ``FILE#3`` is track 3; the
    path of the sheet stands for that of its file.

    Args:
        catalog: stays open.
        query: a track id, a path, or words.
        is_duplicate: duplicates count as one match, of which the first by path is taken; None to
            count every track.

    Raises:
        TrackNotFound: nothing matches.
        AmbiguousTrack: several do; the message lists up to ten.
    """
    if isinstance(query, int):
        return catalog.track(query)
    if not isinstance(query, str):
        found = _at_path(catalog, Path(query))
        if found is None:
            raise TrackNotFound(
                f"{query} is neither a file nor a track of the catalogue. Check the path, or "
                "look the track up with 'recsys list WORDS'."
            )
        return found
    return (
        _by_id(catalog, query)
        or _at_path(catalog, Path(query))
        or _by_words(catalog, query, is_duplicate)
    )


def _by_id(catalog: Catalog, text: str) -> Track | None:
    if not (text.isascii() and text.isdigit()):
        return None
    try:
        return catalog.track(int(text))
    except TrackNotFound:  # digits can also be a title or a file name
        return None


def _at_path(catalog: Catalog, path: Path) -> Track | Path | None:
    path = path.expanduser()
    tracks = _tracks_of(catalog, path)
    if len(tracks) > 1:
        raise AmbiguousTrack(_choice(path, tracks))
    if tracks:
        return tracks[0]
    if path.exists() and not path.is_file() and not path.is_dir():
        raise TrackNotFound(f"{str(path)!r} is a device, a pipe or a socket; give a sound file.")
    if not path.is_file():
        return _segment_at(catalog, path)
    if is_cue_sheet(path.name):
        raise TrackNotFound(
            f"{path} is a cue sheet, and the catalogue has no track of it: ingest its folder, or "
            "give the path of the sound file."
        )
    return path


def _tracks_of(catalog: Catalog, path: Path) -> list[Track]:
    """The tracks of a file; of a cue sheet those of the file that it divides."""
    tracks = catalog.tracks_at(path.absolute()) or catalog.tracks_at(real_path(path))
    if not tracks and is_cue_sheet(path.name):
        tracks = catalog.tracks_of_sheet(path.absolute())
    return tracks


def _segment_at(catalog: Catalog, path: Path) -> Track | None:
    """Track 3 of what is in front of ``#3``."""
    name, mark, number = path.name.rpartition("#")
    if not (name and mark and number.isascii() and number.isdigit()):
        return None
    file = path.with_name(name)
    tracks = _tracks_of(catalog, file)
    for track in tracks:
        if track.segment == int(number):
            return track
    if len(tracks) > 1:
        raise TrackNotFound(f"{file} has no track {int(number)}. {_choice(file, tracks)}")
    return None


def _choice(file: Path, tracks: Sequence[Track]) -> str:
    """How to name one of several tracks of a file."""
    first, last = tracks[0], tracks[-1]
    return (
        f"{file} holds {len(tracks)} tracks: give one as {file.name}#{first.segment} to "
        f"{file.name}#{last.segment}, by its id ({first.id} is {first.title!r}), or by its title."
    )


def _by_words(catalog: Catalog, words: str, is_duplicate: IsDuplicate | None) -> Track:
    matches = catalog.search(words) if words.strip() else []
    analysed = [track for track in matches if track.state is TrackState.ANALYSED]
    titled = [track for track in analysed if name_key(track.title) == name_key(words)]
    candidates = _distinct(titled or analysed or matches, is_duplicate)
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise AmbiguousTrack(_listing(words, candidates))
    raise TrackNotFound(
        f"nothing in the catalogue is called {words!r}, and there is no such file. Look with "
        "'recsys list', give the path of a sound file, or add music with 'recsys ingest FOLDER'."
    )


def _distinct(tracks: Sequence[Track], is_duplicate: IsDuplicate | None) -> list[Track]:
    """The first of each set of duplicates."""
    if is_duplicate is None or len(tracks) > COMPARED:
        return list(tracks)
    distinct: list[Track] = []
    for track in tracks:
        if not any(is_duplicate(track, other) for other in distinct):
            distinct.append(track)
    return distinct


def _listing(words: str, tracks: Sequence[Track]) -> str:
    lines = [f"{len(tracks)} tracks match {words!r}; query again with the id of one:"]
    for track in tracks[:LISTED]:
        name = " ".join(" - ".join(filter(None, (track.artist, track.title))).split())
        lines.append(f"  {track.id:>6}  {name}  ({track.location})")
    if len(tracks) > LISTED:
        lines.append(f"  and {len(tracks) - LISTED} more")
    return "\n".join(lines)
