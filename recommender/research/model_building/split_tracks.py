"""The tracks of a split: their spectrograms, labels, artists and descriptors."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import torch

from recommender.audio.windows import Windowing
from recommender.features.descriptors import describe
from recommender.features.log_mel import FrontEnd
from recommender.research.datasets import gtzan
from recommender.research.training.augmentation import Augmentation, random_low_pass
from recommender.research.training.inference import TrackSet, clip_starts
from recommender.utils.arrays import FloatArray, IntArray

CLIPS = 3
CLIP_FRAMES = FrontEnd().frames(Windowing().seconds)
"""Columns of a clip that is described: as long as a window of a track is when serving."""


class DescriptorCache:
    """Descriptors by track id, so that a track in several splits is described once.

    A cache is for one set of spectrograms: an id stands for one track.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._tracks: dict[str, FloatArray] = {}
        self._clips: dict[str, FloatArray] = {}
        self._low_passed: dict[str, FloatArray] = {}

    def track(self, track_id: str, decibels: FloatArray) -> FloatArray:
        """Descriptors [d] of a whole track [n_mels, frames]."""
        if track_id not in self._tracks:
            self._tracks[track_id] = describe(decibels)
        return self._tracks[track_id]

    def clips(self, track_id: str, decibels: FloatArray) -> FloatArray:
        """Descriptors [c, d] of `CLIPS` clips of a track [n_mels, frames]."""
        if track_id not in self._clips:
            starts = clip_starts(decibels.shape[1], CLIP_FRAMES, CLIPS)
            clips = [describe(decibels[:, first : first + CLIP_FRAMES]) for first in starts]
            self._clips[track_id] = np.array(clips)
        return self._clips[track_id]

    def low_passed(self, track_id: str, decibels: FloatArray) -> FloatArray:
        """Descriptors [d] of a track [n_mels, frames], low-pass filtered."""
        if track_id not in self._low_passed:
            self._low_passed[track_id] = describe(_low_passed(track_id, decibels))
        return self._low_passed[track_id]


_CACHES: WeakKeyDictionary[gtzan.Gtzan, DescriptorCache] = WeakKeyDictionary()


@dataclass(frozen=True)
class SplitTracks:
    """The tracks of one split.

    Attributes:
        ids: n track ids.
        tracks: their spectrograms and labels.
        data: the data set that they are of.
        cache: of their descriptors.
    """

    ids: tuple[str, ...]
    tracks: TrackSet
    data: gtzan.Gtzan = field(repr=False, compare=False)
    cache: DescriptorCache = field(default_factory=DescriptorCache, repr=False, compare=False)

    @property
    def genres(self) -> list[str]:
        """Genre of each track, whatever its label counts."""
        return self.data.genres_of(self.ids)

    @property
    def artists(self) -> list[str]:
        """Artist of each track, blank where unknown."""
        return self.data.artists_of(self.ids)

    @cached_property
    def descriptors(self) -> FloatArray:
        """Descriptors of whole tracks [n, d]."""
        return np.stack([self.cache.track(*track) for track in self._spectrograms])

    @cached_property
    def clip_descriptors(self) -> FloatArray:
        """Descriptors of `CLIPS` clips of each track [n, c, d]."""
        return np.stack([self.cache.clips(*track) for track in self._spectrograms])

    @cached_property
    def low_passed_descriptors(self) -> FloatArray:
        """Descriptors of whole tracks [n, d], low-pass filtered as by a lossy codec.

        The cut-off of a track is drawn by its id: it is the same in every split.
        """
        return np.stack([self.cache.low_passed(*track) for track in self._spectrograms])

    @property
    def low_passed(self) -> TrackSet:
        """The tracks as `low_passed_descriptors` describes them; computed at every call."""
        filtered = [_low_passed(*track) for track in self._spectrograms]
        return TrackSet(np.stack(filtered), self.tracks.labels)

    def subset(self, rows: IntArray, labels: IntArray) -> "SplitTracks":
        """Some of the tracks under other labels.

        Args:
            rows: np.ndarray [shape=(m,)], indices into `ids`.
            labels: np.ndarray [shape=(m,)].
        """
        tracks = TrackSet(self.tracks.decibels[rows], labels)
        ids = tuple(self.ids[row] for row in rows)
        return SplitTracks(ids, tracks, self.data, self.cache)

    @property
    def _spectrograms(self) -> list[tuple[str, FloatArray]]:
        return list(zip(self.ids, self.tracks.decibels, strict=True))


def _low_passed(track_id: str, decibels: FloatArray) -> FloatArray:
    generator = torch.Generator().manual_seed(zlib.crc32(track_id.encode()))
    batch = torch.from_numpy(decibels)[None]
    filtered: FloatArray = random_low_pass(batch, Augmentation(low_pass=1.0), generator)[0].numpy()
    return filtered


def load_split(data: gtzan.Gtzan, protocol: str, name: str) -> SplitTracks:
    """A committed split, ``train``, ``valid`` or ``test`` of a protocol, in decibels.

    Raises:
        DatasetError: tracks are absent (other than the one corrupt in circulation).
    """
    return load_tracks(data, data.split(protocol, name))


def load_tracks(data: gtzan.Gtzan, ids: Sequence[str]) -> SplitTracks:
    """The tracks `ids` in decibels. Raises as `load_split`."""
    rows = data.select(ids, allow_missing=gtzan.CORRUPT_IN_CIRCULATION)
    decibels = np.stack([data.decibels(int(row)) for row in rows])
    present = tuple(data.track_ids[row] for row in rows)
    cache = _CACHES.setdefault(data, DescriptorCache())
    return SplitTracks(present, TrackSet(decibels, data.labels[rows]), data, cache)


def joined(splits: Sequence[SplitTracks]) -> SplitTracks:
    """Several splits of one data set as one."""
    return SplitTracks(
        tuple(track_id for split in splits for track_id in split.ids),
        TrackSet(
            np.concatenate([split.tracks.decibels for split in splits]),
            np.concatenate([split.tracks.labels for split in splits]),
        ),
        splits[0].data,
        splits[0].cache,
    )


def artist_disjoint(ids: Sequence[str], protocol: str) -> list[int]:
    """Indices of the test tracks whose artist is in neither other split.

    All of them, under protocols that split by artist.
    """
    if protocol not in gtzan.SPLITS:
        return list(range(len(ids)))
    artists = gtzan.artists()
    others = {
        artist
        for name in ("train", "valid")
        for track_id in gtzan.split_ids(protocol, name)
        if (artist := artists[track_id])
    }
    return [row for row, track_id in enumerate(ids) if artists[track_id] not in others]
