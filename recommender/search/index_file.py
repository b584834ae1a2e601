"""The file of an index: named arrays and a few facts, written whole or not at all. No faiss."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from recommender.embedding.space import SpaceId, settings_digest
from recommender.errors import IndexDamaged, IndexOutdated
from recommender.utils.arrays import is_unit
from recommender.utils.files import replace_file

FORMAT, LABEL = "recsys-index-3", "recsys"
"""The number rises with what the file holds, and with how `reranking` computes it."""

Tensors = dict[str, npt.NDArray[Any]]


def index_file(space: SpaceId, catalog: str, database: Path | None) -> Path:
    """The path of the index of a space: beside the database file, else in the user's cache folder.

    Args:
        space: the projected space; another space is another file.
        catalog: the catalogue's own id, which names the file when there is no database file.
        database: the SQLite file, or None for a database server.
    """
    if database is not None:
        return database.with_name(f"{database.stem}.{settings_digest(space)}.index")
    from platformdirs import user_cache_path

    return user_cache_path("recsys") / f"{catalog}.{settings_digest(space)}.index"


def write_index(path: Path, tensors: Tensors, facts: Mapping[str, Any]) -> None:
    """Write `path`, in place of an older file or not at all. Raises `OSError`."""
    text = json.dumps({"format": FORMAT, **facts})
    # One entry, because safetensors writes several in any order.
    label = f"{_checksum(text, tensors)} {text}"
    replace_file(path, save(tensors, {LABEL: label}))


def read_facts(path: Path) -> dict[str, Any]:
    """The facts of an index file without its arrays; no checksum is checked.

    Raises as `read_index`.
    """
    with _open_index(path) as (_, text):
        facts: dict[str, Any] = json.loads(text.partition(" ")[2])
        return facts


def read_index(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """The arrays and facts that `write_index` wrote.

    Raises:
        FileNotFoundError: there is no such file.
        IndexOutdated: it was written by another version of this package.
        IndexDamaged: it is not whole.
    """
    with _open_index(path) as (file, label):
        checksum, _, text = label.partition(" ")
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if checksum != _checksum(text, tensors):
            raise ValueError("its checksum does not match")
        return tensors, json.loads(text)


@contextmanager
def _open_index(path: Path) -> Iterator[tuple[Any, str]]:
    """The file, opened, and its label; what goes wrong becomes a named error."""
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with safe_open(path, framework="numpy") as file:
            label = (file.metadata() or {})[LABEL]
            found = json.loads(label.partition(" ")[2])["format"]
            if found != FORMAT:
                raise IndexOutdated(
                    f"the index {path} is of the format {found}, not {FORMAT}: the next query "
                    "builds it again."
                )
            yield file, label
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise index_damaged(path, error) from error


def index_damaged(path: Path, error: object) -> IndexDamaged:
    """The error for a file that is not what `write_index` wrote."""
    return IndexDamaged(
        f"the index {path} cannot be read ({error}). It is a cache of the catalogue: "
        "the next query builds it again."
    )


def require_consistent(tensors: Tensors) -> None:
    """Raise unless types and shapes fit, as in what `FaissIndex.save` writes.

    A checksum proves only that the file is as it was written, not by whom.

    Raises:
        LookupError: an array is missing.
        ValueError: an array has another type or shape, or values that cannot be searched.
    """
    ids, vectors = tensors["ids"], tensors["vectors"]
    count, width = len(ids), vectors.shape[-1]
    views, database = tensors["duplicate_views"], tensors["database_vectors"]
    if ids.dtype != np.int64 or ids.ndim != 1 or (np.diff(ids) <= 0).any() or (ids < 0).any():
        raise ValueError("its ids are not ascending numbers of tracks")
    shapes = {
        "vectors": (vectors, [(count, width)]),
        "database_vectors": (database, [(count, width + 1), (0, width + 1)]),
        "duplicate_views": (views, [(count, views.shape[-1]), (0, 0)]),
    }
    for name, (values, allowed) in shapes.items():
        if values.dtype != np.float32 or values.shape not in allowed or not width:
            raise ValueError(f"{name} are {values.dtype} {values.shape}, with {count} ids")
        if not np.isfinite(values).all():
            raise ValueError(f"{name} are not finite")
    with np.errstate(over="ignore"):
        are_unit = is_unit(vectors).all()
    if not are_unit:
        raise ValueError("its vectors are not of length 1")


def _checksum(facts: str, tensors: Tensors) -> str:
    digest = hashlib.blake2b(facts.encode(), digest_size=16)
    for name, values in sorted(tensors.items()):
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
