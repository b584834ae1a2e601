"""Inference of a network on tracks: activations, probabilities, loss and accuracy.

A track is read as clips spread evenly over it, as the windows of a track are when serving; their
activations or probabilities are averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from recommender.features.log_mel import centre_crop
from recommender.networks import GenreNetwork
from recommender.research.training.augmentation import standardised_batch
from recommender.utils.arrays import FloatArray, IntArray

BATCH = 16
"""Tracks analysed at once: 48 clips of a wide two-dimensional network take 2 GB."""


@dataclass(frozen=True)
class TrackSet:
    """Whole tracks to train or evaluate on.

    Attributes:
        decibels: np.ndarray [shape=(n, n_mels, frames)], float32.
        labels: np.ndarray [shape=(n,)], int64.
    """

    decibels: FloatArray
    labels: IntArray

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.labels)


def clip_starts(track_frames: int, clip_frames: int, clips: int) -> Sequence[int]:
    """First frames of `clips` clips spread evenly over a track."""
    last = max(0, track_frames - clip_frames)
    return [round(last * i / max(1, clips - 1)) for i in range(clips)]


@torch.no_grad()
def clip_activations(
    network: GenreNetwork,
    tracks: TrackSet,
    clip_frames: int,
    device: str = "cpu",
    clips: int = 3,
    network_frames: int = 0,
) -> FloatArray:
    """Activations of clips spread evenly over each track.

    Args:
        clip_frames: length of the clips, in columns.
        network_frames: columns of the centre crop of each clip that the network analyses; 0: all.

    Returns:
        np.ndarray [shape=(n, clips, feature_dim)].
    """
    network.eval()
    starts = clip_starts(tracks.decibels.shape[2], clip_frames, clips)
    crop = centre_crop(min(clip_frames, tracks.decibels.shape[2]), network_frames)
    found = []
    for first in range(0, len(tracks), BATCH):
        batch = torch.from_numpy(tracks.decibels[first : first + BATCH]).to(device)
        stacked = torch.cat([batch[:, :, s + crop.start : s + crop.stop] for s in starts])
        hidden = network.activations(standardised_batch(stacked))
        # [clips * batch, d] → [batch, clips, d]
        found.append(hidden.reshape(clips, len(batch), -1).transpose(0, 1).cpu().numpy())
    return np.concatenate(found)


@torch.no_grad()
def clip_probabilities(network: GenreNetwork, activations: FloatArray) -> FloatArray:
    """Genre probabilities [n, clips, n_classes] of activations [n, clips, feature_dim]."""
    network.eval()
    device = network.classifier.weight.device
    probabilities: FloatArray = (
        network.classify(torch.from_numpy(activations).to(device)).softmax(dim=-1).cpu().numpy()
    )
    return probabilities


def track_outputs(
    network: GenreNetwork,
    tracks: TrackSet,
    clip_frames: int,
    device: str = "cpu",
    clips: int = 3,
) -> tuple[FloatArray, FloatArray]:
    """Activations [n, feature_dim], means over clips; probabilities [n, clips, n_classes]."""
    activations = clip_activations(network, tracks, clip_frames, device, clips)
    return activations.mean(axis=1), clip_probabilities(network, activations)


def evaluate(
    network: GenreNetwork,
    tracks: TrackSet,
    clip_frames: int,
    device: str = "cpu",
    clips: int = 3,
) -> tuple[float, float]:
    """Cross-entropy and accuracy by track (mean of the clips' probabilities)."""
    _, probabilities = track_outputs(network, tracks, clip_frames, device, clips)
    mean: FloatArray = probabilities.mean(axis=1)
    accuracy = float((mean.argmax(axis=1) == tracks.labels).mean())
    return log_loss(mean, tracks.labels), accuracy


def log_loss(probabilities: FloatArray, labels: IntArray) -> float:
    """Mean negative log-probability of the true labels: [n, n_classes], [n]."""
    true = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(true, 1e-9)).mean())
