"""What tracks keep of their copies is what comparing every two of them would find."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.embedding import stored_copies
from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.embedding.stored_copies import (
    COPIES,
    MORE,
    copies_among,
    copies_beside,
    signatures,
)

detector = DuplicateDetector(threshold=0.99)


def known_pairs(numbers: np.ndarray, copies: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of rows of which one knows the other."""
    pairs = itertools.combinations(range(len(numbers)), 2)
    return {(a, b) for a, b in pairs if numbers[a] in copies[b] or numbers[b] in copies[a]}


def compared(views: np.ndarray, durations: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of rows that are copies."""
    recordings = [Recording(*one) for one in zip(views, durations.tolist(), strict=True)]
    pairs = itertools.combinations(range(len(views)), 2)
    return {(a, b) for a, b in pairs if detector(recordings[a], recordings[b])}


def drawn(seed: int, count: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Views around a few directions, most of unlike durations; some tracks are equal."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(1, count // 6), width))
    views = centres[random.integers(len(centres), size=count)]
    views = (views + 0.08 * random.normal(size=views.shape)).astype(np.float32)
    durations = random.choice([60.0, 60.9, 61.9, 200.0], size=count)
    views[random.integers(count)] = views[0]
    durations[random.integers(count)] = np.nan
    views[random.integers(count)] = 0
    return views, durations


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 30), st.sampled_from([3, 60]), st.integers(0, 30))
def test_all_copies_are_known_pairs(seed: int, count: int, width: int, there: int) -> None:
    views, durations = drawn(seed, count, width)
    numbers = signatures(views, durations)
    expected = compared(views, durations)
    copies = copies_among(numbers, views, durations, detector)
    old = min(there, count)
    known = numbers[:old], views[:old], durations[:old]
    beside = copies_beside((numbers[old:], views[old:], durations[old:]), known, detector)
    first = copies_among(*known, detector)
    for found in (copies, np.concatenate([first, beside])):
        more = set(np.flatnonzero((found == MORE).any(axis=1)).tolist())
        pairs = known_pairs(numbers, found)
        assert {pair for pair in expected if not more & set(pair)} <= pairs
        same = {pair for pair in pairs if numbers[pair[0]] == numbers[pair[1]]}
        assert pairs - same <= expected


def test_what_has_too_many_copies_says_so() -> None:
    count = 40
    views = np.ones((count, 3), np.float32) + 0.001 * np.eye(count, 3, dtype=np.float32)
    durations = 60 + 0.001 * np.arange(count)
    numbers = signatures(views, durations)
    copies = copies_among(numbers, views, durations, detector)
    assert (copies[:, -1] == MORE).sum() > count // 2
    assert (copies[:, : COPIES - 1] != MORE).all()


def test_few_are_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    views, durations = drawn(7, 300, 60)
    numbers = signatures(views, durations)
    whole = known_pairs(numbers, copies_among(numbers, views, durations, detector))
    monkeypatch.setattr(stored_copies, "_BLOCK", 16)
    monkeypatch.setattr(stored_copies, "_BESIDE", 32)
    assert known_pairs(numbers, copies_among(numbers, views, durations, detector)) == whole != set()


def test_no_copies_where_nothing_is_alike_enough() -> None:
    views, durations = drawn(1, 20, 3)
    numbers = signatures(views, durations)
    strict = DuplicateDetector(threshold=1.1)
    assert not copies_among(numbers, views, durations, strict).any()
    added = numbers[:5], views[:5], durations[:5]
    assert not copies_beside(added, (numbers[5:], views[5:], durations[5:]), strict).any()


def test_a_signature_is_of_sound_and_duration() -> None:
    views = np.array([[1, 2], [1, 2], [1, 2], [1, 3]], np.float32)
    numbers = signatures(views, np.array([60.0, 60.0, 61.0, 60.0]))
    assert numbers[0] == numbers[1]
    assert len(set(numbers.tolist())) == 3
