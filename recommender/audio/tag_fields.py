"""The fields of every tag in a file, of whatever format, as their bytes or text say.

mutagen reads ID3v2, Vorbis comments, MP4, ASF and APEv2. What it does not know, RIFF INFO,
Matroska, CAF, the text chunks of AIFF and what it fails on, ffmpeg's libraries read through PyAV.
Tags of one file complete one another; ID3v1, whose texts are cut after 30 bytes, comes last.
"""

import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, BinaryIO

from recommender.audio.bounded_file import BoundedFile
from recommender.audio.cue_sheet import FRAMES, time_of
from recommender.audio.cue_text import LARGEST_SHEET

Value = str | bytes
"""Bytes where the format does not declare the encoding of its text."""

Fields = dict[str, list[Value]]
"""Names of `_KEYS` → values, of which at least one is not empty."""

# Keys by which the formats name a field, as `_plain_key` gives them: ID3, Vorbis, MP4, ASF, APEv2,
# ffmpeg. The first of them that has a value counts.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "title": ("tit2", "title", "©nam", "tracktitle"),
    "artist": ("tpe1", "artist", "©art", "author"),
    "artists": ("artists",),
    "album": ("talb", "album", "©alb", "albumtitle"),
    "album_artist": ("tpe2", "albumartist", "aart", "band"),
    "album_artists": ("albumartists",),
    "genre": ("tcon", "genre", "©gen"),
    "track_number": ("trck", "tracknumber", "trkn", "track", "partnumber"),
    "year": (
        *("tdrc", "tdor", "date", "©day", "year", "originaldate"),
        *("originalyear", "daterecorded", "datereleased"),
    ),
    "recording_mbid": ("ufid:http://musicbrainz.org", "musicbrainztrackid", "musicbrainz/trackid"),
    "isrcs": ("tsrc", "isrc"),
}
FIELDS = tuple(_KEYS)
CUE_SHEET = "cuesheet"
"""Name of the field with an embedded cue sheet, and its key in every format."""

_WANTED = frozenset({CUE_SHEET, *(key for keys in _KEYS.values() for key in keys)})
_ESSENTIAL = ("title", "artist", "album", "genre", "year")
"""Fields that ffmpeg is asked for where mutagen found none of them in a format it half knows."""

_PREFIXES = ("txxx:", "----:com.apple.itunes:", "wm/", "track/", "song/")
_MOST_VALUES = 100
_LONGEST_VALUE = 20_000
_NATIVE_BUDGET = 64 * 2**20  # embedded pictures are read with the tags
_BUDGET = 16 * 2**20
_LONGEST_FRAME = 2**20
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def read_fields(file: BinaryIO) -> Fields:
    """The fields of all tags of an open file that can seek. Never raises."""
    try:
        size = file.seek(0, io.SEEK_END)
        last = _id3v1(file, size)
    except (OSError, ValueError):
        return {}
    end = size - 128 if last else size  # without it, the others are found where they end
    native, complete = _attempt(lambda: _native(file, end)) or ({}, False)
    damaged = {
        field: values
        for field, values in native.items()
        if any(_REPLACED in value for value in values if isinstance(value, str))
    }
    sources = [{field: native[field] for field in native.keys() - damaged.keys()}]
    sources += [_attempt(source) or {} for source in _further_sources(file, end, native)]
    found = _merged(sources)
    if damaged or not (complete or all(field in found for field in _ESSENTIAL)):
        sources.append(_attempt(lambda: _of_ffmpeg(BoundedFile(file, end, _BUDGET))) or {})
    return _merged([*sources, damaged, last])


def _attempt(read: Callable[[], Any]) -> Any:
    """What `read` returns; None where it fails: damaged files make libraries raise anything."""
    try:
        return read()
    except Exception:
        return None


def _read(reader: Any, *given: Any, **options: Any) -> Any:
    """Call a reader of mutagen's, which has no types."""
    return reader(*given, **options)


def _merged(sources: Iterable[Fields]) -> Fields:
    """The fields of several tags, of each field those of the first tag that has it."""
    merged: Fields = {}
    for source in sources:
        for field, values in source.items():
            merged.setdefault(field, values)
    return merged


def _native(file: BinaryIO, end: int) -> tuple[Fields, bool]:
    """The tags of the file's own format, and whether mutagen knows all that format's tags."""
    import mutagen
    from mutagen.aiff import AIFF
    from mutagen.flac import FLAC
    from mutagen.mp4 import MP4
    from mutagen.wave import WAVE

    limit_inflation()
    audio = mutagen.File(BoundedFile(file, end, _NATIVE_BUDGET))
    if audio is None:
        return {}, False
    partly = isinstance(audio, AIFF | WAVE) or (isinstance(audio, MP4) and not audio.tags)
    fields = _fields(audio.tags or {})
    if isinstance(audio, FLAC) and audio.cuesheet is not None:
        fields.setdefault(CUE_SHEET, [_cue_text(audio.cuesheet, audio.info.sample_rate)])
    return fields, not partly


def _cue_text(block: Any, rate: int) -> str:
    """FLAC's cue sheet block, which has no titles, as text; its times to the nearest frame."""
    lines = ['FILE "this" FLAC']
    for track in block.tracks:
        if track.indexes:  # the lead-out has none
            lines.append(f"TRACK {track.track_number:02} {'DATA' if track.type else 'AUDIO'}")
            lines.append(f"ISRC {track.isrc.decode('ascii', 'ignore')}")
        for index in track.indexes:
            samples = track.start_offset + index.index_offset
            lines.append(f"INDEX {index.index_number:02} {time_of(round(samples * FRAMES / rate))}")
    return "\n".join(lines)


def _further_sources(file: BinaryIO, end: int, native: Fields) -> Iterator[Callable[[], Fields]]:
    """ID3v2 before a format that has tags of its own, APEv2, and ID3v2 at the end."""
    from mutagen.apev2 import APEv2
    from mutagen.id3 import ID3

    if any(field not in native for field in _ESSENTIAL):
        yield lambda: _fields(_read(ID3, BoundedFile(file, end, _NATIVE_BUDGET), load_v1=False))
    yield lambda: _fields(_read(APEv2, BoundedFile(file, end, _BUDGET)))
    yield lambda: _appended_id3(file, end)


def limit_inflation() -> None:
    """Make mutagen refuse compressed ID3 frames of more than 1 MB: it inflates any in memory."""
    from mutagen.id3 import _frames

    frames: Any = _frames
    frames.zlib = SimpleNamespace(decompress=_inflated, error=zlib.error)


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(data, _LONGEST_FRAME)
    if not inflater.eof:
        raise zlib.error("a frame that is cut off or far too long")
    return inflated


def _id3v1(file: BinaryIO, size: int) -> Fields:
    """The tag in the last 128 bytes; its texts are bytes, for nothing declares their encoding."""
    from mutagen.id3 import ParseID3v1

    file.seek(max(0, size - 128))
    data = file.read(128)
    frames = _read(ParseID3v1, data) if data.startswith(b"TAG") else None
    return _fields(frames or {})


def _appended_id3(file: BinaryIO, end: int) -> Fields:
    """An ID3v2.4 tag that a footer at the end of the file, or before an APEv2 tag, shows."""
    from mutagen.id3 import ID3

    while end >= 32:
        file.seek(end - 32)
        tail = file.read(32)
        if tail.startswith(b"APETAGEX"):
            has_header = tail[23] & 0x80  # the highest bit of the flags
            end -= int.from_bytes(tail[12:16], "little") + (32 if has_header else 0)
            continue
        footer = tail[-10:]
        if not footer.startswith(b"3DI"):
            break
        size = 0
        for byte in footer[6:]:
            size = size << 7 | byte & 0x7F
        start = end - size - 20
        if start < 0:
            break
        tag = BoundedFile(file, end, _BUDGET, start)
        return _fields(_read(ID3, tag, load_v1=False))
    return {}


def _of_ffmpeg(file: BoundedFile) -> Fields:
    """What ffmpeg calls metadata, of the file and of its first audio stream."""
    import av

    # Latin-1 gives each byte as it is. A playlist that poses as a sound must not make ffmpeg open
    # files or addresses.
    with av.open(
        file, "r", metadata_encoding="latin-1", options={"protocol_whitelist": "none"}
    ) as container:
        found = [container.metadata, *(stream.metadata for stream in container.streams.audio[:1])]
        return _merged(
            _fields({key: text.encode("latin-1") for key, text in metadata.items()})
            for metadata in found
        )


def _fields(tags: Any) -> Fields:
    """The wanted fields of a tag, which is a mapping from keys of its format to its values."""
    values: dict[str, list[Value]] = {}
    for key, value in tags.items():
        plain = _plain_key(str(key))
        if plain in _WANTED and plain not in values:
            try:
                longest = LARGEST_SHEET if plain == CUE_SHEET else _LONGEST_VALUE
                found = [part for part in _values(value, longest) if part.strip()]
                values[plain] = found[:_MOST_VALUES]
            except (TypeError, ValueError, AttributeError):  # a value of a type it must not have
                continue
    return {
        field: next(values[key] for key in keys if values.get(key))
        for field, keys in (*_KEYS.items(), (CUE_SHEET, (CUE_SHEET,)))
        if any(values.get(key) for key in keys)
    }


def _plain_key(key: str) -> str:
    """ "ALBUM ARTIST", "album_artist" and "TXXX:Album Artist" → "albumartist"."""
    key = key.lower()
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    key = {"album/title": "album", "album/artist": "albumartist"}.get(key, key)
    return key if key.isalnum() else "".join(c for c in key if c not in " _-")


def _values(value: Any, longest: int) -> Iterator[Value]:
    """The texts in a value of any of the formats, cut after so many characters or bytes."""
    items = value.genres if hasattr(value, "genres") else getattr(value, "text", value)
    items = getattr(items, "data", items)  # of an identifier in ID3
    items = [items] if isinstance(items, str | bytes) else items
    texts = [_text(item)[:longest] for item in items]
    if getattr(value, "encoding", None) == 0:  # ID3 calls it Latin-1, and taggers put in anything
        texts = _of_latin1_frame([t.encode("latin-1") for t in texts if isinstance(t, str)])
    for text in texts:
        if isinstance(text, bytes):
            yield from text.split(b"\0")
        else:
            yield from text.split("\0")


def _text(item: Any) -> Value:
    if isinstance(item, tuple):  # MP4 track numbers: (number, total)
        item = item[0]
    return item if isinstance(item, bytes) else str(item)


def _of_latin1_frame(texts: list[bytes]) -> list[Value]:
    """Bytes of the values of a frame; UTF-16 called Latin-1, which its NULs take apart, as text."""
    data = b"\0".join(texts)
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in data:
        return list(texts)
    return [(data + b"\0" * (len(data) % 2)).decode("utf-16", "replace")]
