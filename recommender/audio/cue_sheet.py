"""Cue sheets: which tracks a sound file holds, and where each begins.

Written by rippers and by hand, and read by players in different ways, so what players agree on is
read, and what would put a track in the wrong place is refused with the number of its line. Of the
libraries, those that are kept bind to C code under the GPL (libcue) or name no line; the format has
seven commands that matter here.

A track begins at its ``INDEX 01``, where players begin it, or where there is none at its first
index. It ends where the next one begins: a pregap (``INDEX 00``) belongs to the track before it,
as rippers and splitters have it.
"""

import re
from dataclasses import dataclass, field

from recommender.errors import CueSheetError

FRAMES = 75
"""Frames of a second; times in a sheet are minutes, seconds and frames."""

MOST_TRACKS = 999
"""Tracks of a sheet at most; a disc has 99."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_TIME = re.compile(r"(\d{1,6}):(\d{1,2}):(\d{1,2})", re.ASCII)
_NUMBER = re.compile(r"\d{1,3}", re.ASCII)
_FILE_TYPES = frozenset({"WAVE", "MP3", "AIFF", "BINARY", "MOTOROLA", "FLAC", "APE", "OGG", "M4A"})
_REMARKS = frozenset({"GENRE", "DATE"})


@dataclass(frozen=True)
class CueTrack:
    """One track; texts as they are written, None where they are not.

    Attributes:
        number: as the sheet counts.
        start: frames from the beginning of the file.
        line: of the index that `start` is from; counts from 1.
        is_audio: whether it is sound, not data.
    """

    number: int
    start: int
    title: str | None = None
    performer: str | None = None
    genre: str | None = None
    date: str | None = None
    line: int = field(default=0, compare=False)
    is_audio: bool = True
    isrc: str | None = None


@dataclass(frozen=True)
class CueFile:
    """A file that a sheet names.

    Attributes:
        name: as it is written, with whatever separators and ending.
        kind: its type as it is written, in capitals: ``WAVE`` for any sound, as a rule.
        tracks: those that begin in it, in the order of their starts.
    """

    name: str
    kind: str
    tracks: tuple[CueTrack, ...]


@dataclass(frozen=True)
class CueSheet:
    """A sheet: its files, and what it says of the album."""

    files: tuple[CueFile, ...]
    title: str | None = None
    performer: str | None = None
    genre: str | None = None
    date: str | None = None


def parse_cue_sheet(text: str) -> CueSheet:
    """The sheet that `text` is. Commands that mean nothing here are passed over.

    Raises:
        CueSheetError: it names no track or no file, a number or time makes no sense, or tracks do
            not follow one another. The message has the line and what to do.
    """
    reader = _Reader()
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if words := line.strip().split(None, 1):
            reader.read(number, words[0].upper(), words[1] if words[1:] else "")
    return reader.sheet()


@dataclass
class _Texts:
    """What is said of the album or of one track."""

    texts: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        return self.texts.get(name) or None


@dataclass
class _Track(_Texts):
    """A track while it is read; `indexes`: number → (file, frames, line)."""

    number: int = 0
    line: int = 0
    is_audio: bool = True
    indexes: dict[int, tuple[int, int, int]] = field(default_factory=dict)


class _Reader:
    """A sheet while it is read, line by line."""

    def __init__(self) -> None:
        self._album = _Texts()
        self._files: list[tuple[str, str]] = []
        self._tracks: list[_Track] = []

    def read(self, line: int, command: str, rest: str) -> None:
        """Take in one command, in capitals, with what follows it."""
        if command == "FILE":
            self._files.append(_file(line, rest))
        elif command == "TRACK":
            self._add_track(line, rest)
        elif command == "INDEX":
            self._add_index(line, rest)
        elif command in ("TITLE", "PERFORMER", "ISRC"):
            self._set(command, rest)
        elif command == "REM":
            name, _, value = rest.partition(" ")
            if name.upper() in _REMARKS:
                self._set(name.upper(), value.strip())

    def _set(self, name: str, value: str) -> None:
        said_of = self._tracks[-1] if self._tracks else self._album
        said_of.texts.setdefault(name, _unquoted(value)[0])

    def _add_track(self, line: int, rest: str) -> None:
        if not self._files:
            raise CueSheetError(line, "a TRACK before any FILE; put the FILE line above it")
        number, _, kind = rest.partition(" ")
        if not _NUMBER.fullmatch(number):
            raise CueSheetError(
                line, f"{_shown(number)} is no track number; write 'TRACK 01 AUDIO'"
            )
        if len(self._tracks) == MOST_TRACKS:
            raise CueSheetError(line, f"more than {MOST_TRACKS} tracks; split the sheet")
        is_audio = kind.strip().upper() in ("AUDIO", "")
        self._tracks.append(_Track(number=int(number), line=line, is_audio=is_audio))

    def _add_index(self, line: int, rest: str) -> None:
        if not self._tracks:
            raise CueSheetError(line, "an INDEX before any TRACK; put the TRACK line above it")
        number, _, time = rest.partition(" ")
        if not _NUMBER.fullmatch(number):
            raise CueSheetError(line, f"{_shown(number)} is no index; write 'INDEX 01 mm:ss:ff'")
        frames = _frames(line, time.strip())
        self._tracks[-1].indexes.setdefault(int(number), (len(self._files) - 1, frames, line))

    def sheet(self) -> CueSheet:
        """The whole sheet. Raises `CueSheetError`."""
        if not self._files:
            raise CueSheetError(None, "no FILE in the whole sheet; is it a cue sheet?")
        if not self._tracks:
            raise CueSheetError(None, "no TRACK in the whole sheet; add them, or delete it")
        tracks: list[list[CueTrack]] = [[] for _ in self._files]
        for track in self._tracks:
            if not track.indexes and track.is_audio:
                reason = f"TRACK {track.number:02} has no INDEX; add 'INDEX 01 mm:ss:ff' below it"
                raise CueSheetError(track.line, reason)
            if track.indexes:
                file, found = _finished(track)
                tracks[file].append(_in_order(tracks[file], found))
        files = zip(self._files, tracks, strict=True)
        get = self._album.get
        return CueSheet(
            tuple(CueFile(name, kind, tuple(of_file)) for (name, kind), of_file in files),
            *(get("TITLE"), get("PERFORMER"), get("GENRE"), get("DATE")),
        )


def _finished(track: _Track) -> tuple[int, CueTrack]:
    """The index of the file that the track begins in, and the track."""
    first = 1 if 1 in track.indexes else min(track.indexes)
    file, start, line = track.indexes[first]
    get = track.get
    texts = get("TITLE"), get("PERFORMER"), get("GENRE"), get("DATE")
    return file, CueTrack(
        track.number, start, *texts, line=line, is_audio=track.is_audio, isrc=get("ISRC")
    )


def _in_order(before: list[CueTrack], track: CueTrack) -> CueTrack:
    """The track itself, if it begins after those before it."""
    if before and track.start <= before[-1].start:
        raise CueSheetError(
            track.line,
            f"TRACK {track.number:02} begins at {time_of(track.start)}, not after the track before "
            f"it ({time_of(before[-1].start)}); correct the times",
        )
    return track


def _file(line: int, rest: str) -> tuple[str, str]:
    """Name and type in a FILE line."""
    name, kind = _unquoted(rest)
    if not kind and not rest.startswith('"'):
        first, _, last = rest.rpartition(" ")
        name, kind = (first.rstrip(), last) if first and last.upper() in _FILE_TYPES else (rest, "")
    if not name.strip():
        raise CueSheetError(line, "FILE without a name; write 'FILE \"album.flac\" WAVE'")
    return name, kind.upper()


def _unquoted(text: str) -> tuple[str, str]:
    """What stands between the first and the last quotation mark, so that there may be more within.

    And what follows; all of it where the text does not begin with one.
    """
    if not text.startswith('"'):
        return text, ""
    end = text.rfind('"')
    return (text[1:end], text[end + 1 :].strip()) if end else (text[1:], "")


def _frames(line: int, time: str) -> int:
    match = _TIME.fullmatch(time)
    minutes, seconds, frames = map(int, match.groups()) if match else (0, 60, FRAMES)
    if seconds >= 60 or frames >= FRAMES:
        raise CueSheetError(
            line,
            f"{_shown(time)} is no time; write minutes:seconds:frames, with seconds below 60 and "
            f"frames below {FRAMES}",
        )
    return (minutes * 60 + seconds) * FRAMES + frames


def time_of(frames: int) -> str:
    """Frames as a sheet writes them: minutes, of which there may be over 99, seconds and frames."""
    seconds, rest = divmod(frames, FRAMES)
    return f"{seconds // 60:02}:{seconds % 60:02}:{rest:02}"


def _shown(text: str) -> str:
    return repr(text[:20])
