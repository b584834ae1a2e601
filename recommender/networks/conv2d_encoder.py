"""The 2D convolutional encoder, after SegNet.

Rush & Datta, section on convolutional encoders: two Conv2D layers with ReLU, each followed by leaky
ReLU and batch normalisation, then a dense softmax layer. A leaky ReLU after a ReLU is the identity,
for gradients too, and so it is built as that.

Where the paper is silent: 64 and 32 filters of kernel 3, no stride and no pooling between layers.
The output of the last layer has 32 x 128 x 129 values; before the dense layer the frames are
averaged and the bands too, in groups, so that 8 bands remain. Pooling after a layer, as SegNet's
encoder has it, makes the network several times cheaper.
"""

import functools
import itertools
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from recommender.networks.base import GenreNetwork
from recommender.networks.registry import register_model

BANDS_KEPT = 8


@register_model("conv2d-encoder", section="2D convolutional encoder")
class Conv2dEncoder(GenreNetwork):
    """2D convolutional encoder: Conv2D layers 64-32 with batch normalisation, pooling, softmax."""

    def __init__(
        self,
        *,
        n_mels: int,
        n_classes: int,
        filters: Sequence[int] = (64, 32),
        kernel: int = 3,
        pooling: Sequence[Sequence[int]] = (),
        channels: int = 1,
    ) -> None:
        """Build the network with random weights.

        Args:
            pooling: after each layer, over how many bands and frames the largest value is taken;
                without it nothing is pooled.
            channels: groups that the bands make, as channels of the image.
        """
        super().__init__(n_mels)
        self.channels = channels
        widths = (channels, *filters)
        sizes = pooling or [(1, 1)] * len(filters)
        self.blocks = nn.Sequential(
            *(
                _Block(narrow, wide, kernel, size)
                for (narrow, wide), size in zip(itertools.pairwise(widths), sizes, strict=True)
            )
        )
        self.feature_dim = filters[-1] * BANDS_KEPT
        self.dropout = nn.Dropout(0.0)  # the paper names none
        self.classifier = nn.Linear(self.feature_dim, n_classes)

    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """Means of the last layer's output over time and over groups of bands."""
        images = self.images(clips)
        features = self.blocks(images)  # [batch, filters[-1], n_mels, frames], less what is pooled
        return F.adaptive_avg_pool2d(features, (BANDS_KEPT, 1)).flatten(1)


class _Block(nn.Sequential):
    """A layer with its normalisation, and the pooling after it where there is one."""

    def __init__(self, width_in: int, width_out: int, kernel: int, pooled: Sequence[int]) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(width_in, width_out, kernel, padding=kernel // 2),
            nn.ReLU(inplace=True),
            nn.Identity(),  # the leaky ReLU
            nn.BatchNorm2d(width_out),
        ]
        bands, frames = pooled
        if (bands, frames) != (1, 1):
            layers.append(nn.MaxPool2d((bands, frames)))
        super().__init__(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """The block's output; in evaluation pooled before all that keeps what is largest."""
        convolution, *others = self
        images = convolution(images)
        last = others[-1]
        if isinstance(last, nn.MaxPool2d) and self._rises:
            bands, frames = cast(tuple[int, int], last.kernel_size)
            if images.shape[2] >= bands and images.shape[3] >= frames:  # or else it says so itself
                images = _largest(images, bands, frames)
                others.pop()
        for layer in others:
            images = layer(images)
        return images

    @property
    def _rises(self) -> bool:
        """Whether the normalisation is fixed and rises with its input."""
        scales = cast(nn.BatchNorm2d, self[3]).weight
        return not self.training and bool(torch.all(scales > 0))


def _largest(images: torch.Tensor, bands: int, frames: int) -> torch.Tensor:
    """As `nn.MaxPool2d`, which also stores the indices and takes twice the time."""
    height, width = (images.shape[2] // bands * bands, images.shape[3] // frames * frames)
    rows = [images[:, :, start:height:bands] for start in range(bands)]
    largest = functools.reduce(torch.maximum, rows)
    columns = [largest[..., start:width:frames] for start in range(frames)]
    return functools.reduce(torch.maximum, columns)
