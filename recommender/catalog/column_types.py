"""Column types for what databases do not take as it is: paths, vectors, moments."""

import re
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import DateTime, Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from recommender.utils.arrays import FloatArray

_SPECIAL = re.compile("[\x00\\\\\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4})")

VECTOR_DTYPE = np.dtype("<f4")
"""How a vector's numbers lie in its blob, on every machine."""


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if char == "\\":
        return "\\\\"
    if char == "\x00" or "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) & 0xFF:02x}"
    return f"\\u{ord(char):04x}"


def _unescape(match: re.Match[str]) -> str:
    escape = match[1]
    if escape == "\\":
        return escape
    code = int(escape[1:], 16)
    return chr(0xDC00 + code if escape[0] == "x" and code else code)


def encode_path(path: str) -> str:
    r"""Any path as text that every database takes, and people can read.

    File names are bytes; `os.fsdecode` keeps those that are not UTF-8 as surrogate escapes, which
    neither SQLite nor PostgreSQL stores. Such a byte becomes ``\xNN`` and a real backslash two;
    `decode_path` gives back the very same string. The encoding goes character by character, so
    that the code of a folder begins the code of all that is in it.
    """
    return _SPECIAL.sub(_escape, path)


def decode_path(text: str) -> str:
    """The path that `encode_path` made `text` of."""
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


class PathText(TypeDecorator[str]):
    """A path as `os.fsdecode` gives it; see `encode_path` for what lies in the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Encode on the way in."""
        return None if value is None else encode_path(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Decode on the way out."""
        return None if value is None else decode_path(value)


class Vector(TypeDecorator[FloatArray]):
    """np.ndarray [shape=(d,)], float32, as a blob of d little-endian numbers."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: FloatArray | None, dialect: Dialect) -> bytes | None:
        """Lay the numbers out on the way in."""
        return None if value is None else np.asarray(value, dtype=VECTOR_DTYPE).tobytes()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> FloatArray | None:
        """Read them on the way out (the array is read-only)."""
        if value is None:
            return None
        return np.frombuffer(value, dtype=VECTOR_DTYPE).astype(np.float32, copy=False)


class Moment(TypeDecorator[datetime]):
    """A timezone-aware datetime, stored in UTC also where the database knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn into UTC on the way in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC on the way out."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)
