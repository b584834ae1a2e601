"""The vectors of a catalogue in memory and on disk, ranked by cosine or reranked.

The index is a cache of the catalogue: one file beside the database, which names the embedding space
and the catalogue state it was built from and can always be built again. It holds the unit vectors,
their database vectors (`reranking`, in catalogues that are large enough), and what duplicate
detection compares.

Shapes: n vectors of d dimensions in the index, q queries, k results for each.
"""

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import SpaceMismatch, UsageError
from recommender.search.faiss_backend import (
    DEFAULT_CELLS,
    CellSettings,
    Device,
    flat_search,
    gpu_resources,
    nearest_by_cells,
)
from recommender.search.index_file import (
    Tensors,
    index_damaged,
    read_index,
    require_consistent,
    write_index,
)
from recommender.search.ranker import Ranked, RowRanker, all_nearest
from recommender.search.reranking import (
    DEFAULT_SETTINGS,
    Ranking,
    RankingMethod,
    RerankingSettings,
    augmented_database,
    database_vectors,
    effective_method,
)
from recommender.utils.arrays import FloatArray, IntArray, usable_rows

__all__ = ["Device", "DuplicateViews", "FaissIndex", "Ranked"]


@dataclass(frozen=True, eq=False)
class DuplicateViews:
    """What duplicate detection compares of each track; see `DuplicateDetector.view`.

    Attributes:
        rows: np.ndarray [shape=(n, v)], float32.
        detector: `DuplicateDetector.digest` of what computed them.
    """

    rows: FloatArray
    detector: str

    @classmethod
    def none(cls) -> "DuplicateViews":
        """Of an index that is built without them."""
        return cls(np.empty((0, 0), dtype=np.float32), "")


class FaissIndex:
    """Unit vectors with track ids, ranked by cosine or reranked, exactly.

    Not changed once it is built; any number of threads may search it.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        space: the embedding space of the vectors.
        state: the moment of the catalogue that the vectors were read from.
        dropped: number of vectors left out by `build` because they were zero or not finite.
        duplicates: what duplicate detection compares, row by row; none where `build` got none.
    """

    def __init__(
        self,
        ids: IntArray,
        ranker: RowRanker,
        space: SpaceId,
        state: CatalogState,
        dropped: int = 0,
        duplicates: DuplicateViews | None = None,
    ) -> None:
        """The i-th row of `ranker` belongs to `ids[i]`; see `build` and `load`."""
        self.ids = ids
        self.space = space
        self.state = state
        self.dropped = dropped
        self.duplicates = duplicates or DuplicateViews.none()
        self._ranker = ranker

    @classmethod
    def build(
        cls,
        ids: IntArray,
        vectors: FloatArray,
        space: SpaceId,
        state: CatalogState,
        device: Device = "auto",
        *,
        duplicates: DuplicateViews | None = None,
        settings: RerankingSettings = DEFAULT_SETTINGS,
        cells: CellSettings = DEFAULT_CELLS,
    ) -> "FaissIndex":
        """Index `vectors` (np.ndarray [shape=(n, d)], unit rows) under `ids` (int64, distinct).

        Rows that are zero, or hold NaN or infinity, resemble nothing: they are left out and
        counted in `dropped`. Raises `UsageError` for other rows that are not of length 1, and for
        ``device="cuda"`` where FAISS sees no GPU.

        Args:
            duplicates: what duplicate detection compares, row by row of `vectors`.
            settings: of reranking.
            cells: how neighbours are found in large catalogues.
        """
        if vectors.ndim != 2 or ids.shape != vectors.shape[:1]:
            raise UsageError(f"{ids.shape} ids do not name vectors of shape {vectors.shape}.")
        usable = usable_rows(vectors)
        order = np.flatnonzero(usable)[np.argsort(ids[usable], kind="stable")]
        rows = np.ascontiguousarray(vectors[order], dtype=np.float32)
        _require_unit(rows)
        gpu = gpu_resources(device)
        cosine_search, reranked_search = flat_search(rows, gpu), None
        if effective_method("reranked", len(rows), settings) == "reranked":
            exact = len(rows) <= cells.exact_up_to
            nearest = (
                all_nearest(cosine_search) if exact else partial(nearest_by_cells, settings=cells)
            )
            moved, _ = augmented_database(rows, nearest, settings)
            reranked_search = flat_search(database_vectors(moved, settings), gpu)
        if duplicates is not None:
            duplicates = replace(duplicates, rows=np.ascontiguousarray(duplicates.rows[order]))
        return cls(
            np.ascontiguousarray(ids[order], dtype=np.int64),
            RowRanker(cosine_search, reranked_search, settings),
            space,
            state,
            int((~usable).sum()),
            duplicates,
        )

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self.ids)

    def __contains__(self, track_id: object) -> bool:
        """Whether a vector is indexed under this id."""
        if not isinstance(track_id, int | np.integer):
            return False
        row = int(np.searchsorted(self.ids, track_id))
        return row < len(self.ids) and bool(self.ids[row] == track_id)

    @property
    def settings(self) -> RerankingSettings:
        """Of the reranking that it was built with."""
        return self._ranker.settings

    @property
    def dimension(self) -> int:
        """Length d of a vector."""
        return int(self._ranker.cosine_search.rows.shape[1])

    @property
    def vectors(self) -> FloatArray:
        """A copy of the unit vectors, in the order of `ids`: np.ndarray [shape=(n, d)], float32."""
        return self._ranker.cosine_search.rows.copy()

    @property
    def database_vectors(self) -> FloatArray:
        """A copy of the database vectors, [shape=(n, d + 1)]; empty where nothing is reranked."""
        search = self._ranker.reranked_search
        if search is None:
            return np.empty((0, self.dimension + 1), dtype=np.float32)
        return search.rows.copy()

    def comparable(self, method: RankingMethod = "reranked") -> FloatArray | Ranking:
        """What `rank_tracks` ranks by, in the order of `ids`, for `evaluation.retrieval`."""
        return self._ranker.comparable(method)

    def rank(self, vectors: FloatArray, k: int, method: RankingMethod = "reranked") -> Ranked:
        """The k best tracks for vectors from outside; in a reranked list the nearest comes first.

        Scores are computed in double precision, so that neither the device nor the number of
        queries changes the order.

        Args:
            vectors: np.ndarray [shape=(q, d)], unit rows.
            k: results for each query; fewer come back only when the index is smaller.
            method: the order; cosine in catalogues below `RerankingSettings.min_tracks`.

        Raises:
            SpaceMismatch: the queries have another dimension than the index.
            UsageError: k below 1, queries that are not finite unit vectors, or another method.
        """
        _require_positive(k)
        return self._named(self._ranker.rank_vectors(self._checked(vectors), k, method))

    def rank_tracks(self, ids: IntArray, k: int, method: RankingMethod = "reranked") -> Ranked:
        """The k best tracks for tracks of the index, themselves among them.

        Args:
            ids: np.ndarray [shape=(q,)].
            k, method: as in `rank`.

        Raises:
            UsageError: k below 1, a track that is not in the index, or another method.
        """
        _require_positive(k)
        rows = np.searchsorted(self.ids, ids)
        absent = ids[np.append(self.ids, -1)[rows] != ids]
        if len(absent):
            raise UsageError(f"track {absent[0]} is not in the index.")
        return self._named(self._ranker.rank_rows(rows, k, method))

    def _named(self, found: Ranked) -> Ranked:
        return replace(found, ids=self.ids[found.ids])

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
        tensors: Tensors = {
            "ids": self.ids,
            "vectors": self.vectors,
            "database_vectors": self.database_vectors,
            "duplicate_views": self.duplicates.rows,
        }
        facts = {
            "space": asdict(self.space),
            "state": asdict(self.state),
            "dropped": self.dropped,
            "reranking": asdict(self.settings),
            "duplicate_detector": self.duplicates.detector,
        }
        write_index(path, tensors, facts)

    @classmethod
    def load(cls, path: Path, device: Device = "auto") -> "FaissIndex":
        """Read an index that `save` wrote.

        Raises as `index_file.read_index`, and `UsageError` as `build` for the device.
        """
        tensors, facts = read_index(path)
        try:
            require_consistent(tensors)
            settings = RerankingSettings(**facts["reranking"])
            space, state = SpaceId(**facts["space"]), CatalogState(**facts["state"])
            dropped, detector = int(facts["dropped"]), str(facts["duplicate_detector"])
        except (LookupError, TypeError, ValueError) as error:
            raise index_damaged(path, error) from error
        gpu = gpu_resources(device)
        database = tensors["database_vectors"]
        ranker = RowRanker(
            flat_search(tensors["vectors"], gpu),
            flat_search(database, gpu) if len(database) else None,
            settings,
        )
        duplicates = DuplicateViews(tensors["duplicate_views"], detector)
        return cls(tensors["ids"], ranker, space, state, dropped, duplicates)


def _require_positive(k: int) -> None:
    if k < 1:
        raise UsageError(f"the number of neighbours must be at least 1, not {k}.")


def _require_unit(vectors: FloatArray) -> None:
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-3):
        raise UsageError("vectors must be normalised to length 1 before they are compared.")
