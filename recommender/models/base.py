"""What every genre network is: clips in, activations, logits."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class ModelEntry:
    """A registered architecture.

    Attributes:
        name: what `recsys train NAME` takes.
        network: the class.
        section: where the paper describes it.
        summary: one line for `recsys models`.
    """

    name: str
    network: "type[GenreNetwork]"
    section: str
    summary: str


class GenreNetwork(nn.Module, ABC):
    """A classifier of log-Mel clips whose last hidden activations serve as an embedding.

    Attributes:
        feature_dim: number of activations before the classifier.
        classifier: the dense layer that makes logits of them.
    """

    feature_dim: int
    classifier: nn.Linear

    @abstractmethod
    def activations(self, clips: torch.Tensor) -> torch.Tensor:
        """Activations before the classifier.

        Args:
            clips: [batch, n_mels, frames], each clip standardised.

        Returns:
            [batch, feature_dim]
        """

    @abstractmethod
    def classify(self, activations: torch.Tensor) -> torch.Tensor:
        """Logits [batch, n_classes] of activations [batch, feature_dim]."""

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits [batch, n_classes] of clips [batch, n_mels, frames]; the loss adds the softmax."""
        return self.classify(self.activations(clips))
