"""The segment of an index on disk: records that are appended to a file, one for each update.

A record names the base that it follows and the state of the catalogue after it, and has a checksum.
A process that dies while it writes leaves half a record at the end: it is ignored, and dropped by
whoever appends next. Records of another base are none of ours.
"""

import json
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from recommender.catalog.records import CatalogState
from recommender.search.base import COLUMN, Base, rows_of
from recommender.search.live_tracks import Segment
from recommender.search.mapped_file import Array
from recommender.search.vector_rows import VectorRows

_HEAD = struct.Struct("<8sQI")
"""A mark, the length of what follows and its CRC-32."""

_MARK = b"recsyss1"
_ABOUT = "about"


@dataclass(frozen=True, eq=False)
class StoredSegment:
    """What a file holds.

    Attributes:
        segment: all records together.
        state: of the catalogue after the last of them.
        length: bytes that were understood.
        broken: why there is more that was not; None where there is not.
    """

    segment: Segment
    state: CatalogState
    length: int
    broken: str | None


def read_segment(path: Path, base: Base) -> StoredSegment:
    """The changes that follow `base`; none where there is no file, or one of another base."""
    segment, state, at = Segment.empty(base), base.facts.state, 0
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return StoredSegment(segment, state, 0, None)
    except OSError as error:
        return StoredSegment(segment, state, 0, str(error))
    while at < len(content):
        try:
            payload = _payload(content, at)
            later, after, generation = _decoded(payload, base)
        except (ValueError, LookupError, TypeError, SafetensorError) as error:
            return StoredSegment(segment, state, at, str(error))
        if generation != base.facts.generation:
            return StoredSegment(Segment.empty(base), base.facts.state, 0, None)
        segment, state = segment.followed_by(later), after
        at += _HEAD.size + len(payload)
    return StoredSegment(segment, state, at, None)


def append_segment(
    path: Path, base: Base, later: Segment, state: CatalogState, length: int
) -> None:
    """Append a record behind the `length` bytes that were read, dropping what else is there.

    Raises `OSError`; the file is then as it was, or ends with half a record.
    """
    payload = _encoded(later, base, state)
    record = _HEAD.pack(_MARK, len(payload), zlib.crc32(payload)) + payload
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    with os.fdopen(descriptor, "r+b") as file:
        file.truncate(length)
        file.seek(length)
        try:
            file.write(record)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(length)
            raise


def _payload(content: bytes, at: int) -> bytes:
    if len(content) - at < _HEAD.size:
        raise ValueError("its last record is not whole")
    mark, length, checksum = _HEAD.unpack_from(content, at)
    payload = content[at + _HEAD.size : at + _HEAD.size + length]
    if mark != _MARK or len(payload) < length:
        raise ValueError("its last record is not whole")
    if zlib.crc32(payload) != checksum:
        raise ValueError("the checksum of a record does not match")
    return payload


def _encoded(later: Segment, base: Base, state: CatalogState) -> bytes:
    about = {
        "generation": base.facts.generation,
        "state": asdict(state),
        "added": later.added,
    }
    arrays = {field.name: getattr(later.rows, field.name) for field in fields(VectorRows)}
    arrays["row_ids"] = arrays.pop("ids")
    columns = {COLUMN + name: values for name, values in later.columns.items()}
    tensors = {**arrays, **columns, "removed": later.removed}
    kept = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    described = {name: [values.dtype.str, values.shape] for name, values in kept.items()}
    # Plain bytes, because safetensors has no name for some of numpy's types.
    plain = {name: values.reshape(-1).view(np.uint8) for name, values in kept.items()}
    return bytes(save(plain, {_ABOUT: json.dumps({**about, "arrays": described})}))


def _decoded(payload: bytes, base: Base) -> tuple[Segment, CatalogState, str]:
    """A record, with types and shapes that go with the base. Raises for any other."""
    length = int.from_bytes(payload[:8], "little")
    header = json.loads(payload[8 : 8 + length])
    about = json.loads(header["__metadata__"][_ABOUT])
    plain = load(payload)
    arrays: dict[str, Array] = {}
    for name, (kind, shape) in about["arrays"].items():
        arrays[str(name)] = plain[name].view(np.dtype(str(kind))).reshape(shape)
    rows = rows_of(arrays)
    columns = {
        name.removeprefix(COLUMN): values
        for name, values in arrays.items()
        if name.startswith(COLUMN)
    }
    _require_fitting(rows, columns, base)
    removed = arrays["removed"]
    if removed.dtype != np.int64 or removed.ndim != 1:
        raise ValueError("what it removes are no tracks")
    state = CatalogState(str(about["state"]["catalog"]), int(about["state"]["revision"]))
    segment = Segment(rows, columns, removed, int(about["added"]))
    return segment, state, str(about["generation"])


def _require_fitting(rows: VectorRows, columns: Mapping[str, Any], base: Base) -> None:
    pairs = [(getattr(rows, f.name), getattr(base.rows, f.name)) for f in fields(VectorRows)]
    if columns.keys() != base.columns.keys():
        raise ValueError("a record has other columns than the index")
    pairs += [(columns[name], base.columns[name]) for name in columns]
    for values, like in pairs:
        if values.dtype != like.dtype or values.shape != (len(rows), *like.shape[1:]):
            raise ValueError(f"a record with values of {values.dtype} {values.shape}")
    if len(np.unique(rows.ids)) != len(rows):
        raise ValueError("a record names a track twice")
