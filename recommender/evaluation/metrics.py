"""Measures of ranked lists, and their expectations under a random order.

Conventions
    A ranking is a row of *candidates* (tracks that may be recommended), best first. `hits` is
    np.ndarray [shape=(q, n)], bool: `hits[i, j]` says whether the j-th candidate of query i is
    relevant, i.e. has the query's genre. Rows may be of different lengths: `lengths[i]` candidates
    are real, the rest of the row is False. Relevant candidates are all in the row.

Definitions
    *precision@k*: share of relevant tracks among the first k. Where fewer than k candidates exist,
        among those that exist: a short list is not the ranking's doing. (trec_eval divides by k.)
    *hit@k*: whether at least one of the first k is relevant.
    *average precision*: the mean, over the relevant tracks, of the precision at their ranks; over
        the full ranking, not cut at k. Its mean over queries is MAP (Manning, Raghavan & Schütze,
        "Introduction to Information Retrieval", 2008, ch. 8.4).
    *chance*: the exact expectation of each measure under a random order of the same candidates.
        For average precision: Bestgen, "Exact expected average precision of the random baseline
        for system evaluation", Prague Bulletin of Mathematical Linguistics 103, 2015.
    *skewness of N_k*: third standardised moment of the number of lists of length k in which a track
        occurs (Radovanović, Nanopoulos & Ivanović, "Hubs in space", JMLR 11, 2010). 0: every track
        occurs equally often; above 1: a few hubs fill the lists.
"""

import numpy as np
import numpy.typing as npt

from recommender.utils.arrays import BoolArray, FloatArray, IntArray, Scores

DEFAULT_K = 10
"""Length of the lists that are evaluated, unless another one is given."""


def rank(
    similarities: FloatArray, excluded: BoolArray | None = None, k: int | None = None
) -> IntArray:
    """Candidates from most to least similar; equal similarities keep the order of the columns.

    Args:
        similarities: np.ndarray [shape=(q, n)], without NaN; what is infinite comes first.
        excluded: np.ndarray [shape=(q, n)], bool: candidates that come last, whatever they score.
        k: only the first k of each row (found without sorting the rest); all when None.

    Returns:
        np.ndarray [shape=(q, min(k, n))]: columns of `similarities`.
    """
    keys = _sort_keys(similarities, excluded)
    if k is not None and k < keys.shape[1]:
        keys.partition(k - 1, axis=1)
        keys = keys[:, :k]
    keys.sort(axis=1)
    keys &= 0xFFFF_FFFF  # the low half of a key is its column
    return keys


def _sort_keys(similarities: FloatArray, excluded: BoolArray | None) -> IntArray:
    """Integers that sort as (similarity descending, column ascending).

    numpy sorts these several times faster than it does a stable argsort, and as no two are equal,
    any sort or partition of them is deterministic.
    """
    bits = np.add(similarities, 0.0, dtype=np.float32).view(np.int32)  # + 0.0 makes -0.0 equal 0.0
    # IEEE floats sort as their bits, negative ones the wrong way round; then all turned to descend.
    bits ^= ~((bits >> 31) & 0x7FFF_FFFF)
    if excluded is not None:
        bits[excluded] = np.iinfo(np.int32).max
    keys = bits.astype(np.int64)
    keys <<= 32
    keys |= np.arange(similarities.shape[1])
    return keys


def precision_at_k(hits: BoolArray, k: int, lengths: IntArray | None = None) -> Scores:
    """precision@k of each row of `hits`; NaN for a row without candidates.

    Args:
        hits: np.ndarray [shape=(q, n)], bool, best first.
        k: length of the list, at least 1.
        lengths: np.ndarray [shape=(q,)]: candidates of each row; n when None.
    """
    lengths = np.full(len(hits), hits.shape[1]) if lengths is None else lengths
    found = hits[:, :k].sum(axis=1)
    return _ratio(found, np.minimum(lengths, k))


def hit_at_k(hits: BoolArray, k: int) -> Scores:
    """1.0 for each row of `hits` [shape=(q, n)] with a relevant track in the first k, else 0.0."""
    found: Scores = np.any(hits[:, :k], axis=1).astype(np.float64)
    return found


def average_precision(hits: BoolArray) -> Scores:
    """Average precision of each row of `hits` [shape=(q, n)]; NaN for a row with none relevant."""
    row, column = np.nonzero(hits)
    relevant = np.bincount(row, minlength=len(hits))
    first_of_row = np.cumsum(relevant) - relevant
    found_so_far = np.arange(len(row)) - first_of_row[row] + 1
    sums = np.bincount(row, weights=found_so_far / (column + 1), minlength=len(hits))
    return _ratio(sums, relevant)


def chance_precision(relevant: IntArray, candidates: IntArray) -> Scores:
    """Expected precision@k, for any k, of `candidates` in random order: the share that is relevant.

    Both arguments and the result are np.ndarray [shape=(q,)], as in the two functions below.
    """
    return _ratio(relevant, candidates)


def chance_hit(relevant: IntArray, candidates: IntArray, k: int) -> Scores:
    """Probability that k of `candidates` drawn without replacement hold a relevant one.

    Hypergeometric: one minus the chance that every draw is one of the irrelevant.
    """
    irrelevant = candidates - relevant
    all_missed = np.ones(len(relevant))
    for drawn in range(min(k, int(irrelevant.max(initial=0)) + 1)):
        drawable = candidates > drawn
        missed = np.maximum(irrelevant - drawn, 0) / np.maximum(candidates - drawn, 1)
        all_missed[drawable] *= missed[drawable]
    return 1.0 - all_missed


def chance_average_precision(relevant: IntArray, candidates: IntArray) -> Scores:
    """Expected average precision of `candidates` in random order (Bestgen 2015).

    Rank i holds a relevant track with probability R/N, and then (i-1)(R-1)/(N-1) more are expected
    above it; summed over the ranks: (H_N + (R-1)/(N-1) · (N - H_N)) / N, with H_N = 1 + … + 1/N.
    """
    longest = int(candidates.max(initial=0))
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, longest + 1))])[candidates]
    others_relevant = (relevant - 1) / np.maximum(candidates - 1, 1)
    return _ratio(harmonic + others_relevant * (candidates - harmonic), candidates)


def skewness(counts: IntArray) -> float:
    """Third standardised moment of `counts` [shape=(n,)]; 0 when they are all equal."""
    deviations = counts - counts.mean()
    spread = float(np.sqrt(np.mean(deviations**2)))
    return float(np.mean(deviations**3) / spread**3) if spread > 0 else 0.0


def _ratio(part: npt.NDArray[np.number], whole: IntArray) -> Scores:
    """part / whole as float64, NaN where `whole` is 0."""
    ratios: Scores = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratios, where=whole > 0)
    return ratios
