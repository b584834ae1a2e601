"""Training losses.

A loss takes the network, a batch of standardised clips [batch, n_mels, frames] and their targets
[batch, n_classes] (distributions over genres: smoothed, perhaps mixed), and gives the logits
[batch, n_classes] and the loss.
"""

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional as F

from recommender.networks import GenreNetwork

Loss = Callable[[GenreNetwork, torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def cross_entropy(
    network: GenreNetwork, clips: torch.Tensor, targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cross-entropy of the logits with the targets."""
    logits = network(clips).float()  # under autocast the network gives bfloat16
    return logits, F.cross_entropy(logits, targets)


def cross_entropy_with_contrast(weight: float, temperature: float) -> Loss:
    """Cross-entropy plus a supervised contrastive loss (Khosla et al. 2020).

    Each clip should find the others of its genre among those of its batch. As targets may be mixed,
    the similarity of two clips is the dot product of their targets.

    Args:
        weight: of the contrastive loss; cross-entropy has 1.
        temperature: that cosines of activations are divided by.
    """

    def loss(
        network: GenreNetwork, clips: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        activations = network.activations(clips)
        logits = network.classify(activations)
        contrastive = contrastive_loss(activations, targets @ targets.T, temperature)
        return logits, F.cross_entropy(logits, targets) + weight * contrastive

    return loss


def contrastive_loss(
    vectors: torch.Tensor, similarity: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Mean cross-entropy of retrieving, by cosine, what is similar among the others of a batch.

    Args:
        vectors: [batch, d].
        similarity: [batch, batch], target weights; the diagonal is ignored.
        temperature: that cosines are divided by.
    """
    units = F.normalize(vectors, dim=1)
    diagonal = torch.eye(len(units), dtype=torch.bool, device=units.device)
    cosines = (units @ units.T / temperature).masked_fill(diagonal, float("-inf"))
    surprisal = -F.log_softmax(cosines, dim=1).masked_fill(diagonal, 0.0)
    targets = similarity.masked_fill(diagonal, 0.0)
    return (targets * surprisal).sum(dim=1).div(targets.sum(dim=1).clamp(min=1e-6)).mean()


def distillation(teachers: Sequence[GenreNetwork], weight: float, temperature: float) -> Loss:
    """Distillation (Hinton, Vinyals & Dean 2015) from the mean of several trained networks.

    Args:
        teachers: in evaluation mode; the mean of their probabilities is the soft target.
        weight: of the soft targets; cross-entropy with the labels has the rest.
        temperature: that all logits are divided by for the soft targets.
    """

    def loss(
        network: GenreNetwork, clips: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = network(clips)
        with torch.no_grad():
            outputs = [F.softmax(teacher(clips) / temperature, dim=1) for teacher in teachers]
        soft_targets = torch.stack(outputs).mean(dim=0)
        # Gradients shrink with the square of the temperature.
        soft = temperature**2 * F.cross_entropy(logits / temperature, soft_targets)
        return logits, weight * soft + (1 - weight) * F.cross_entropy(logits, targets)

    return loss
