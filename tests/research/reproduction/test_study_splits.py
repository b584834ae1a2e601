"""How GTZAN is split for the study."""

import numpy as np
import pytest
from toy_gtzan import noise

from recommender.errors import DatasetError
from recommender.research.datasets import gtzan
from recommender.research.reproduction.splits import PAPER_SIZES, drawn_clips, load_protocol


class TestPaperProtocol:
    def test_the_committed_list_is_the_drawn_one(self) -> None:
        drawn = drawn_clips(tuple(gtzan.artists()))
        assert {name: tuple(ids) for name, ids in drawn.items()} == {
            name: gtzan.split_ids("paper", name) for name in PAPER_SIZES
        }

    def test_every_clip_is_in_one_split(self) -> None:
        listed = [clip for name in PAPER_SIZES for clip in gtzan.split_ids("paper", name)]
        assert len(listed) == len(set(listed)) == 3000

    def test_it_leaks(self) -> None:
        tracks = {
            name: {clip.rpartition(".")[0] for clip in gtzan.split_ids("paper", name)}
            for name in PAPER_SIZES
        }
        assert len(tracks["train"] & tracks["test"]) > 400

    def test_splits_are_as_large_as_those_of_the_stratified_split(self) -> None:
        for name, clips in PAPER_SIZES.items():
            assert clips == 3 * len(gtzan.split_ids("stratified", name))

    def test_clips_are_thirds_of_their_tracks(self) -> None:
        data = noise(["paper"])
        test = load_protocol(data, "paper", smoke_test=True).test
        assert test.tracks.decibels.shape == (6, 128, 129)
        for row, clip in enumerate(test.ids):
            track, _, number = clip.rpartition(".")
            whole = data.decibels(data.track_ids.index(track))
            start = 129 * int(number)
            np.testing.assert_array_equal(test.tracks.decibels[row], whole[:, start : start + 129])

    def test_without_the_track_that_is_corrupt_in_circulation(self) -> None:
        data = noise(["paper"])
        corrupt = next(iter(gtzan.CORRUPT_IN_CIRCULATION))
        assert corrupt not in data.track_ids
        with pytest.raises(DatasetError, match="blues"):
            load_protocol(data, "paper")  # other tracks may not be absent


class TestTrackProtocols:
    @pytest.mark.parametrize("protocol", ["filtered", "stratified"])
    def test_no_track_is_in_two_splits(self, protocol: str) -> None:
        listed = [i for name in ("train", "valid", "test") for i in gtzan.split_ids(protocol, name)]
        assert len(listed) == len(set(listed))

    def test_a_smoke_test_takes_a_few_tracks_of_each_split(self) -> None:
        split = load_protocol(noise(["filtered"]), "filtered", smoke_test=True)
        assert len(split.train.ids) == len(split.valid.ids) == len(split.test.ids) == 6
        assert set(np.bincount(split.train.tracks.labels)) == {2}
        listed = gtzan.split_ids("filtered", "test_artist_disjoint")
        assert {split.test.ids[i] for i in split.disjoint} <= set(listed)
