"""What a network in training is asked to make small.

An objective takes the network, a batch of clips [batch, n_mels, frames] (standardised) and their
targets [batch, n_classes] (shares of genres: smoothed, perhaps mixed), and gives the logits
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
    """That of the logits with the targets."""
    logits = network(clips)
    return logits, F.cross_entropy(logits, targets)


def cross_entropy_with_contrast(weight: float, temperature: float) -> Loss:
    """A supervised contrastive loss (Khosla et al. 2020) beside cross-entropy.

    Each clip should find the others of its genre among those of its batch. As targets may be mixed,
    two clips are of one genre as far as their targets agree.

    Args:
        weight: of the contrastive loss; cross-entropy has 1.
        temperature: that cosines of activations are divided by.
    """

    def objective(
        network: GenreNetwork, clips: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        activations = network.activations(clips)
        logits = network.classify(activations)
        loss = supervised_contrastive(activations, targets @ targets.T, temperature)
        return logits, F.cross_entropy(logits, targets) + weight * loss

    return objective


def supervised_contrastive(vectors: torch.Tensor, likeness: torch.Tensor, temperature: float) -> torch.Tensor:
    """Mean surprise at which of a batch's others are like each of it, by their cosines.

    Args:
        vectors: [batch, d].
        likeness: [batch, batch], how far two are to be found alike; the diagonal does not count.
        temperature: that cosines are divided by.
    """
    units = F.normalize(vectors, dim=1)
    itself = torch.eye(len(units), dtype=torch.bool, device=units.device)
    cosines = (units @ units.T / temperature).masked_fill(itself, float("-inf"))
    surprises = -F.log_softmax(cosines, dim=1).masked_fill(itself, 0.0)
    alike = likeness.masked_fill(itself, 0.0)
    return (alike * surprises).sum(dim=1).div(alike.sum(dim=1).clamp(min=1e-6)).mean()


def distillation(teachers: Sequence[GenreNetwork], share: float, temperature: float) -> Loss:
    """Distillation (Hinton, Vinyals & Dean 2015): what several trained networks say of a clip.

    Args:
        teachers: in evaluation mode; the mean of their probabilities is imitated.
        share: of the imitation; cross-entropy has the rest.
        temperature: that all logits are divided by where they are imitated.
    """

    def objective(
        network: GenreNetwork, clips: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = network(clips)
        with torch.no_grad():
            said = [F.softmax(teacher(clips) / temperature, dim=1) for teacher in teachers]
        shown = torch.stack(said).mean(dim=0)
        # Gradients shrink with the square of the temperature.
        imitation = temperature**2 * F.cross_entropy(logits / temperature, shown)
        return logits, share * imitation + (1 - share) * F.cross_entropy(logits, targets)

    return objective
