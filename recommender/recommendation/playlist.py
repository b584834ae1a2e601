"""Extended M3U playlists (.m3u8): what the recommender finds, in a file any player opens."""

import os
from collections.abc import Iterable
from pathlib import Path

from recommender.catalog.records import Track
from recommender.utils.files import replace_file


def write_m3u(path: Path, tracks: Iterable[Track]) -> int:
    """Write `tracks` to `path` as extended M3U in UTF-8; return how many entries were written.

    Paths are relative to the playlist's folder, so that playlist and music can move together; a
    file on another Windows drive keeps its absolute path. Bytes of a file name that are not UTF-8
    are written as they are. A name with a line break cannot be said in this format: a comment
    stands in its place. The file is replaced whole or not at all. Raises `OSError`.
    """
    # `..` leaves the real folder, not the symbolic link that led to it.
    folder = Path(os.path.realpath(path.parent))
    lines, written = ["#EXTM3U"], 0
    for track in tracks:
        location = _relative(track.file, folder)
        if "\n" in location or "\r" in location:
            lines.append(f"# left out, line break in its name: {_one_line(location)}")
            continue
        name = " - ".join(filter(None, (track.artist, track.title)))
        lines += [f"#EXTINF:{round(track.duration)},{_one_line(name)}", location]
        written += 1
    text = "\n".join(lines) + "\n"
    replace_file(path, text.encode("utf-8", "surrogateescape"))
    return written


def _relative(file: Path, folder: Path) -> str:
    try:
        location = Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:  # another drive
        return file.absolute().as_posix()
    # Players take a line that begins with '#' for a comment and strip leading blanks.
    return f"./{location}" if location[0] in "# \t" else location


def _one_line(text: str) -> str:
    return " ".join(text.split())
