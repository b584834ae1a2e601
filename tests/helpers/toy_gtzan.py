"""A GTZAN of a few made-up tracks, under ids of the committed split."""

import numpy as np

from recommender.research.datasets import gtzan
from recommender.research.reproduction.splits import PROTOCOLS, smoke_test_ids

PER_GENRE = {"train": 4, "valid": 3, "test": 4}


def toy_split() -> dict[str, tuple[str, ...]]:
    """The first few tracks of each genre of each committed split."""
    return {
        name: tuple(
            track_id
            for genre in gtzan.GENRES
            for track_id in [i for i in gtzan.split_ids("filtered", name) if i.startswith(genre)][
                :count
            ]
        )
        for name, count in PER_GENRE.items()
    }


def toy_gtzan(split: dict[str, tuple[str, ...]]) -> gtzan.Gtzan:
    """Each genre is loud in its own bands, under noise that makes some tracks hard."""
    track_ids = tuple(sorted(track_id for ids in split.values() for track_id in ids))
    labels = np.array([gtzan.GENRES.index(i.partition(".")[0]) for i in track_ids])
    generator = np.random.default_rng(0)
    levels = generator.normal(60, 20, (len(track_ids), gtzan.N_MELS, gtzan.COLUMNS))
    for track, label in zip(levels, labels, strict=True):
        track[12 * label : 12 * label + 12] += generator.uniform(10, 60)
    return gtzan.Gtzan(
        track_ids,
        labels,
        levels.clip(0, 255).astype(np.uint8),
        np.full(len(track_ids), 80, dtype=np.float32),
    )


def noise(protocols=PROTOCOLS, seed: int = 0) -> gtzan.Gtzan:
    """An archive of noise that holds only the tracks of a smoke test."""
    listed = [
        track_id
        for protocol in protocols
        for name in ("train", "valid", "test")
        for track_id in smoke_test_ids(gtzan.split_ids(protocol, name))
    ]
    ids = {".".join(track_id.split(".")[:2]) for track_id in listed}  # clips, too
    track_ids = tuple(sorted(ids))
    shape = (len(track_ids), gtzan.N_MELS, gtzan.COLUMNS)
    levels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    labels = np.array([gtzan.GENRES.index(i.split(".")[0]) for i in track_ids])
    return gtzan.Gtzan(track_ids, labels, levels, np.full(len(track_ids), 80, np.float32))
