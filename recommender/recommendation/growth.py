"""Tracks to add to a playlist: those nearest to any of its tracks.

A playlist stands for many tastes, and what suits it suits one of them: so each candidate is scored
for the track that it is nearest to.

Shapes: n tracks of an index, m candidates, s seeds.
"""

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
from recommender.recommendation.mix_seeds import moved_away, unit_of, unliked_directions
from recommender.recommendation.selection import Selection
from recommender.search.score_space import ScoreQuery, scores
from recommender.utils.arrays import FloatArray, IntArray, row_parts

FIRST_FETCH, FETCH_PER_TRACK, FETCH_GROWTH = 64, 4, 4
"""As in `fusion`."""


def compose_growth(task: Task) -> Composed:
    """The list of a request of the kind ``grow``: what is to be added."""
    request = task.request
    rows, ordered, similarities = _scored(task)
    if request.threshold is not None:
        near = similarities >= request.threshold
        rows, ordered, similarities = rows[near], ordered[near], similarities[near]
    order = np.argsort(-ordered, kind="stable")
    rows, similarities = rows[order], similarities[order]
    composition, selection, fetch, is_dry = _filled(task, rows)
    places = composition.places
    left_out = selection.left_out()
    notes = list(composition.notes)
    if is_dry and (composition.most is not None or composition.seconds < np.inf):
        notes.append(ran_dry(composition, named({**task.candidates.left_out, **left_out})))
    if request.threshold is not None and not len(rows):
        notes.append(f"no track has a similarity of {request.threshold:g} to any of the playlist.")
    return Composed(
        selection.rows[places].tolist(),
        similarities[:fetch][places].tolist(),
        left_out,
        notes,
        selection.shortest,
    )


def _filled(task: Task, rows: IntArray) -> tuple[Composition, Selection, int, bool]:
    """A list of the best of `rows` [m], which are in order."""
    request = task.request
    variety = request.rules.variety
    most = len(rows) if request.tracks is None else request.tracks
    fetch = max(FIRST_FETCH, FETCH_PER_TRACK * reach(most, variety))
    while True:
        composition, selection = Composition.of(request), task.selection()
        selection.add(rows[:fetch])
        drawn = draws(task.snapshot.index.ids[rows[:fetch]], request.rules.random_seed)
        keys = varied(np.arange(1.0, len(selection.rows) + 1), drawn, variety)
        wants_more = take_in_order(composition, selection, keys)
        if not wants_more or fetch >= len(rows):
            return composition, selection, fetch, wants_more
        fetch *= FETCH_GROWTH


def _scored(task: Task) -> tuple[IntArray, FloatArray, FloatArray]:
    """Rows of all candidates, their best score for any seed, and their best similarity: [m]."""
    space = task.space
    queries = _queries(task)
    units = np.stack([query.unit for query in queries])
    moved = np.stack([query.moved for query in queries])
    rows = np.flatnonzero(task.candidates.allowed)
    best_scores = np.empty(len(rows), dtype=np.float32)
    similarities = np.empty(len(rows), dtype=np.float32)
    width = units.shape[1] + len(units)
    for part in row_parts(len(rows), width):
        best_scores[part] = scores(space.database(rows[part]), moved).max(axis=1)
        similarities[part] = (space.units(rows[part]) @ units.T).max(axis=1)
    return rows, best_scores, np.clip(similarities, -1, 1)


def _queries(task: Task) -> list[ScoreQuery]:
    space = task.space
    away = unliked_directions(task.seeds, space, task.calibration)
    found = []
    for seed in task.seeds.like:
        if seed.row is not None and not len(away):
            found.append(space.query_of_row(seed.row))
        else:
            found.append(space.query_of(moved_away(unit_of(seed, space), away)))
    return found
