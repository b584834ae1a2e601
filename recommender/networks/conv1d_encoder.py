"""The 1D convolutional encoder, the paper's recommendation.

Rush & Datta, section on convolutional encoders: two blocks of Conv1D, ReLU, leaky ReLU and batch
normalisation with 512 and 256 filters, then a dense softmax layer.

Where the paper is silent: kernel 3 and no stride; dropout before the classifier; and, between the
last block and the dense layer, mean and deviation over time ("statistics pooling", Snyder et al.
2018), so that clips of any length give activations of one size. A leaky ReLU after a ReLU is the
identity on what the ReLU lets through; it is built as the paper writes it.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import nn

from recommender.networks.base import GenreNetwork
from recommender.networks.registry import register_model


@register_model("conv1d-encoder", section="1D convolutional encoder")
class Conv1dEncoder(GenreNetwork):
    """1D convolutional encoder: Conv1D blocks 512-256 along time, statistics pooling, softmax."""

    def __init__(
        self,
        *,
        n_mels: int,
        n_classes: int,
        filters: Sequence[int] = (512, 256),
        kernel: int = 3,
        dropout: float = 0.3,
    ) -> None:
        """Build the network with random weights."""
        super().__init__(n_mels)
        widths = (n_mels, *filters)
        self.blocks = nn.Sequential(
            *(_block(narrow, wide, kernel) for narrow, wide in itertools.pairwise(widths))
        )
        self.feature_dim = 2 * filters[-1]
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.feature_dim, n_classes)

    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """Mean and deviation over time of the last block's output."""
        # [batch, n_mels, frames] → [batch, filters[-1], frames]
        features = self.blocks(self.bands(clips))
        mean = features.mean(dim=2)
        deviation = features.var(dim=2, unbiased=False).clamp(min=1e-6).sqrt()
        return torch.cat([mean, deviation], dim=1)  # [batch, 2 * filters[-1]]


def _block(width_in: int, width_out: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(width_in, width_out, kernel, padding=kernel // 2),
        nn.ReLU(),
        nn.LeakyReLU(0.01),
        nn.BatchNorm1d(width_out),
    )
