"""Leave-genres-out validation on a toy data set whose right answer is known."""

from collections.abc import Callable

import numpy as np
import pytest

from recommender.errors import UsageError
from recommender.evaluation.labelled_vectors import GivenSimilarities, LabelledVectors
from recommender.evaluation.retrieval import hubness, score_queries
from recommender.research.datasets import gtzan
from recommender.research.model_building.leave_genres_out import (
    FOLDS,
    GALLERIES,
    Gallery,
    HeldOutGenrePrecision,
    genre_folds,
    without,
)
from recommender.research.model_building.split_tracks import load_split

Encoder = Callable[[Gallery, tuple[str, ...]], np.ndarray]
"""Unit vectors of a gallery's tracks, by a model without some genres."""


@pytest.fixture(scope="module")
def data() -> gtzan.Gtzan:
    """All tracks of the filtered split, without sound."""
    names = ("train", "valid", "test")
    ids = tuple(sorted(i for name in names for i in gtzan.split_ids("filtered", name)))
    labels = np.array([gtzan.GENRES.index(gtzan.genre_of(i)) for i in ids], dtype=np.int64)
    empty = np.empty((len(ids), 128, 0), dtype=np.uint8)
    return gtzan.Gtzan(ids, labels, empty, np.full(len(ids), 80, dtype=np.float32))


def perfect(gallery: Gallery, held_out: tuple[str, ...]) -> np.ndarray:
    """Separates every genre."""
    return np.eye(10, dtype=np.float32)[gallery.tracks.tracks.labels]


def only_training_genres(gallery: Gallery, held_out: tuple[str, ...]) -> np.ndarray:
    """Separates the training genres; the others are at random."""
    vectors = np.random.default_rng(0).normal(size=(len(gallery.tracks.ids), 32))
    for row, (genre, label) in enumerate(
        zip(gallery.tracks.genres, gallery.tracks.tracks.labels, strict=True)
    ):
        if genre not in held_out:
            vectors[row] = np.eye(32)[label]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def precision_of(gallery: Gallery, encode: Encoder) -> HeldOutGenrePrecision:
    folds = [gallery.precision(encode(gallery, fold), fold) for fold in FOLDS]
    return HeldOutGenrePrecision(gallery.name, tuple(folds))


def test_folds_hold_three_genres_out_and_every_genre_once() -> None:
    assert all(len(set(fold)) == 3 for fold in FOLDS)
    assert {genre for fold in FOLDS for genre in fold} == set(gtzan.GENRES)


@pytest.mark.parametrize("number", range(len(FOLDS)))
def test_training_sees_nothing_of_the_held_out_genres(data: gtzan.Gtzan, number: int) -> None:
    training, valid = (load_split(data, "filtered", name) for name in ("train", "valid"))
    fold = genre_folds(training, valid)[number]
    assert fold.held_out == FOLDS[number]
    assert fold.genres == 7
    for tracks, name in ((fold.training, "train"), (fold.valid, "valid")):
        assert set(tracks.ids) <= set(gtzan.split_ids("filtered", name))
        genres = [i.split(".")[0] for i in tracks.ids]
        assert set(genres) == set(gtzan.GENRES) - set(fold.held_out)
        names = sorted(set(genres))
        assert [names[label] for label in tracks.tracks.labels] == genres
    assert without(training, fold.held_out).ids == fold.training.ids


@pytest.mark.parametrize(("name", "size"), [("valid", 197), ("valid+test", 487)])
def test_the_gallery_holds_all_genres_of_its_splits(
    data: gtzan.Gtzan, name: str, size: int
) -> None:
    gallery = Gallery.of(data, name)
    expected = {i for split in GALLERIES[name] for i in gtzan.split_ids("filtered", split)}
    assert len(gallery.tracks.ids) == size
    assert set(gallery.tracks.ids) == expected


def test_perfect_vectors_find_all_there_is(data: gtzan.Gtzan) -> None:
    gallery = Gallery.of(data, "valid")
    found = precision_of(gallery, perfect)
    for fold, value in zip(FOLDS, found.folds, strict=True):
        assert value == pytest.approx(attainable(gallery.tracks.ids, fold))


def attainable(ids: tuple[str, ...], held_out: tuple[str, ...]) -> float:
    """precision@10 of a perfect ranking: below 1 where fewer than 10 others are relevant."""
    artists = [gtzan.artists()[i] for i in ids]
    precisions = []
    for i, artist in zip(ids, artists, strict=True):
        if i.split(".")[0] not in held_out:
            continue
        others = [
            j
            for j, other in zip(ids, artists, strict=True)
            if j != i and not (artist and artist == other)
        ]
        relevant = sum(j.split(".")[0] == i.split(".")[0] for j in others)
        if relevant:
            precisions.append(min(relevant, 10) / 10)
    return float(np.mean(precisions))


def test_what_separates_only_training_genres_falls_to_chance(data: gtzan.Gtzan) -> None:
    gallery = Gallery.of(data, "valid+test")
    # Three held-out genres are confused with one another.
    assert precision_of(gallery, only_training_genres).mean < 0.45
    assert precision_of(gallery, perfect).mean > 0.9


def test_similarities_score_as_the_vectors_they_are_of(data: gtzan.Gtzan) -> None:
    gallery = Gallery.of(data, "valid")
    vectors = np.random.default_rng(1).normal(size=(len(gallery.tracks.ids), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given = GivenSimilarities(vectors @ vectors.T)
    for held_out in FOLDS:
        assert gallery.precision(given, held_out) == pytest.approx(
            gallery.precision(vectors, held_out)
        )
    assert hubness(given) == hubness(vectors)


def test_given_similarities_rank_as_they_say() -> None:
    # 0 is nearest to 1 (the same genre), 1 to 2 (another), 2 to 0 (another).
    matrix = np.array([[9, 2, 1], [1, 9, 2], [2, 1, 9]], dtype=np.float32)
    tracks = LabelledVectors.of(GivenSimilarities(matrix), ["a", "a", "b"])
    scores = score_queries(tracks, 1, artist_filter=False)
    assert scores.precision.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "matrix",
    [np.zeros((2, 3), dtype=np.float32), np.full((2, 2), np.nan, dtype=np.float32)],
    ids=["not square", "NaN"],
)
def test_broken_similarities_are_refused(matrix: np.ndarray) -> None:
    with pytest.raises(UsageError, match="similarities"):
        LabelledVectors.of(GivenSimilarities(matrix), ["a", "a"])


def test_an_unknown_gallery_is_named(data: gtzan.Gtzan) -> None:
    with pytest.raises(UsageError, match="'test'"):
        Gallery.of(data, "test")


def test_the_mean_is_over_folds() -> None:
    assert HeldOutGenrePrecision("valid", (0.1, 0.2, 0.3, 0.4)).mean == pytest.approx(0.25)
