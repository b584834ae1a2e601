"""Search over a catalogue's vectors, by cosine and by neighbourhood. The only importer of faiss.

The index is a cache of the catalogue: one file beside the database, which names the embedding
space and the catalogue state it was built from and can always be built again. It holds the unit
vectors and, from `reranking.LEAST` tracks on, what they answer with once they are expanded.

Shapes: n vectors of d dimensions in the index, q queries, k results for each.
"""

from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import RecsysError, SpaceMismatch, UsageError
from recommender.search import reranking
from recommender.search.exact_search import ExactSearch
from recommender.search.index_file import Tensors, read_index, write_index
from recommender.search.ranker import RankedRows, RowRanker, all_nearest, others
from recommender.search.reranking import Ranking, RankingMethod
from recommender.utils.arrays import FloatArray, IntArray, usable_rows

Device = Literal["auto", "cpu", "cuda"]

FAISS_BUILDS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12", "faiss-gpu-cuvs")
"""Distributions on PyPI that all install the same module `faiss`, over one another's files."""

LARGEST_GPU_K = 2048
"""FAISS's limit on k for GPU indexes; a longer list is searched on the CPU."""

EXACT_UP_TO = 20_000
"""Tracks whose neighbours are all found when an index is built; of more, most are.

Two busy cores take 7 s for 20,000 tracks of 320 dimensions and would take 140 s for 100,000, which
`_most_nearest` does in 65 s. It finds 99.0 % of those 100,000 tracks' ten nearest (clustered
random vectors), and 99.7 % of the 20,000 tracks'.
"""

CELL_SIDE, CELLS_LOOKED_INTO = 2, 64
"""With n tracks, `CELL_SIDE * sqrt(n)` cells divide the space, and so many are looked into."""


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


@dataclass(frozen=True, eq=False)
class Ranked:
    """What q queries found, best first.

    Attributes:
        ids: np.ndarray [shape=(q, k)], int64, by falling score, then by rising id; where they are
            ranked by neighbourhood, after the nearest by cosine.
        scores: np.ndarray [shape=(q, k)], float32: what the lists are ordered by.
        similarities: np.ndarray [shape=(q, k)], float32: plain cosines with the query.
    """

    ids: IntArray
    scores: FloatArray
    similarities: FloatArray


class FaissIndex:
    """Unit vectors with track ids, ranked by cosine or by neighbourhood, exactly.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        space: the embedding space of the vectors.
        state: the moment of the catalogue that the vectors were read from.
        dropped: number of vectors left out by `build` because they were zero or not finite.
    """

    def __init__(
        self,
        ids: IntArray,
        ranker: RowRanker,
        space: SpaceId,
        state: CatalogState,
        dropped: int = 0,
    ) -> None:
        """The i-th row of `ranker` belongs to `ids[i]`; see `build` and `load`."""
        self.ids = ids
        self.space = space
        self.state = state
        self.dropped = dropped
        self._ranker = ranker

    @classmethod
    def build(
        cls,
        ids: IntArray,
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
        kept_ids = np.ascontiguousarray(ids[usable][order], dtype=np.int64)
        _require_unit(kept)
        gpu = _gpu(device)
        bare, answers = _search_of(kept, gpu), None
        if reranking.effective_method("reranked", len(kept)) == "reranked":
            nearest = all_nearest(bare) if len(kept) <= EXACT_UP_TO else _most_nearest
            moved, _ = reranking.augmented_database(kept, nearest)
            answers = _search_of(reranking.database_vectors(moved), gpu)
        ranker = RowRanker(bare, answers)
        return cls(kept_ids, ranker, space, state, dropped=int((~usable).sum()))

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self.ids)

    def __contains__(self, track_id: object) -> bool:
        """Whether a vector is indexed under this id."""
        return bool((self.ids == track_id).any())

    @property
    def dimension(self) -> int:
        """Length d of a vector."""
        return int(self._ranker.bare.rows.shape[1])

    @property
    def vectors(self) -> FloatArray:
        """A copy of the unit vectors, in the order of `ids`: np.ndarray [shape=(n, d)], float32."""
        return self._ranker.bare.rows.copy()

    @property
    def answers(self) -> FloatArray:
        """A copy of what the tracks answer with: [shape=(n, d + 1)]; of none below `LEAST`."""
        answers = self._ranker.answers
        if answers is None:
            return np.empty((0, self.dimension + 1), dtype=np.float32)
        return answers.rows.copy()

    def comparable(self, by: RankingMethod = "reranked") -> FloatArray | Ranking:
        """What `rank_tracks` ranks by, in the order of `ids`, as `retrieval` takes it."""
        return self._ranker.comparable(by)

    def rank(self, vectors: FloatArray, k: int, by: RankingMethod = "reranked") -> Ranked:
        """The k best tracks for vectors from outside, led by the nearest.

        Scores are computed in double precision, so that neither the device nor the number of
        queries changes the order.

        Args:
            vectors: np.ndarray [shape=(q, d)], unit rows.
            k: results for each query; fewer come back only when the index is smaller.
            by: the order; below `reranking.LEAST` tracks always that of cosines.

        Raises:
            SpaceMismatch: the queries have another dimension than the index.
            UsageError: k below 1, queries that are not finite unit vectors, or another order.
        """
        _require_positive(k)
        return self._ranked(self._ranker.of_vectors(self._checked(vectors), k, by))

    def rank_tracks(self, ids: IntArray, k: int, by: RankingMethod = "reranked") -> Ranked:
        """The k best tracks for tracks of the index, themselves among them.

        Args:
            ids: np.ndarray [shape=(q,)].
            k, by: as in `rank`.

        Raises:
            UsageError: k below 1, a track that is not in the index, or another order.
        """
        _require_positive(k)
        rows = np.searchsorted(self.ids, ids)
        absent = ids[np.append(self.ids, -1)[rows] != ids]
        if len(absent):
            raise UsageError(f"track {absent[0]} is not in the index.")
        return self._ranked(self._ranker.of_rows(rows, k, by))

    def _ranked(self, found: RankedRows) -> Ranked:
        return Ranked(self.ids[found.rows], found.scores, found.similarities)

    def _checked(self, vectors: FloatArray) -> FloatArray:
        if vectors.ndim != 2 or vectors.shape[1] != self.dimension:
            raise SpaceMismatch(
                f"queries of shape {vectors.shape} do not fit an index of {self.dimension} "
                f"dimensions ({self.space}). Run 'recsys ingest' on your folders to analyse them "
                "with the current model."
            )
        queries = np.ascontiguousarray(vectors, dtype=np.float32)
        if not np.isfinite(queries).all():
            raise UsageError("a query vector holds NaN or infinity; analyse its file again.")
        _require_unit(queries)
        return queries

    def save(self, path: Path) -> None:
        """Write the index to `path`, in place of an older one or not at all. Raises `OSError`."""
        tensors: Tensors = {"ids": self.ids, "vectors": self.vectors, "answers": self.answers}
        facts = {"space": asdict(self.space), "state": asdict(self.state), "dropped": self.dropped}
        write_index(path, tensors, facts)

    @classmethod
    def load(cls, path: Path, device: Device = "auto") -> "FaissIndex":
        """Read an index that `save` wrote.

        Raises as `index_file.read_index`, and `UsageError` as `build` for the device.
        """
        tensors, facts = read_index(path)
        gpu = _gpu(device)
        answers = tensors["answers"]
        ranker = RowRanker(
            _search_of(tensors["vectors"], gpu),
            _search_of(answers, gpu) if len(answers) else None,
        )
        return cls(
            tensors["ids"],
            ranker,
            SpaceId(**facts["space"]),
            CatalogState(**facts["state"]),
            facts["dropped"],
        )


def _most_nearest(vectors: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Nearly all of the nearest others of every row, in time that grows as n^1.5; see `Nearest`.

    Where fewer are found than were asked for, FAISS fills up with cosines far below 0, which pull
    nowhere.
    """
    faiss = import_faiss()
    count, dimension = vectors.shape
    cells = int(CELL_SIDE * np.sqrt(count))
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(dimension), dimension, cells, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.seed, index.cp.max_points_per_centroid = 0, 64
    index.train(vectors)
    index.add(vectors)
    index.nprobe = CELLS_LOOKED_INTO
    cosines, rows = index.search(vectors, k + 1)
    return others(rows, cosines, np.arange(count))


def _gpu(device: Device) -> Any:
    """FAISS's resources on a GPU, or None where the search is to be on the CPU."""
    faiss = import_faiss()
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"the device is auto, cpu or cuda, not {device!r}.")
    visible = device != "cpu" and faiss.get_num_gpus() > 0
    if device == "cuda" and not visible:
        raise UsageError(
            "FAISS sees no GPU. Use --device cpu, or, on a machine with an NVIDIA GPU, run "
            "'pip uninstall -y faiss-cpu' and then 'pip install faiss-gpu'."
        )
    return faiss.StandardGpuResources() if visible else None


def _search_of(rows: FloatArray, gpu: Any) -> ExactSearch:
    """An exact search of `rows` [n, d] by FAISS, on a GPU where its resources are given."""
    faiss = import_faiss()
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(np.ascontiguousarray(rows))
    fast = flat if gpu is None else faiss.index_cpu_to_gpu(gpu, 0, flat)

    def rough(queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        scores, found = (fast if k <= LARGEST_GPU_K else flat).search(queries, k)
        return cast(FloatArray, scores), cast(IntArray, found)

    # A view of FAISS's own memory, which lives as long as `rough`, and so as the search.
    held = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d) if flat.ntotal else []
    return ExactSearch(np.asarray(held, dtype=np.float32).reshape(-1, flat.d), rough)


def _require_positive(k: int) -> None:
    if k < 1:
        raise UsageError(f"the number of neighbours must be at least 1, not {k}.")


def _require_unit(vectors: FloatArray) -> None:
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-3):
        raise UsageError("vectors must be normalised to length 1 before they are compared.")
