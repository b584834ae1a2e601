"""MusiCNN, the tagging network of Pons & Serra, as a module of torch.

Source: Pons & Serra, "musicnn: pre-trained convolutional neural networks for music audio tagging"
(ISMIR 2019, late-breaking); the architecture is that of Pons et al., "End-to-end learning for music
audio tagging at scale" (ISMIR 2018), section 3.2. Kernels as tall as much of the spectrogram learn
timbre, kernels as long as much of the patch learn rhythm; three convolutions along time follow, and
all of it is pooled over time.

It is here for reference, for training and for other devices than the CPU; `musicnn_graph` serves.
"""

from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from recommender.networks.musicnn_graph import TEMPORAL, TIMBRAL

FILTERS, TEMPORAL_FILTERS, WIDTH, UNITS = 204, 51, 64, 200
CHANNELS = FILTERS * len(TIMBRAL) + TEMPORAL_FILTERS * len(TEMPORAL)


class Musicnn(nn.Module):
    """Patches of a spectrogram in; activations before the classifier, and tag probabilities, out.

    Attributes:
        feature_dim: number of activations, tags included.
    """

    def __init__(self, *, n_tags: int, n_mels: int = 96) -> None:
        """Build the network with random weights."""
        super().__init__()
        self.feature_dim = UNITS + n_tags
        self.bands = nn.BatchNorm2d(1)
        heights = [int(share * n_mels) for share in TIMBRAL]
        self.timbral = nn.ModuleList(_block(FILTERS, (height, 7)) for height in heights)
        self.temporal = nn.ModuleList(_block(TEMPORAL_FILTERS, (1, long)) for long in TEMPORAL)
        widths = (CHANNELS, WIDTH, WIDTH)
        self.middle = nn.ModuleList(
            nn.Sequential(nn.Conv1d(width, WIDTH, 7, padding=3), nn.BatchNorm1d(WIDTH))
            for width in widths
        )
        pooled = 2 * (CHANNELS + len(widths) * WIDTH)
        self.pooled_norm = nn.BatchNorm1d(pooled)
        self.dense = nn.Linear(pooled, UNITS)
        self.dense_norm = nn.BatchNorm1d(UNITS)
        self.tags = nn.Linear(UNITS, n_tags)

    def activations(self, patches: torch.Tensor) -> torch.Tensor:
        """Activations before the classifier, then the probability of each tag.

        Args:
            patches: [batch, n_mels, frames], as `features.mel_patches` makes them.

        Returns:
            [batch, feature_dim]
        """
        image = self.bands(patches[:, None])
        rows = [_over_bands(block, image) for block in (*self.timbral, *self.temporal)]
        front = torch.cat(rows, dim=1)  # [batch, CHANNELS, frames]
        layers = [front]
        for index, block in enumerate(self.middle):
            convolution, norm = cast(nn.Sequential, block)
            found = norm(F.relu(convolution(layers[-1])))
            layers.append(found + layers[-1] if index else found)
        features = torch.cat(layers, dim=1)
        pooled = torch.cat([features.amax(dim=2), features.mean(dim=2)], dim=1)
        penultimate = self.dense_norm(F.relu(self.dense(self.pooled_norm(pooled))))
        return torch.cat([penultimate, self.tags(penultimate).sigmoid()], dim=1)


def _block(filters: int, kernel: tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, filters, kernel), nn.BatchNorm2d(filters))


def _over_bands(block: nn.Module, image: torch.Tensor) -> torch.Tensor:
    """The largest value over the bands, [batch, filters, frames]."""
    convolution, norm = cast(nn.Sequential, block)
    length = cast(nn.Conv2d, convolution).kernel_size[1]
    # So that an even kernel, too, gives as many frames as there are.
    padded = F.pad(image, ((length - 1) // 2, length // 2))
    found: torch.Tensor = norm(F.relu(convolution(padded))).amax(dim=2)
    return found
