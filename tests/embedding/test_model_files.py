"""Weights, cards and projections: what is shipped is whole, and damage is reported."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.torch import load_file, save_file

from recommender.audio.windows import Windowing
from recommender.embedding.genre_head import GenreHead
from recommender.embedding.model_card import ModelCard
from recommender.embedding.model_files import (
    CARD,
    DEFAULT_MODEL,
    HEAD,
    PROJECTION,
    WEIGHTS,
    file_digest,
    find_model,
    shipped_models,
)
from recommender.embedding.projection import Projection
from recommender.errors import SpaceMismatch, WeightsError
from recommender.features import descriptors
from recommender.research.model_building.activations import ActivationLayout


@pytest.fixture
def copied(tmp_path):
    """The default model's folder, to be damaged."""
    folder = tmp_path / "model"
    shutil.copytree(find_model().folder, folder)
    return folder


class TestShippedModels:
    def test_a_withdrawn_model_says_what_becomes_of_its_catalogues(self) -> None:
        with pytest.raises(WeightsError, match=r"best.*recommended as before.*default"):
            find_model("best")

    def test_the_default_is_shipped(self) -> None:
        assert DEFAULT_MODEL in shipped_models()

    @pytest.mark.parametrize("name", shipped_models())
    def test_is_whole_and_fits_its_card(self, name: str) -> None:
        files = find_model(name)
        networks, head, projection = files.networks(), files.head(), files.projection()
        assert not any(network.training for network in networks)
        sizes = [network.feature_dim for network in networks]
        dimension = sum(sizes) + descriptors.DIMENSION * files.card.descriptors
        assert projection.mean.shape == (dimension,)
        assert head.weight.shape == (dimension, len(files.card.labels))
        assert len(set(files.card.labels)) == len(files.card.labels)
        arrays = [torch.from_numpy(a) for a in (head.weight, head.bias, projection.matrix)]
        states = [values for network in networks for values in network.state_dict().values()]
        assert all(torch.isfinite(values).all() for values in arrays + states)

    @pytest.mark.parametrize("name", shipped_models())
    def test_card_says_what_was_measured_and_how(self, name: str) -> None:
        card = find_model(name).card
        assert card.licence
        assert card.data["split"] == "filtered"
        assert card.results["command"].startswith("recsys train")
        assert card.results["published_seed"] == card.results["seeds"][0]
        for figure in ("valid_track", "test_track", "disjoint_track", "test_precision"):
            assert 0 < card.measured[figure]["mean"] < 1

    def test_default_keeps_its_promise(self) -> None:
        results = find_model().card.measured
        assert len(results["seeds"]) >= 5
        assert results["test_track"]["mean"] > 0.58


class TestFind:
    def test_a_folder_can_be_named(self, copied) -> None:
        assert find_model(str(copied)).card == find_model().card

    def test_unknown_name_lists_the_shipped(self) -> None:
        with pytest.raises(WeightsError, match=DEFAULT_MODEL):
            find_model("no-such-model")

    def test_flipped_bit_in_the_weights_is_noticed(self, copied) -> None:
        content = bytearray((copied / WEIGHTS).read_bytes())
        content[len(content) // 2] ^= 1
        (copied / WEIGHTS).write_bytes(content)
        with pytest.raises(WeightsError, match="not those of their card"):
            find_model(str(copied)).networks()

    @pytest.mark.parametrize("name", [WEIGHTS, HEAD, PROJECTION])
    def test_missing_file_is_reported(self, copied, name: str) -> None:
        (copied / name).unlink()
        files = find_model(str(copied))
        with pytest.raises(WeightsError, match=name):
            {WEIGHTS: files.networks, HEAD: files.head, PROJECTION: files.projection}[name]()

    def test_another_projection_is_noticed(self, copied) -> None:
        projection = find_model().projection()
        Projection(projection.mean + 1, projection.matrix).save(copied / PROJECTION)
        with pytest.raises(WeightsError, match="projection"):
            find_model(str(copied)).projection()

    def test_another_head_is_noticed(self, copied) -> None:
        head = find_model().head()
        GenreHead(head.weight, head.bias + 1).save(copied / HEAD)
        with pytest.raises(WeightsError, match="head"):
            find_model(str(copied)).head()

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}'])
    def test_damaged_card_is_reported(self, copied, text: str) -> None:
        (copied / CARD).write_text(text)
        with pytest.raises(WeightsError, match="no model card"):
            _ = find_model(str(copied)).card

    def test_card_of_version_0_1_is_read_under_present_names(self, copied) -> None:
        former = json.loads((copied / CARD).read_text(encoding="utf-8"))
        former["closeness"] = {"half": 0.3, "slope": 12.0}
        former["heard_frames"] = former.pop("network_frames")
        former["same_recording"] = former.pop("duplicate_threshold")
        del former["similarity_calibration"]
        figures = {
            "ranked_unseen_test": 1,
            "test_never": 2,
            "unseen_valid": 3,
            "plain_test_clip": 4,
        }
        former["results"] = {"command": "recsys train", "honest": figures}
        (copied / CARD).write_text(json.dumps(former), encoding="utf-8")
        card, present = ModelCard.read(copied / CARD), find_model().card
        assert card.similarity_calibration == {"midpoint": 0.3, "slope": 12.0}
        assert card.network_frames == present.network_frames
        assert card.duplicate_threshold == present.duplicate_threshold
        assert card.measured == {
            "reranked_held_out_genres_test": 1,
            "test_anti_hub_rate": 2,
            "held_out_genres_valid": 3,
            "network_test_clip": 4,
        }

    def test_card_survives_writing_and_reading(self, copied) -> None:
        card = dataclasses.replace(find_model().card, notes=("é ✓",))
        card.write(copied / CARD)
        assert type(card).read(copied / CARD).notes == ("é ✓",)
        json.loads((copied / CARD).read_text(encoding="utf-8"))


def rewritten(folder, values, **changes) -> ModelCard:
    """The card of a folder whose weights are `values` from now on."""
    save_file(values, folder / WEIGHTS)
    card = dataclasses.replace(
        find_model(str(folder)).card, weights_digest=file_digest(folder / WEIGHTS), **changes
    )
    card.write(folder / CARD)
    return card


class TestSeveralNetworks:
    def test_each_gets_its_own_weights(self, copied) -> None:
        first = load_file(copied / WEIGHTS)
        both = first | {name.replace("0.", "1.", 1): 2 * value for name, value in first.items()}
        (network,) = find_model().card.networks
        card = rewritten(copied, both, networks=(network, network))
        one, other = (net.state_dict() for net in find_model(str(copied)).networks())
        assert card.architecture_summary == "2 × conv2d-encoder + descriptors"
        for name, values in one.items():
            torch.testing.assert_close(values, first[f"0.{name}"])
            torch.testing.assert_close(other[name], 2 * values)

    def test_there_may_be_none(self, copied) -> None:
        card = rewritten(copied, {}, networks=(), descriptors=True)
        assert find_model(str(copied)).networks() == []
        assert card.architecture_summary == "descriptors"

    def test_weights_that_no_network_takes_are_reported(self, copied) -> None:
        values = load_file(copied / WEIGHTS)
        rewritten(copied, values | {"1.stray": torch.zeros(1)})
        with pytest.raises(WeightsError, match=r"nothing takes 1\.stray"):
            find_model(str(copied)).networks()

    def test_weights_that_are_missing_are_reported(self, copied) -> None:
        rewritten(copied, {})
        with pytest.raises(WeightsError, match="does not fit its card"):
            find_model(str(copied)).networks()


class TestSpace:
    def test_descriptors_and_their_version_change_it(self, copied, monkeypatch) -> None:
        described = find_model().space()
        dataclasses.replace(find_model().card, descriptors=False).write(copied / CARD)
        without = find_model(str(copied)).space()
        monkeypatch.setattr(descriptors, "VERSION", descriptors.VERSION + 1)
        newly = find_model().space()
        assert len({space.weights for space in (described, without, newly)}) == 3
        assert find_model(str(copied)).space() == without

    def test_windowing_and_weights_change_it(self, copied) -> None:
        space = find_model().space()
        assert find_model().space(Windowing(**find_model().card.windowing)) == space
        assert find_model().space(Windowing(count=7)) != space
        card = dataclasses.replace(find_model().card, weights_digest="000000000000")
        card.write(copied / CARD)
        assert find_model(str(copied)).space() != space


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
        projection = find_model().projection()
        projection.save(tmp_path / "p.safetensors")
        assert Projection.load(tmp_path / "p.safetensors").digest == projection.digest

    def test_rounding_changes_similarities_by_less_than_a_thousandth(self) -> None:
        generator = np.random.default_rng(0)
        for size in (64, 3000):  # as float16, and as what compresses better
            x = generator.normal(size=(40, size)).astype(np.float32)
            matrix = generator.normal(size=(size, 30)).astype(np.float32)
            projection = Projection(x.mean(axis=0), matrix)
            one, other = (p.apply(x) for p in (projection, projection.rounded()))
            assert 0 < np.abs(one @ one.T - other @ other.T).max() < 1e-3

    def test_the_shipped_ones_are_rounded(self) -> None:
        for name in shipped_models():
            projection, head = find_model(name).projection(), find_model(name).head()
            assert projection.rounded().digest == projection.digest
            assert head.rounded().digest == head.digest

    def test_other_dimension_is_refused(self) -> None:
        with pytest.raises(SpaceMismatch, match="recsys ingest"):
            find_model().projection().apply(np.zeros((1, 3), dtype=np.float32))


class TestHead:
    @settings(max_examples=50, deadline=None)
    @given(
        hnp.arrays(np.float32, (5, 4), elements=FLOATS),
        hnp.arrays(np.float32, (4, 3), elements=FLOATS),
        hnp.arrays(np.float32, 3, elements=FLOATS),
    )
    def test_is_torchs_softmax_of_a_linear_layer(self, activations, weight, bias) -> None:
        found = GenreHead(weight, bias).probabilities(activations)
        x, w, b = (torch.from_numpy(a).double() for a in (activations, weight, bias))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(found, (x @ w + b).softmax(dim=1).numpy(), atol=2e-2)

    def test_round_trip(self, tmp_path) -> None:
        head = find_model().head()
        head.save(tmp_path / "h.safetensors")
        assert GenreHead.load(tmp_path / "h.safetensors").digest == head.digest
        assert GenreHead(head.weight, head.bias + 1).digest != head.digest

    def test_other_dimension_is_refused(self) -> None:
        with pytest.raises(SpaceMismatch, match="recsys ingest"):
            find_model().head().probabilities(np.zeros((1, 3), dtype=np.float32))


class TestParts:
    def test_they_follow_each_other(self) -> None:
        parts = ActivationLayout.of([3, 5], descriptors=True)
        assert parts.networks == (slice(0, 3), slice(3, 8))
        assert parts.all_networks == slice(0, 8)
        assert parts.descriptors == slice(8, 8 + descriptors.DIMENSION)

    def test_either_may_be_absent(self) -> None:
        assert ActivationLayout.of([3], descriptors=False).descriptors is None
        alone = ActivationLayout.of([], descriptors=True)
        assert (alone.networks, alone.all_networks) == ((), slice(0, 0))
        assert alone.descriptors == slice(0, descriptors.DIMENSION)
