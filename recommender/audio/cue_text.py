"""The text of a cue sheet: read within limits, in whatever encoding it was written."""

from pathlib import Path

from recommender.audio.tag_text import decoded, guessed_encoding, utf8, utf16
from recommender.errors import CueSheetError
from recommender.utils.files import IrregularFile, read_small

LARGEST_SHEET = 256 * 1024
"""Bytes of a sheet at most; one of 99 tracks has some 20 KB."""


def read_cue_text(path: Path) -> str:
    """The text of the cue sheet at `path`.

    Raises:
        CueSheetError: it is no regular file, larger than `LARGEST_SHEET`, or no text.
        OSError: it cannot be read.
    """
    try:
        data = read_small(path, LARGEST_SHEET)
    except IrregularFile as error:
        raise CueSheetError(None, "not a regular file; remove it") from error
    return decode_cue_text(data)


def decode_cue_text(data: bytes) -> str:
    """The text of a sheet's bytes: UTF-8 or UTF-16, else what its letters look like together.

    Raises `CueSheetError` for more than `LARGEST_SHEET` bytes, and for what is no text.
    """
    if len(data) > LARGEST_SHEET:
        limit = LARGEST_SHEET // 1024
        raise CueSheetError(None, f"larger than {limit} KiB, as no cue sheet is; remove it")
    encoding = utf16(data)
    if encoding is not None:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    if b"\0" in data:
        raise CueSheetError(None, "no text; save it as UTF-8, or remove it")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if (text := utf8(data)) is not None:
        return text
    lines = data.split(b"\n")
    guessed = guessed_encoding(line for line in lines if utf8(line) is None)
    return "\n".join(decoded(line, guessed) for line in lines)
