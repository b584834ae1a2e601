"""Tiny recipes for a toy GTZAN, and what a model's written weights give, by hand."""

from pathlib import Path

import numpy as np

from recommender.embedding.model_files import HEAD, PROJECTION, WEIGHTS, ModelFiles
from recommender.features.descriptors import describe
from recommender.research.datasets import gtzan
from recommender.research.model_building.recipes import Recipe
from recommender.research.training.augmentation import Augmentation
from recommender.research.training.inference import TrackSet, clip_activations, clip_starts
from recommender.research.training.settings import TrainingSettings

SEEDS = (5, 3)
TINY = TrainingSettings(
    model_settings={"filters": (8, 6)},
    epochs=2,
    batch_size=8,
    ema_decay=0.5,
    crop_frames=20,
    clips_per_track=2,
    augmentation=Augmentation(mask_bands=4, mask_frames=4),
)
CROP = 50
NETWORK = Recipe((TINY,), descriptors=False)
BOTH = Recipe((TINY,), descriptors=True, network_frames=CROP)
LEAVE_GENRES_OUT = Recipe((TINY,), descriptors=False, leave_genres_out=True)
FILES = (WEIGHTS, HEAD, PROJECTION)


def contents(folder: Path, *names: str) -> list[bytes]:
    return [(folder / name).read_bytes() for name in names]


def track_set(data: gtzan.Gtzan, ids: tuple[str, ...]) -> TrackSet:
    rows = data.select(ids)
    return TrackSet(np.stack([data.decibels(int(row)) for row in rows]), data.labels[rows])


def by_hand(files: ModelFiles, tracks: TrackSet) -> tuple[np.ndarray, np.ndarray]:
    """Activations of whole tracks [n, d] and of clips [n, 3, d], from the written weights."""
    crop = files.card.network_frames
    clips = [
        clip_activations(net, tracks, TINY.clip_frames, network_frames=crop)
        for net in files.networks()
    ]
    whole = [of_network.mean(axis=1) for of_network in clips]
    if files.card.descriptors:
        starts = clip_starts(gtzan.COLUMNS, 130, 3)
        whole.append(np.stack([describe(track) for track in tracks.decibels]))
        clips.append(
            np.stack([[describe(t[:, s : s + 130]) for s in starts] for t in tracks.decibels])
        )
    return np.concatenate(whole, axis=1), np.concatenate(clips, axis=2)
