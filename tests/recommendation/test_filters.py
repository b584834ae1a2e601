"""Filters and the per-artist cap."""

import re

import pytest

from recommender.errors import (
    UsageError,
)
from recommender.recommendation.service import Filters


class TestArtists:
    @pytest.fixture(autouse=True)
    def tracks(self, world):
        self.seed = world.add("seed.ogg", 0, artist="Ana")
        for number in range(4):
            world.add(f"ana{number}.ogg", 5 + 5 * number, artist=("Ana", "ÁNA", " ana")[number % 3])
            world.add(f"ben{number}.ogg", 40 + 5 * number, album_artist="Ben")
            world.add(f"none{number}.ogg", 80 + 5 * number)
        world.add("feat.ogg", 60, artist="Ana feat. Ben")

    def test_two_of_each_artist_by_default_the_seeds_own_included(self, world):
        nobody = [f"none{number}" for number in range(4)]
        assert world.names(self.seed) == ["ana0", "ana1", "ben0", "ben1", *nobody]

    def test_other_limits(self, world):
        nobody = [f"none{number}" for number in range(4)]
        assert world.names(self.seed, per_artist=1) == ["ana0", "ben0", *nobody]
        assert len(world.names(self.seed, k=99, per_artist=None)) == 13

    def test_without_the_seeds_artist(self, world):
        nobody = [f"none{number}" for number in range(4)]
        assert world.names(self.seed, same_artist=False) == ["ben0", "ben1", *nobody]

    def test_a_seed_without_artist_shares_it_with_nobody(self, world):
        seed = world.add("unnamed.ogg", 78)
        assert world.names(seed, k=1, same_artist=False) == ["none0"]


class TestFilters:
    @pytest.fixture(autouse=True)
    def tracks(self, world):
        self.seed = world.add("seed.ogg", 0)
        world.add("short.ogg", 10, duration=20, genre="Hip-Hop", predicted="folk")
        world.add("middle.ogg", 20, duration=200, genre="hip hop; Pop", predicted="rock")
        world.add("long.ogg", 30, duration=2000, genre="Chanson Française", predicted="folk")
        world.add("untagged.ogg", 40, duration=90)

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"genre": "HIP-HOP"}, ["short", "middle"]),
            ({"genre": "chanson francaise"}, ["long"]),
            ({"genre": "hip"}, []),
            ({"predicted_genre": "Folk"}, ["short", "long"]),
            ({"predicted_genre": "folk", "genre": "hip-hop"}, ["short"]),
            ({"min_duration": 90}, ["middle", "long", "untagged"]),
            ({"max_duration": 90}, ["short", "untagged"]),
            ({"min_duration": 90, "max_duration": 200}, ["middle", "untagged"]),
        ],
        ids=str,
    )
    def test_each(self, world, filters, expected):
        assert world.names(self.seed, **filters) == expected

    @pytest.mark.parametrize(
        ("filters", "hint"),
        [
            ({"genre": "hiphop!"}, "did you mean 'Hip-Hop'?|did you mean 'hip hop'?"),
            ({"genre": "chansons"}, "did you mean 'Chanson Française'?"),
            ({"genre": "zydeco"}, "genres are Chanson Française, (Hip-Hop|hip hop)"),
        ],
        ids=str,
    )
    def test_a_genre_of_no_track_names_the_nearest_spelling(self, world, filters, hint):
        found = world.service.recommend(self.seed, filters=Filters(**filters))
        assert found.neighbours == []
        assert found.hint is not None
        assert re.search(hint.replace("?", r"\?"), found.hint)

    def test_another_filter_that_leaves_nothing_gives_no_hint(self, world):
        found = world.service.recommend(self.seed, filters=Filters(min_duration=9999))
        assert (found.neighbours, found.hint) == ([], None)

    def test_a_misspelt_predicted_genre(self, world):
        with pytest.raises(UsageError, match=r"did you mean 'rock'.*it knows folk, rock"):
            world.service.similar(self.seed, filters=Filters(predicted_genre="rokc"))

    def test_a_genre_that_the_network_does_not_know(self, world):
        with pytest.raises(UsageError, match="it knows folk, rock"):
            world.service.similar(self.seed, filters=Filters(predicted_genre="polka"))

    @pytest.mark.parametrize(
        "filters", [{"per_artist": 0}, {"min_duration": 10, "max_duration": 9}], ids=str
    )
    def test_values_that_no_track_can_meet(self, filters):
        with pytest.raises(UsageError):
            Filters(**filters)

    def test_k_below_one(self, world):
        with pytest.raises(UsageError):
            world.service.similar(self.seed, 0)
