"""The interface of every genre network: clips in, activations, logits."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class ModelEntry:
    """A registered architecture.

    Attributes:
        name: what `recsys train NAME` takes.
        network: the class: keyword arguments n_mels, n_classes and its own settings.
        section: where the paper describes it.
        summary: one line for `recsys models`.
    """

    name: str
    network: "Callable[..., GenreNetwork]"
    section: str
    summary: str


class GenreNetwork(nn.Module, ABC):
    """A classifier of log-Mel clips whose last hidden activations serve as an embedding.

    The paper does not mention the scale of the input. Bands of music differ by tens of decibels, so
    every family normalises them first, by the same batch normalisation.

    Attributes:
        feature_dim: number of activations before the classifier.
        classifier: the dense layer that makes logits of them; the loss adds the softmax.
        dropout: before the classifier, while training.
        kernel_l2: factor of the L2 penalty on `kernels`, which the loss adds (Keras' "kernel
            regularisation").
        channels: of the images that a two-dimensional network makes of the clips: groups of bands,
            one below the other.
    """

    feature_dim: int
    classifier: nn.Linear
    dropout: nn.Dropout
    kernel_l2: float = 0.0
    channels: int = 1

    def __init__(self, n_mels: int) -> None:
        """Build the input normalisation of all families."""
        super().__init__()
        self.bands = nn.BatchNorm1d(n_mels)

    @abstractmethod
    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """Activations before the classifier.

        Args:
            clips: [batch, n_mels, frames], each clip standardised.

        Returns:
            [batch, feature_dim]
        """

    def images(self, clips: torch.Tensor) -> torch.Tensor:
        """Normalised clips as images: [batch, channels, n_mels / channels, frames]."""
        bands: torch.Tensor = self.bands(clips)
        return bands.reshape(bands.shape[0], self.channels, -1, bands.shape[2])

    def classify(self, activations: torch.Tensor) -> torch.Tensor:
        """Logits [batch, n_classes] of activations [batch, feature_dim]."""
        logits: torch.Tensor = self.classifier(self.dropout(activations))
        return logits

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits [batch, n_classes] of clips [batch, n_mels, frames]; the loss adds the softmax."""
        return self.classify(self.activations(clips))

    def kernels(self) -> Iterable[torch.Tensor]:
        """The weights that `kernel_l2` applies to; none by default."""
        return ()

    def penalty(self) -> torch.Tensor:
        """Penalty added to the loss: `kernel_l2` times the sum of the squared kernels."""
        squares = [kernel.square().sum() for kernel in self.kernels()] if self.kernel_l2 else []
        return self.kernel_l2 * torch.stack(squares).sum() if squares else torch.zeros(())
