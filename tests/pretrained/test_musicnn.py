"""The model `musicnn`: added whole or not at all, and computing what its networks do."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest
import sounds
import torch
from golden_sounds import RATE, golden_sound
from tensor_bundles import TAGS, bundle, random_tensors, write_wheel

from recommender.audio.reader import AudioClip
from recommender.embedding.embedder import Embedder
from recommender.embedding.inference import TorchNetwork, serving_networks
from recommender.embedding.model_files import added_models, find_model, models_folder, named_models
from recommender.embedding.tags import tags_of
from recommender.errors import NotFinite, WeightsError, WeightsNotFetched
from recommender.features.mel_patches import PatchFrontEnd, mel_patches
from recommender.pretrained import musicnn
from recommender.pretrained.model_folders import remove_model
from recommender.pretrained.musicnn_weights import WEIGHTS, tensor_shapes


def nothing_added() -> bool:
    return not models_folder().exists() or not list(models_folder().iterdir())


def test_a_network_has_as_many_weights_as_its_makers_say() -> None:
    assert sum(int(np.prod(shape)) for shape in tensor_shapes().values()) == WEIGHTS


class TestAdding:
    def test_the_model_is_found_by_name_and_computes_what_torch_does(self, known_wheel) -> None:
        with pytest.raises(WeightsError, match="recsys models add musicnn"):
            find_model("musicnn")
        files, _ = musicnn.add_musicnn(known_wheel)
        assert added_models() == ("combined", "musicnn")
        assert "musicnn" in named_models()
        assert files.folder == models_folder() / "musicnn"
        patches = mel_patches([AudioClip(golden_sound("beat"), RATE)], PatchFrontEnd(count=2))
        assert patches.shape == (2, 96, 187)
        for network, torch_network in zip(serving_networks(files), files.networks(), strict=True):
            found = network.activations(patches)
            expected = TorchNetwork(torch_network, "cpu").activations(patches)
            assert found.shape == (2, 250)
            np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_added_again_it_is_replaced_and_what_was_removed_is_gone(self, known_wheel) -> None:
        for _ in range(2):
            musicnn.add_musicnn(known_wheel)
        names = sorted(path.name for path in models_folder().iterdir())
        assert names == ["combined", "musicnn"]
        remove_model("musicnn")
        with pytest.raises(WeightsError, match=r"'musicnn' was added; there are: combined"):
            remove_model("musicnn")
        remove_model("combined")
        assert nothing_added()
        with pytest.raises(WeightsError, match=r"no model 'musicnn' was added; there are: none"):
            remove_model("musicnn")
        with pytest.raises(WeightsError, match="part of the package"):
            remove_model("default")

    def test_the_card_says_where_it_comes_from(self, known_wheel) -> None:
        files, _ = musicnn.add_musicnn(known_wheel)
        card = files.card
        assert "ISC" in card.licence
        assert "non-commercial" in card.licence
        assert "Million Song Dataset" in card.data["trained_on"]
        assert "MagnaTagATune" in card.data["trained_on"]
        tags = tags_of(card)
        assert [tag.name for tag in tags[:3]] == ["rock", "pop", "electronic"]
        assert [tag.column for tag in (tags[0], tags[49], tags[50])] == [200, 249, 450]
        assert {tag.network for tag in tags} == set(TAGS)


class TestAnalysing:
    def test_windows_give_activations_tags_and_genres(self, known_wheel) -> None:
        embedder = Embedder(musicnn.add_musicnn(known_wheel)[0])
        sound = golden_sound("plucked")
        clips = tuple(AudioClip(sound[start : start + 3 * RATE], RATE) for start in (0, 50_000))
        activations, probabilities = embedder.analyse_clips(clips)
        assert activations.shape == (500,)
        assert probabilities.sum() == pytest.approx(1, abs=1e-5)
        tags = activations[[tag.column for tag in tags_of(find_model("musicnn").card)]]
        assert ((tags > 0) & (tags < 1)).all()
        vector = embedder.project(activations[None])[0]
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
        single = [embedder.analyse_clips((clip,))[0] for clip in clips]
        np.testing.assert_allclose(activations, np.mean(single, axis=0), atol=1e-5)

    def test_combined_joins_what_both_models_compute(self, known_wheel, tmp_path) -> None:
        models = (*musicnn.add_musicnn(known_wheel), find_model())
        path = tmp_path / "a.wav"
        sounds.write_sound(path, sounds.music(4, 22_050, 0), 22_050)
        alone, both, default = (Embedder(files).analyse(path) for files in models)
        np.testing.assert_array_equal(
            both.activations, np.concatenate([alone.activations, default.activations])
        )
        assert both.genre_probabilities == pytest.approx(alone.genre_probabilities, abs=1e-6)
        assert both.samples_hash == alone.samples_hash == default.samples_hash
        assert tags_of(models[1].card) == tags_of(models[0].card)
        projected = models[1].projection().apply(both.activations[None])
        assert np.linalg.norm(projected) == pytest.approx(1, abs=1e-4)

    def test_a_short_sound_is_repeated_and_one_far_too_loud_refused(self, known_wheel) -> None:
        embedder = Embedder(musicnn.add_musicnn(known_wheel)[0])
        short = AudioClip(golden_sound("beat")[:RATE], RATE)
        assert np.isfinite(embedder.analyse_clips((short,))[0]).all()
        loud = AudioClip(np.float32(1e25) * golden_sound("beat"), RATE)
        with pytest.raises(NotFinite, match="too large"):
            embedder.analyse_clips((loud,))


class TestRefusing:
    def test_another_wheel(self, toy_wheel) -> None:
        digest = hashlib.sha256(toy_wheel.read_bytes()).hexdigest()
        with pytest.raises(WeightsError, match=rf"is not the wheel .*{digest}.*Nothing"):
            musicnn.add_musicnn(toy_wheel)
        assert nothing_added()

    @pytest.mark.parametrize("name", ["absent.whl", "."])
    def test_no_file(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(WeightsError, match="cannot be read"):
            musicnn.add_musicnn(tmp_path / name)
        assert nothing_added()

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            ({".data-00000-of-00001": bundle(random_tensors(0))[1][:99]}, "MSD_musicnn is cut off"),
            ({".index": b"nothing"}, "index of the checkpoint MSD_musicnn cannot be read"),
            (
                dict(
                    zip(
                        (".index", ".data-00000-of-00001"),
                        bundle(random_tensors(0) | {"dense/bias": np.zeros(7)}),
                        strict=True,
                    )
                ),
                r"dense/bias .* has the shape \(7,\)",
            ),
        ],
        ids=["truncated", "no index", "another shape"],
    )
    def test_a_damaged_checkpoint(self, tmp_path, monkeypatch, damage, reason: str) -> None:
        named = {f"musicnn/MSD_musicnn/{name}": content for name, content in damage.items()}
        self.add_fails(write_wheel(tmp_path / "a.whl", named), monkeypatch, reason)

    def test_tags_that_cannot_be_read(self, tmp_path: Path, monkeypatch) -> None:
        for source in (b"MSD_LABELS = open('x')", b"def", b"MSD_LABELS = ['rock']"):
            wheel = write_wheel(tmp_path / "a.whl", {"musicnn/configuration.py": source})
            self.add_fails(wheel, monkeypatch, "tags")

    def test_no_network(self, monkeypatch) -> None:
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        with pytest.raises(WeightsNotFetched, match=r"could not be fetched \(.+\)\. Nothing"):
            musicnn.add_musicnn()
        assert nothing_added()

    def test_a_folder_that_cannot_be_written(self, known_wheel, tmp_path, monkeypatch) -> None:
        (tmp_path / "file").write_text("no folder")
        monkeypatch.setenv("RECSYS_MODELS", str(tmp_path / "file" / "models"))
        with pytest.raises(WeightsError, match="cannot be added to"):
            musicnn.add_musicnn(known_wheel)

    @staticmethod
    def add_fails(wheel: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        monkeypatch.setattr(musicnn, "WHEEL", dataclasses.replace(musicnn.WHEEL, sha256=digest))
        with pytest.raises(WeightsError, match=reason):
            musicnn.add_musicnn(wheel)
        assert nothing_added()


def test_torch_trains_it(known_wheel) -> None:
    """Gradients reach every weight."""
    (network, _) = musicnn.add_musicnn(known_wheel)[0].networks()
    network.activations(torch.rand(2, 96, 187)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
