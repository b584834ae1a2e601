"""Tempo and key in the tags of one file, of every format that mutagen writes.

The names of the fields are those that most programs read: ID3v2.4 sections 4.2.3 (TBPM) and 4.2.1
(TKEY); BPM and INITIALKEY in Vorbis comments and APEv2; tmpo and com.apple.iTunes:initialkey in
MP4; WM/BeatsPerMinute and WM/InitialKey in ASF.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender.errors import UnreadableAudio
from recommender.utils.files import require_regular

BPM, KEY = "bpm", "key"

Values = Mapping[str, tuple[str, ...]]
"""Field → its values; none where a file lacks it."""

_ID3 = {BPM: "TBPM", KEY: "TKEY"}
_VORBIS = {BPM: "bpm", KEY: "initialkey"}
_APE = {BPM: "BPM", KEY: "INITIALKEY"}
_MP4 = {BPM: "tmpo", KEY: "----:com.apple.iTunes:initialkey"}
_ASF = {BPM: "WM/BeatsPerMinute", KEY: "WM/InitialKey"}


@dataclass(frozen=True)
class _Format:
    """How one kind of tag holds the fields: names, and what turns values into text and back."""

    names: Mapping[str, str]
    read: Callable[[Any, str], Sequence[str]]
    write: Callable[[Any, str, Sequence[str]], None]


def read_values(path: Path) -> dict[str, tuple[str, ...]]:
    """Both fields of a file.

    Raises `UnreadableAudio` for a format whose tags cannot be written.
    """
    file, form = _opened(path)
    tags = file.tags
    return {
        field: () if tags is None else tuple(form.read(tags, name))
        for field, name in form.names.items()
    }


def write_values(path: Path, values: Values) -> None:
    """Set fields of a file in place, and nothing else; fields without a value are removed.

    ID3 tags keep their version, save 2.2, which becomes 2.4.

    Raises `UnreadableAudio` for a format whose tags cannot be written, or where other fields would
    change.
    """
    file, form = _opened(path)
    if file.tags is None:
        file.add_tags()
    own = {form.names[field] for field in values}
    before = _others(file, own)
    for field, found in values.items():
        form.write(file.tags, form.names[field], found)
    _save(file)
    again, _ = _opened(path)
    if _others(again, own) != before:
        raise UnreadableAudio("writing would change other tags of the file, too.")


def _opened(path: Path) -> tuple[Any, _Format]:
    import mutagen
    from mutagen.apev2 import APEv2
    from mutagen.asf import ASF
    from mutagen.id3 import ID3, ID3FileType
    from mutagen.mp4 import MP4

    require_regular(path)
    try:
        file: Any = mutagen.File(path)
        if isinstance(file, ID3FileType) or isinstance(getattr(file, "tags", None), ID3):
            file = _without_translation(file, path)
    except mutagen.MutagenError as error:
        raise UnreadableAudio(f"its tags cannot be read: {error}") from error
    if file is None:
        raise UnreadableAudio("no tags can be written in this format.")
    if isinstance(file, ID3FileType) or _holds(file, ID3):
        return file, _Format(_ID3, _read_id3, _write_id3)
    if isinstance(file, MP4):
        return file, _Format(_MP4, _read_mp4, _write_mp4)
    if isinstance(file, ASF):
        return file, _Format(_ASF, _read_texts, _write_texts)
    ape_formats = ("monkeysaudio", "wavpack", "musepack")
    if _holds(file, APEv2) or type(file).__module__.endswith(ape_formats):
        return file, _Format(_APE, _read_ape, _write_texts)
    if _is_vorbis(file):
        return file, _Format(_VORBIS, _read_texts, _write_texts)
    raise UnreadableAudio("no tags can be written in this format.")


def _without_translation(file: Any, path: Path) -> Any:
    """The file with the frames of its own version of ID3, not with those of 2.4."""
    if file.tags is None or file.tags.version < (2, 3):
        return file
    return type(file)(path, translate=False)


def _holds(file: Any, kind: type) -> bool:
    """Whether the tags of the file are of this kind, or those that it would get."""
    if file.tags is None:
        names = {"WAVE", "AIFF", "DSF", "DSDIFF"}
        return kind.__name__ == "ID3" and type(file).__name__ in names
    return isinstance(file.tags, kind)


def _is_vorbis(file: Any) -> bool:
    return type(file).__module__.rpartition(".")[2] in (
        *("flac", "oggvorbis", "oggopus", "oggflac", "oggspeex", "oggtheora"),
    )


def _save(file: Any) -> None:
    import mutagen

    version = getattr(file.tags, "version", None)
    try:
        if isinstance(version, tuple) and version[:2] == (2, 3):
            file.save(v2_version=3)
        else:
            file.save()
    except mutagen.MutagenError as error:
        raise UnreadableAudio(f"its tags cannot be written: {error}") from error


def _others(file: Any, own: set[str]) -> dict[str, str]:
    """All other fields, as text; pictures of FLAC, too."""
    keys = {name.lower() for name in own}
    others = {
        str(key): repr(value)
        for key, value in dict(file.tags or {}).items()
        if str(key).lower() not in keys
    }
    pictures = getattr(file, "pictures", None)
    return others | ({"pictures": repr([(p.type, p.data) for p in pictures])} if pictures else {})


def _read_id3(tags: Any, name: str) -> Sequence[str]:
    return [text for frame in tags.getall(name) for text in map(str, frame.text)]


def _write_id3(tags: Any, name: str, values: Sequence[str]) -> None:
    from mutagen import id3

    tags.delall(name)
    if values:
        tags.add(getattr(id3, name)(encoding=id3.Encoding.LATIN1, text=list(values)))


def _read_mp4(tags: Any, name: str) -> Sequence[str]:
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in tags.get(name, ())
    ]


def _write_mp4(tags: Any, name: str, values: Sequence[str]) -> None:
    if not values:
        tags.pop(name, None)
    elif name == "tmpo":
        tags[name] = [round(float(value)) for value in values]
    else:
        tags[name] = [value.encode() for value in values]


def _read_texts(tags: Any, name: str) -> Sequence[str]:
    return [str(value) for value in tags.get(name, ())]


def _read_ape(tags: Any, name: str) -> Sequence[str]:
    value = tags.get(name)
    return [] if value is None else str(value).split("\0")


def _write_texts(tags: Any, name: str, values: Sequence[str]) -> None:
    if values:
        tags[name] = list(values)
    elif name in tags:
        del tags[name]
