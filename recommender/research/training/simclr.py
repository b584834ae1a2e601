"""What a network learns of tracks without their genres, before it is taught those.

SimCLR (Chen et al. 2020): of two crops of every track of a batch, changed by chance as for training
with genres, each should find the other among all. A small network behind the activations, thrown
away later, takes the loss, so that they need not forget what the changes were.
"""

from dataclasses import dataclass

import torch
from torch import nn

from recommender.networks import create_model
from recommender.research.training.augmentation import UNCHANGED, changed, random_crops
from recommender.research.training.inference import TrackSet
from recommender.research.training.loop import TrainingSettings
from recommender.research.training.losses import contrast
from recommender.utils.malloc import reuse_memory_while_training


@dataclass(frozen=True)
class PretrainingSettings:
    """Of the run; the network and how crops are changed are `TrainingSettings`'.

    Attributes:
        epochs: each sees two crops of every track, `crops` times.
        batch_size: tracks.
        temperature: that cosines are divided by.
        dimension: of what the loss compares.
    """

    epochs: int = 20
    crops: int = 3
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    temperature: float = 0.2
    dimension: int = 64


def pretrained(
    settings: TrainingSettings, how: PretrainingSettings, tracks: TrackSet, n_classes: int
) -> dict[str, torch.Tensor]:
    """Weights that `training.train` can begin with. Labels are not looked at.

    Args:
        settings: the network, its seed, length and changes of the crops.
        how: the run.
        tracks: to learn from.
        n_classes: of the network, whose classifier stays as it was drawn.
    """
    torch.manual_seed(settings.seed)
    reuse_memory_while_training()
    network = create_model(
        settings.model,
        n_mels=tracks.decibels.shape[1],
        n_classes=n_classes,
        **settings.model_settings,
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    behind = nn.Sequential(
        nn.Linear(network.feature_dim, network.feature_dim),
        nn.ReLU(),
        nn.Linear(network.feature_dim, how.dimension),
    )
    optimiser = torch.optim.AdamW(
        [*network.parameters(), *behind.parameters()],
        lr=how.learning_rate,
        weight_decay=how.weight_decay,
    )
    steps = how.epochs * how.crops * -(-len(tracks) // how.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.learning_rate, steps)
    generator = torch.Generator().manual_seed(settings.seed)
    augmentation = settings.augmentation or UNCHANGED
    whole = torch.from_numpy(tracks.decibels)
    for _ in range(how.epochs * how.crops):
        order = torch.randperm(len(whole), generator=generator)
        for chosen in torch.split(order, how.batch_size):
            twice = whole[chosen.repeat(2)]
            crops = random_crops(twice, settings.crop_frames, augmentation, generator)
            vectors = behind(network.activations(changed(crops, augmentation, generator)))
            pairs = torch.eye(len(chosen)).repeat(2, 2)
            optimiser.zero_grad()
            supervised_contrastive(vectors, pairs, how.temperature).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    return dict(network.state_dict())
