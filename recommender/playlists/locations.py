"""What the entries of playlists name: paths of this system or another, file URIs, addresses.

file URIs by RFC 8089, percent-encoding by RFC 3986, parts of media by the temporal dimension of
Media Fragments URI 1.0 (W3C, section 4.2.1).
"""

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote_to_bytes

NESTED_ENDINGS = (".m3u", ".m3u8", ".xspf", ".pls", ".asx", ".wax", ".wpl", ".zpl", ".smil")

_DRIVE = re.compile(r"/?[A-Za-z]:[\\/]")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|(?:spotify|deezer|tidal|urn|magnet|cid|data):")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_FILE = re.compile(r"file:", re.IGNORECASE)
_PART = re.compile(r"t=(?:npt:)?([\d:.]*)(?:,([\d:.]+))?")
_SEGMENT = re.compile(r"[#/](?:track)?(\d{1,4})", re.IGNORECASE)


@dataclass(frozen=True)
class Location:
    """One reading of what an entry names.

    Attributes:
        path: with forward slashes; absolute, or that of a system with drives.
        given: the same before it was joined to the playlist's folder.
        start, end: seconds, where it names a part.
        segment: number of a track in the file, where it names one.
    """

    path: str
    given: str
    start: float | None = None
    end: float | None = None
    segment: int | None = None


def begins_with_scheme(path: str) -> bool:
    """Whether a relative path would be read as an address, or as one of another drive."""
    return _SCHEME.match(path) is not None


def is_address(text: str) -> bool:
    """Whether it names a stream or the like, and no file."""
    return _ADDRESS.match(text) is not None and _FILE.match(text) is None


def readings(text: str, folder: str, is_uri: bool) -> list[Location]:
    """The files that `text` may name, likeliest first.

    Args:
        text: as the playlist has it.
        folder: that relative paths are relative to.
        is_uri: whether it should be percent-encoded, as in XSPF. Otherwise it may be.
    """
    plain, decoded = _of_path(text, folder), _of_uri(text, folder)
    found = decoded + plain if is_uri or _FILE.match(text) else plain + decoded
    found += [part for one in found if (part := _segment_of(one)) is not None]
    found += _of_uri(text.partition("#")[0], folder) if "#" in text else []
    return list(dict.fromkeys(one for one in found if one.path and "\0" not in one.path))


def _of_path(text: str, folder: str) -> list[Location]:
    texts = [text, text.strip()]
    if "\\" in text or _DRIVE.match(text):
        texts.append(text.strip().replace("\\", "/"))
    return [Location(_absolute(one, folder), one) for one in texts if one]


def _of_uri(text: str, folder: str) -> list[Location]:
    text = text.strip()
    is_file = _FILE.match(text) is not None
    rest = _without_host(text[len("file:") :]) if is_file else text
    whole, mark, fragment = rest.partition("#")
    found = []
    if mark and (part := _PART.fullmatch(fragment)):
        start, end = _seconds(part[1] or "0"), _seconds(part[2])
        path = _decoded(whole)
        found.append(Location(_absolute(path, folder), path, start, end))
    if is_file or "%" in rest or "#" not in text:
        path = _decoded(rest)
        found.append(Location(_absolute(path, folder), path))
    return found


def _without_host(rest: str) -> str:
    """What is behind ``file:``: a path, that of a share where another host is named."""
    if not rest.startswith("//"):
        return rest
    host, slash, path = rest[2:].partition("/")
    if host in ("", "localhost", "127.0.0.1"):
        return slash + path
    return f"//{host}{slash}{path}" if "." in host or slash else rest


def _decoded(text: str) -> str:
    path = os.fsdecode(unquote_to_bytes(text.encode("utf-8", "surrogateescape")))
    return path.replace("\\", "/") if _DRIVE.match(path) else path


def _absolute(path: str, folder: str) -> str:
    if _DRIVE.match(path):
        return path.lstrip("/").replace("\\", "/")
    joined = PurePosixPath(folder, path) if path else PurePosixPath()
    return os.path.normpath(joined) if path else ""


def _segment_of(location: Location) -> Location | None:
    """``album.flac#3`` as this program writes it, ``album.cue/track0003`` as MPD does."""
    found = _SEGMENT.search(location.path, max(0, location.path.rfind("/") - 1))
    if location.start is not None or found is None or found.end() != len(location.path):
        return None
    length = len(location.path) - found.start()
    return Location(
        location.path[:-length], location.given.rstrip()[:-length], segment=int(found[1])
    )


def _seconds(text: str | None) -> float | None:
    """Of "75.5", "1:15.5" or "0:01:15.5"; None for anything else."""
    if not text:
        return None
    total = 0.0
    try:
        for part in text.split(":"):
            total = total * 60 + float(part)
    except ValueError:
        return None
    return total
