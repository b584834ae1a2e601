"""Queries in words, taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import UsageError
from recommender.recommendation.word_query import Term, normal, parse_word_query

KNOWN = {"sad", "piano", "vocals", "no vocals", "hard rock", "rock", "hip hop", "new age"}


def terms(text: str) -> list[str]:
    return [str(term) for term in parse_word_query(text, KNOWN).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sad piano no vocals", ["sad", "piano", "no vocals"]),
        ("Sad PIANO -vocals", ["sad", "piano", "no vocals"]),
        ("piano without vocals", ["piano", "no vocals"]),
        ("hard rock", ["hard rock"]),
        ("no hard rock", ["no hard rock"]),
        ("hard -rock", ["no rock"]),  # hard alone is unknown
        ('"hard" rock', ["rock"]),
        ("Hip-Hop", ["hip hop"]),
        ("hip hop and new age music", ["hip hop", "new age"]),
        ('-"hard rock"', ["no hard rock"]),
        ("piano piano", ["piano"]),
        ("piano no", ["piano"]),
        ("no no piano", ["no piano"]),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_quoted_phrase_is_one_term() -> None:
    (term,) = parse_word_query('"no vocals"', KNOWN).terms
    assert term == Term("no vocals", negated=False)


def test_what_is_unknown_is_named_and_joining_words_are_not() -> None:
    query = parse_word_query("the zither with piano -sitar and a zither", KNOWN)
    assert query.unmatched == ("zither", "sitar")
    assert [term.words for term in query.terms] == ["piano"]


def test_ranges() -> None:
    query = parse_word_query("piano tempo:120-130 Energy:>.6 key:8A", KNOWN)
    assert dict(query.filters.wanted()) == {"tempo": "120-130", "key": "8A", "energy": ">.6"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing to search for"),
        ('""', "nothing to search for"),
        ("tempo:fast", "tempo cannot be 'fast'"),
        ("colour:red", "'colour:red' is no range of tempo, key"),
        ("-tempo:120-130", "is no range of"),
        ("tempo:5%", "has no seed"),
        ("key:same", "has no seed"),
    ],
)
def test_what_cannot_be_understood(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_word_query(text, KNOWN)


@given(st.text(max_size=40), st.sets(st.text(max_size=6).map(normal), max_size=5))
def test_any_text_is_taken_apart_or_refused(text: str, known: set[str]) -> None:
    try:
        query = parse_word_query(text, known)
    except UsageError:
        return
    assert all(term.words in known for term in query.terms)
    assert not set(query.unmatched) & known
