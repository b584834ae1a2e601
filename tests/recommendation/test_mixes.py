"""Lists of several seeds: what is near to which, what is left out, and what is said of it."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from toy_world import COPY

from recommender.errors import TrackNotFound, UsageError
from recommender.recommendation.mix_request import Length, MixRequest, Rules, SeedSet
from recommender.recommendation.mix_seeds import grouped, moved_away

JULY, DECEMBER = date(2026, 7, 1), date(2026, 12, 1)


def names(mix) -> list[str]:
    return [Path(entry.track.path).stem for entry in mix.entries]


def listed(world, kind: str, like, unlike=(), today=JULY, length=None, **fields) -> list[str]:
    own = {name: fields.pop(name) for name in ("steps", "threshold", "first") if name in fields}
    request = MixRequest(
        kind, SeedSet(tuple(like), tuple(unlike)), Rules(**fields), length or Length(), **own
    )
    return names(world.service.mix(request, today))


class TestSeeds:
    @pytest.fixture(autouse=True)
    def tracks(self, world):
        self.at = {degrees: world.add(f"{degrees}.ogg", degrees) for degrees in range(0, 180, 10)}

    def test_seeds_that_sound_alike_are_searched_for_by_their_mean(self, world):
        found = listed(world, "mix", [self.at[60], self.at[80]], length=Length(3))
        assert found[0] == "70"
        assert set(found[1:]) == {"50", "90"}

    def test_seeds_that_do_not_each_have_their_own(self, world):
        found = listed(world, "mix", [self.at[0], self.at[170]], length=Length(4))
        assert set(found) == {"10", "20", "160", "150"}

    def test_each_group_counts_by_its_seeds(self, world):
        found = listed(
            world, "radio", [self.at[0], self.at[10], self.at[20], self.at[170]], length=Length(4)
        )
        assert len({"160", "150", "140"} & set(found)) == 1

    def test_a_list_moves_away_from_what_is_unliked(self, world):
        with_it = listed(world, "mix", [self.at[80]], length=Length(6))
        without = listed(world, "mix", [self.at[80]], [self.at[50]], length=Length(6))
        assert np.mean([int(name) for name in with_it]) == pytest.approx(80, abs=6)
        assert np.mean([int(name) for name in without]) > 100

    def test_similarities_are_cosines_with_the_nearest_group(self, world):
        request = MixRequest("mix", SeedSet((self.at[0],)), length=Length(2))
        found = world.service.mix(request).entries
        expected = [np.cos(np.radians(10)), np.cos(np.radians(20))]
        assert [entry.similarity for entry in found] == pytest.approx(expected, abs=1e-5)

    def test_unknown_seeds_are_named_and_the_rest_goes_on(self, world):
        request = MixRequest("mix", SeedSet((self.at[0], "no such song", 999)), length=Length(1))
        found = world.service.mix(request)
        assert names(found) == ["10"]
        assert "no such song" in found.notes[0]
        assert "999" in found.notes[1]
        assert [seed.track.id for seed in found.seeds] == [self.at[0]]

    def test_an_unknown_seed_alone_is_an_error(self, world):
        with pytest.raises(TrackNotFound, match="no such song"):
            listed(world, "mix", ["no such song"])
        with pytest.raises(TrackNotFound, match=r"none of the 2.*no such.*nor this"):
            listed(world, "mix", ["no such song", "nor this"])

    def test_an_unknown_end_of_a_path_is_an_error(self, world):
        with pytest.raises(TrackNotFound, match="no such song"):
            listed(world, "path", [self.at[0], "no such song"])

    def test_a_seed_that_is_liked_by_id_and_unliked_by_path(self, world):
        path = world.folder / "music" / "10.ogg"
        with pytest.raises(UsageError, match=r"'10' .*both like and unlike"):
            listed(world, "mix", [self.at[10]], [path])

    def test_seeds_twice_count_once(self, world):
        request = MixRequest("mix", SeedSet((self.at[0], str(self.at[0]))))
        assert len(world.service.mix(request).seeds) == 1


class TestRules:
    @pytest.fixture(autouse=True)
    def seed(self, world):
        self.seed = world.add("seed.ogg", 0)

    def test_speech_is_left_out_by_its_genre(self, world):
        world.add("talk.ogg", 10, genre="Pop; Podcast")
        world.add("song.ogg", 20, genre="Pop")
        assert listed(world, "mix", [self.seed]) == ["song"]
        assert listed(world, "mix", [self.seed], speech=True) == ["talk", "song"]

    def test_christmas_music_is_for_december(self, world):
        world.add("song.ogg", 10)
        world.add("carol.ogg", 20, title="Silent Night")
        for christmas, today, expected in (
            ("december", JULY, ["song"]),
            ("december", DECEMBER, ["song", "carol"]),
            ("always", JULY, ["song", "carol"]),
            ("never", DECEMBER, ["song"]),
        ):
            found = listed(world, "mix", [self.seed], today=today, christmas=christmas)
            assert found == expected, (christmas, today)

    def test_long_tracks_are_left_out(self, world):
        world.add("set.ogg", 10, duration=3600)
        world.add("song.ogg", 20, duration=200)
        assert listed(world, "radio", [self.seed]) == ["song"]
        assert listed(world, "radio", [self.seed], max_duration=None) == ["set", "song"]

    @pytest.mark.parametrize("kind", ["mix", "radio", "grow"])
    def test_exclusions_of_the_catalogue(self, world, kind):
        barred = world.add("barred.ogg", 10)
        world.add("some/folder/below.ogg", 20)
        world.add("artist.ogg", 30, artist="Ana feat. Ben")
        world.add("genre.ogg", 40, genre="Hip-Hop")
        world.add("left.ogg", 50, artist="Ana Else", genre="Pop")
        for what, value in (
            ("track", barred),
            ("folder", world.folder / "music" / "some"),
            ("artist", "BEN"),
            ("genre", "hip hop"),
        ):
            world.catalog.add_exclusion(what, str(value))
        request = MixRequest(kind, SeedSet((self.seed,)))
        found = world.service.mix(request)
        assert names(found) == ["left"]
        assert found.left_out["excluded"] == 4
        assert len(listed(world, kind, [self.seed], exclusions=False)) == 5
        assert len(world.names(self.seed)) == 5  # of `similar`, nothing is excluded
        world.catalog.remove_exclusion(world.catalog.exclusions()[0].id)
        assert names(world.service.mix(request)) == ["barred", "left"]

    def test_an_excluded_artist_of_several(self, world):
        world.add("both.ogg", 10, artist="Ana & Ben")
        world.add("ana.ogg", 20, artist="Ana")
        world.add("other.ogg", 30, artist="Cid")
        world.catalog.add_exclusion("artist", "Ana")
        assert listed(world, "mix", [self.seed]) == ["other"]

    def test_what_was_played_and_its_copies_are_not_repeated(self, world):
        played = world.add("played.ogg", 10, duration=100)
        world.add("played again.ogg", 10 + COPY, duration=100)
        world.add("fresh.ogg", 20, duration=100)
        found = world.service.mix(
            MixRequest("radio", SeedSet((self.seed,)), Rules(previous=(played, 12345)))
        )
        assert names(found) == ["fresh"]
        assert (found.left_out["played before"], found.left_out["copy"]) == (1, 1)

    def test_copies_of_the_seed_and_of_each_other(self, world):
        seed = world.add("own.ogg", 100, duration=100)
        world.add("own again.ogg", 100 + COPY, duration=100)
        world.add("tune.ogg", 110, duration=100)
        world.add("tune again.ogg", 110 + COPY, duration=100)
        assert listed(world, "mix", [seed], length=Length(2)) == ["tune", "seed"]

    def test_rules_that_leave_nothing_are_named(self, world):
        world.add("song.ogg", 10, genre="Folk")
        with pytest.raises(UsageError, match=r"genre 1.*did you mean 'Folk'"):
            listed(world, "mix", [self.seed], genre="Folc")
        with pytest.raises(UsageError, match="length 1"):
            listed(world, "mix", [self.seed], max_duration=5)
        world.catalog.add_exclusion("genre", "Folk")
        with pytest.raises(UsageError, match="excluded 1"):
            listed(world, "radio", [self.seed])

    def test_some_of_many_genres_are_named_and_the_others_counted(self, world):
        for number in range(12):
            world.add(f"{number}.ogg", 10, genre=f"{'gG'[number % 2]}enre {number:02}")
        with pytest.raises(UsageError, match=r"genre 00, Genre 01, .*, Genre 09 and 2 more\.$"):
            listed(world, "mix", [self.seed], genre="zzz")

    def test_a_catalogue_of_the_seed_alone(self, world):
        found = world.service.mix(MixRequest("radio", SeedSet((self.seed,))))
        assert (found.entries, found.notes) == ([], ["no other track is left."])

    def test_minutes_end_a_list(self, world):
        for number in range(5):
            world.add(f"{number}.ogg", 10 + 10 * number, duration=100)
        for kind in ("mix", "radio", "grow"):
            assert listed(world, kind, [self.seed], length=Length(minutes=6)) == ["0", "1", "2"]
        assert len(listed(world, "mix", [self.seed], length=Length(2, 6))) == 2

    @pytest.mark.parametrize("kind", ["mix", "radio", "grow"])
    def test_a_track_that_is_too_long_for_the_rest_is_passed_over(self, world, kind):
        world.add("long.ogg", 10, duration=500)
        world.add("short.ogg", 20, duration=100)
        world.add("next.ogg", 30, duration=15)
        assert listed(world, kind, [self.seed], length=Length(minutes=2)) == ["short", "next"]
        # Nine tenths of the time are enough.
        assert listed(world, kind, [self.seed], length=Length(minutes=1.8)) == ["short"]
        found = world.service.mix(
            MixRequest(kind, SeedSet((self.seed,)), length=Length(minutes=0.1))
        )
        assert found.entries == []
        assert "0.1 minutes left" in found.notes[0]

    def test_variety_draws_from_more_tracks(self, world):
        for number in range(60):
            world.add(f"{number}.ogg", 3 + 2 * number, duration=60 + 3 * number)
        plain = listed(world, "mix", [self.seed], length=Length(5))
        lists = [
            listed(world, "mix", [self.seed], length=Length(5), variety=1.0, random_seed=number)
            for number in range(10)
        ]
        assert plain == ["0", "1", "2", "3", "4"]
        assert len({name for one in lists for name in one}) > 12
        assert len({tuple(one) for one in lists}) == 10


class TestGrow:
    @pytest.fixture(autouse=True)
    def tracks(self, world):
        self.at = {degrees: world.add(f"{degrees}.ogg", degrees) for degrees in (0, 90)}
        for degrees in (10, 45, 85, 130):
            world.add(f"{degrees}.ogg", degrees)

    def test_by_a_number(self, world):
        found = listed(world, "grow", self.at.values(), length=Length(3))
        assert found == ["85", "10", "130"]

    def test_by_a_threshold(self, world):
        threshold = float(np.cos(np.radians(46)))
        assert listed(world, "grow", self.at.values(), threshold=threshold) == [
            "85",
            "10",
            "130",
            "45",
        ]
        threshold = float(np.cos(np.radians(20)))
        assert listed(world, "grow", self.at.values(), threshold=threshold) == ["85", "10"]

    def test_nothing_so_near(self, world):
        request = MixRequest("grow", SeedSet(tuple(self.at.values())), threshold=0.99999)
        found = world.service.mix(request)
        assert found.entries == []
        assert "similarity" in found.notes[0]


class TestPathAndOrder:
    def test_a_path_goes_by_even_steps(self, world):
        at = {degrees: world.add(f"{degrees}.ogg", degrees) for degrees in range(0, 125, 5)}
        found = listed(world, "path", [at[0], at[120]], steps=4)
        assert found == ["0", "30", "60", "90", "120"]

    def test_its_largest_step_is_the_smallest(self, world):
        at = {d: world.add(f"{d}.ogg", d) for d in (0, 8, 40, 47, 60, 90)}
        assert listed(world, "path", [at[0], at[90]], steps=3) == ["0", "40", "60", "90"]

    def test_one_track_of_an_artist_the_ends_included(self, world):
        one = world.add("a.ogg", 0, artist="Ana")
        world.add("b.ogg", 30, artist="Ana feat. Ben")
        world.add("c.ogg", 32, artist="Cid")
        world.add("d.ogg", 60, artist="Cid")
        other = world.add("e.ogg", 90, artist="Eve")
        assert len(listed(world, "path", [one, other], steps=2)) == 3
        found = world.service.mix(MixRequest("path", SeedSet((one, other)), steps=3))
        assert "2 steps instead of 3" in found.notes[0]
        assert len(listed(world, "path", [one, other], steps=3, per_artist=0)) == 4

    def test_a_path_to_itself(self, world):
        one = world.add("a.ogg", 0)
        with pytest.raises(UsageError, match="to itself"):
            listed(world, "path", [one, str(one)], steps=3)

    def test_an_order_of_a_given_list(self, world):
        angles = [50, 10, 90, 30, 70]
        at = {degrees: world.add(f"{degrees}.ogg", degrees) for degrees in angles}
        found = [int(name) for name in listed(world, "order", at.values())]
        assert found in ([10, 30, 50, 70, 90], [90, 70, 50, 30, 10])
        begun = [int(n) for n in listed(world, "order", at.values(), first=at[90])]
        assert begun == [90, 70, 50, 30, 10]
        with pytest.raises(UsageError, match="first"):
            listed(world, "order", [at[10], at[30]], first=at[50])


class TestSeedGroups:
    def test_average_linkage(self):
        units = np.array([[np.cos(a), np.sin(a)] for a in np.radians([0, 100, 5, 95, 10])])
        assert grouped(units, 0.5) == [[0, 2, 4], [1, 3]]
        assert grouped(units, -1) == [[0, 1, 2, 3, 4]]
        assert grouped(units, 1.1) == [[0], [1], [2], [3], [4]]

    def test_moving_away(self):
        unit = np.array([1, 1, 0], np.float32) / np.sqrt(2)
        away = np.array([[1, 0, 0], [0, 0, 1]], np.float32)
        moved = moved_away(unit, away)
        assert moved[0] < 0.4 < moved[1]
        assert np.linalg.norm(moved) == pytest.approx(1)
        assert moved_away(unit, away[1:]) == pytest.approx(unit)
        assert moved_away(unit, np.empty((0, 3), np.float32)) == pytest.approx(unit)
