"""How GTZAN is split for the study.

`filtered` and `stratified` split tracks; `paper` splits clips at random, as the paper appears to
have done, so that clips of one recording are in several splits. Its list is committed;
`drawn_clips` produced it. Its splits are as large as those of `stratified` (1,500, 750 and 750
clips), so that the two differ in the leak alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import (
    SplitTracks,
    artist_disjoint,
    load_tracks,
)
from recommender.research.reproduction.experiments import CLIP_FRAMES
from recommender.research.reproduction.layers import with_layers
from recommender.research.training.inference import TrackSet, clip_starts

PROTOCOLS = ("filtered", "paper", "stratified")
LEAKY = frozenset({"paper"})
"""Marked wherever they are printed."""

CLIPS_PER_TRACK = 3
PAPER_SIZES = {"train": 1500, "valid": 750, "test": 750}
"""Clips of each split of `paper`."""
PAPER_SEED = 0
SMOKE_TEST_GENRES = gtzan.GENRES[:3]
SMOKE_TEST_TRACKS = 2


@dataclass(frozen=True)
class StudySplit:
    """The tracks of a protocol (under `paper` each clip counts as a track).

    Attributes:
        protocol: its name.
        train, valid, test: the tracks.
        clips_per_track: clips a track is trained on and evaluated by.
        disjoint: indices of the artist-disjoint test tracks; none where the protocol has no such
            list.
    """

    protocol: str
    train: SplitTracks
    valid: SplitTracks
    test: SplitTracks
    clips_per_track: int
    disjoint: tuple[int, ...]


def load_protocol(
    data: gtzan.Gtzan, protocol: str, *, smoke_test: bool = False, layers: Sequence[str] = ()
) -> StudySplit:
    """The three splits of a protocol.

    Args:
        data: GTZAN.
        protocol: one of `PROTOCOLS`.
        smoke_test: only a few tracks of each split, to try the code (`SMOKE_TEST_TRACKS` of each of
            `SMOKE_TEST_GENRES`: at most 18 clips, which make one batch); the others need not be in
            `data`.
        layers: of each spectrogram, stacked below it as further bands (`layers.with_layers`).

    Raises:
        DatasetError: tracks are absent, or there is no such protocol.
    """
    clips = protocol == "paper"
    splits = []
    for name in ("train", "valid", "test"):
        ids = gtzan.split_ids(protocol, name)
        if smoke_test:
            ids = smoke_test_ids(ids)
        splits.append(_load_clips(data, ids) if clips else load_tracks(data, ids))
    train, valid, test = (_layered(split, layers) if layers else split for split in splits)
    disjoint = tuple(artist_disjoint(test.ids, protocol)) if protocol == "filtered" else ()
    return StudySplit(protocol, train, valid, test, 1 if clips else CLIPS_PER_TRACK, disjoint)


def _layered(split: SplitTracks, layers: Sequence[str]) -> SplitTracks:
    stacked = np.stack([with_layers(track, layers) for track in split.tracks.decibels])
    return replace(split, tracks=TrackSet(stacked, split.tracks.labels))


def drawn_clips(track_ids: Sequence[str]) -> dict[str, list[str]]:
    """Split → clip ids (``blues.00000.0`` is the first clip), drawn at random over all clips."""
    clips = [f"{track}.{i}" for track in sorted(track_ids) for i in range(CLIPS_PER_TRACK)]
    order = np.random.default_rng(PAPER_SEED).permutation(len(clips))
    ends = np.cumsum(list(PAPER_SIZES.values()))
    return {
        name: sorted(clips[i] for i in part)
        for name, part in zip(PAPER_SIZES, np.split(order, ends[:-1]), strict=True)
    }


def _load_clips(data: gtzan.Gtzan, ids: Sequence[str]) -> SplitTracks:
    """Clips by id; those of the track that is corrupt in circulation may be absent."""
    may_lack = gtzan.CORRUPT_IN_CIRCULATION - set(data.track_ids)
    clips = [
        (track, int(number))
        for track, _, number in (clip.rpartition(".") for clip in ids)
        if track not in may_lack
    ]
    rows = data.select([track for track, _ in clips])
    starts = clip_starts(gtzan.COLUMNS, CLIP_FRAMES, CLIPS_PER_TRACK)
    decibels = np.stack(
        [
            data.decibels(int(row))[:, starts[number] : starts[number] + CLIP_FRAMES]
            for row, (_, number) in zip(rows, clips, strict=True)
        ]
    )
    names = tuple(f"{track}.{number}" for track, number in clips)
    return SplitTracks(names, TrackSet(decibels, data.labels[rows]), data)


def smoke_test_ids(ids: Sequence[str]) -> tuple[str, ...]:
    """The few tracks (or clips) of a split that a smoke test takes."""
    by_genre = [[i for i in ids if gtzan.genre_of(i) == genre] for genre in SMOKE_TEST_GENRES]
    return tuple(track_id for of_genre in by_genre for track_id in of_genre[:SMOKE_TEST_TRACKS])
