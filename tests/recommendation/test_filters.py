"""Filters and the per-artist cap."""

import re
import sqlite3

import pytest

from recommender.audio.damage import Damage
from recommender.errors import (
    UsageError,
)
from recommender.recommendation.filters import Filters


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


class TestNamesOfArtists:
    """A list about "seed"; the nearest tracks come first."""

    def names(self, world, *artists: str | dict, seed: str = "", **filters) -> list[int]:
        """Positions of the tracks in the list, each with an artist, or tags, of `artists`."""
        first = world.add("seed.ogg", 0, **({"artist": seed} if seed else {}))
        for number, tags in enumerate(artists):
            tags = tags if isinstance(tags, dict) else {"artist": tags}
            world.add(f"{number}.ogg", 5 + 5 * number, **tags)
        return [int(name) for name in world.names(first, k=99, **filters)]

    def test_names_of_nobody_are_not_capped(self, world):
        nobody = ["Various Artists", "Unknown Artist", "VARIOUS ARTISTS", "V.A.", "[unknown]"]
        found = self.names(world, *nobody, *nobody, seed="Various Artists", same_artist=False)
        assert found == list(range(10))

    @pytest.mark.parametrize(
        "other",
        [
            "MIRA LUND",
            "Mira Lund feat. Otto Berg",
            "Otto Berg ft. Mira Lund",
            "Otto Berg (with Mira Lund)",
            "Mira Lund & Otto Berg",
            "Otto Berg, Mira Lund",
            "Otto Berg x Mira Lund",
            "Otto Berg; Mira Lund",
            {"artist": "Various Artists", "album_artist": "Mira Lund"},
            {"artist": "M. & O.", "artists": ("Mira Lund", "Otto Berg")},
        ],
        ids=str,
    )
    def test_no_spelling_escapes_the_cap(self, world, other):
        tracks = ["Mira Lund", other, "Mira Lund", other, "Someone"]
        assert self.names(world, *tracks, per_artist=2) == [0, 1, 4]
        assert self.names(world, *tracks, per_artist=1) == [0, 4]

    @pytest.mark.parametrize("other", ["Mira Lund feat. B", "B & Mira Lund", "B; mira lund"])
    def test_none_of_the_seeds_artists(self, world, other):
        assert self.names(world, other, "C", seed="Mira Lund", same_artist=False) == [1]

    def test_every_artist_of_the_seed(self, world):
        found = self.names(world, "A", "B", "C", seed="A feat. B", same_artist=False)
        assert found == [2]

    @pytest.mark.parametrize(
        "name", ["AC/DC", "Earth, Wind & Fire", "Simon & Garfunkel", "Tyler, The Creator"]
    )
    def test_one_artist_stays_one(self, world, name):
        parts = [part.strip() for part in re.split("[,/&]", name)]
        tracks = [name, name, name, parts[-1] + " Else", "Some " + parts[0]]
        assert self.names(world, *tracks) == [0, 1, 3, 4]

    def test_every_artist_of_a_track_counts(self, world):
        assert self.names(world, "A; B", "A; C", "C", "B", "A", "C; D", "D") == [0, 1, 2, 3, 6]

    def test_lists_of_before_are_derived_from_the_text(self, world):
        first = world.add("seed.ogg", 0)
        for number, artist in enumerate(["A feat. B", "B; C", "B", "D"]):
            world.add(f"{number}.ogg", 5 + 5 * number, artist=artist)
        with sqlite3.connect(world.folder / "toy.db") as connection:
            connection.execute("UPDATE tracks SET artists = NULL, album_artists = NULL")
        connection.close()
        assert world.names(first) == ["0", "1", "3"]


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
            ({"predicted_genre": "fo-lk "}, ["short", "long"]),
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
        assert not found.hint.endswith("?.")

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


def test_damaged_tracks_are_left_out_on_request(world):
    seed = world.add("seed.ogg", 0)
    world.add("whole.ogg", 10)
    world.add("half.ogg", 20, damage=Damage(60.0, 30.0))
    assert world.names(seed) == ["whole", "half"]
    assert world.names(seed, damaged=False) == ["whole"]
