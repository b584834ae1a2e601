"""The tracks of a split and their descriptors."""

import dataclasses

import numpy as np
import pytest

from recommender.features.descriptors import describe
from recommender.research.model_building import split_tracks
from recommender.research.model_building.leave_genres_out import genre_folds
from recommender.research.model_building.split_tracks import joined, load_split, load_tracks

pytestmark = pytest.mark.usefixtures("small_split")


def test_a_track_is_low_passed_the_same_in_every_split(data) -> None:
    whole = load_split(data, "filtered", "valid")
    assert whole.low_passed_descriptors.shape == whole.descriptors.shape
    assert not np.allclose(whole.low_passed_descriptors, whole.descriptors, atol=1e-3)
    others = load_tracks(data, whole.ids[::-2])
    rows = [whole.ids.index(track_id) for track_id in others.ids]
    assert others.low_passed_descriptors.tobytes() == whole.low_passed_descriptors[rows].tobytes()
    # Nor does what was described before.
    fresh = load_tracks(dataclasses.replace(data), whole.ids[::-2])
    assert fresh.low_passed_descriptors.tobytes() == others.low_passed_descriptors.tobytes()


def test_a_track_is_described_once_whatever_splits_it_is_in(data, monkeypatch) -> None:
    described: list[tuple[int, ...]] = []

    def counting(decibels: np.ndarray) -> np.ndarray:
        described.append(decibels.shape)
        return describe(decibels)

    monkeypatch.setattr(split_tracks, "describe", counting)
    own = dataclasses.replace(data)
    training, valid = (load_split(own, "filtered", name) for name in ("train", "valid"))
    splits = [training, valid, joined([training, valid]), load_tracks(own, valid.ids[:5])]
    splits += [fold.training for fold in genre_folds(training, valid)]
    for tracks in splits:
        assert len(tracks.descriptors) == len(tracks.ids)
        assert len(tracks.clip_descriptors) == len(tracks.ids)
        assert len(tracks.low_passed_descriptors) == len(tracks.ids)
    count = len(training.ids) + len(valid.ids)
    assert len(described) == count * (1 + split_tracks.CLIPS + 1)
    expected = np.stack([describe(track) for track in training.tracks.decibels])
    assert training.descriptors.tobytes() == expected.tobytes()
