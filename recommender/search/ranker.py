"""Tracks ranked for queries by plain cosine or reranked. numpy only.

Candidates are found by the leading components of their vectors (`scan`), and scored again with all
of them in double precision, so that neither the number of queries nor a device changes the order;
equal scores come by rising id.

Shapes: n tracks of d dimensions, q queries, k results for each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np

from recommender.errors import UsageError
from recommender.search.base import Effort
from recommender.search.live_tracks import LiveTracks
from recommender.search.reranking import RankingMethod, RerankingSettings, expanded
from recommender.search.scan import Heads
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, unit_rows

CoarseSearch = Callable[[FloatArray, int], tuple[FloatArray, IntArray]]
"""From a query [d + 1] and k to scores and positions in the base [k], by falling score."""


MOST_ON_DEVICE = 2048
"""Candidates that FAISS finds on a GPU at most; more are looked for on the CPU."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """The results of q queries, best first.

    Attributes:
        ids: np.ndarray [shape=(q, k)], int64: of tracks. By falling score, then by rising id; in a
            reranked list after the one that is pinned first.
        scores: np.ndarray [shape=(q, k)], float32: what the lists are ordered by.
        similarities: np.ndarray [shape=(q, k)], float32: plain cosines with the query.
        rows: np.ndarray [shape=(q, k)], int64: of the tracks, in the order of the index's ids.
    """

    ids: IntArray
    scores: FloatArray
    similarities: FloatArray
    rows: IntArray


@dataclass(frozen=True, eq=False)
class RankedRows:
    """One list, best first: rows, slots, scores, similarities [k] each."""

    rows: IntArray
    slots: IntArray
    scores: FloatArray
    similarities: FloatArray


class Ranker:
    """Ranks the tracks of one state of an index.

    Attributes:
        tracks: what is ranked.
        settings: of reranking.
        effort: how much of the index a query looks at.
    """

    def __init__(
        self,
        tracks: LiveTracks,
        settings: RerankingSettings,
        effort: Effort,
        on_device: dict[str, CoarseSearch] | None = None,
    ) -> None:
        """Rank `tracks`; `on_device` searches the base's vectors where a GPU does, by name."""
        self.tracks = tracks
        self.settings = settings
        self.effort = effort
        self._units = Heads.of_units(tracks)
        self._database = Heads.of_database(tracks) if tracks.base.rows.reranked else None
        self._on_device = on_device or {}

    def is_reranked(self, method: RankingMethod) -> bool:
        """Whether `method` ranks otherwise than by cosine here. Raises `UsageError`."""
        if method not in get_args(RankingMethod):
            raise UsageError(
                f"tracks are ranked by {' or '.join(get_args(RankingMethod))}, not {method!r}."
            )
        return method == "reranked" and self._database is not None

    def rank_vectors(
        self, queries: FloatArray, k: int, method: RankingMethod, allowed: BoolArray | None
    ) -> Ranked:
        """The k best tracks for vectors from outside [q, d], of length 1."""
        reranked = self.is_reranked(method)
        rotated = self.tracks.base.rotated(queries)
        lists = [
            self._of_vector(query, k, allowed) if reranked else self._by_cosine(query, k, allowed)
            for query in rotated
        ]
        return self._together(lists, k)

    def rank_rows(
        self, rows: IntArray, k: int, method: RankingMethod, allowed: BoolArray | None
    ) -> Ranked:
        """The k best tracks for tracks [q], themselves among them."""
        reranked = self.is_reranked(method)
        tracks = self.tracks
        lists = []
        for row in rows:
            slot = tracks.slot_of[row : row + 1].astype(np.int64)
            query = tracks.unit(slot)[0]
            if not reranked:
                lists.append(self._by_cosine(query, k, allowed))
                continue
            moved = unit_rows(tracks.database(slot)[:, :-1])[0]
            nearest = tracks.values_at("neighbours", slot)[0, :1]
            lists.append(self._by_score(query, moved, tracks.rows(nearest), k, allowed))
        return self._together(lists, k)

    def nearest_by_cosine(self, query: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
        """Slots and cosines of the k nearest of all tracks to a rotated unit vector [d]."""
        found = self._by_cosine(query, k, None)
        return found.slots, found.similarities

    def best_by_cosine(self, query: FloatArray, k: int, allowed: BoolArray | None) -> RankedRows:
        """The k nearest tracks to a rotated unit vector [d]."""
        return self._by_cosine(query, k, allowed)

    def best_of(
        self, query: FloatArray, moved: FloatArray, k: int, allowed: BoolArray | None
    ) -> RankedRows:
        """The k best tracks for a rotated unit vector [d] and what it became by expansion [d].

        By score alone: none is pinned first. By cosine where nothing is reranked.
        """
        if self._database is None:
            return self._by_cosine(query, k, allowed)
        return self._by_score(query, moved, np.array([-1]), k, allowed)

    def _by_cosine(self, query: FloatArray, k: int, allowed: BoolArray | None) -> RankedRows:
        slots = self._candidates(self._units, query, query, k, allowed)
        rows, slots, scores = self._best_of(slots, self._cosines(query, slots), k)
        similarities = np.clip(scores, -1.0, 1.0)
        return RankedRows(rows, slots, similarities, similarities)

    def _of_vector(self, query: FloatArray, k: int, allowed: BoolArray | None) -> RankedRows:
        nearest = self._by_cosine(query, self.settings.k, None)
        neighbours = self.tracks.unit(nearest.slots)[None]
        moved = expanded(query[None], neighbours, nearest.scores[None], self.settings.alpha)[0]
        return self._by_score(query, moved, nearest.rows[:1], k, allowed)

    def _by_score(
        self,
        query: FloatArray,
        moved: FloatArray,
        nearest: IntArray,
        k: int,
        allowed: BoolArray | None,
    ) -> RankedRows:
        """The list for an expanded query [d], which begins with the row `nearest` [1]."""
        assert self._database is not None
        leading = self.tracks.base.leading
        head = np.append(moved[:leading], np.float32(1))
        whole = np.append(moved, np.float32(1))
        slots = self._candidates(self._database, head, whole, k, allowed)
        exact = self._products(self._database, slots, head, moved[leading:])
        rows, slots, scores = self._best_of(slots, exact, k)
        if len(rows) and nearest[0] >= 0 and (allowed is None or allowed[nearest[0]]):
            others = rows != nearest[0]
            first = self.tracks.slot_of[nearest].astype(np.int64)
            rows = np.concatenate([nearest, rows[others]])[:k]
            slots = np.concatenate([first, slots[others]])[:k]
            scores = np.concatenate([scores[:1], scores[others]])[:k]
        similarities = np.clip(self._cosines(query, slots), -1.0, 1.0)
        return RankedRows(rows, slots, scores, similarities)

    def _candidates(
        self,
        heads: Heads,
        head: FloatArray,
        whole: FloatArray,
        k: int,
        allowed: BoolArray | None,
    ) -> IntArray:
        """Slots of some more than the k best tracks."""
        search = self._on_device.get(heads.name)
        count = k + self.effort.rescored
        fits = count <= MOST_ON_DEVICE and allowed is None and self.tracks.is_base
        if search is not None and fits:
            return search(whole, min(count, len(self.tracks)))[1]
        query = np.ascontiguousarray(head[: heads.base.shape[1]])
        return heads.candidates(query, count, self.effort.probed, allowed)

    def _cosines(self, query: FloatArray, slots: IntArray) -> FloatArray:
        """Cosines of a unit vector [d] with tracks: np.ndarray [shape=(m,)], float32."""
        leading = self.tracks.base.leading
        return self._products(self._units, slots, query[:leading], query[leading:])

    def _products(
        self, heads: Heads, slots: IntArray, head: FloatArray, rest: FloatArray
    ) -> FloatArray:
        """Inner products, in double precision, of a query's components with those of tracks [m]."""
        stored = self.tracks.values_at(heads.name, slots).astype(np.float64)
        exact = np.einsum("md,d->m", stored, head.astype(np.float64))
        if len(rest):
            which = 0 if heads is self._units else 1
            others = self.tracks.values_at("rest", slots)[:, which].astype(np.float64)
            exact += np.einsum("md,d->m", others, rest.astype(np.float64))
        found: FloatArray = exact.astype(np.float32)
        return found

    def _best_of(
        self, slots: IntArray, scores: FloatArray, k: int
    ) -> tuple[IntArray, IntArray, FloatArray]:
        """Rows, slots and scores of the k best, by falling score and then by rising row."""
        base = self.tracks.base
        base.read_ahead.rows(base.row, slots[slots < len(base)])
        rows = self.tracks.row_of[slots].astype(np.int64)
        order = np.lexsort((rows, -scores))[:k]
        return rows[order], slots[order], scores[order]

    def _together(self, lists: list[RankedRows], k: int) -> Ranked:
        if not lists:
            width = min(k, len(self.tracks))
            return Ranked(*(np.empty((0, width), dtype=kind) for kind in "qffq"))
        rows, scores, similarities = (
            np.stack([getattr(one, name) for one in lists])
            for name in ("rows", "scores", "similarities")
        )
        return Ranked(self.tracks.ids[rows], scores, similarities, rows)
