"""The protocol of unseen genres on a toy data set whose right answer is known."""

from collections.abc import Callable

import numpy as np
import pytest

from recommender.errors import UsageError
from recommender.evaluation.retrieval import (
    GivenSimilarities,
    LabelledVectors,
    hubness,
    score_queries,
)
from recommender.research.datasets import gtzan
from recommender.research.model_building.leave_genres_out import (
    FOLDS,
    GALLERIES,
    Encoder,
    HeldOutGenrePrecision,
    fold_precision,
    rows_of,
    training_rows,
    unseen_precision,
)


@pytest.fixture(scope="module")
def data() -> gtzan.Gtzan:
    """All tracks of the filtered split, without sound."""
    sides = ("train", "valid", "test")
    ids = tuple(sorted(i for side in sides for i in gtzan.split_ids("filtered", side)))
    labels = np.array([gtzan.GENRES.index(i.split(".")[0]) for i in ids], dtype=np.int64)
    empty = np.empty((len(ids), 128, 0), dtype=np.uint8)
    return gtzan.Gtzan(ids, labels, empty, np.full(len(ids), 80, dtype=np.float32))


def by_genre(data: gtzan.Gtzan) -> Callable[..., Encoder]:
    """Knows every genre perfectly."""
    return lambda rows, labels: lambda asked: np.eye(10, dtype=np.float32)[data.labels[asked]]


def test_folds_leave_three_genres_out_and_every_genre_once() -> None:
    assert all(len(set(fold)) == 3 for fold in FOLDS)
    assert {genre for fold in FOLDS for genre in fold} == set(gtzan.GENRES)


@pytest.mark.parametrize("left_out", FOLDS)
def test_training_sees_nothing_of_the_genres_left_out(
    data: gtzan.Gtzan, left_out: tuple[str, ...]
) -> None:
    rows, labels = training_rows(data, left_out)
    seen = [data.track_ids[row] for row in rows]
    assert set(seen) <= set(gtzan.split_ids("filtered", "train"))
    genres = [i.split(".")[0] for i in seen]
    assert set(genres) == set(gtzan.GENRES) - set(left_out)
    names = sorted(set(genres))
    assert [names[label] for label in labels] == genres


@pytest.mark.parametrize(("gallery", "size"), [("valid", 197), ("valid+test", 487)])
def test_the_gallery_holds_all_genres_of_its_sides(
    data: gtzan.Gtzan, gallery: str, size: int
) -> None:
    asked: list[np.ndarray] = []

    def fit(rows: np.ndarray, labels: np.ndarray) -> Encoder:
        def encode(gallery_rows: np.ndarray) -> np.ndarray:
            asked.append(gallery_rows)
            return by_genre(data)(rows, labels)(gallery_rows)

        return encode

    unseen_precision(data, fit, gallery)
    expected = {i for side in GALLERIES[gallery] for i in gtzan.split_ids("filtered", side)}
    assert len(asked) == len(FOLDS)
    for rows in asked:
        assert len(rows) == size
        assert {data.track_ids[row] for row in rows} == expected


def test_one_who_knows_every_genre_finds_all_there_is(data: gtzan.Gtzan) -> None:
    rows = rows_of(data, "valid")
    found = unseen_precision(data, by_genre(data))
    for fold, value in zip(FOLDS, found.folds, strict=True):
        assert value == pytest.approx(attainable(data, rows, fold))


def attainable(data: gtzan.Gtzan, rows: np.ndarray, left_out: tuple[str, ...]) -> float:
    """precision@10 of a perfect ranking: below 1 where fewer than 10 others are relevant."""
    ids = [data.track_ids[row] for row in rows]
    artists = [gtzan.artists()[i] for i in ids]
    shares = []
    for i, artist in zip(ids, artists, strict=True):
        if i.split(".")[0] not in left_out:
            continue
        others = [
            j
            for j, other in zip(ids, artists, strict=True)
            if j != i and not (artist and artist == other)
        ]
        relevant = sum(j.split(".")[0] == i.split(".")[0] for j in others)
        if relevant:
            shares.append(min(relevant, 10) / 10)
    return float(np.mean(shares))


def test_one_who_knows_only_what_it_was_taught_falls_to_chance(data: gtzan.Gtzan) -> None:
    def fit(rows: np.ndarray, labels: np.ndarray) -> Encoder:
        taught = set(data.labels[rows].tolist())

        def encode(asked: np.ndarray) -> np.ndarray:
            vectors = np.random.default_rng(0).normal(size=(len(asked), 32))
            for place, row in enumerate(asked):
                if int(data.labels[row]) in taught:
                    vectors[place] = np.eye(32)[data.labels[row]]
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            return vectors.astype(np.float32)

        return encode

    found = unseen_precision(data, fit, "valid+test")
    assert found.mean < 0.45  # three unknown genres are confused with one another
    assert unseen_precision(data, by_genre(data), "valid+test").mean > 0.9


def test_similarities_score_as_the_vectors_they_are_of(data: gtzan.Gtzan) -> None:
    rows = rows_of(data, "valid")
    vectors = np.random.default_rng(1).normal(size=(len(rows), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    given = GivenSimilarities(vectors @ vectors.T)
    for left_out in FOLDS:
        assert fold_precision(data, given, rows, left_out) == pytest.approx(
            fold_precision(data, vectors, rows, left_out)
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
        unseen_precision(data, by_genre(data), "test")


def test_the_mean_is_over_folds() -> None:
    assert HeldOutGenrePrecision("valid", (0.1, 0.2, 0.3, 0.4)).mean == pytest.approx(0.25)
