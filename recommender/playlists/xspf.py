"""XSPF, the XML Shareable Playlist Format, version 1 (xspf.org/spec).

Of a file that a cue sheet divides, the part that a track is stands in VLC's extension, which VLC
writes and obeys (wiki.videolan.org/XSPF); a media fragment in the location would keep players that
do not know it from finding the file. Both are read.
"""

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urljoin

from recommender.audio.tag_text import decoded, guessed_encoding, utf8, utf16
from recommender.catalog.records import Track
from recommender.errors import PlaylistError
from recommender.playlists.locations import begins_with_scheme
from recommender.playlists.text import PlaylistEntry, PlaylistText, option_seconds
from recommender.recommendation.seeds import Seed

_NAMESPACE = "http://xspf.org/ns/0/"
_VLC_NAMESPACE = "http://www.videolan.org/vlc/playlist/ns/0/"
_VLC_APPLICATION = "http://www.videolan.org/vlc/playlist/0"
_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_RECORDING = "https://musicbrainz.org/recording/"
_DEEPEST = 50
_LONGEST_VALUE = 20_000
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECLARATION = re.compile(rb"\s*<\?xml\b[^>]{0,200}\?>")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([\w.:-]+)[\"']")


def xspf_text(
    tracks: Iterable[Track | Seed],
    relative_to: Path | None,
    title: str | None = None,
    comment: str | None = None,
) -> tuple[str, int]:
    """`tracks` as XSPF, and the number of its entries; a seed without a file is left out.

    Args:
        relative_to: the folder (absolute, without symbolic links) that locations are relative to;
            None for absolute ones. Any byte of a name is percent-encoded.
    """
    root = ET.Element(
        "playlist", {"version": "1", "xmlns": _NAMESPACE, "xmlns:vlc": _VLC_NAMESPACE}
    )
    _add(root, "title", title)
    _add(root, "annotation", comment)
    listed = ET.SubElement(root, "trackList")
    for track in tracks:
        file = track.file if isinstance(track, Track) else track.path
        if file is not None:
            _add_track(listed, track, _uri(file, relative_to))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n', len(listed)


def _add_track(listed: ET.Element, track: Track | Seed, uri: str) -> None:
    element = ET.SubElement(listed, "track")
    _add(element, "location", uri)
    _add(element, "title", track.title)
    _add(element, "creator", track.artist)
    of_catalogue = track if isinstance(track, Track) else track.track
    if of_catalogue is not None:
        tags = of_catalogue.tags
        _add(element, "identifier", tags.recording_mbid and _RECORDING + tags.recording_mbid)
        _add(element, "album", tags.album)
        if tags.track_number is not None and tags.track_number > 0:
            _add(element, "trackNum", str(tags.track_number))
    if track.duration:
        _add(element, "duration", str(round(track.duration * 1000)))
    if of_catalogue is not None and of_catalogue.start is not None and of_catalogue.end is not None:
        extension = ET.SubElement(element, "extension", {"application": _VLC_APPLICATION})
        _add(extension, "vlc:option", f"start-time={of_catalogue.start:.3f}")
        _add(extension, "vlc:option", f"stop-time={of_catalogue.end:.3f}")


def _add(parent: ET.Element, name: str, text: str | None) -> None:
    if text and (shown := " ".join(_NOT_XML.sub("\ufffd", text).split())):
        ET.SubElement(parent, name).text = shown


def _uri(file: Path, relative_to: Path | None) -> str:
    if relative_to is not None:
        try:
            relative = Path(os.path.relpath(file, relative_to)).as_posix()
        except ValueError:  # another drive
            pass
        else:
            clear = f"./{relative}" if begins_with_scheme(relative) else relative
            return quote_from_bytes(os.fsencode(clear))
    return file.absolute().as_uri()


def parse_xspf(data: bytes) -> PlaylistText:
    """The entries of XSPF, of version 0 or 1, with or without its namespace.

    Entities and document types are refused, so that none can be expanded without end or name other
    files. Of a file that breaks off, what stands before is read.

    Raises `PlaylistError`, whose message begins as the rest of a sentence on the file.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError

    target = _Target()
    parser = DefusedXMLParser(target=target, encoding="utf-8", forbid_dtd=True)
    try:
        parser.feed(_as_utf8(data))
        parser.close()
    except DefusedXmlException as error:
        raise PlaylistError("it declares a document type or entities; remove them.") from error
    except (ParseError, ValueError, LookupError) as error:
        if not target.playlist.entries:
            raise PlaylistError(f"it is no XSPF ({error}).") from error
        target.playlist.fault = f"it is damaged ({error}); what follows was not read."
    if not target.is_playlist:
        raise PlaylistError("it is XML, but no XSPF.")
    return target.playlist


def _as_utf8(data: bytes) -> bytes:
    """The document without its declaration, whose encoding may be a wrong one."""
    encoding = utf16(data)
    if encoding is not None:
        data = data.decode(encoding, "replace").removeprefix("\ufeff").encode(errors="replace")
        return _DECLARATION.sub(b"", data, count=1)
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = _DECLARATION.match(data)
    body = data[head.end() :] if head else data
    declared = _ENCODING.search(head[0]) if head else None
    try:
        body.decode("utf-8")
        return body
    except UnicodeDecodeError:
        pass
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name not in ("utf-8", "utf8"):
        return body.decode(name).encode("utf-8")
    lines = body.split(b"\n")
    guessed = guessed_encoding([line for line in lines if utf8(line) is None][:1000])
    return "\n".join(decoded(line, guessed) for line in lines).encode("utf-8", "replace")


class _Target:
    """Takes an XSPF document in as it is parsed; keeps no tree."""

    def __init__(self) -> None:
        self.playlist = PlaylistText()
        self.is_playlist = False
        self._open: list[str] = []
        self._bases: list[str] = []
        self._entry: PlaylistEntry | None = None
        self._text: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise PlaylistError(f"it has elements more than {_DEEPEST} deep, as no XSPF has.")
        name = _local(tag)
        if not self._open:
            self.is_playlist = name == "playlist"
        base = self._bases[-1] if self._bases else ""
        self._bases.append(urljoin(base, attributes.get(_BASE, "")))
        self._open.append(name)
        if self._open == ["playlist", "trackList", "track"]:
            self._entry = PlaylistEntry(is_uri=True)
        self._text = []

    def data(self, text: str) -> None:
        if sum(map(len, self._text)) < _LONGEST_VALUE:
            self._text.append(text)

    def end(self, tag: str) -> None:
        value = "".join(self._text)[:_LONGEST_VALUE].strip()
        place = self._open[1:]
        if place == ["trackList", "track"] and self._entry is not None:
            self.playlist.add(self._entry)
            self._entry = None
        elif self._entry is not None and value:
            self._read(place[2:], value, self._entry)
        elif place == ["title"] and value:
            self.playlist.title = " ".join(value.split())
        elif place == ["annotation"] and value:
            self.playlist.comment = value
        self._open.pop()
        self._bases.pop()
        self._text = []

    def close(self) -> None:
        """Called by the parser."""

    def _read(self, place: list[str], value: str, entry: PlaylistEntry) -> None:
        """What an element within a track says."""
        fields: dict[str, Any] = {"title": "title", "creator": "artist", "album": "album"}
        if place == ["location"]:
            entry.locations.append(urljoin(self._bases[-1], value) if self._bases[-1] else value)
        elif place == ["duration"] and value.isascii() and value.isdigit():
            entry.duration = int(value[:12]) / 1000
        elif place == ["extension", "option"]:
            vars(entry).update(option_seconds(value))
        elif place == ["identifier"] and value.startswith(_RECORDING):
            entry.recording_mbid = value.removeprefix(_RECORDING)
        elif len(place) == 1 and place[0] in fields:
            setattr(entry, fields[place[0]], " ".join(value.split()))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
