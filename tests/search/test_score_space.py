"""Scores by inner products are those that lists are ranked by."""

import numpy as np
import pytest
from toy_world import SPACE

from recommender.catalog.records import CatalogState
from recommender.search.cells import CellSettings
from recommender.search.index import TrackIndex
from recommender.search.score_space import ScoreSpace, scores
from recommender.utils.arrays import unit_rows


def index(count: int, cells: CellSettings | None = None) -> TrackIndex:
    vectors = unit_rows(np.random.default_rng(0).normal(size=(count, 12)).astype(np.float32))
    ids = 10 + 3 * np.arange(count)
    settings = {"cells": cells} if cells else {}
    return TrackIndex.build(ids, vectors, SPACE, CatalogState("test", 1), **settings)


@pytest.mark.parametrize(
    ("count", "cells"),
    [(50, None), (300, None), (300, CellSettings(exact_up_to=10, cells_from=1000, energy=0.6))],
    ids=["by cosine", "reranked", "leading components"],
)
class TestScores:
    def test_of_a_track_as_it_is_ranked(self, count, cells):
        tracks = index(count, cells)
        space = ScoreSpace(tracks)
        query = space.query_of_row(7)
        ranked = tracks.rank_tracks(tracks.ids[7:8], 20)
        found = scores(space.database(ranked.rows[0]), query.moved)
        # The track itself is among them, and the nearest of the others is pinned first.
        assert found[1:] == pytest.approx(ranked.scores[0, 1:], abs=1e-5)
        assert space.units(ranked.rows[0]) @ query.unit == pytest.approx(
            ranked.similarities[0], abs=1e-5
        )

    def test_of_a_vector_as_it_is_ranked(self, count, cells):
        tracks = index(count, cells)
        space = ScoreSpace(tracks)
        vector = unit_rows(np.random.default_rng(1).normal(size=(1, 12)).astype(np.float32))
        query = space.query_of(space.rotated(vector)[0])
        ranked = tracks.rank(vector, 20)
        found = scores(space.database(ranked.rows[0]), query.moved)
        assert found[1:] == pytest.approx(ranked.scores[0, 1:], abs=1e-5)

    def test_the_best_of_those_that_are_allowed(self, count, cells):
        tracks = index(count, cells)
        space = ScoreSpace(tracks)
        allowed = np.arange(count) % 3 == 0
        query = space.query_of_row(4)
        found = space.best(query, 10, allowed)
        every = scores(space.database(np.flatnonzero(allowed)), query.moved)
        assert found.scores == pytest.approx(np.sort(every)[::-1][:10], abs=1e-5)
        assert allowed[found.rows].all()
        assert len(space.best(query, 10**6, allowed).rows) == allowed.sum()

    def test_the_nearest(self, count, cells):
        tracks = index(count, cells)
        space = ScoreSpace(tracks)
        unit = space.units(np.array([3]))[0]
        cosines = tracks.vectors @ tracks.vectors[3]
        assert space.nearest(unit, 5, None).tolist() == np.argsort(-cosines)[:5].tolist()
