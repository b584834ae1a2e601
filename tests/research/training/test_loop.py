"""The training loop: it learns, is reproducible, resumes, and uses the right tracks."""

import dataclasses

import numpy as np
import pytest
import torch

from recommender.errors import UsageError
from recommender.features.log_mel import standardised
from recommender.research.training.augmentation import (
    Augmentation,
    mixed,
    random_crops,
    random_equaliser,
    random_low_pass,
    random_masks,
    standardised_batch,
)
from recommender.research.training.inference import (
    TrackSet,
    clip_starts,
    evaluate,
    track_outputs,
)
from recommender.research.training.loop import train
from recommender.research.training.settings import TrainingSettings

BANDS, FRAMES, CLASSES = 16, 60, 3
TINY = TrainingSettings(
    model_settings={"filters": (12, 8)},
    epochs=4,
    batch_size=8,
    clip_frames=20,
    crop_frames=10,
    ema_decay=0.5,
    augmentation=Augmentation(mask_bands=2, mask_frames=2, pitch_bands=0.5, floor_db=2),
)
STILL = Augmentation(0, 0, 0, 0, 0, 0, 0)


def toy_tracks(per_class: int, seed: int) -> TrackSet:
    """Each class is loud in its own bands."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(CLASSES), per_class)
    decibels = generator.normal(-60, 5, (len(labels), BANDS, FRAMES)).astype(np.float32)
    for track, label in zip(decibels, labels, strict=True):
        track[5 * label : 5 * label + 5] += 30
    return TrackSet(decibels, labels)


@pytest.fixture(scope="module")
def splits() -> tuple[TrackSet, TrackSet]:
    return toy_tracks(12, seed=1), toy_tracks(6, seed=2)


def weights_of(result) -> list[torch.Tensor]:
    return list(result.network.state_dict().values())


def equal(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights_of(one), weights_of(other), strict=True))


class TestTrain:
    def test_learns_a_toy_world(self, splits) -> None:
        result = train(dataclasses.replace(TINY, epochs=12), *splits, CLASSES)
        assert evaluate(result.network, splits[1], TINY.clip_frames)[1] == 1.0

    def test_same_seed_same_weights_other_seed_others(self, splits) -> None:
        first, again = (train(TINY, *splits, CLASSES) for _ in range(2))
        other = train(dataclasses.replace(TINY, seed=1), *splits, CLASSES)
        assert equal(first, again)
        assert not equal(first, other)

    def test_interrupted_run_ends_like_an_uninterrupted_one(self, splits, tmp_path) -> None:
        whole = train(TINY, *splits, CLASSES)

        def stop_after_two(report) -> None:
            if report.epoch == 2:
                raise KeyboardInterrupt

        checkpoint = tmp_path / "run.pt"
        with pytest.raises(KeyboardInterrupt):
            train(TINY, *splits, CLASSES, checkpoint=checkpoint, on_epoch=stop_after_two)
        torch.manual_seed(99)  # whatever happened in between must not matter
        resumed = train(TINY, *splits, CLASSES, checkpoint=checkpoint)
        assert equal(whole, resumed)
        assert [r.epoch for r in resumed.history] == [1, 2, 3, 4]

    def test_checkpoint_of_other_settings_is_refused(self, splits, tmp_path) -> None:
        checkpoint = tmp_path / "run.pt"
        train(dataclasses.replace(TINY, epochs=1), *splits, CLASSES, checkpoint=checkpoint)
        with pytest.raises(UsageError, match="other settings"):
            train(TINY, *splits, CLASSES, checkpoint=checkpoint)

    def test_patience_ends_a_run_and_the_best_epoch_is_selected(self, splits) -> None:
        patient = dataclasses.replace(TINY, epochs=200, patience=3, learning_rate=0.05)
        result = train(patient, *splits, CLASSES)
        losses = [report.valid_loss for report in result.history]
        assert len(losses) < 200
        assert result.best_epoch == 1 + int(np.argmin(losses)) == len(losses) - 3
        selected = evaluate(result.network, splits[1], TINY.clip_frames)[0]
        assert selected == pytest.approx(min(losses), rel=1e-5)


class TestTrackOutputs:
    def test_a_track_is_the_mean_of_its_clips(self, splits) -> None:
        network = train(dataclasses.replace(TINY, epochs=1), *splits, CLASSES).network
        activations, probabilities = track_outputs(network, splits[1], TINY.clip_frames)
        track = splits[1].decibels[4]
        clips = [standardised(track[:, s : s + 20]) for s in (0, 20, 40)]
        with torch.no_grad():
            hidden = network.activations(torch.from_numpy(np.stack(clips)))
            shares = network.classify(hidden).softmax(dim=1)
        np.testing.assert_allclose(activations[4], hidden.mean(dim=0), atol=1e-5)
        np.testing.assert_allclose(probabilities[4], shares, atol=1e-5)
        np.testing.assert_allclose(probabilities.sum(axis=2), 1, atol=1e-5)

    def test_clips_cover_the_track(self) -> None:
        assert clip_starts(387, 129, 3) == [0, 129, 258]
        assert clip_starts(100, 129, 3) == [0, 0, 0]


class TestAugmentation:
    @pytest.fixture
    def generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(0)

    def test_nothing_switched_on_gives_plain_crops(self, splits, generator) -> None:
        tracks = torch.from_numpy(splits[0].decibels[:4])
        crops = random_crops(tracks, FRAMES, STILL, generator)
        np.testing.assert_allclose(crops, tracks, atol=1e-3)
        assert torch.equal(random_equaliser(tracks, STILL, generator), tracks)
        assert torch.equal(random_low_pass(tracks, STILL, generator), tracks)
        assert torch.equal(random_masks(tracks, STILL, generator), tracks)
        targets = torch.eye(4)
        assert mixed(tracks, targets, STILL, generator) == (tracks, targets)

    def test_crops_are_pieces_of_the_track(self, generator) -> None:
        ramp = torch.arange(FRAMES, dtype=torch.float32).expand(2, BANDS, FRAMES)
        crops = random_crops(ramp, 10, STILL, generator)
        assert torch.allclose(crops.diff(dim=2), torch.ones(2, BANDS, 9), atol=1e-3)
        assert crops.min() >= 0
        assert crops.max() <= FRAMES - 1

    def test_a_treble_cut_takes_the_top_down_to_the_floor(self, generator) -> None:
        clips = torch.rand(200, 128, 5, generator=generator) * 40 - 60
        cut = random_low_pass(clips, dataclasses.replace(STILL, low_pass=0.5), generator)
        changed = (cut != clips).any(dim=2)  # [batch, bands]
        assert not changed[:, :102].any()  # below 5.5 kHz nothing is lost
        assert 0.3 < changed.any(dim=1).float().mean() < 0.6
        assert (cut <= clips).all()
        assert torch.equal(cut.amin(dim=(1, 2)), clips.amin(dim=(1, 2)))
        lost = (clips - cut).mean(dim=2)[changed[:, -1]]
        assert (lost[:, -1] >= lost[:, 102]).all()

    def test_masks_have_the_mean_of_the_clip(self, splits, generator) -> None:
        clips = standardised_batch(torch.from_numpy(splits[0].decibels[:4]))
        masked = random_masks(clips, Augmentation(mask_bands=6, mask_frames=20), generator)
        changed = masked != clips
        assert changed.any()
        assert (masked[changed] == 0).all()

    def test_mixup_mixes_targets_as_it_mixes_clips(self, generator) -> None:
        one_hot = torch.eye(CLASSES)[torch.arange(8) % CLASSES]
        clips = one_hot[:, :, None].expand(8, CLASSES, 5)
        blended, targets = mixed(clips, one_hot, Augmentation(mixup=0.5), generator)
        np.testing.assert_allclose(blended[:, :, 0], targets, atol=1e-6)
        np.testing.assert_allclose(targets.sum(dim=1), 1, atol=1e-6)
        assert (targets.argmax(dim=1) == one_hot.argmax(dim=1)).all()

    def test_serving_and_training_standardise_alike(self, splits) -> None:
        clips = splits[0].decibels[:3]
        batch = standardised_batch(torch.from_numpy(clips))
        for clip, row in zip(clips, batch, strict=True):
            np.testing.assert_allclose(standardised(clip), row, atol=1e-4)


class TestPrecision:
    def test_bfloat16_learns_and_keeps_float32_weights(self, splits) -> None:
        settings = dataclasses.replace(TINY, model="conv2d-encoder", epochs=3, precision="bfloat16")
        settings = dataclasses.replace(settings, model_settings={"filters": (4, 4)})
        result = train(settings, *splits, CLASSES)
        assert all(w.dtype == torch.float32 for w in weights_of(result) if w.is_floating_point())
        assert result.history[-1].train_loss < result.history[0].train_loss
        exact = train(dataclasses.replace(settings, precision="float32"), *splits, CLASSES)
        assert any(
            not torch.equal(one, other)
            for one, other in zip(weights_of(result), weights_of(exact), strict=True)
        )

    def test_a_checkpoint_of_another_precision_is_refused(self, splits, tmp_path) -> None:
        file = tmp_path / "run.pt"
        train(dataclasses.replace(TINY, epochs=1), *splits, CLASSES, checkpoint=file)
        other = dataclasses.replace(TINY, epochs=1, precision="bfloat16")
        with pytest.raises(UsageError, match="other settings"):
            train(other, *splits, CLASSES, checkpoint=file)
