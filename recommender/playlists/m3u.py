"""Extended M3U playlists (.m3u8): what the recommender finds, in a file any player opens."""

import os
from collections.abc import Iterable
from pathlib import Path

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.playlists.locations import begins_with_scheme
from recommender.recommendation.seeds import Seed


def with_existing_files(catalog: Catalog, tracks: Iterable[Track | Seed]) -> list[Track | Seed]:
    """`tracks` in their order; for one whose file is gone a copy of it, where there is any.

    A file may be gone since the catalogue was last brought up to date, as its folder was renamed.
    """
    return [
        track
        if isinstance(track, Seed) or track.file.exists()
        else next((copy for copy in catalog.copies_of(track) if copy.file.exists()), track)
        for track in tracks
    ]


def m3u_text(
    tracks: Iterable[Track | Seed], relative_to: Path | None, title: str | None = None
) -> str:
    """`tracks` as extended M3U, one entry each.

    A name with a line break cannot be written in this format: a comment stands in its place. A seed
    without a file (an embedding, an upload) is left out. VLC takes "#", "?" and "%" in a name for
    parts of an address, and does not find the file; XSPF (`xspf.xspf_text`) has neither limit.

    Of a file that a cue sheet divides, the lines ``#EXTVLCOPT:start-time=`` and ``stop-time=``
    before its path give the part that is meant. VLC and what is built on it play that part; others
    take them for comments, and play the file from its beginning. Forms that more exact players
    know, as ``album.cue/track0003`` of MPD, would leave the rest without a file that they find.

    Args:
        tracks: tracks of the catalogue; to begin the list with what it was made for, put the
            `Seed` of the recommendation first.
        relative_to: the folder (absolute, without symbolic links) that paths are relative to; a
            file on another Windows drive keeps its absolute path. None for absolute paths.
        title: of the playlist.
    """
    lines = ["#EXTM3U"]
    if title and (shown := _one_line(title)):
        lines.append(f"#PLAYLIST:{shown}")
    for track in tracks:
        file = track.file if isinstance(track, Track) else track.path
        if file is None:
            continue
        location = _location(file, relative_to)
        if "\n" in location or "\r" in location:
            lines.append(f"# left out, line break in its name: {_one_line(location)}")
            continue
        name = " - ".join(filter(None, (track.artist, track.title)))
        lines += [f"#EXTINF:{round(track.duration or 0)},{_one_line(name)}"]
        lines += [*_span(track), location]
    return "\n".join(lines) + "\n"


def _span(track: Track | Seed) -> list[str]:
    """The part of its file that a track is, in seconds; nothing for all of it."""
    of_catalogue = track if isinstance(track, Track) else track.track
    if of_catalogue is None or of_catalogue.start is None or of_catalogue.end is None:
        return []
    start, end = of_catalogue.start, of_catalogue.end
    return [f"#EXTVLCOPT:start-time={start:.3f}", f"#EXTVLCOPT:stop-time={end:.3f}"]


def _location(file: Path, relative_to: Path | None) -> str:
    if relative_to is None:
        return file.absolute().as_posix()
    try:
        location = Path(os.path.relpath(file, relative_to)).as_posix()
    except ValueError:  # another drive
        return file.absolute().as_posix()
    # Players take a line that begins with '#' for a comment and strip leading blanks.
    unclear = location[0] == "#" or location[0].isspace() or begins_with_scheme(location)
    return f"./{location}" if unclear else location


def _one_line(text: str) -> str:
    return " ".join(text.split())
