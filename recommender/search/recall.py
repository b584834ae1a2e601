"""How much of an index a query has to look at, measured with the catalogue's own tracks.

The cells that are scanned and the candidates that are scored again are doubled until a query finds
the wanted share of the ten best, which an exact search of everything gives.
"""

from dataclasses import replace

import numpy as np

from recommender.search.base import Base, Effort
from recommender.search.cells import CellSettings
from recommender.search.live_tracks import LiveTracks, Segment
from recommender.search.ranker import Ranker
from recommender.search.reranking import RankingMethod
from recommender.utils.arrays import FloatArray, IntArray, row_parts, unit_rows

COMPARED = 10
"""Ranks that are compared."""

_FIRST = Effort(probed=8, rescored=96)
_METHODS: tuple[RankingMethod, ...] = ("reranked", "cosine")


def measured_effort(base: Base, settings: CellSettings) -> Effort:
    """The least effort with which `settings.recall` is reached; exact search needs none."""
    count, cells = len(base), len(base.starts) - 1
    if not base.rows.rest.shape[2] and cells == 1:
        return Effort(measured_at=count)
    chosen = np.sort(
        np.random.default_rng(0).choice(count, min(count, settings.queries), replace=False)
    )
    exact = {method: exact_lists(base, chosen, method) for method in _methods(base)}
    effort = replace(_FIRST, probed=min(_FIRST.probed, cells), measured_at=count)
    while True:
        recall = recall_of(base, effort, chosen, exact)
        effort = replace(effort, recall=recall)
        everything = effort.probed >= cells and effort.rescored >= count
        if recall >= settings.recall or everything:
            return effort
        wider = replace(effort, probed=min(2 * effort.probed, cells))
        deeper = replace(effort, rescored=min(2 * effort.rescored, count))
        gains = [recall_of(base, other, chosen, exact) for other in (wider, deeper)]
        effort = wider if gains[0] > gains[1] or effort.rescored >= count else deeper


def _methods(base: Base) -> tuple[RankingMethod, ...]:
    return _METHODS if base.rows.reranked else ("cosine",)


def recall_of(
    base: Base, effort: Effort, rows: IntArray, exact: dict[RankingMethod, IntArray]
) -> float:
    """The share of the exact lists that is found with an effort; of the methods, the least."""
    tracks = LiveTracks(base, Segment.empty(base))
    ranker = Ranker(tracks, base.facts.settings, effort)
    shares = []
    for method, best in exact.items():
        beside = int(method == "reranked")  # the one that is pinned first, whatever its score
        found = ranker.rank_rows(rows, best.shape[1] + beside, method, None).rows
        hits = [np.isin(one, two).mean() for one, two in zip(best, found, strict=True)]
        shares.append(float(np.mean(hits)))
    return min(shares)


def exact_lists(base: Base, rows: IntArray, method: RankingMethod) -> IntArray:
    """The best rows for rows [q] over all tracks: np.ndarray [shape=(q, 10)]."""
    positions = base.position[rows].astype(np.int64)
    if method == "cosine":
        queries = base.rows.unit(positions)
    else:
        moved = unit_rows(base.rows.database(positions)[:, :-1])
        queries = np.column_stack([moved, np.ones(len(moved), np.float32)])
    k = min(COMPARED, len(base))
    best = np.full((len(rows), k), -np.inf, dtype=np.float32)
    places = np.zeros((len(rows), k), dtype=np.int64)
    for part in row_parts(len(base), len(rows) + base.dimension):
        scores = queries @ _vectors(base, part, method).T
        both = np.concatenate([best, scores], axis=1)
        names = np.concatenate(
            [places, np.broadcast_to(np.arange(part.start, part.stop), scores.shape)], axis=1
        )
        kept = np.argpartition(both, -k, axis=1)[:, -k:]
        best = np.take_along_axis(both, kept, axis=1)
        places = np.take_along_axis(names, kept, axis=1)
    found: IntArray = base.row[places].astype(np.int64)
    return found


def _vectors(base: Base, part: slice, method: RankingMethod) -> FloatArray:
    return base.rows.unit(part) if method == "cosine" else base.rows.database(part)
