"""Requests for lists: what is refused, and storing them as JSON."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.embedding.space import Embedding, SpaceId
from recommender.errors import UsageError
from recommender.recommendation.mix_request import (
    Length,
    MixRequest,
    Rules,
    SeedSet,
    latest_last,
)

gaps = st.none() | st.integers(0, 50)
rules = st.builds(
    Rules,
    artist_gap=gaps,
    album_gap=gaps,
    strict=st.booleans(),
    per_artist=gaps,
    genre=st.none() | st.text(),
    min_duration=st.none() | st.floats(0, 100),
    max_duration=st.none() | st.floats(100, 2000),
    damaged=st.booleans(),
    speech=st.booleans(),
    christmas=st.sampled_from(["december", "always", "never"]),
    exclusions=st.booleans(),
    previous=st.lists(st.integers(1, 10**6), max_size=5).map(tuple),
    variety=st.floats(0, 1),
    random_seed=st.integers(-(2**63), 2**63),
)
queries = st.integers(1, 10**6) | st.text(min_size=1)
lengths = st.builds(Length, st.none() | st.integers(1, 500), st.none() | st.floats(0.1, 500))


class TestStoring:
    @given(
        st.sampled_from(["mix", "radio", "grow"]),
        st.lists(queries, min_size=1, max_size=5, unique=True),
        rules,
        lengths,
    )
    def test_every_request_comes_back_from_json(self, kind, like, own, length):
        request = MixRequest(kind, SeedSet(tuple(like)), own, length)
        assert MixRequest.from_dict(json.loads(json.dumps(request.as_dict()))) == request

    def test_fields_of_the_kinds(self):
        for request in (
            MixRequest("path", SeedSet((1, 2)), steps=7),
            MixRequest("grow", SeedSet((1, 2)), threshold=0.5),
            MixRequest("order", SeedSet((1, 2)), first=2),
        ):
            assert MixRequest.from_dict(request.as_dict()) == request

    def test_what_is_not_there_has_its_default(self):
        request = MixRequest.from_dict({"kind": "radio", "seeds": {"like": [3]}})
        assert request == MixRequest("radio", SeedSet((3,)))

    def test_paths_become_text(self):
        stored = MixRequest("mix", SeedSet((Path("/a/b.ogg"),))).as_dict()
        assert stored["seeds"]["like"] == ["/a/b.ogg"]

    def test_a_sound_cannot_be_stored(self, tmp_path):
        (tmp_path / "sound").write_bytes(b"")
        with (tmp_path / "sound").open("rb") as file, pytest.raises(UsageError, match="stored"):
            MixRequest("mix", SeedSet((file,))).as_dict()

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"kidn": "mix"}, "'kidn'"),
            ({"rules": {"artist_gpa": 3}}, "'artist_gpa'"),
            ({"rules": {"variety": "much"}}, "variety"),
            ({"rules": {"variety": True}}, "variety"),
            ({"rules": {"previous": 3}}, "'previous'"),
            ({"rules": {"previous": ["a"]}}, "previous"),
            ({"rules": {"christmas": 12}}, "christmas"),
            ({"rules": [1]}, "rules"),
            ({"length": {"tracks": "ten"}}, "tracks"),
            ({"length": {"hours": 1}}, "'hours'"),
            ({"seeds": {"like": "track"}}, "'like'"),
            ({"seeds": {"like": [1.5]}}, "'like'"),
            ({"seeds": {"like": [None]}}, "'like'"),
            ({"seeds": {}}, "seeds"),
            ({"steps": "two", "kind": "path"}, "steps"),
            ({"rules": {"min_duration": 1200}}, "greatest length unless another is given"),
            ({"kind": 3}, "kind"),
            ({"kind": "tape"}, "'tape'"),
            ({"schema_version": 99}, "99"),
        ],
    )
    def test_what_is_wrong_is_named(self, change, named):
        values = MixRequest("mix", SeedSet((1,))).as_dict() | change
        with pytest.raises(UsageError, match=named):
            MixRequest.from_dict(values)

    @pytest.mark.parametrize("values", [None, [], "mix", 3])
    def test_no_object(self, values):
        with pytest.raises(UsageError, match="object"):
            MixRequest.from_dict(values)


class TestRefused:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: SeedSet((1, "a"), ("a",)), "both like and unlike"),
            (lambda: MixRequest("mix", SeedSet(())), "needs a seed"),
            (lambda: MixRequest("path", SeedSet((1,))), "2 ends"),
            (lambda: MixRequest("path", SeedSet((1, 2), (3,))), "unlike"),
            (lambda: MixRequest("path", SeedSet((1, 2)), length=Length(minutes=3)), "minutes"),
            (lambda: MixRequest("path", SeedSet((1, 2)), length=Length(1)), "at least one step"),
            (lambda: MixRequest("path", SeedSet((1, 2)), steps=0), "at least one step"),
            (lambda: MixRequest("path", SeedSet((1, 2)), length=Length(5), steps=5), "6 tracks"),
            (lambda: MixRequest("path", SeedSet((1, 2)), Rules(artist_gap=3)), "artist gap"),
            (lambda: MixRequest("order", SeedSet((1, 2)), length=Length(5)), "no length"),
            (lambda: MixRequest("mix", SeedSet((1,)), steps=5), "'steps'"),
            (lambda: MixRequest("mix", SeedSet((1,)), threshold=0.5), "'threshold'"),
            (lambda: MixRequest("grow", SeedSet((1,)), threshold=1.5), "1.5"),
            (lambda: MixRequest("radio", SeedSet((1,)), first=1), "'first'"),
            (lambda: Length(0), "at least 1"),
            (lambda: Length(minutes=0), "more than 0"),
            (lambda: Length(minutes=float("nan")), "more than 0"),
            (lambda: Rules(artist_gap=-1), "artist gap"),
            (lambda: Rules(variety=1.1), "variety"),
            (lambda: Rules(variety=float("nan")), "variety"),
            (lambda: Rules(christmas="easter"), "easter"),
            (lambda: Rules(min_duration=10, max_duration=5), "10 s"),
        ],
    )
    def test_contradictions(self, make, message):
        with pytest.raises(UsageError, match=message):
            make()

    @pytest.mark.parametrize(
        "make",
        [
            lambda: SeedSet("track"),
            lambda: SeedSet(3),
            lambda: Rules(previous="12"),
            lambda: Rules(artist_gap=1.5),
            lambda: Rules(speech="no"),
            lambda: Length("ten"),
            lambda: MixRequest("mix", (1, 2)),
        ],
    )
    def test_wrong_types(self, make):
        with pytest.raises(TypeError):
            make()


def test_defaults_of_the_kinds():
    radio, mix = (MixRequest(kind, SeedSet((1,))) for kind in ("radio", "mix"))
    assert (radio.artist_gap, radio.album_gap, radio.per_artist, radio.tracks) == (15, 30, 0, 50)
    assert (mix.artist_gap, mix.album_gap, mix.per_artist, mix.tracks) == (0, 0, 2, 25)
    assert MixRequest("path", SeedSet((1, 2)), steps=4).tracks == 5
    assert MixRequest("radio", SeedSet((1,)), length=Length(minutes=30)).tracks is None
    assert MixRequest("radio", SeedSet((1,)), Rules(artist_gap=0)).artist_gap == 0
    assert MixRequest("grow", SeedSet((1,)), threshold=0.5).tracks is None


def test_embeddings_are_liked_and_unliked_by_identity() -> None:
    space = SpaceId("m", "w", "a", "p")
    one, other = (Embedding(np.eye(3, dtype=np.float32)[at], space) for at in (0, 1))
    SeedSet((one,), (other,))
    with pytest.raises(UsageError, match="both like and unlike"):
        SeedSet((one,), (one,))


def test_numbers_of_numpy_are_plain_afterwards() -> None:
    rules = Rules(random_seed=np.int64(3), variety=np.float32(0.5))
    assert (type(rules.random_seed), type(rules.variety)) == (int, float)


def test_what_was_last_stays_last() -> None:
    assert latest_last([1, 2, 1, 3, 2]) == (1, 3, 2)


def test_numbers_of_numpy_are_plain_in_json() -> None:
    rules = Rules(artist_gap=np.int64(3), per_artist=np.int32(1), min_duration=np.float32(2.5))
    length = Length(np.int64(9), np.float32(30))
    grown = MixRequest("grow", SeedSet((1,)), rules, length, threshold=np.float32(0.5))
    path = MixRequest("path", SeedSet((1, 2)), steps=np.int16(4))
    weighed = MixRequest("mix", SeedSet((1, 2), weights=(np.float32(1), np.float64(0.5))))
    for request in (grown, path, weighed):
        stored = json.loads(json.dumps(request.as_dict()))
        assert MixRequest.from_dict(stored) == request


@pytest.mark.parametrize("weights", [(1.0,), (1.0, 0.0), (1.0, float("inf")), (1.0, -1.0)])
def test_weights_that_do_not_fit(weights: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="weight"):
        SeedSet((1, 2), weights=weights)


def test_a_path_has_a_greatest_length():
    ends = SeedSet((1, 2))
    assert MixRequest("path", ends, steps=100).tracks == 101
    for too_long in ({"steps": 101}, {"length": Length(102)}):
        with pytest.raises(UsageError, match="at most 100 steps, not 101"):
            MixRequest("path", ends, **too_long)


def test_a_least_length_beyond_the_default_greatest_one():
    with pytest.raises(UsageError, match=r"1200 s and at most 900 s, .*: give another, or none"):
        Rules(min_duration=1200)
    assert Rules(min_duration=1200, max_duration=None).filters().min_duration == 1200
