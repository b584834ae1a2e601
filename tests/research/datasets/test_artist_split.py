"""Splits by artist: no artist on two sides, every genre on each, the same every time."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import DatasetError
from recommender.research.datasets.artist_split import SHARES, split_by_artist


@st.composite
def labelled(draw) -> tuple[list[str], list[str]]:
    """At least three artists a genre, some of whom play two, and tracks without an artist."""
    genres, artists = [], []
    for genre in draw(st.sampled_from([["a", "b"], ["a", "b", "c", "d"]])):
        for number in range(draw(st.integers(3, 9))):
            tracks = draw(st.integers(1, 5))
            genres += [genre] * tracks
            artists += [f"{genre}{number}"] * tracks
    strays = draw(st.integers(0, 6))
    return [*genres, *["a"] * strays], [*artists, *[""] * strays]


@given(labelled())
def test_no_artist_is_in_two_splits_and_no_genre_absent_from_one(tracks) -> None:
    genres, artists = tracks
    splits = split_by_artist(genres, artists)
    assert sorted(row for rows in splits.values() for row in rows) == list(range(len(genres)))
    where = defaultdict(set)
    for name, rows in splits.items():
        assert {genres[row] for row in rows} == set(genres)
        for row in rows:
            where[artists[row].casefold() or row].add(name)
    assert all(len(names) == 1 for names in where.values())
    assert splits == split_by_artist(genres, artists)


def test_many_artists_are_divided_about_as_wanted() -> None:
    genres = [genre for genre in "abcde" for _ in range(100)]
    splits = split_by_artist(genres, [f"artist {row}" for row in range(500)])
    for name, share in SHARES.items():
        assert len(splits[name]) / 500 == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    ("genres", "artists", "reason"),
    [
        ([], [], "one genre"),
        (["rock"] * 9, list("abcdefghi"), r"all tracks are of one genre \(rock\)"),
        (["a"] * 3 + ["b"] * 3, list("abcdde"), r"of the genre b .*fewer than 3 artists"),
        (["a"] * 2 + ["b"] * 2, list("aabb"), r"of the genres a, b "),
    ],
)
def test_too_few_are_refused(genres, artists, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        split_by_artist(genres, artists)
