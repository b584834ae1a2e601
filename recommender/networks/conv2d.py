"""The 2D CNN, after Cheng et al.

Rush & Datta, section on the 2D CNN: five blocks of Conv2D with ReLU, max pooling and dropout 0.5,
kernel 3, filters 128-64-32-16-8, then a dense softmax layer; the same doubled and halved.

Where the paper is silent: pooling by 2 in both directions; the bands that remain (128 / 32 = 4) are
kept separate and the frames averaged, so that clips of any length give activations of one size.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import nn

from recommender.networks.base import GenreNetwork
from recommender.networks.registry import register_model


@register_model("conv2d", section="2D CNN")
class Conv2dNetwork(GenreNetwork):
    """2D CNN: five blocks of Conv2D, max pooling and dropout (128-64-32-16-8), softmax."""

    def __init__(
        self,
        *,
        n_mels: int,
        n_classes: int,
        filters: Sequence[int] = (128, 64, 32, 16, 8),
        kernel: int = 3,
        dropout: float = 0.5,
        channels: int = 1,
    ) -> None:
        """Build the network with random weights.

        Args:
            channels: groups that the bands make, as channels of the image.
        """
        super().__init__(n_mels)
        self.channels = channels
        widths = (channels, *filters)
        self.blocks = nn.Sequential(
            *(_block(narrow, wide, kernel, dropout) for narrow, wide in itertools.pairwise(widths))
        )
        self.feature_dim = filters[-1] * (n_mels // channels >> len(filters))
        self.dropout = nn.Dropout(0.0)  # each block ends with its own
        self.classifier = nn.Linear(self.feature_dim, n_classes)

    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """Mean over time of the last block's output, filters and bands in one row."""
        images = self.images(clips)
        features: torch.Tensor = self.blocks(images)  # [batch, 8, n_mels / 32, frames / 32]
        return features.mean(dim=3).flatten(1)  # [batch, 8 * n_mels / 32]


def _block(width_in: int, width_out: int, kernel: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width_in, width_out, kernel, padding=kernel // 2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(dropout),
    )
