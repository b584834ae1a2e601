"""Writes checkpoints of TensorFlow, and a wheel like that of musicnn with random weights in it."""

import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from recommender.pretrained.crc32c import crc32c, masked
from recommender.pretrained.musicnn import NETWORKS
from recommender.pretrained.musicnn_weights import tensor_shapes

FLOAT, DOUBLE = 1, 2
_ENTRIES_A_BLOCK = 7


def varint(value: int) -> bytes:
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def bundle(tensors: Mapping[str, np.ndarray], dtype: int = FLOAT) -> tuple[bytes, bytes]:
    """Index and data of a checkpoint."""
    data, entries = b"", {b"": field(1, 1)}
    for name, values in sorted(tensors.items()):
        content = values.astype("<f4").tobytes()
        shape = b"".join(field(2, field(1, size)) for size in values.shape)
        crc = varint(6 << 3 | 5) + struct.pack("<I", masked(crc32c(content)))
        entries[name.encode()] = (
            field(1, dtype) + field(2, shape) + field(4, len(data)) + field(5, len(content)) + crc
        )
        data += content
    return table(entries), data


def table(entries: Mapping[bytes, bytes], compression: int = 0) -> bytes:
    """A table of LevelDB whose blocks hold a few entries each."""
    written, handles = b"", {}
    keys = sorted(entries)
    for start in range(0, len(keys), _ENTRIES_A_BLOCK):
        some = keys[start : start + _ENTRIES_A_BLOCK]
        block = _block({key: entries[key] for key in some})
        handles[some[-1]] = varint(len(written)) + varint(len(block))
        written += _sealed(block, compression)
    index = _block(handles)
    empty = _block({})
    footer = varint(len(written)) + varint(len(empty))
    written += _sealed(empty, 0)
    footer += varint(len(written)) + varint(len(index))
    written += _sealed(index, 0)
    return written + footer.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def _block(entries: Mapping[bytes, bytes]) -> bytes:
    written, before = b"", b""
    for key, value in entries.items():
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        written += varint(shared) + varint(len(key) - shared) + varint(len(value))
        written += key[shared:] + value
        before = key
    return written + struct.pack("<II", 0, 1)


def _sealed(block: bytes, compression: int) -> bytes:
    whole = block + bytes([compression])
    return whole + struct.pack("<I", masked(crc32c(whole)))


def random_tensors(seed: int) -> dict[str, np.ndarray]:
    """The tensors of one network; variances are positive."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in tensor_shapes().items():
        values = random.normal(0, 1 / np.sqrt(max(np.prod(shape[:-1]), 4)), shape)
        tensors[name] = 1 + 0.1 * np.abs(values) if name.endswith("variance") else values
    return {name: values.astype(np.float32) for name, values in tensors.items()}


TAGS = {
    "MSD": "rock pop electronic jazz metal soul folk punk blues country Hip-Hop funk ambient sad "
    "happy Mellow",
    "MTT": "classical piano guitar vocals loud slow fast",
}


def write_wheel(path: Path, damage: Mapping[str, bytes] | None = None) -> Path:
    """A wheel with the files that are read of musicnn's; `damage` replaces some of them."""
    files: dict[str, bytes] = {}
    lists = []
    for seed, (data, name) in enumerate(NETWORKS.items()):
        index, values = bundle(random_tensors(seed))
        files[f"musicnn/{name}/.index"] = index
        files[f"musicnn/{name}/.data-00000-of-00001"] = values
        tags = TAGS[data].split()
        tags += [f"tag {number}" for number in range(len(tags), 50)]
        lists.append(f"{data}_LABELS = {tags!r}\n")
    files["musicnn/configuration.py"] = "".join(["SR = 16000\n", *lists]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (files | dict(damage or {})).items():
            archive.writestr(name, content)
    return path
