"""Artists and albums that sound alike."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from toy_world import COPY

from recommender.errors import TrackNotFound, UsageError
from recommender.recommendation.mix_request import Rules


class TestArtists:
    @pytest.fixture(autouse=True)
    def tracks(self, world):
        for number, (degrees, artist) in enumerate(
            [(0, "Ana"), (20, "ANA"), (30, "Ben"), (50, "Ben"), (50, "Cid; Ben"), (150, "Cid")]
        ):
            world.add(f"{number}.ogg", degrees, artist=artist)
        world.add("nobody.ogg", 12, artist="Unknown Artist")

    def test_by_the_mean_of_their_tracks_nearest_first(self, world):
        found = world.service.similar_artists("ana")
        assert [(one.artist, one.tracks) for one in found] == [("Ben", 3), ("Cid", 2)]
        assert found[0].similarity == pytest.approx(np.cos(np.radians(43.4 - 10)), abs=0.01)
        assert len(world.service.similar_artists("Ana", k=1)) == 1

    def test_entry_points_are_near_to_the_artist_or_to_what_is_playing(self, world):
        def points(near):
            found = world.service.similar_artists("Ana", near=near)[0]
            return [Path(one.track.path).stem for one in found.entry_points]

        assert points(None)[0] == "2"
        assert points(world.catalog.search("5")[0].id)[0] in ("3", "4")

    def test_an_artist_that_is_not_there(self, world):
        with pytest.raises(TrackNotFound, match="did you mean 'Ben'"):
            world.service.similar_artists("Benn")
        with pytest.raises(TrackNotFound, match="names no artist"):
            world.service.similar_artists("Various Artists")

    def test_bad_arguments(self, world):
        with pytest.raises(UsageError, match="at least 1"):
            world.service.similar_artists("Ana", k=0)
        with pytest.raises(TypeError, match="artist"):
            world.service.similar_artists(3)


class TestWhatMayBeBegunWith:
    def test_an_artist_without_such_a_track_is_left_out_and_counted(self, world):
        world.add("ana.ogg", 0, artist="Ana")
        world.add("ben/tale.ogg", 5, artist="Ben", genre="Audiobook")
        world.add("ben/song.ogg", 40, artist="Ben")
        world.add("cid.ogg", 10, artist="Cid", title="Silent Night")
        world.add("dee.ogg", 20, artist="Dee")
        world.add("eve.ogg", 30, artist="Eve", duration=1000)
        world.add("nobody.ogg", 12, artist="Unknown Artist")
        world.catalog.add_exclusion("artist", "dee")

        def listed(rules, month):
            found = world.service.similar_artists("Ana", rules=rules, today=date(2026, month, 1))
            first = {one.artist: Path(one.entry_points[0].track.path).stem for one in found}
            return first, {rule: count for rule, count in found.left_out.items() if count}

        everything = {"Cid": "cid", "Dee": "dee", "Ben": "tale", "Eve": "eve"}
        assert listed(None, 6) == (everything, {"no artist": 1})
        reasons = {"length": 1, "speech": 1, "excluded": 1, "no artist": 1}
        assert listed(Rules(), 6) == ({"Ben": "song"}, reasons | {"Christmas": 1})
        assert listed(Rules(), 12) == ({"Cid": "cid", "Ben": "song"}, reasons)
        assert world.service.similar_artists("Ana", rules=Rules()).catalogue == 7

    def test_nothing_left_is_an_empty_list(self, world):
        one = world.add("one.ogg", 0, artist="Ana", album="One", genre="Podcast")
        world.add("two.ogg", 20, artist="Ben", album="Two", genre="Podcast")
        assert list(world.service.similar_artists("Ana", rules=Rules())) == []
        found = world.service.similar_albums(one, rules=Rules())
        assert (list(found), found.left_out["speech"]) == ([], 2)


class TestAlbums:
    def test_of_a_track_or_its_album(self, world):
        one = world.add("a/1.ogg", 0, album="One", artist="Ana")
        world.add("a/2.ogg", 40, album="One", artist="Ben")
        world.add("b/1.ogg", 25, album="Two", album_artist="Cid", artist="Guest")
        world.add("c/1.ogg", 60, album="Three", artist="Eve")
        alone = world.add("alone.ogg", 50)
        found = world.service.similar_albums(one)
        assert [(album.album, album.artist) for album in found] == [
            ("Two", "Cid"),
            ("Three", "Eve"),
        ]
        assert found[0].similarity == pytest.approx(np.cos(np.radians(5)), abs=1e-4)
        assert next(album.album for album in world.service.similar_albums(alone)) == "Three"
        of_several = world.service.similar_albums(alone)[-1]
        assert (of_several.album, of_several.artist, of_several.tracks) == ("One", None, 2)

    def test_albums_of_one_name_are_told_apart(self, world):
        seed = world.add("seed.ogg", 0)
        world.add("x/1.ogg", 10, album="Hits")
        world.add("y/CD1/1.ogg", 20, album="Hits (Disc 1)")
        world.add("y/CD2/1.ogg", 25, album="Hits (Disc 2)")
        world.add("z/1.ogg", 30, album="Hits", album_artist="Ana")
        world.add("elsewhere/1.ogg", 40, album="HITS", album_artist="ana")
        counts = [album.tracks for album in world.service.similar_albums(seed)]
        assert counts == [1, 2, 2]

    def test_no_albums(self, world):
        seed = world.add("seed.ogg", 0)
        with pytest.raises(UsageError, match="album tag"):
            world.service.similar_albums(seed)


class TestDuplicates:
    def test_groups_with_evidence(self, world):
        for number in range(3):
            world.add(f"tune {number}.ogg", COPY * number, duration=100 + 0.5 * number)
        world.add("edit.ogg", 0, duration=80)
        world.add("other.ogg", 30, duration=100)
        world.add("other again.ogg", 30 + COPY, duration=100)
        groups = world.service.duplicates()
        assert [[Path(t.path).stem for t in group.tracks] for group in groups] == [
            ["other again", "other"],
            ["tune 0", "tune 1", "tune 2"],
        ]
        evidence = groups[0].evidence[0]
        assert evidence.similarity == pytest.approx(np.cos(np.radians(COPY)), abs=1e-6)
        assert (evidence.same_sound, evidence.seconds_apart) == (False, 0)
        assert "similarity" in evidence.text
        assert {e.seconds_apart for e in groups[1].evidence} == {0.5, 1.0}

    def test_many_copies_are_one_group(self, world):
        for number in range(15):
            world.add(f"{number}.ogg", 0.01 * number, duration=100)
        (group,) = world.service.duplicates()
        assert len(group.tracks) == 15
        assert len(group.evidence) >= 14

    def test_a_higher_minimum(self, world):
        world.add("a.ogg", 0)
        world.add("b.ogg", 0.8)
        assert len(world.service.duplicates()) == 1
        assert world.service.duplicates(0.99999) == []
        for minimum in (0.5, 1.5):
            with pytest.raises(UsageError, match="minimum"):
                world.service.duplicates(minimum)

    def test_none(self, world):
        world.add("a.ogg", 0)
        world.add("b.ogg", 40)
        assert world.service.duplicates() == []
