"""Folds, measures and figures of candidates on held-out tracks."""

import numpy as np
import pytest
from adaptation_worlds import GENRES, OWN, World, artists_of, noise, weighed_down

from recommender.adaptation import AdaptationSettings, Measure
from recommender.adaptation.cross_validation import cross_validate
from recommender.errors import UsageError
from recommender.evaluation.report import evaluate_retrieval
from recommender.search.reranking import RerankingSettings, ranking


def test_what_counts_is_the_order_of_recommendations() -> None:
    """Folds that are large enough are reranked as a catalogue of their tracks would be."""
    world = weighed_down()
    data = world.data()
    shipped = cross_validate(data, Measure.GENRE)[0]
    own = OWN.apply(world.activations)
    expected = []
    for fold in data.folds:
        rows = np.flatnonzero(fold)
        assert len(rows) >= RerankingSettings().min_tracks
        report = evaluate_retrieval(
            ranking(own[rows]),
            [world.genres[row] for row in rows],
            [world.artists[row] for row in rows],
            k=10,
            bootstrap=0,
        )
        expected.append(report.with_filter.overall.precision.value)
    assert shipped.value == pytest.approx(np.mean(expected), abs=1e-6)


def test_folds_hold_every_track_once_and_artists_together() -> None:
    artists = [None if n % 5 == 0 else f"artist {n % 23}" for n in range(230)]
    data = World(noise(230), artists=artists).data()
    folds = data.folds
    assert len(folds) == AdaptationSettings().folds
    assert (np.sum(folds, axis=0) == 1).all()
    assert min(fold.sum() for fold in folds) > 40
    for group in np.unique(data.groups):
        assert sum(fold[data.groups == group].any() for fold in folds) == 1
    assert len(np.unique(data.groups)) == 23 + 230 // 5


@pytest.mark.parametrize(
    ("genres", "measure", "training_genres"),
    [
        ([GENRES[n % 2] for n in range(120)], Measure.GENRE, ("folk", "jazz")),
        (["folk" if n < 40 else "jazz" if n < 76 else None for n in range(120)], *2 * [None]),
        (["folk"] * 120, Measure.ARTIST, ()),
        ([None] * 120, Measure.ARTIST, ()),
    ],
    ids=["enough", "nine artists", "one genre", "none"],
)
def test_measure_is_the_best_that_labels_allow(
    genres: list[str | None], measure: Measure | None, training_genres: tuple[str, ...] | None
) -> None:
    found = World(noise(120), genres, artists_of(120)).adaptation()
    assert found.measure is (measure or Measure.ARTIST)
    assert found.genres == (training_genres or ())
    assert found.k == 5  # the smallest fold has 28 tracks


@pytest.mark.parametrize(
    ("count", "artists", "says"),
    [(99, artists_of(99), "99 tracks are too few"), (200, ["Anna"] * 200, "the same few artists")],
)
def test_too_little_music(count: int, artists: list[str | None], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        World(noise(count), artists=artists).adaptation()
