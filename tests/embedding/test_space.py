"""Spaces guard comparisons."""

import numpy as np
import pytest

from recommender.audio.windows import Windowing
from recommender.embedding.space import Embedding, SpaceId, settings_digest
from recommender.errors import SpaceMismatch

SPACE = SpaceId("model", "w1", "h1", "p1")


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def test_similarity_is_the_cosine() -> None:
    one, other = Embedding(unit(1, 0), SPACE), Embedding(unit(1, 1), SPACE)
    assert one.similarity(other) == pytest.approx(np.sqrt(0.5))
    assert one.similarity(one) == pytest.approx(1)


@pytest.mark.parametrize("part", ["model", "weights", "analysis", "projection"])
def test_any_other_part_refuses_the_comparison(part: str) -> None:
    values = {"model": "model", "weights": "w1", "analysis": "h1", "projection": "p1", part: "x"}
    other = Embedding(unit(1, 0), SpaceId(**values))
    cure = "recsys adapt" if part == "projection" else "recsys ingest"
    with pytest.raises(SpaceMismatch, match=cure) as caught:
        Embedding(unit(1, 0), SPACE).similarity(other)
    assert str(SPACE) in str(caught.value)
    assert str(other.space) in str(caught.value)


def test_digest_depends_on_values_not_on_order() -> None:
    assert settings_digest({"a": 1, "b": 2}) == settings_digest({"b": 2, "a": 1})
    assert settings_digest(Windowing()) == settings_digest(Windowing())
    assert settings_digest(Windowing()) != settings_digest(Windowing(count=4))
