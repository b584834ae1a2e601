"""Residual networks: ResNet50, ResNet101 and the pre-activation ResNet50V2.

Rush & Datta, section on residual networks: ResNet50, ResNet101 and ResNet50V2.

ResNet50 and 101 follow He et al., "Deep residual learning for image recognition" (2016), with the
stride in the 3 x 3 convolution as torchvision has it; ResNet50V2 follows He et al., "Identity
mappings in deep residual networks" (2016), in the form Keras has it, which the paper used: stride
in a stage's last block, biases where no normalisation follows. The tests count their parameters
against the published ones. Only the first convolution differs: it takes images of one channel,
or of as many as the bands make groups.
"""

from collections.abc import Sequence

import torch
from torch import nn

from recommender.networks.base import GenreNetwork
from recommender.networks.registry import register_model

STAGE_WIDTHS = (64, 128, 256, 512)
EXPANSION = 4
"""A bottleneck's output is this many times wider than its 3 x 3 convolution."""


class _ResidualNetwork(GenreNetwork):
    """Trunk, global average pooling, softmax."""

    def __init__(self, n_mels: int, n_classes: int, channels: int, trunk: nn.Module) -> None:
        super().__init__(n_mels)
        self.channels = channels
        self.trunk = trunk
        self.feature_dim = EXPANSION * STAGE_WIDTHS[-1]
        self.dropout = nn.Dropout(0.0)  # the paper names none
        self.classifier = nn.Linear(self.feature_dim, n_classes)

    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """Mean over bands and frames of the trunk's output."""
        # [batch, channels, n_mels, frames] → [batch, 2048, n_mels / 32, frames / 32]
        features: torch.Tensor = self.trunk(self.images(clips))
        return features.mean(dim=(2, 3))


@register_model("resnet50", section="ResNet")
class ResNet50(_ResidualNetwork):
    """ResNet50: 16 bottleneck blocks, global average pooling, softmax."""

    def __init__(self, *, n_mels: int, n_classes: int, channels: int = 1) -> None:
        """Build the network with random weights."""
        super().__init__(n_mels, n_classes, channels, trunk((3, 4, 6, 3), channels))


@register_model("resnet101", section="ResNet")
class ResNet101(_ResidualNetwork):
    """ResNet101: 33 bottleneck blocks, global average pooling, softmax."""

    def __init__(self, *, n_mels: int, n_classes: int, channels: int = 1) -> None:
        """Build the network with random weights."""
        super().__init__(n_mels, n_classes, channels, trunk((3, 4, 23, 3), channels))


@register_model("resnet50v2", section="ResNet")
class ResNet50V2(_ResidualNetwork):
    """ResNet50V2: 16 pre-activation bottleneck blocks, global average pooling, softmax."""

    def __init__(self, *, n_mels: int, n_classes: int, channels: int = 1) -> None:
        """Build the network with random weights."""
        super().__init__(n_mels, n_classes, channels, pre_activation_trunk((3, 4, 6, 3), channels))


def trunk(blocks: Sequence[int], channels: int = 1) -> nn.Sequential:
    """The network up to its pooling: [batch, channels, h, w] → [batch, 2048, h / 32, w / 32].

    Args:
        blocks: bottlenecks of each of the four stages.
        channels: of the input.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
    ]
    width_in = 64
    for stage, (count, width) in enumerate(zip(blocks, STAGE_WIDTHS, strict=True)):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            layers.append(_Bottleneck(width_in, width, stride))
            width_in = EXPANSION * width
    return _initialised(nn.Sequential(*layers))


def pre_activation_trunk(blocks: Sequence[int], channels: int = 1) -> nn.Sequential:
    """As `trunk`, with normalisation and ReLU before each convolution."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, 64, 7, stride=2, padding=3),
        nn.MaxPool2d(3, stride=2, padding=1),
    ]
    width_in = 64
    for stage, (count, width) in enumerate(zip(blocks, STAGE_WIDTHS, strict=True)):
        for block in range(count):
            stride = 2 if stage < len(blocks) - 1 and block == count - 1 else 1
            layers.append(_PreActivationBottleneck(width_in, width, stride))
            width_in = EXPANSION * width
    layers += [nn.BatchNorm2d(width_in), nn.ReLU()]
    return _initialised(nn.Sequential(*layers))


class _Bottleneck(nn.Module):
    """1 x 1, 3 x 3 and 1 x 1 convolution added to the input, then ReLU."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        width_out = EXPANSION * width
        self.residual = nn.Sequential(
            nn.Conv2d(width_in, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width_out, 1, bias=False),
            nn.BatchNorm2d(width_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or width_in != width_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(width_in, width_out, 1, stride=stride, bias=False),
                nn.BatchNorm2d(width_out),
            )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """[batch, width_in, h, w] → [batch, 4 * width, h / stride, w / stride]."""
        added: torch.Tensor = self.residual(images) + self.shortcut(images)
        return added.relu()


class _PreActivationBottleneck(nn.Module):
    """Normalisation and ReLU before 1 x 1, 3 x 3 and 1 x 1 convolution, added to the input."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        width_out = EXPANSION * width
        self.before = nn.Sequential(nn.BatchNorm2d(width_in), nn.ReLU())
        self.residual = nn.Sequential(
            nn.Conv2d(width_in, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width_out, 1),
        )
        self.widens = width_in != width_out
        self.shortcut: nn.Module = nn.Identity()
        if self.widens:
            self.shortcut = nn.Conv2d(width_in, width_out, 1, stride=stride)
        elif stride > 1:
            self.shortcut = nn.MaxPool2d(1, stride=stride)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """[batch, width_in, h, w] → [batch, 4 * width, h / stride, w / stride]."""
        ready = self.before(images)
        skipped = self.shortcut(ready if self.widens else images)
        summed: torch.Tensor = skipped + self.residual(ready)
        return summed


def _initialised(network: nn.Sequential) -> nn.Sequential:
    """Convolutions drawn as He et al. 2015 do, for ReLU."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network
