"""A sound file in, an embedding out: windows, spectrograms, network, projection.

The activations before the classifier are averaged over the windows of a track; the projection
then makes of them the unit vector that is compared.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from recommender.audio import AudioClip, Windowing, hear_windows
from recommender.errors import NotFinite
from recommender.features import FrontEnd, log_mel, repeated_to, standardised
from recommender.space import Embedding, FloatArray, Hearing
from recommender.weights import DEFAULT_MODEL, WeightsFiles, find


class Embedder:
    """A trained network that listens to files.

    Attributes:
        space: where its embeddings live (projected).
        labels: the genres it tells apart.
        windowing: how it places windows on a track.
    """

    def __init__(
        self, weights: WeightsFiles, windowing: Windowing | None = None, device: str = "cpu"
    ) -> None:
        """Load network and projection. Raises `WeightsError` when they are damaged."""
        self.windowing = windowing or Windowing(**weights.card.windowing)
        self.front_end = FrontEnd(**weights.card.front_end)
        self.labels = weights.card.labels
        self.device = device
        self._network = weights.network().to(device)
        self._projection = weights.projection()
        bare = weights.space(self.windowing)
        self.space = replace(bare, projection=self._projection.digest)

    def hear(self, path: Path) -> Hearing:
        """Listen to a file.

        Raises:
            AudioError: the file cannot be heard; the subclass says why.
        """
        heard = hear_windows(path, self.windowing, self.front_end.sample_rate)
        activations, probabilities = self.hear_clips(heard.clips)
        return Hearing(
            activations=activations,
            genre_probabilities=dict(
                zip(self.labels, (float(p) for p in probabilities), strict=True)
            ),
            duration=heard.duration,
            windows=tuple(
                (start, clip.duration)
                for start, clip in zip(heard.starts, heard.clips, strict=True)
            ),
            space=self.space.unprojected,
        )

    @torch.no_grad()
    def hear_clips(self, clips: tuple[AudioClip, ...]) -> tuple[FloatArray, FloatArray]:
        """Activations [d] and genre probabilities [n_classes], means over one track's clips.

        Raises:
            NotFinite: the samples are finite but so large that their power is not; one such vector
                in an index would be everything's neighbour.
        """
        frames = self.front_end.frames(self.windowing.seconds)
        spectrograms = [
            standardised(repeated_to(mel.values, frames)) for mel in log_mel(clips, self.front_end)
        ]
        batch = torch.from_numpy(np.stack(spectrograms)).to(self.device)
        activations = self._network.activations(batch)
        if not bool(torch.isfinite(activations).all()):
            raise NotFinite(
                "Its samples are too large to measure, far beyond full scale; export it again "
                "from its source."
            )
        probabilities = self._network.classify(activations).softmax(dim=1)
        return activations.mean(dim=0).cpu().numpy(), probabilities.mean(dim=0).cpu().numpy()

    def project(self, activations: FloatArray) -> FloatArray:
        """Unit vectors [n, p] of stored activations [n, d]."""
        return self._projection.apply(activations)

    def embed(self, path: Path) -> Embedding:
        """Listen to a file and project: the vector that is compared. Raises `AudioError`."""
        return Embedding(self.project(self.hear(path).activations[None])[0], self.space)


def load_embedder(
    model: str = DEFAULT_MODEL, windowing: Windowing | None = None, device: str = "cpu"
) -> Embedder:
    """The embedder of a shipped model, or of a folder with weights and a card."""
    return Embedder(find(model), windowing, device)
