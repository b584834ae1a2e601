"""Column types for values that databases cannot store as they are: paths, vectors, times."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import JSON, DateTime, Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from recommender.audio.damage import Damage
from recommender.utils.arrays import FloatArray

_SPECIAL = re.compile("[\x00\\\\\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4})")

VECTOR_DTYPE = np.dtype("<f4")
"""Type of the numbers in a stored vector, on every machine."""


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
    r"""Any path as readable text that every database can store.

    File names are bytes; `os.fsdecode` turns those that are not UTF-8 into surrogate escapes, which
    neither SQLite nor PostgreSQL stores. Such a byte becomes ``\xNN``, and a backslash two;
    `decode_path` returns the same string again. Each character is encoded by itself, so that the
    code of a folder is a prefix of the codes of all that it contains.
    """
    return _SPECIAL.sub(_escape, path)


def decode_path(text: str) -> str:
    """The path whose code is `text`; see `encode_path`."""
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


class PathText(TypeDecorator[str]):
    """A path as `os.fsdecode` returns it; see `encode_path` for what is stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """To stored text."""
        return None if value is None else encode_path(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """From stored text."""
        return None if value is None else decode_path(value)


class PathTexts(TypeDecorator[tuple[str, ...]]):
    """Absolute paths, as `PathText`: none as NULL, one as itself, several as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """To stored text."""
        paths = [encode_path(path) for path in value or ()]
        return json.dumps(paths, ensure_ascii=False) if len(paths) > 1 else next(iter(paths), None)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:
        """From stored text."""
        paths = [] if value is None else json.loads(value) if value[:1] == "[" else [value]
        return tuple(decode_path(path) for path in paths)


class Vector(TypeDecorator[FloatArray]):
    """np.ndarray [shape=(d,)], float32, stored as a blob of d little-endian numbers."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: FloatArray | None, dialect: Dialect) -> bytes | None:
        """To bytes."""
        return None if value is None else np.asarray(value, dtype=VECTOR_DTYPE).tobytes()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> FloatArray | None:
        """From bytes; the array is read-only."""
        if value is None:
            return None
        return np.frombuffer(value, dtype=VECTOR_DTYPE).astype(np.float32, copy=False)


class Texts(TypeDecorator[tuple[str, ...]]):
    """Texts in their order, stored as a JSON list; none of them, or unknown ones, as NULL."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> list[str] | None:
        """To a list, which the JSON type renders."""
        return list(value) if value else None

    def process_result_value(self, value: list[str] | None, dialect: Dialect) -> tuple[str, ...]:
        """From a list."""
        return tuple(value or ())


class DamageRecord(TypeDecorator[Damage]):
    """What is known of the damage of a file, stored as a JSON object."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Damage | None, dialect: Dialect) -> dict[str, Any] | None:
        """To a mapping, which the JSON type renders."""
        return None if value is None else value.to_json()

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> Damage | None:
        """From a mapping."""
        return None if value is None else Damage.from_json(value)


class Moment(TypeDecorator[datetime]):
    """A timezone-aware datetime, stored in UTC also where the database has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Add the time zone UTC where the database stores none."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)
