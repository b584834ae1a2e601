"""A sound file in, an embedding out: windows, spectrograms, activations, projection.

The activations of each network, before its classifier, are averaged over the windows of a track;
its descriptors are those of the windows pooled. From both together the genre head predicts genres,
and the projection computes the unit vector that is compared.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import NoneType

import numpy as np

from recommender.audio.decoder import Sound
from recommender.audio.reader import AudioClip, DecodedWindows, read_windows
from recommender.audio.samples_hash import hash_samples
from recommender.audio.span_decoder import Span
from recommender.audio.windows import Windowing
from recommender.embedding.inference import ServingNetwork, serving_networks
from recommender.embedding.model_files import DEFAULT_MODEL, ModelFiles, find_model
from recommender.embedding.space import Analysis, Embedding
from recommender.errors import NotFinite
from recommender.features.descriptors import SEGMENT, describe
from recommender.features.log_mel import (
    FrontEnd,
    centre_crop,
    log_mel,
    standardised,
    tile_to_length,
)
from recommender.utils.arguments import require_several, require_type
from recommender.utils.arrays import FloatArray
from recommender.utils.malloc import reuse_memory_while_analysing

CLIPS_AT_ONCE = 8
"""Windows that a network is given at once."""


class Embedder:
    """A trained model that turns sounds into embeddings.

    Creating one sets how the whole process reuses freed memory
    (`utils.malloc.reuse_memory_while_analysing`). Thread-safe once it is created: any number of
    threads may analyse at once.

    Attributes:
        space: the (projected) space of its embeddings.
        labels: the genres that it predicts.
        windowing: which windows of a track it analyses.
        front_end: settings of its spectrograms.
        device: of its networks, as torch names it.
    """

    def __init__(
        self, weights: ModelFiles, windowing: Windowing | None = None, device: str = "cpu"
    ) -> None:
        """Load networks, genre head and projection; see `load` for the usual way.

        Raises `WeightsError` when they are damaged.
        """
        self.windowing = windowing or Windowing(**weights.card.windowing)
        self.front_end = FrontEnd(**weights.card.front_end)
        self.labels = weights.card.labels
        self.device = device
        reuse_memory_while_analysing()
        self._networks = serving_networks(weights, device)
        self._network_frames = weights.card.network_frames
        self._describes = weights.card.descriptors
        self._head = weights.head()
        self._projection = weights.projection()
        self.space = replace(weights.space(self.windowing), projection=self._projection.digest)

    @classmethod
    def load(
        cls,
        model: "str | os.PathLike[str]" = DEFAULT_MODEL,
        windowing: Windowing | None = None,
        device: str = "cpu",
    ) -> "Embedder":
        """The embedder of a shipped model, or of a folder with weights and a card.

        Args:
            model: name of a shipped model, such as ``default``, or path of a folder.
            windowing: which windows of a track to analyse; None for the model's own. Another one
                is another embedding space.
            device: as torch names it, e.g. ``cuda``.

        Raises:
            WeightsError: there is no such model, or it is damaged.
            TypeError: `model` is neither text nor a path, or `windowing` no `Windowing`.
        """
        if not isinstance(model, str | os.PathLike):
            raise TypeError(
                "a model is the name of a shipped one (str) or the path of a folder (str or "
                f"os.PathLike), not {type(model).__name__}."
            )
        windowing_type = "a recommender.Windowing or None"
        require_type(windowing, (Windowing, NoneType), "windowing", windowing_type)
        return cls(find_model(os.fspath(model)), windowing, device)

    def analyse(self, sound: Sound) -> Analysis:
        """Activations and genre probabilities of a sound.

        Args:
            sound: a path, or a binary file object, which is read from its beginning and stays open.

        Raises:
            AudioError: it cannot be analysed; the subclass says why.
            TypeError: neither a path nor a binary file object.
        """
        return self.analyse_windows(self.decode(sound))

    def decode(self, sound: Sound, span: Span | None = None) -> DecodedWindows:
        """The windows of a sound, or of a span of it, that `analyse` analyses.

        Arguments and errors: `audio.reader.read_windows`.
        """
        return read_windows(sound, self.windowing, self.front_end.sample_rate, span)

    def analyse_windows(self, decoded: DecodedWindows) -> Analysis:
        """Activations and genre probabilities of what `decode` returned. Raises `NotFinite`."""
        activations, probabilities = self.analyse_clips(decoded.clips)
        return Analysis(
            activations=activations,
            genre_probabilities=dict(
                zip(self.labels, (float(p) for p in probabilities), strict=True)
            ),
            duration=decoded.duration,
            windows=tuple(
                (start, clip.duration)
                for start, clip in zip(decoded.starts, decoded.clips, strict=True)
            ),
            space=self.space.unprojected,
            damage=decoded.damage,
            samples_hash=hash_samples(decoded.clips),
        )

    def embed(self, sound: Sound) -> Embedding:
        """The embedding of a sound: a unit vector [p], float32. Arguments and errors: `analyse`."""
        return Embedding(self.project(self.analyse(sound).activations[None])[0], self.space)

    def embed_many(self, sounds: Iterable[Sound]) -> Iterator[Embedding]:
        """Embeddings of many sounds, in their order, each computed when the iterator comes to it.

        Sounds are taken from `sounds` one by one, so neither they nor the embeddings need to fit
        in memory. Raises what `analyse` raises when it comes to a sound that cannot be analysed;
        to go on past failures, call `embed` for each. Raises `TypeError` at once for a single
        sound.
        """
        require_several(sounds, "sounds")
        return map(self.embed, sounds)

    def project(self, activations: FloatArray) -> FloatArray:
        """Unit vectors (np.ndarray [shape=(n, p)], float32) of stored activations [shape=(n, d)].

        Raises `SpaceMismatch` for activations of another dimension.
        """
        return self._projection.apply(activations)

    def analyse_clips(self, clips: tuple[AudioClip, ...]) -> tuple[FloatArray, FloatArray]:
        """Activations [d] and genre probabilities [n_classes] of the clips of one track.

        Raises:
            NotFinite: the samples are finite but so large that their power is not; one such vector
                in an index would be everything's neighbour.
        """
        frames = self.front_end.frames(self.windowing.seconds)
        if self._describes:
            frames = max(frames, SEGMENT)
        windows = [tile_to_length(mel.values, frames) for mel in log_mel(clips, self.front_end)]
        if not all(np.isfinite(window).all() for window in windows):
            raise NotFinite(
                "Its samples are too large to analyse, far beyond full scale; export it again "
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
        activations = np.concatenate([*self._network_activations(windows), *described])
        return activations, self._head.probabilities(activations[None])[0]

    def _network_activations(self, windows: list[FloatArray]) -> list[FloatArray]:
        """Activations [feature_dim] of each network, means over windows [n_mels, frames] in dB."""
        if not self._networks:
            return []
        crop = centre_crop(windows[0].shape[1], self._network_frames)
        clips = np.stack([standardised(window[:, crop]) for window in windows])
        return [_mean_activations(network, clips) for network in self._networks]


def _mean_activations(network: ServingNetwork, clips: FloatArray) -> FloatArray:
    """Mean over clips [n, n_mels, frames], some at a time: a layer's output can be 2 MB a clip."""
    starts = range(0, len(clips), CLIPS_AT_ONCE)
    parts = [network.activations(clips[start : start + CLIPS_AT_ONCE]) for start in starts]
    mean: FloatArray = np.concatenate(parts).mean(axis=0)
    return mean
