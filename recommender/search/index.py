"""The vectors of a catalogue, ranked by cosine or reranked.

The index is a cache of the catalogue: a file that is mapped and never changed (`base`), and what
has changed since (`live_tracks.Segment`). Both name the embedding space and the catalogue state
they were computed from, and can always be built again.

Shapes: n vectors of d dimensions in the index, q queries, k results for each.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path

import numpy as np

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import SpaceMismatch, UsageError
from recommender.search.base import Base, BaseFacts, Effort
from recommender.search.build import prepared, written
from recommender.search.cells import DEFAULT_CELLS, CellSettings
from recommender.search.faiss_backend import Device, device_search, gpu_resources
from recommender.search.live_tracks import Column, LiveTracks, Segment
from recommender.search.mapped_file import Array, index_damaged
from recommender.search.ranker import CoarseSearch, Ranked, Ranker
from recommender.search.reranking import (
    DEFAULT_SETTINGS,
    Ranking,
    RankingMethod,
    RerankingSettings,
    query_vectors_of,
)
from recommender.search.staging import require_unit, staged
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, row_parts


class TrackIndex:
    """Unit vectors with track ids, ranked by cosine or reranked.

    Not changed once it is made; any number of threads may search it. A catalogue of a few thousand
    tracks is searched exactly; in a larger one `effort.recall` of the ten best are found.

    Attributes:
        ids: np.ndarray [shape=(n,)], int64, ascending.
        state: of the catalogue that it describes.
        tracks: base and segment.
    """

    def __init__(
        self,
        base: Base,
        segment: Segment | None = None,
        state: CatalogState | None = None,
        device: Device = "cpu",
        on_device: dict[str, CoarseSearch] | None = None,
    ) -> None:
        """Of a base and what has changed since; see `build` and `open`.

        Args:
            on_device: the base's vectors where they are on a GPU already.

        Raises `UsageError` for ``device="cuda"`` where FAISS sees no GPU.
        """
        self.tracks = LiveTracks(base, segment or Segment.empty(base))
        self.ids = self.tracks.ids
        self.state = state or base.facts.state
        self.device = device
        self._on_device = _on_device(base, device) if on_device is None else on_device
        self._ranker = Ranker(self.tracks, base.facts.settings, base.facts.effort, self._on_device)

    @classmethod
    def build(
        cls,
        ids: IntArray,
        vectors: FloatArray,
        space: SpaceId,
        state: CatalogState,
        device: Device = "cpu",
        *,
        path: Path | None = None,
        columns: Mapping[str, Array] | None = None,
        settings: RerankingSettings = DEFAULT_SETTINGS,
        cells: CellSettings = DEFAULT_CELLS,
        columns_digest: str = "",
    ) -> "TrackIndex":
        """Index `vectors` (np.ndarray [shape=(n, d)], unit rows) under `ids` (int64, distinct).

        Rows that are zero, or hold NaN or infinity, resemble nothing: they are left out and
        counted in `dropped`. Raises `UsageError` for other rows that are not of length 1, and for
        ``device="cuda"`` where FAISS sees no GPU.

        Args:
            path: of the file to write; None for an index without one.
            columns: name → np.ndarray [shape=(n, ...)], kept of every track.
            settings: of reranking.
            cells: how the index is laid out.
            columns_digest: of what computed the columns.
        """
        if vectors.ndim != 2 or ids.shape != vectors.shape[:1]:
            raise UsageError(f"{ids.shape} ids do not name vectors of shape {vectors.shape}.")
        found = staged([(ids, vectors, columns or {})], None, None)
        facts = BaseFacts(space, state, settings, Effort(), found.dropped, columns_digest, "")
        base = written(path, prepared(found, settings, cells), found.columns, facts, cells)
        return cls(base, device=device)

    @classmethod
    def open(cls, path: Path, device: Device = "cpu") -> "TrackIndex":
        """Map the file of an index, without what has changed since. Raises as `Base.open`."""
        return cls(Base.open(path), device=device)

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self.ids)

    def __contains__(self, track_id: object) -> bool:
        """Whether a vector is indexed under this id."""
        return isinstance(track_id, int | np.integer) and self.row(int(track_id)) is not None

    @property
    def is_checked(self) -> bool:
        """Whether the file of the base was found to be what was written."""
        return self.tracks.base.file.is_checked

    def row(self, track_id: int) -> int | None:
        """The place of a track in `ids`; None for one that is not there."""
        row = int(self.tracks.rows(np.array([track_id]))[0])
        return row if row >= 0 else None

    def rows(self, track_ids: IntArray) -> IntArray:
        """The places of tracks in `ids`; -1 for those that are not there."""
        return self.tracks.rows(track_ids)

    @property
    def facts(self) -> BaseFacts:
        """What the base says of itself."""
        return self.tracks.base.facts

    @property
    def space(self) -> SpaceId:
        """The embedding space of the vectors."""
        return self.facts.space

    @property
    def settings(self) -> RerankingSettings:
        """Of the reranking that it was built with."""
        return self.facts.settings

    @property
    def effort(self) -> Effort:
        """How much of it a query looks at, and what that finds."""
        return self.facts.effort

    @property
    def dropped(self) -> int:
        """Tracks left out when it was built because their vectors were zero or not finite."""
        return self.facts.dropped

    @property
    def dimension(self) -> int:
        """Length d of a vector."""
        return self.tracks.base.dimension

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """What is kept of every track beside its vectors: name → column, in the order of `ids`."""
        return self.tracks.columns

    @property
    def vectors(self) -> FloatArray:
        """A copy of the unit vectors, in the order of `ids`: np.ndarray [shape=(n, d)], float32."""
        base = self.tracks.base
        with base.read_ahead.everything():
            return np.ascontiguousarray(base.turned_back(self.tracks.unit(self._slots)))

    @property
    def database_vectors(self) -> FloatArray:
        """A copy of the database vectors, [shape=(n, d + 1)]; empty where nothing is reranked."""
        base = self.tracks.base
        if not base.rows.reranked:
            return np.empty((0, self.dimension + 1), dtype=np.float32)
        with base.read_ahead.everything():
            rows = self.tracks.database(self._slots)
        return np.concatenate([base.turned_back(rows[:, :-1]), rows[:, -1:]], axis=1)

    @property
    def _slots(self) -> IntArray:
        return self.tracks.slot_of.astype(np.int64)

    def comparable(self, method: RankingMethod = "reranked") -> FloatArray | Ranking:
        """What `rank_tracks` ranks by, in the order of `ids`, for `evaluation.retrieval`."""
        if not self._ranker.is_reranked(method):
            return self.vectors
        database = self.database_vectors
        nearest = self.tracks.values_at("neighbours", self._slots)[:, 0]
        return Ranking(query_vectors_of(database), database, self.rows(nearest))

    def rank(
        self,
        vectors: FloatArray,
        k: int,
        method: RankingMethod = "reranked",
        allowed: BoolArray | None = None,
    ) -> Ranked:
        """The k best tracks for vectors from outside; in a reranked list the nearest comes first.

        Scores are computed in double precision, so that neither the device nor the number of
        queries changes the order.

        Args:
            vectors: np.ndarray [shape=(q, d)], unit rows.
            k: results for each query; fewer come back only when no more tracks are there.
            method: the order; cosine in catalogues below `RerankingSettings.min_tracks`.
            allowed: np.ndarray [shape=(n,)], bool: only these tracks, in the order of `ids`, are
                ranked. The one that comes first in a reranked list is the nearest of all tracks,
                or none where that is not allowed.

        Raises:
            SpaceMismatch: the queries have another dimension than the index.
            IndexDamaged: the file holds numbers that lead nowhere.
            UsageError: k below 1, queries that are not finite unit vectors, a mask of another
                shape, or another method.
        """
        self._require(k, allowed)
        queries = self._checked(vectors)
        with self._damage_named():
            return self._ranker.rank_vectors(queries, k, method, allowed)

    def rank_tracks(
        self,
        ids: IntArray,
        k: int,
        method: RankingMethod = "reranked",
        allowed: BoolArray | None = None,
    ) -> Ranked:
        """The k best tracks for tracks of the index, themselves among them.

        Args:
            ids: np.ndarray [shape=(q,)].
            k, method, allowed: as in `rank`.

        Raises:
            UsageError: k below 1, a track that is not in the index, or as `rank`.
        """
        self._require(k, allowed)
        rows = self.rows(ids)
        absent = ids[rows < 0]
        if len(absent):
            raise UsageError(f"track {absent[0]} is not in the index.")
        with self._damage_named():
            return self._ranker.rank_rows(rows, k, method, allowed)

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        """Numbers in the file that lead nowhere become `IndexDamaged`, and the file is dropped."""
        try:
            yield
        except (IndexError, ValueError) as error:
            path = self.tracks.base.path
            if path is None:
                raise
            with suppress(OSError):
                path.unlink()
            raise index_damaged(path, error) from error

    def _require(self, k: int, allowed: BoolArray | None) -> None:
        if k < 1:
            raise UsageError(f"the number of neighbours must be at least 1, not {k}.")
        if allowed is not None and (allowed.shape != self.ids.shape or allowed.dtype != np.bool_):
            raise UsageError(
                f"a mask of {allowed.dtype} {allowed.shape} does not fit {len(self)} tracks."
            )

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
        require_unit(queries)
        return queries

    def changed(self, segment: Segment, state: CatalogState) -> "TrackIndex":
        """The index with a segment that also holds the newest changes, at a later state."""
        return TrackIndex(self.tracks.base, segment, state, self.device, self._on_device)

    def at(self, state: CatalogState) -> "TrackIndex":
        """The same tracks, of a later state of the catalogue."""
        return self.changed(self.tracks.segment, state)


def _on_device(base: Base, device: Device) -> dict[str, CoarseSearch]:
    """Searches of the base on a GPU, by the name of the vectors; none on the CPU."""
    gpu = gpu_resources(device)
    if gpu is None:
        return {}
    widths = {"cosine_head": base.dimension, "score_head": base.dimension + 1}
    return {
        name: device_search(vectors, widths[name], gpu)
        for name, vectors in _whole_vectors(base).items()
    }


def _whole_vectors(base: Base) -> dict[str, Iterator[FloatArray]]:
    """The vectors that a device searches whole, part by part."""
    found: dict[str, Iterator[FloatArray]] = {
        "cosine_head": (base.rows.unit(part) for part in row_parts(len(base), base.dimension))
    }
    if base.rows.reranked:
        found["score_head"] = (
            base.rows.database(part) for part in row_parts(len(base), base.dimension)
        )
    return found
