"""Exact nearest-neighbour search over a catalogue's vectors. The only importer of faiss.

The index is a cache of the catalogue: one file beside the database, which names the embedding
space and the catalogue state it was built from and can always be built again.

Shapes: n vectors of d dimensions in the index, q queries, k results for each.
"""

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from recommender.catalog.records import CatalogState
from recommender.errors import IndexDamaged, RecsysError, SpaceMismatch, UsageError
from recommender.files import replace_file
from recommender.space import FloatArray, SpaceId, settings_digest

IdArray = npt.NDArray[np.int64]
Device = Literal["auto", "cpu", "cuda"]

FORMAT, LABEL = "recsys-index-1", "recsys"

FAISS_BUILDS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12", "faiss-gpu-cuvs")
"""Distributions on PyPI that all install the same module `faiss`, over one another's files."""

LARGEST_GPU_K = 2048
"""FAISS's limit on k for GPU indexes; a longer list is searched on the CPU."""

ROUNDING = 1e-5
"""More than float32 inner products of unit vectors differ between CPU, GPU and batch sizes."""

SPARE = 16
"""Results fetched beyond k, so that ties at the k-th place rarely need a second search."""

QUERIES_AT_ONCE = 256
"""Bounds the memory that re-scoring takes: 256 queries x 128 results x 128 dimensions: 16 MB."""


def import_faiss() -> Any:
    """The module `faiss`; raises `RecsysError` where two builds of it overwrite each other."""
    installed = [name for name in FAISS_BUILDS if _is_installed(name)]
    if len(installed) > 1:
        every, others = " ".join(installed), [name for name in installed if name != "faiss-cpu"]
        raise RecsysError(
            f"{' and '.join(installed)} are installed together and break each other. "
            f"Run 'pip uninstall -y {every}' and then 'pip install {others[0]}' "
            "(or 'pip install faiss-cpu' on a machine without a GPU)."
        )
    import faiss

    return faiss


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


class FaissIndex:
    """Unit vectors with track ids, searched exactly by inner product (cosine similarity).

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        space: the embedding space of the vectors.
        state: the moment of the catalogue that the vectors were read from.
        dropped: number of vectors left out by `build` because they were zero or not finite.
    """

    def __init__(
        self,
        flat: Any,
        ids: IdArray,
        space: SpaceId,
        state: CatalogState,
        device: Device = "auto",
        dropped: int = 0,
    ) -> None:
        """Wrap a `faiss.IndexFlatIP` whose i-th vector belongs to `ids[i]`; see `build`, `load`."""
        faiss = import_faiss()
        self.ids = ids
        self.space = space
        self.state = state
        self.dropped = dropped
        self._flat = flat
        # A view of FAISS's own memory: it must not outlive `_flat`, so it is never handed out.
        values = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d) if flat.ntotal else []
        self._vectors: FloatArray = np.asarray(values, dtype=np.float32).reshape(-1, flat.d)
        self._on_gpu = _copy_to_gpu(faiss, flat) if _use_gpu(faiss, device) else None

    @classmethod
    def build(
        cls,
        ids: IdArray,
        vectors: FloatArray,
        space: SpaceId,
        state: CatalogState,
        device: Device = "auto",
    ) -> "FaissIndex":
        """Index `vectors` (np.ndarray [shape=(n, d)], unit rows) under `ids` (int64, distinct).

        Rows that are zero, or hold NaN or infinity, resemble nothing: they are left out and
        counted in `dropped`. Raises `UsageError` for other rows that are not of length 1, and for
        ``device="cuda"`` where FAISS sees no GPU.
        """
        if vectors.ndim != 2 or ids.shape != vectors.shape[:1]:
            raise UsageError(f"{ids.shape} ids do not name vectors of shape {vectors.shape}.")
        usable = usable_rows(vectors)
        order = np.argsort(ids[usable], kind="stable")
        kept = np.ascontiguousarray(vectors[usable][order], dtype=np.float32)
        _require_unit(kept)
        flat = import_faiss().IndexFlatIP(vectors.shape[1])
        flat.add(kept)
        kept_ids = np.ascontiguousarray(ids[usable][order], dtype=np.int64)
        return cls(flat, kept_ids, space, state, device, dropped=int((~usable).sum()))

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self.ids)

    @property
    def dimension(self) -> int:
        """Length d of a vector."""
        return int(self._flat.d)

    @property
    def vectors(self) -> FloatArray:
        """A copy of the unit vectors, in the order of `ids`: np.ndarray [shape=(n, d)], float32."""
        return self._vectors.copy()

    def search(self, vectors: FloatArray, k: int) -> tuple[IdArray, FloatArray]:
        """The k nearest vectors of each query, by falling similarity, then by rising id.

        Similarities are computed again in double precision, so that neither the device nor the
        number of queries changes the order.

        Args:
            vectors: np.ndarray [shape=(q, d)], unit rows.
            k: results for each query; fewer come back only when the index is smaller.

        Returns:
            ids (np.ndarray [shape=(q, min(k, n))], int64) and similarities (same shape, float32).

        Raises:
            SpaceMismatch: the queries have another dimension than the index.
            UsageError: k below 1, or queries that are not finite unit vectors.
        """
        queries = self._checked(vectors, k)
        k = min(k, len(self))
        ids = np.empty((len(queries), k), dtype=np.int64)
        similarities = np.empty((len(queries), k), dtype=np.float32)
        for start in range(0, len(queries) if k else 0, QUERIES_AT_ONCE):
            part = slice(start, start + QUERIES_AT_ONCE)
            ids[part], similarities[part] = self._search_part(queries[part], k)
        return ids, similarities

    def _checked(self, vectors: FloatArray, k: int) -> FloatArray:
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise SpaceMismatch(
                f"queries of shape {vectors.shape} do not fit an index of {self.dimension} "
                f"dimensions ({self.space}). Run 'recsys ingest' on your folders to hear them "
                "with the current model."
            )
        if k < 1:
            raise UsageError(f"the number of neighbours must be at least 1, not {k}.")
        queries = np.ascontiguousarray(vectors, dtype=np.float32)
        if not np.isfinite(queries).all():
            raise UsageError("a query vector holds NaN or infinity; hear its file again.")
        _require_unit(queries)
        return queries

    def _search_part(self, queries: FloatArray, k: int) -> tuple[IdArray, FloatArray]:
        """Exact top k of a few queries: fetch a little more than k, re-score, sort."""
        fetch = min(k + SPARE, len(self))
        while True:
            rough, positions = self._faiss_search(queries, fetch)
            # What was not fetched cannot belong to the k nearest once the last fetched is clearly
            # below the k-th; otherwise a tie was cut in two.
            complete = fetch == len(self) or (rough[:, -1] < rough[:, k - 1] - ROUNDING).all()
            if complete:
                break
            fetch = min(2 * fetch, len(self))
        positions.sort(axis=1)  # by id; the stable sort below keeps that order among equals
        exact = np.einsum(
            "qd,qfd->qf", queries.astype(np.float64), self._vectors[positions], optimize=False
        )
        similarities = np.clip(exact, -1.0, 1.0).astype(np.float32)
        best = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
        ids = self.ids[np.take_along_axis(positions, best, axis=1)]
        return ids, np.take_along_axis(similarities, best, axis=1)

    def _faiss_search(self, queries: FloatArray, k: int) -> tuple[FloatArray, IdArray]:
        fits_gpu = self._on_gpu is not None and k <= LARGEST_GPU_K
        searcher: Any = self._on_gpu if fits_gpu else self._flat
        similarities, positions = searcher.search(queries, k)
        return cast(FloatArray, similarities), cast(IdArray, positions)

    def save(self, path: Path) -> None:
        """Write the index to `path`, in place of an older one or not at all. Raises `OSError`."""
        tensors = {"faiss": import_faiss().serialize_index(self._flat), "ids": self.ids}
        facts = {
            "format": FORMAT,
            "space": asdict(self.space),
            "state": asdict(self.state),
            "dropped": self.dropped,
        }
        text = json.dumps(facts)
        # One entry, because safetensors writes several in any order.
        label = f"{_checksum(text, tensors)} {text}"
        replace_file(path, save(tensors, {LABEL: label}))

    @classmethod
    def load(cls, path: Path, device: Device = "auto") -> "FaissIndex":
        """Read an index that `save` wrote.

        Raises `IndexDamaged` when the file is not whole, `FileNotFoundError` when there is none.
        """
        if not path.is_file():
            raise FileNotFoundError(path)
        try:
            with safe_open(path, framework="numpy") as file:
                checksum, _, text = (file.metadata() or {})[LABEL].partition(" ")
                tensors = {name: file.get_tensor(name) for name in ("faiss", "ids")}
            if checksum != _checksum(text, tensors):
                raise ValueError("its checksum does not match")
            facts = json.loads(text)
            if facts["format"] != FORMAT:
                raise ValueError(f"its format is {facts['format']}, not {FORMAT}")
            flat = import_faiss().deserialize_index(tensors["faiss"])
        except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
            raise IndexDamaged(
                f"the index {path} cannot be read ({error}). It is a cache of the catalogue: "
                "'recsys similar' builds it again."
            ) from error
        space, state = SpaceId(**facts["space"]), CatalogState(**facts["state"])
        return cls(flat, tensors["ids"], space, state, device, facts["dropped"])


def index_file(space: SpaceId, catalog: str, database: Path | None) -> Path:
    """Where the index of a space is kept: beside the database file, else in the user's cache.

    Args:
        space: the projected space; another space is another file.
        catalog: the catalogue's own id, which names the file when there is no database file.
        database: the SQLite file, or None for a database server.
    """
    if database is not None:
        return database.with_name(f"{database.stem}.{settings_digest(space)}.index")
    from platformdirs import user_cache_path

    return user_cache_path("recsys") / f"{catalog}.{settings_digest(space)}.index"


def _use_gpu(faiss: Any, device: Device) -> bool:
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"the device is auto, cpu or cuda, not {device!r}.")
    visible = device != "cpu" and faiss.get_num_gpus() > 0
    if device == "cuda" and not visible:
        raise UsageError(
            "FAISS sees no GPU. Use --device cpu, or, on a machine with an NVIDIA GPU, run "
            "'pip uninstall -y faiss-cpu' and then 'pip install faiss-gpu'."
        )
    return visible


def _copy_to_gpu(faiss: Any, flat: Any) -> Any:
    return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, flat)


def usable_rows(vectors: FloatArray) -> npt.NDArray[np.bool_]:
    """Which rows of `vectors` (np.ndarray [shape=(n, d)]) are finite and not zero: bool [n]."""
    usable: npt.NDArray[np.bool_] = np.isfinite(vectors).all(axis=1) & (vectors != 0).any(axis=1)
    return usable


def _require_unit(vectors: FloatArray) -> None:
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-3):
        raise UsageError("vectors must be normalised to length 1 before they are compared.")


def _checksum(facts: str, tensors: dict[str, npt.NDArray[Any]]) -> str:
    digest = hashlib.blake2b(facts.encode(), digest_size=16)
    for name, values in sorted(tensors.items()):
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
