"""SimCLR pre-training (Chen et al. 2020): initial weights learned without labels.

Of two differently augmented crops of every track of a batch, each should find the other among all.
A small projection network behind the activations, discarded afterwards, takes the loss, so that the
activations need not discard what the augmentations were.
"""

from dataclasses import dataclass

import torch
from torch import nn

from recommender.networks import create_model
from recommender.research.training.augmentation import UNCHANGED, augmented, random_crops
from recommender.research.training.inference import TrackSet
from recommender.research.training.losses import contrastive_loss
from recommender.research.training.settings import TrainingSettings
from recommender.utils.malloc import reuse_memory_while_training


@dataclass(frozen=True)
class PretrainingSettings:
    """Of the pre-training; network and augmentation are those of `TrainingSettings`.

    Attributes:
        epochs: each sees two crops of every track, `crops` times.
        batch_size: tracks.
        temperature: that cosines are divided by.
        dimension: of the vectors that the loss compares.
    """

    epochs: int = 20
    crops: int = 3
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    temperature: float = 0.2
    dimension: int = 64


def pretrained_weights(
    settings: TrainingSettings, pretraining: PretrainingSettings, tracks: TrackSet, n_classes: int
) -> dict[str, torch.Tensor]:
    """Initial weights for `training.loop.train`. Labels are not used.

    Args:
        settings: the network, its seed, crop length and augmentation.
        pretraining: the run.
        tracks: to learn from.
        n_classes: of the network, whose classifier keeps its random weights.
    """
    torch.manual_seed(settings.seed)
    reuse_memory_while_training()
    network = create_model(
        settings.model,
        n_mels=tracks.decibels.shape[1],
        n_classes=n_classes,
        **settings.model_settings,
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    head = nn.Sequential(
        nn.Linear(network.feature_dim, network.feature_dim),
        nn.ReLU(),
        nn.Linear(network.feature_dim, pretraining.dimension),
    )
    optimiser = torch.optim.AdamW(
        [*network.parameters(), *head.parameters()],
        lr=pretraining.learning_rate,
        weight_decay=pretraining.weight_decay,
    )
    rounds = pretraining.epochs * pretraining.crops
    steps = rounds * -(-len(tracks) // pretraining.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, pretraining.learning_rate, steps)
    generator = torch.Generator().manual_seed(settings.seed)
    augmentation = settings.augmentation or UNCHANGED
    whole = torch.from_numpy(tracks.decibels)
    for _ in range(rounds):
        order = torch.randperm(len(whole), generator=generator)
        for batch in torch.split(order, pretraining.batch_size):
            twice = whole[batch.repeat(2)]
            crops = random_crops(twice, settings.crop_frames, augmentation, generator)
            vectors = head(network.activations(augmented(crops, augmentation, generator)))
            pairs = torch.eye(len(batch)).repeat(2, 2)
            optimiser.zero_grad()
            contrastive_loss(vectors, pairs, pretraining.temperature).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return dict(network.state_dict())
