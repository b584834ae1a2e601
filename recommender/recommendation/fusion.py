"""One list for several seeds: the tracks that are best for one group of them or for several.

Each group of seeds that sound alike (`mix_seeds`) ranks the tracks; the ranks are fused
(reciprocal rank fusion: Cormack, Clarke & Büttcher, SIGIR 2009).

Shapes: m candidates, g groups.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.recommendation.composition import (
    Composed,
    Composition,
    Task,
    draws,
    named,
    ran_dry,
    reach,
    take_in_order,
    varied,
)
from recommender.recommendation.mix_seeds import SeedGroup, seed_groups
from recommender.recommendation.selection import Selection
from recommender.search.score_space import ScoreSpace, scores
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, Scores

FUSION_RANK = 10
"""Added to ranks before their reciprocals are summed: the smaller, the more the first ranks of each
group count, and the less that a track is somewhere in the lists of all."""

FIRST_FETCH, FETCH_PER_TRACK, FETCH_GROWTH = 64, 4, 4
"""Candidates that are fused at first, at least and for each track of the list, and by how much more
each time they do not suffice."""


@dataclass(frozen=True, eq=False)
class Fused:
    """Candidates for several groups of seeds.

    Attributes:
        rows: np.ndarray [shape=(m,)], int64: of the index, best first.
        whole: whether these are all candidates there are.
    """

    rows: IntArray
    whole: bool


def compose_mix(task: Task) -> Composed:
    """The list of a request of the kind ``mix``."""
    request = task.request
    groups = seed_groups(task.seeds, task.space, task.calibration)
    most = task.candidates.count if request.tracks is None else request.tracks
    if request.tracks is None and request.length.minutes is not None:
        most = round(request.length.minutes)  # enough, unless tracks are shorter than a minute
    fetch = max(FIRST_FETCH, FETCH_PER_TRACK * reach(most, request.rules.variety))
    while True:
        fused = fuse(task.space, groups, fetch, task.candidates.allowed)
        composition, selection = Composition.of(request), task.selection()
        selection.add(fused.rows)
        drawn = draws(task.snapshot.index.ids[fused.rows], request.rules.random_seed)
        ranks = np.arange(1.0, len(fused.rows) + 1)
        wants_more = take_in_order(
            composition, selection, varied(ranks, drawn, request.rules.variety)
        )
        if fused.whole or not wants_more:
            break
        fetch *= FETCH_GROWTH
    return finished(task, composition, selection, groups, wants_more)


def finished(
    task: Task,
    composition: Composition,
    selection: Selection,
    groups: Sequence[SeedGroup],
    is_dry: bool,
) -> Composed:
    """The list with what is to be said of it."""
    rows = selection.rows[composition.places]
    left_out = selection.left_out()
    notes = list(composition.notes)
    ends_itself = composition.most is None and composition.seconds == np.inf
    if is_dry and not ends_itself:
        notes.append(ran_dry(composition, named({**task.candidates.left_out, **left_out})))
    units = np.stack([group.query.unit for group in groups])
    similarities = (task.space.units(rows) @ units.T).max(axis=1, initial=-1.0)
    return Composed(rows.tolist(), similarities.tolist(), left_out, notes, selection.shortest)


def fuse(space: ScoreSpace, groups: Sequence[SeedGroup], fetch: int, allowed: BoolArray) -> Fused:
    """The candidates that are among the best `fetch` for a group, by fused rank."""
    best = [space.best(group.query, fetch, allowed) for group in groups]
    whole = any(len(found.rows) < fetch for found in best)
    if len(groups) == 1:
        return Fused(best[0].rows, whole)
    rows = np.unique(np.concatenate([found.rows for found in best]))
    moved = np.stack([group.query.moved for group in groups])
    found = scores(space.database(rows), moved)
    weights = np.array([group.weight for group in groups])
    order = np.argsort(-fused_ranks(found, weights), kind="stable")
    return Fused(rows[order], whole)


def fused_ranks(found: FloatArray, weights: Scores) -> Scores:
    """Reciprocal rank fusion of scores [m, g] with weights [g]: [m], the highest first."""
    ranks = np.empty(found.shape, dtype=np.float64)
    order = np.argsort(-found, axis=0, kind="stable")
    np.put_along_axis(ranks, order, np.arange(1.0, len(found) + 1)[:, None], axis=0)
    fused: Scores = (weights / (FUSION_RANK + ranks)).sum(axis=1)
    return fused
