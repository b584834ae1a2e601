"""Vectors of two spaces cannot be compared."""

import numpy as np
import pytest

from recommender.audio.windows import Windowing
from recommender.embedding.model_files import find_model, shipped_models
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
    advice = "recsys adapt" if part == "projection" else "recsys ingest"
    with pytest.raises(SpaceMismatch, match=advice) as caught:
        Embedding(unit(1, 0), SPACE).similarity(other)
    assert str(SPACE) in str(caught.value)
    assert str(other.space) in str(caught.value)


def test_digest_depends_on_values_not_on_order() -> None:
    assert settings_digest({"a": 1, "b": 2}) == settings_digest({"b": 2, "a": 1})
    assert settings_digest(Windowing()) == settings_digest(Windowing())
    assert settings_digest(Windowing()) != settings_digest(Windowing(count=4))


SHIPPED_SPACES = {
    "conv1d": "6ddda0298e71",
    "conv1d-encoder": "ae1ff4fc100c",
    "conv2d": "0456af98ffa9",
    "conv2d-encoder": "61e389284dda",
    "default": "36d27cc16a45",
    "fast": "dbb061a9f72e",
    "lstm": "04bd9e35a3dd",
    "transformer": "00dad598997d",
}
"""Digests of the shipped models' weights. They, and those of the windowing below, stand in
catalogues: with another digest these would have to be analysed again."""


def test_the_spaces_of_the_shipped_models_stay() -> None:
    assert sorted(SHIPPED_SPACES) == sorted(shipped_models())
    for name, weights in SHIPPED_SPACES.items():
        files = find_model(name)
        assert str(files.space()) == f"{name}/{weights}/ec8431907a85"
        assert str(files.space(Windowing(count=3))) == f"{name}/{weights}/b64027548727"
