"""Weights, cards and projections: what is shipped is whole, and damage is told."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender.errors import SpaceMismatch, WeightsError
from recommender.projection import Projection
from recommender.weights import CARD, DEFAULT_MODEL, PROJECTION, WEIGHTS, find, shipped_models
from recommender.windowing import Windowing


@pytest.fixture
def copied(tmp_path):
    """The default model's folder, to be damaged."""
    folder = tmp_path / "model"
    shutil.copytree(find().folder, folder)
    return folder


class TestShippedModels:
    def test_the_default_is_shipped(self) -> None:
        assert DEFAULT_MODEL in shipped_models()

    @pytest.mark.parametrize("name", shipped_models())
    def test_is_whole_and_fits_its_card(self, name: str) -> None:
        files = find(name)
        network = files.network()
        projection = files.projection()
        assert not network.training
        assert projection.mean.shape == (network.feature_dim,)
        assert len(set(files.card.labels)) == len(files.card.labels)
        assert all(torch.isfinite(values).all() for values in network.state_dict().values())

    @pytest.mark.parametrize("name", shipped_models())
    def test_card_says_what_was_measured_and_how(self, name: str) -> None:
        card = find(name).card
        assert card.licence
        assert card.data["split"] == "filtered"
        assert card.results["command"].startswith("recsys train")
        assert card.results["published_seed"] == card.results["seeds"][0]
        for figure in ("valid_track", "test_track", "disjoint_track", "test_precision"):
            assert 0 < card.results[figure]["mean"] < 1

    def test_default_keeps_its_promise(self) -> None:
        results = find().card.results
        assert len(results["seeds"]) >= 5
        assert results["test_track"]["mean"] > 0.58


class TestFind:
    def test_a_folder_can_be_named(self, copied) -> None:
        assert find(str(copied)).card == find().card

    def test_unknown_name_lists_the_shipped(self) -> None:
        with pytest.raises(WeightsError, match=DEFAULT_MODEL):
            find("no-such-model")

    def test_flipped_bit_in_the_weights_is_noticed(self, copied) -> None:
        content = bytearray((copied / WEIGHTS).read_bytes())
        content[len(content) // 2] ^= 1
        (copied / WEIGHTS).write_bytes(content)
        with pytest.raises(WeightsError, match="not those of their card"):
            find(str(copied)).network()

    @pytest.mark.parametrize("name", [WEIGHTS, PROJECTION])
    def test_missing_file_is_told(self, copied, name: str) -> None:
        (copied / name).unlink()
        files = find(str(copied))
        with pytest.raises(WeightsError, match=name):
            files.network() if name == WEIGHTS else files.projection()

    def test_another_projection_is_noticed(self, copied) -> None:
        projection = find().projection()
        Projection(projection.mean + 1, projection.matrix).save(copied / PROJECTION)
        with pytest.raises(WeightsError, match="projection"):
            find(str(copied)).projection()

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}'])
    def test_damaged_card_is_told(self, copied, text: str) -> None:
        (copied / CARD).write_text(text)
        with pytest.raises(WeightsError, match="no model card"):
            _ = find(str(copied)).card

    def test_card_survives_writing_and_reading(self, copied) -> None:
        card = dataclasses.replace(find().card, notes=("é ✓",))
        card.write(copied / CARD)
        assert type(card).read(copied / CARD).notes == ("é ✓",)
        json.loads((copied / CARD).read_text(encoding="utf-8"))


class TestSpace:
    def test_windowing_and_weights_change_it(self, copied) -> None:
        space = find().space()
        assert find().space(Windowing(**find().card.windowing)) == space
        assert find().space(Windowing(count=7)) != space
        card = dataclasses.replace(find().card, weights_digest="000000000000")
        card.write(copied / CARD)
        assert find(str(copied)).space() != space


FLOATS = st.floats(-100, 100, width=32)


class TestProjection:
    @settings(max_examples=50, deadline=None)
    @given(
        hnp.arrays(np.float32, (5, 4), elements=FLOATS),
        hnp.arrays(np.float32, (4, 3), elements=FLOATS),
    )
    def test_rows_have_length_one_or_are_zero(self, activations, matrix) -> None:
        rows = Projection(activations.mean(axis=0), matrix).apply(activations)
        lengths = np.linalg.norm(rows, axis=1)
        assert rows.dtype == np.float32
        assert np.all(np.isclose(lengths, 1, atol=1e-4) | (lengths < 1))
        assert np.isfinite(rows).all()

    def test_scale_of_the_matrix_does_not_matter(self) -> None:
        generator = np.random.default_rng(0)
        x, matrix = generator.normal(size=(6, 5)), generator.normal(size=(5, 2))
        mean = x.mean(axis=0)
        one = Projection(mean.astype(np.float32), matrix.astype(np.float32))
        other = Projection(mean.astype(np.float32), (7 * matrix).astype(np.float32))
        np.testing.assert_allclose(one.apply(x), other.apply(x), atol=1e-5)
        assert one.digest != other.digest

    def test_round_trip(self, tmp_path) -> None:
        projection = find().projection()
        projection.save(tmp_path / "p.safetensors")
        assert Projection.load(tmp_path / "p.safetensors").digest == projection.digest

    def test_other_dimension_is_refused(self) -> None:
        with pytest.raises(SpaceMismatch, match="recsys ingest"):
            find().projection().apply(np.zeros((1, 3), dtype=np.float32))
