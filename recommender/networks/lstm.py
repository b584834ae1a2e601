"""The LSTM: two recurrent layers over the frames of the clip.

Rush & Datta, section on the LSTM: two LSTM layers with tanh, dropout after each, L2 regularisation
of the kernels, a dense softmax layer; 10, 32 or 128 hidden units.

Where the paper is silent: dropout 0.3, L2 factor 0.001 on the input kernels (as Keras' "kernel
regularizer", which leaves the recurrent kernels free), and the second layer's last output goes to
the dense layer.
"""

from collections.abc import Iterable

import torch
from torch import nn

from recommender.networks.base import GenreNetwork
from recommender.networks.registry import register_model


@register_model("lstm", section="LSTM")
class Lstm(GenreNetwork):
    """Two LSTM layers along time with dropout and L2 on the kernels; the last output, softmax."""

    def __init__(
        self,
        *,
        n_mels: int,
        n_classes: int,
        units: int = 128,
        dropout: float = 0.3,
        kernel_l2: float = 1e-3,
    ) -> None:
        """Build the network with random weights."""
        super().__init__(n_mels)
        self.kernel_l2 = kernel_l2
        self.layers = nn.LSTM(n_mels, units, num_layers=2, dropout=dropout, batch_first=True)
        self.feature_dim = units
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(units, n_classes)

    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """The second layer's output at the last frame."""
        frames = self.bands(clips).transpose(1, 2)  # [batch, frames, n_mels]
        outputs, _ = self.layers(frames)  # [batch, frames, units]
        last: torch.Tensor = outputs[:, -1]
        return last

    def kernels(self) -> Iterable[torch.Tensor]:
        """The input kernels of both layers."""
        named = dict(self.layers.named_parameters())
        return (named["weight_ih_l0"], named["weight_ih_l1"])
