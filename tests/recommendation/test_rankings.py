"""Lists of many tracks, reranked and by cosine."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_world import ToyEmbedder, direction

from recommender.embedding.space import Embedding
from recommender.errors import (
    UsageError,
)
from recommender.recommendation.filters import Filters


@settings(max_examples=30, deadline=None)
@given(
    k=st.integers(1, 120),
    seed_at=st.integers(0, 199),
    shortest=st.integers(0, 310),
    per_artist=st.sampled_from([None, 1, 2, 50]),
    ranking=st.sampled_from(["reranked", "cosine"]),
)
def test_never_fewer_than_could_be_had(crowd, k, seed_at, shortest, per_artist, ranking):
    """However few tracks pass, the search widens until it has them, in the right order."""
    seed = crowd.tracks[seed_at]
    scores = crowd.scores(seed_at, ranking)
    wanted, counts = [], {}
    for row in np.argsort(-scores, kind="stable"):
        track = crowd.tracks[row]
        if track.id != seed.id and track.duration >= shortest:
            counts[track.artist] = counts.get(track.artist, 0) + 1
            if per_artist is None or counts[track.artist] <= per_artist:
                wanted.append((track.id, float(scores[row])))

    filters = Filters(min_duration=shortest, per_artist=per_artist)
    found = crowd.service.similar(seed.id, k, filters, ranking)
    assert len(found) == min(k, len(wanted))
    assert [n.track.id for n in found] == [track_id for track_id, _ in wanted[:k]]
    # The score of the one that is pinned first is the best of the tracks that pass.
    np.testing.assert_allclose(
        [n.score for n in found[1:]], [score for _, score in wanted[1:k]], atol=1e-5
    )
    assert [n.score for n in found] == sorted((n.score for n in found), reverse=True)
    away = [np.radians(crowd.distance(n.track, seed)) for n in found]
    np.testing.assert_allclose([n.similarity for n in found], np.cos(away), atol=1e-5)


def test_the_default_is_reranked(crowd):
    seed = crowd.tracks[60]
    both = [crowd.service.similar(seed.id, 20, ranking=r) for r in ("reranked", "cosine")]
    assert [n.score for n in crowd.service.similar(seed.id, 20)] == [n.score for n in both[0]]
    assert [n.track.id for n in both[0]] != [n.track.id for n in both[1]]
    assert [n.score for n in both[1]] == [n.similarity for n in both[1]]
    away = [crowd.distance(n.track, seed) for n in both[1]]
    assert away == sorted(away)
    with pytest.raises(UsageError, match="reranked or cosine"):
        crowd.service.similar(seed.id, ranking="loudness")


def test_a_copy_from_outside_finds_its_track_first(crowd):
    for track in crowd.tracks:
        query = Embedding(direction(float(Path(track.path).stem)) / 3, ToyEmbedder.space)
        best, second = crowd.service.similar(query, 2)
        assert best.track.id == track.id
        assert best.similarity == pytest.approx(1, abs=1e-6)
        assert best.score >= second.score


def test_a_missing_track_of_many_is_queried_as_one_from_outside(crowd):
    seed = crowd.tracks[100]
    similar = crowd.service.similar(seed.id, 30)
    with crowd.service.catalog.writing() as write:
        write.missing([seed.id])
    try:
        found = crowd.service.similar(seed.id, 30)
        assert seed.id not in {n.track.id for n in found}
        assert len({n.track.id for n in found} & {n.track.id for n in similar}) > 20
    finally:
        with crowd.service.catalog.writing() as write:
            write.found_again([seed.id])
