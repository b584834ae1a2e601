"""Copies of a recording are listed once."""

import numpy as np
from toy_world import COPY, same_sound

from recommender.embedding.duplicates import Recording


class TestCopies:
    def test_copies_of_the_seed_and_of_each_other_are_collapsed(self, world):
        seed = world.add("seed.ogg", 0)
        world.add("seed 128k.ogg", COPY, duration=60.5)
        world.add("tune.ogg", 20, duration=100)
        world.add("tune flac.ogg", 20 + COPY, duration=101)
        world.add("tune again.ogg", 20 + 2 * COPY, duration=99.5)
        assert world.names(seed) == ["tune"]
        assert world.names(seed, keep_duplicates=True) == [
            "seed 128k",
            "tune",
            "tune flac",
            "tune again",
        ]

    def test_another_length_or_a_little_distance_is_another_recording(self, world):
        seed = world.add("seed.ogg", 0, duration=100)
        world.add("radio edit.ogg", COPY, duration=97)
        world.add("karaoke.ogg", 4, duration=100)
        assert world.names(seed) == ["radio edit", "karaoke"]

    def test_a_copy_that_the_filters_drop_does_not_hide_the_one_they_keep(self, world):
        seed = world.add("seed.ogg", 0)
        world.add("untagged.ogg", 20, duration=100)
        world.add("tagged.ogg", 20 + COPY, duration=100, genre="Rock")
        assert world.names(seed, genre="rock") == ["tagged"]

    def test_a_copy_does_not_count_towards_its_artists_limit(self, world):
        seed = world.add("seed.ogg", 0)
        for number in range(3):
            world.add(f"one {number}.ogg", 20 + COPY * number, duration=100, artist="Ana")
        world.add("two.ogg", 40, duration=100, artist="Ana")
        assert world.names(seed) == ["one 0", "two"]

    def test_limits(self):
        one = Recording(np.array([1, 0], np.float32), 100.0)
        near = np.array([np.cos(0.01), np.sin(0.01)], np.float32)
        far = np.array([np.cos(0.03), np.sin(0.03)], np.float32)
        assert same_sound(one, Recording(near, 102.0))
        assert not same_sound(one, Recording(near, 102.1))
        assert not same_sound(one, Recording(far, 100.0))
        assert not same_sound(one, Recording(np.zeros(2, np.float32), 100.0))
