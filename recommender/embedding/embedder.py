"""A sound file in, an embedding out: windows, spectrograms, activations, projection.

The activations of each network, before its classifier, are averaged over the windows of a track;
its descriptors are those of the windows pooled. Of both together the head makes the genres analysed
and the projection the unit vector that is compared.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from recommender.audio.reader import AudioClip, Windowing, read_windows
from recommender.embedding.model_files import DEFAULT_MODEL, ModelFiles, find_model
from recommender.embedding.space import Analysis, Embedding
from recommender.errors import NotFinite
from recommender.features.descriptors import SEGMENT, describe
from recommender.features.log_mel import FrontEnd, log_mel, middle, repeated_to, standardised
from recommender.utils.arrays import FloatArray
from recommender.utils.malloc import reuse_memory_while_analysing


class Embedder:
    """A trained model that listens to files.

    Making one sets how the whole process reuses freed memory (`memory.reuse_memory_while_analysing`).

    Attributes:
        space: where its embeddings live (projected).
        labels: the genres it tells apart.
        windowing: how it places windows on a track.
    """

    def __init__(
        self, weights: ModelFiles, windowing: Windowing | None = None, device: str = "cpu"
    ) -> None:
        """Load networks, head and projection. Raises `WeightsError` when they are damaged."""
        self.windowing = windowing or Windowing(**weights.card.windowing)
        self.front_end = FrontEnd(**weights.card.front_end)
        self.labels = weights.card.labels
        self.device = device
        reuse_memory_while_analysing()
        # In this order two-dimensional convolutions take half the time.
        self._networks = [
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            for network in weights.networks()
        ]
        self._network_frames = weights.card.network_frames
        self._describes = weights.card.descriptors
        self._head = weights.head()
        self._projection = weights.projection()
        bare = weights.space(self.windowing)
        self.space = replace(bare, projection=self._projection.digest)

    def analyse(self, path: Path) -> Analysis:
        """Listen to a file.

        Raises:
            AudioError: the file cannot be analysed; the subclass says why.
        """
        analysed = read_windows(path, self.windowing, self.front_end.sample_rate)
        activations, probabilities = self.analyse_clips(analysed.clips)
        return Analysis(
            activations=activations,
            genre_probabilities=dict(
                zip(self.labels, (float(p) for p in probabilities), strict=True)
            ),
            duration=analysed.duration,
            windows=tuple(
                (start, clip.duration)
                for start, clip in zip(analysed.starts, analysed.clips, strict=True)
            ),
            space=self.space.unprojected,
        )

    def analyse_clips(self, clips: tuple[AudioClip, ...]) -> tuple[FloatArray, FloatArray]:
        """Activations [d] and genre probabilities [n_classes] of the clips of one track.

        Raises:
            NotFinite: the samples are finite but so large that their power is not; one such vector
                in an index would be everything's neighbour.
        """
        frames = self.front_end.frames(self.windowing.seconds)
        if self._describes:
            frames = max(frames, SEGMENT)
        windows = [repeated_to(mel.values, frames) for mel in log_mel(clips, self.front_end)]
        if not all(np.isfinite(window).all() for window in windows):
            raise NotFinite(
                "Its samples are too large to measure, far beyond full scale; export it again "
                "from its source."
            )
        return self.analyse_spectrograms(windows)

    def analyse_spectrograms(self, windows: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Activations [d] and genre probabilities [n_classes] of the windows of one track.

        Args:
            windows: spectrograms [n_mels, frames] in dB with a common reference, finite, all of one
                length, which for descriptors must be at least `descriptors.SEGMENT` columns.
        """
        described = [describe(windows)] if self._describes else []
        activations = np.concatenate([*self._of_networks(windows), *described])
        return activations, self._head.probabilities(activations[None])[0]

    @torch.no_grad()
    def _of_networks(self, windows: list[FloatArray]) -> list[FloatArray]:
        """Activations [feature_dim] of each network, means over windows [n_mels, frames] in dB."""
        analysed = middle(windows[0].shape[1], self._network_frames)
        batch = torch.from_numpy(
            np.stack([standardised(window[:, analysed]) for window in windows])
        )
        batch = batch.to(self.device)
        return [net.activations(batch).mean(dim=0).cpu().numpy() for net in self._networks]

    def project(self, activations: FloatArray) -> FloatArray:
        """Unit vectors [n, p] of stored activations [n, d]."""
        return self._projection.apply(activations)

    def embed(self, path: Path) -> Embedding:
        """Listen to a file and project: the vector that is compared. Raises `AudioError`."""
        return Embedding(self.project(self.analyse(path).activations[None])[0], self.space)


def load_embedder(
    model: str = DEFAULT_MODEL, windowing: Windowing | None = None, device: str = "cpu"
) -> Embedder:
    """The embedder of a shipped model, or of a folder with weights and a card."""
    return Embedder(find_model(model), windowing, device)
