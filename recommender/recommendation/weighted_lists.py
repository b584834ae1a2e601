"""Lists in which some groups of features count for more, or for less, than they usually do.

The nearest tracks by plain cosine are scored again: their vectors and the seed's are computed as if
each group of the input had been multiplied by its weight, and reranked among themselves
(`search.reranking`), as a catalogue of that many tracks would be. In a catalogue of no more tracks
than `CANDIDATES` that is exact.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from recommender.embedding.input_groups import weighted
from recommender.errors import UsageError
from recommender.recommendation.group_terms import GroupTerms
from recommender.recommendation.result_list import ResultList
from recommender.recommendation.seeds import SearchSeed
from recommender.search.index import TrackIndex
from recommender.search.reranking import RankingMethod, effective_method, ranking
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, Scores

CANDIDATES = 1_000
"""Tracks that are scored again. Their activations are read from the database, which is what such a
list costs: 7 KB each."""

LARGEST_WEIGHT = 100.0


STEP = 2.0
"""What a group is multiplied by each time that it is named as one to count for more."""


def weights_of_steps(more: Iterable[str], less: Iterable[str]) -> dict[str, float]:
    """Group → `STEP` to the power of how often more of it is wanted than less."""
    steps = Counter(more)
    steps.subtract(Counter(less))
    return {group: STEP**count for group, count in steps.items() if count}


def checked_weights(weights: Mapping[str, float], groups: Sequence[str]) -> Scores | None:
    """Weights in the order of `groups`, 1 where none is given; None where all are 1.

    Raises `UsageError` for another group, a weight out of range, or weights that are all 0.
    """
    for name, weight in weights.items():
        if name not in groups:
            raise UsageError(f"{name!r} is no group of features here; there are {_all(groups)}.")
        if not (math.isfinite(weight) and 0 <= weight <= LARGEST_WEIGHT):
            raise UsageError(
                f"the weight of {name} must be from 0 to {LARGEST_WEIGHT:g}, not {weight}."
            )
    found = np.array([weights.get(name, 1.0) for name in groups])
    if not found.any():
        raise UsageError("at least one group of features must have a weight above 0.")
    return None if (found == 1).all() else found


def _all(groups: Sequence[str]) -> str:
    return ", ".join(groups)


def fill_weighted(
    lists: Sequence[ResultList],
    seeds: Sequence[SearchSeed],
    index: TrackIndex,
    method: RankingMethod,
    allowed: BoolArray | None,
    terms: GroupTerms,
    weights: Scores,
) -> None:
    """Fill lists, as `result_list.fill_lists` does, from candidates that are scored again.

    Args:
        weights: np.ndarray [shape=(g,)]; see `checked_weights`.
    """
    for found, seed in zip(lists, seeds, strict=True):
        rows, similarities = _candidates(index, seed, allowed)
        scores = _scores(index, seed, rows, method, terms, weights)
        order = np.lexsort((rows, -scores))
        rows = rows[order]
        found.fill(rows, np.asarray(index.ids)[rows], scores[order], similarities[order])


def _candidates(
    index: TrackIndex, seed: SearchSeed, allowed: BoolArray | None
) -> tuple[IntArray, FloatArray]:
    """Rows of the nearest other tracks that are allowed, and their cosines."""
    count = min(CANDIDATES, len(index))
    if seed.row is None:
        assert seed.vector is not None
        ranked = index.rank(seed.vector[None], count, "cosine", allowed)
        return ranked.rows[0], ranked.similarities[0]
    ranked = index.rank_tracks(index.ids[[seed.row]], count, "cosine", allowed)
    others = ranked.rows[0] != seed.row
    return ranked.rows[0][others], ranked.similarities[0][others]


def _scores(
    index: TrackIndex,
    seed: SearchSeed,
    rows: IntArray,
    method: RankingMethod,
    terms: GroupTerms,
    weights: Scores,
) -> FloatArray:
    """Scores of candidates [n] for the seed, by weighted vectors."""
    read = terms.of_tracks(np.asarray(index.ids)[rows])
    vectors = weighted(np.concatenate([terms.of_seed(seed)[:, None], read], axis=1), weights)
    if effective_method(method, len(vectors), index.settings) == "cosine":
        scores: FloatArray = vectors[1:] @ vectors[0]
        return scores
    reranked = ranking(vectors, index.settings)
    scores = reranked.database_vectors[1:] @ reranked.query_vectors[0]
    if reranked.pinned_first is not None:
        first = int(reranked.pinned_first[0]) - 1
        scores[first] = np.nextafter(scores.max(), np.float32(np.inf))
    return scores
