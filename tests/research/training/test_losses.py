"""Training losses, and initial weights by SimCLR pre-training."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from recommender.networks import GenreNetwork, create_model
from recommender.research.training.augmentation import Augmentation, standardised_batch
from recommender.research.training.inference import TrackSet
from recommender.research.training.loop import train
from recommender.research.training.losses import (
    contrastive_loss,
    cross_entropy,
    cross_entropy_with_contrast,
    distillation,
)
from recommender.research.training.settings import TrainingSettings
from recommender.research.training.simclr import PretrainingSettings, pretrained_weights

GENRES = 4
SETTINGS = TrainingSettings(
    model_settings={"filters": (8, 6)},
    epochs=1,
    batch_size=8,
    select_epoch_by="last",
    ema_decay=0.0,
    crop_frames=20,
    clip_frames=30,
    clips_per_track=2,
    augmentation=Augmentation(mask_bands=4, mask_frames=4),
)


def network(seed: int) -> GenreNetwork:
    torch.manual_seed(seed)
    return create_model("conv1d-encoder", n_mels=16, n_classes=GENRES, filters=(8, 6)).eval()


def batch(size: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    clips = torch.randn(size, 16, 20, generator=generator)
    targets = torch.rand(size, GENRES, generator=generator)
    return clips, targets / targets.sum(dim=1, keepdim=True)


class TestContrast:
    def test_known_answer(self) -> None:
        one, other = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 0.5])
        vectors = torch.stack([one, other, one, other])
        pairs = torch.eye(2).repeat(2, 2)
        expected = math.log((math.exp(1 / 0.5) + 2) / math.exp(1 / 0.5))
        assert float(contrastive_loss(vectors, pairs, 0.5)) == pytest.approx(expected)

    def test_similarity_to_oneself_does_not_count(self) -> None:
        vectors = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
        similarity = torch.rand(5, 5, generator=torch.Generator().manual_seed(2))
        less = similarity.clone().fill_diagonal_(0)
        assert contrastive_loss(vectors, similarity, 0.1) == contrastive_loss(vectors, less, 0.1)

    def test_what_is_like_nothing_adds_nothing(self) -> None:
        vectors = torch.randn(4, 3, requires_grad=True)
        loss = contrastive_loss(vectors, torch.zeros(4, 4), 0.1)
        loss.backward()
        assert loss == 0
        assert torch.isfinite(vectors.grad).all()


class TestObjectives:
    def test_without_weight_or_share_all_are_cross_entropy(self) -> None:
        student, (clips, targets) = network(0), batch()
        expected = F.cross_entropy(student(clips), targets)
        for loss_function in (
            cross_entropy,
            cross_entropy_with_contrast(weight=0.0, temperature=0.1),
            distillation([network(1)], weight=0.0, temperature=2.0),
        ):
            logits, loss = loss_function(student, clips, targets)
            torch.testing.assert_close(logits, student(clips))
            torch.testing.assert_close(loss, expected)

    def test_contrast_is_added_to_cross_entropy(self) -> None:
        student, (clips, targets) = network(0), batch()
        _, bare = cross_entropy(student, clips, targets)
        _, loss = cross_entropy_with_contrast(weight=0.5, temperature=0.1)(student, clips, targets)
        found = contrastive_loss(student.activations(clips), targets @ targets.T, 0.1)
        torch.testing.assert_close(loss, bare + 0.5 * found)

    def test_a_teacher_has_the_least_distillation_loss(self) -> None:
        teacher, (clips, targets) = network(1), batch()
        loss_function = distillation([teacher], weight=1.0, temperature=2.0)
        own = loss_function(teacher, clips, targets)[1]
        for seed in range(2, 6):
            assert loss_function(network(seed), clips, targets)[1] > own

    def test_distillation_is_of_softened_probabilities_with_the_same_gradient_scale(self) -> None:
        """Known answer at temperature 2: cross-entropy of halved logits, times four."""
        teacher, student, (clips, targets) = network(1), network(0), batch()
        _, loss = distillation([teacher], weight=1.0, temperature=2.0)(student, clips, targets)
        shown = F.softmax(teacher(clips) / 2, dim=1)
        expected = 4 * -(shown * F.log_softmax(student(clips) / 2, dim=1)).sum(dim=1).mean()
        torch.testing.assert_close(loss, expected)

    def test_several_teachers_are_averaged(self) -> None:
        teachers, (clips, targets) = [network(1), network(2)], batch()
        _, loss = distillation(teachers, weight=1.0, temperature=1.0)(network(0), clips, targets)
        shown = sum(F.softmax(teacher(clips), dim=1) for teacher in teachers) / 2
        torch.testing.assert_close(loss, F.cross_entropy(network(0)(clips), shown))


class TestBeginning:
    @pytest.fixture
    def tracks(self) -> TrackSet:
        generator = np.random.default_rng(0)
        tones = 20 * generator.normal(size=(12, 16, 1))
        decibels = tones + generator.normal(size=(12, 16, 60))
        return TrackSet(decibels.astype(np.float32), np.arange(12) % GENRES)

    def test_pretraining_looks_at_no_label(self, tracks) -> None:
        how = PretrainingSettings(epochs=2, batch_size=6)
        found = pretrained_weights(SETTINGS, how, tracks, GENRES)
        others = TrackSet(tracks.decibels, tracks.labels[::-1].copy())
        again = pretrained_weights(SETTINGS, how, others, GENRES)
        assert all(torch.equal(found[name], again[name]) for name in found)

    def test_pretraining_brings_crops_of_one_track_together(self, tracks) -> None:
        long = PretrainingSettings(epochs=30, batch_size=12)
        none = dataclasses.replace(long, epochs=1, learning_rate=1e-9)
        ends = tracks.decibels[..., :20], tracks.decibels[..., -20:]
        crops = standardised_batch(torch.from_numpy(np.concatenate(ends)))
        pairs = torch.eye(12).repeat(2, 2)

        def final_loss(how: PretrainingSettings) -> float:
            student = network(0)
            student.load_state_dict(pretrained_weights(SETTINGS, how, tracks, GENRES))
            return float(contrastive_loss(student.eval().activations(crops), pairs, 0.2).detach())

        assert final_loss(long) < final_loss(none)

    def test_training_starts_from_the_initial_weights(self, tracks) -> None:
        weights = network(3).state_dict()
        still = dataclasses.replace(SETTINGS, learning_rate=1e-12)
        trained = train(still, tracks, None, GENRES, initial_weights=weights).network
        for name, value in trained.named_parameters():
            torch.testing.assert_close(value, weights[name], atol=1e-6, rtol=0)

    def test_training_follows_the_loss_alone(self, tracks) -> None:
        seen, weights = [], network(3).state_dict()

        def loss_function(student, clips, targets):
            logits, loss = cross_entropy(student, clips, targets)
            seen.append(len(clips))
            return logits, 0 * loss + 7

        still = dataclasses.replace(SETTINGS, weight_decay=0.0)
        found = train(still, tracks, None, GENRES, loss=loss_function, initial_weights=weights)
        assert seen == [8, 8, 8]
        assert found.history[0].train_loss == 7
        for name, value in found.network.named_parameters():
            torch.testing.assert_close(value, weights[name], atol=0, rtol=0)
