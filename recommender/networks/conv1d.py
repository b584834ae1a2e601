"""The 1D CNN, after Cheng et al.

Rush & Datta, section on the 1D CNN: blocks of Conv1D with ReLU, max pooling and dropout 0.3, kernel
3, then a dense softmax layer. Three blocks of 128-64-32 filters, and the same doubled; two blocks
of 128-64, and the same doubled. One variant regularises its kernels (`kernel_l2`).

Where the paper is silent: pooling by 2; the mean over the remaining frames goes to the dense layer,
so that clips of any length give activations of one size.
"""

import itertools
from collections.abc import Iterable, Sequence

import torch
from torch import nn

from recommender.networks.base import GenreNetwork
from recommender.networks.registry import register_model


@register_model("conv1d", section="1D CNN")
class Conv1dNetwork(GenreNetwork):
    """1D CNN: blocks of Conv1D, max pooling and dropout along time (128-64), mean, softmax."""

    def __init__(
        self,
        *,
        n_mels: int,
        n_classes: int,
        filters: Sequence[int] = (128, 64),
        kernel: int = 3,
        dropout: float = 0.3,
        kernel_l2: float = 0.0,
    ) -> None:
        """Build the network with random weights."""
        super().__init__(n_mels)
        self.kernel_l2 = kernel_l2
        widths = (n_mels, *filters)
        self.blocks = nn.Sequential(
            *(_block(narrow, wide, kernel, dropout) for narrow, wide in itertools.pairwise(widths))
        )
        self.feature_dim = filters[-1]
        self.dropout = nn.Dropout(0.0)  # each block ends with its own
        self.classifier = nn.Linear(self.feature_dim, n_classes)

    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """Mean over time of the last block's output."""
        features: torch.Tensor = self.blocks(self.bands(clips))  # [batch, filters[-1], frames / 4]
        return features.mean(dim=2)

    def kernels(self) -> Iterable[torch.Tensor]:
        """The kernels of all convolutions."""
        return (layer.weight for layer in self.blocks.modules() if isinstance(layer, nn.Conv1d))


def _block(width_in: int, width_out: int, kernel: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(width_in, width_out, kernel, padding=kernel // 2),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.Dropout(dropout),
    )
