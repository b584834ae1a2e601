"""A sound file in, an embedding out: windows, spectrograms, activations, projection.

The activations of each network, before its classifier, are averaged over the windows of a track, or
over the patches of these windows; its descriptors are those of the windows pooled. From all of them
together the genre head predicts genres, and the projection computes the unit vector that is
compared.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
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
from recommender.features.mel_patches import PatchFrontEnd, mel_patches
from recommender.networks.graphs import takes_patches
from recommender.utils.arguments import require_several, require_type
from recommender.utils.arrays import FloatArray
from recommender.utils.malloc import reuse_memory_while_analysing

CLIPS_AT_ONCE, PATCHES_AT_ONCE = 8, 1
"""Windows and patches that a network is given at once: a patch has 20 MB of intermediate values."""


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
        self._patches = PatchFrontEnd(**weights.card.patches)
        networks = serving_networks(weights, device)
        tagging = sum(takes_patches(one["architecture"]) for one in weights.card.networks)
        self._tagging_networks, self._networks = networks[:tagging], networks[tagging:]
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
            model: name of a shipped or an added model, such as ``default``, or path of a folder.
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
        parts: list[FloatArray] = []
        if self._tagging_networks:
            patches = mel_patches(clips, self._patches)
            _require_finite([patches])
            parts += [
                _mean_activations(network, patches, PATCHES_AT_ONCE)
                for network in self._tagging_networks
            ]
        if self._networks or self._describes:
            frames = self.front_end.frames(self.windowing.seconds)
            if self._describes:
                frames = max(frames, SEGMENT)
            windows = [tile_to_length(mel.values, frames) for mel in log_mel(clips, self.front_end)]
            _require_finite(windows)
            parts += self._window_activations(windows)
        return self._with_genres(parts)

    def analyse_spectrograms(self, windows: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        """As `analyse_clips`, for a model without tagging networks.

        Args:
            windows: spectrograms [n_mels, frames] in dB with a common reference, finite, all of one
                length, which for descriptors must be at least `descriptors.SEGMENT` columns.
        """
        return self._with_genres(self._window_activations(windows))

    def _with_genres(self, parts: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
        activations = np.concatenate(parts)
        return activations, self._head.probabilities(activations[None])[0]

    def _window_activations(self, windows: list[FloatArray]) -> list[FloatArray]:
        """What is computed of windows [n_mels, frames] in dB: by networks, then descriptors."""
        described = [describe(windows)] if self._describes else []
        return [*self._network_activations(windows), *described]

    def _network_activations(self, windows: list[FloatArray]) -> list[FloatArray]:
        """Activations [feature_dim] of each network that takes windows, means over these."""
        if not self._networks:
            return []
        crop = centre_crop(windows[0].shape[1], self._network_frames)
        clips = np.stack([standardised(window[:, crop]) for window in windows])
        return [_mean_activations(network, clips, CLIPS_AT_ONCE) for network in self._networks]


def _require_finite(spectrograms: Sequence[FloatArray]) -> None:
    if not all(np.isfinite(values).all() for values in spectrograms):
        raise NotFinite(
            "Its samples are too large to analyse, far beyond full scale; export it again from its "
            "source."
        )


def _mean_activations(network: ServingNetwork, clips: FloatArray, at_once: int) -> FloatArray:
    """Mean over clips [n, n_mels, frames], some at a time: a layer's output can be 2 MB a clip."""
    starts = range(0, len(clips), at_once)
    parts = [network.activations(clips[start : start + at_once]) for start in starts]
    mean: FloatArray = np.concatenate(parts).mean(axis=0)
    return mean
