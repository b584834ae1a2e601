"""A trained model: its networks, and the activations it gives of a split."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.networks import GenreNetwork
from recommender.research.model_building.activations import ActivationLayout, Activations
from recommender.research.model_building.split_tracks import CLIPS, SplitTracks
from recommender.research.training.inference import (
    TrackSet,
    clip_activations,
    clip_probabilities,
)
from recommender.research.training.settings import TrainingResult
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True)
class TrainedModel:
    """The networks that one seed gave, and whether descriptors follow them.

    Attributes:
        seed: of the model; networks after the first derive their own from it.
        runs: one a network; may be empty.
        descriptors: whether the activations end with descriptors.
        network_frames: columns of the centre crop of each clip that the networks analyse; 0: all.
    """

    seed: int
    runs: tuple[TrainingResult, ...]
    descriptors: bool
    network_frames: int = 0

    def activations(self, split: SplitTracks) -> Activations:
        """Activations of the tracks of a split."""
        frames = [run.settings.clip_frames for run in self.runs]
        networks = [run.network for run in self.runs]
        return model_activations(networks, frames, split, self.descriptors, self.network_frames)

    def network_probabilities(self, found: Activations) -> FloatArray | None:
        """Genre probabilities of tracks by the networks' own classification layers.

        Returns:
            np.ndarray [shape=(n, n_classes)], mean over clips and networks; None without a network.
        """
        if not self.runs:
            return None
        probabilities = [
            clip_probabilities(run.network, found.clips[:, :, values]).mean(axis=1)
            for run, values in zip(self.runs, found.layout.networks, strict=True)
        ]
        mean: FloatArray = np.mean(probabilities, axis=0)
        return mean


def model_activations(
    networks: Sequence[GenreNetwork],
    frames: Sequence[int],
    split: SplitTracks,
    descriptors: bool,
    network_frames: int = 0,
) -> Activations:
    """Activations of a split, from its stored spectrograms.

    A network's activations of a track are the mean over its clips; descriptors are those of the
    whole track, and of each clip.

    Args:
        networks: in the order of the activations.
        frames: length of the clips of each network, in columns.
        split: the tracks.
        descriptors: whether descriptors follow.
        network_frames: columns of the centre crop of each clip that the networks analyse; 0: all.
    """

    def of_clips(tracks: TrackSet) -> list[FloatArray]:
        return [
            clip_activations(network, tracks, length, clips=CLIPS, network_frames=network_frames)
            for network, length in zip(networks, frames, strict=True)
        ]

    clips = of_clips(split.tracks)
    tracks = [found.mean(axis=1) for found in clips]
    low_passed = None
    if descriptors:
        tracks, clips = [*tracks, split.descriptors], [*clips, split.clip_descriptors]
        filtered = [found.mean(axis=1) for found in of_clips(split.low_passed)] if networks else []
        low_passed = np.concatenate([*filtered, split.low_passed_descriptors], axis=1)
    layout = ActivationLayout.of([network.feature_dim for network in networks], descriptors)
    return Activations(
        np.concatenate(tracks, axis=1),
        np.concatenate(clips, axis=2),
        layout,
        low_passed,
        split.artists,
    )
