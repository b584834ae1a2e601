"""The Transformer encoder: self-attention over the frames of the clip.

Rush & Datta, section on the Transformer: an encoder (Vaswani et al. 2017) with 10 attention heads
at the LSTM's 128 units, position information, dropout 0.5, a dense softmax layer.

How 10 heads meet 128 units: each head has 13 dimensions, so that queries, keys and values have 130,
and the layer's output projection leads back to 128. (Keras' MultiHeadAttention, whose head size is
independent of the width, works so too.)

Where the paper is silent: two layers, as the LSTM has; sinusoidal positions, which fit any length;
feed-forward of twice the width; normalisation before each part; the mean over the frames goes to
the dense layer.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from recommender.networks.base import GenreNetwork
from recommender.networks.registry import register_model


@register_model("transformer", section="Transformer encoder")
class Transformer(GenreNetwork):
    """Transformer encoder: 10-head self-attention at 128 units over the frames, mean, softmax."""

    def __init__(
        self,
        *,
        n_mels: int,
        n_classes: int,
        units: int = 128,
        heads: int = 10,
        layers: int = 2,
        dropout: float = 0.5,
    ) -> None:
        """Build the network with random weights."""
        super().__init__(n_mels)
        self.entry = nn.Linear(n_mels, units)
        self.entry_dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(*(_Layer(units, heads, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(units)
        self.feature_dim = units
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(units, n_classes)

    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """Mean over the frames of the last layer's output."""
        frames = self.entry(self.bands(clips).transpose(1, 2))  # [batch, frames, units]
        frames = frames + sinusoids(frames.shape[1], frames.shape[2], frames.device)
        mean: torch.Tensor = self.norm(self.layers(self.entry_dropout(frames))).mean(dim=1)
        return mean


class _Layer(nn.Module):
    """Self-attention and a feed-forward network, each normalised before and added to its input."""

    def __init__(self, units: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = _SelfAttention(units, heads)
        self.forward_network = nn.Sequential(
            nn.Linear(units, 2 * units), nn.ReLU(), nn.Linear(2 * units, units)
        )
        self.attention_norm = nn.LayerNorm(units)
        self.forward_norm = nn.LayerNorm(units)
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """[batch, frames, units] → the same shape."""
        frames = frames + self.dropout(self.attention(self.attention_norm(frames)))
        added = self.dropout(self.forward_network(self.forward_norm(frames)))
        summed: torch.Tensor = frames + added
        return summed


class _SelfAttention(nn.Module):
    """Multi-head self-attention whose heads together may be wider than its input."""

    def __init__(self, units: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        width = heads * math.ceil(units / heads)
        self.queries_keys_values = nn.Linear(units, 3 * width)
        self.out = nn.Linear(width, units)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """[batch, frames, units] → the same shape."""
        batch, length, _ = frames.shape
        # [batch, frames, 3 * width] → 3 of [batch, heads, frames, width / heads]
        parts = self.queries_keys_values(frames).view(batch, length, 3, self.heads, -1)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(queries, keys, values)
        joined: torch.Tensor = self.out(attended.transpose(1, 2).reshape(batch, length, -1))
        return joined


def sinusoids(frames: int, units: int, device: torch.device) -> torch.Tensor:
    """Sines and cosines of the frame's number, [frames, units] (Vaswani et al. 2017, 3.5)."""
    position = torch.arange(frames, device=device)[:, None]
    rate = torch.exp(torch.arange(0, units, 2, device=device) * (-math.log(10_000.0) / units))
    angles = position * rate  # [frames, units / 2]
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
