"""Whatever is asked for: lists keep their rules, repeat nothing and are made the same again."""

import itertools
import shutil

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mix_world import TRACKS, mix_world

from recommender.errors import UsageError
from recommender.recommendation.mix_request import Length, MixRequest, Rules, SeedSet
from recommender.recommendation.mix_result import CATALOGUE_RULES, LIST_RULES

places = st.integers(0, TRACKS - 1)
some = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@pytest.fixture(scope="module")
def world(tmp_path_factory, empty_database):
    path = tmp_path_factory.mktemp("mixes") / "mixes.db"
    shutil.copy(empty_database, path)
    found = mix_world(path)
    yield found
    found.service.close()


@st.composite
def requests(draw, kinds=("mix", "radio", "grow")):
    """Requests over the places of tracks; `made` turns places into ids."""
    kind = draw(st.sampled_from(kinds))
    seeds = draw(st.lists(places, min_size=1, max_size=5, unique=True))
    unlike = draw(st.lists(places, max_size=2, unique=True))
    return {
        "kind": kind,
        "seeds": seeds,
        "unlike": [place for place in unlike if place not in seeds],
        "length": draw(
            st.builds(Length, st.integers(1, 60), st.none() | st.floats(3, 200))
            | st.builds(Length, st.none(), st.floats(3, 200))
        ),
        "rules": {
            "artist_gap": draw(st.none() | st.integers(0, 12)),
            "album_gap": draw(st.none() | st.integers(0, 12)),
            "per_artist": draw(st.none() | st.integers(0, 4)),
            "strict": draw(st.booleans()),
            "speech": draw(st.booleans()),
            "genre": draw(st.none() | st.sampled_from(["Rock", "folk"])),
            "variety": draw(st.sampled_from([0.0, 0.3, 1.0])),
            "random_seed": draw(st.integers(0, 3)),
            "previous": draw(st.lists(places, max_size=20, unique=True)),
        },
    }


def made(world, drawn) -> MixRequest:
    def ids(found):
        return tuple(world.ids[place] for place in found)

    rules = Rules(**{**drawn["rules"], "previous": ids(drawn["rules"]["previous"])})
    seeds = SeedSet(ids(drawn["seeds"]), ids(drawn["unlike"]))
    return MixRequest(drawn["kind"], seeds, rules, drawn["length"])


@some
@given(drawn=requests())
def test_nothing_is_repeated_and_every_rule_holds(world, drawn):
    request = made(world, drawn)
    _mix, ids = world.make(request)
    rules = request.rules
    barred = {*request.seeds.like, *request.seeds.unlike, *rules.previous}
    assert len(set(ids)) == len(ids)
    assert not barred & set(ids)
    known = [*barred, *ids]
    for at, track_id in enumerate(ids):
        others = [*barred, *ids[:at]]
        assert not any(world.are_copies(track_id, other) for other in others), known
        track = world.tracks[track_id]
        assert rules.genre is None or track.tags.genre.lower() == rules.genre.lower()
        assert rules.speech or track.tags.genre != "Podcast"
    if request.per_artist:
        names = [name for track_id in ids for name in world.artists(track_id)]
        assert all(names.count(name) <= request.per_artist for name in set(names))


@some
@given(drawn=requests())
def test_the_length_is_what_was_asked_for(world, drawn):
    request = made(world, drawn)
    mix, ids = world.make(request)
    assert request.tracks is None or len(ids) <= request.tracks
    minutes = request.length.minutes
    assert minutes is None or mix.minutes <= minutes + 1e-9
    is_short = minutes is None and request.tracks is not None and len(ids) < request.tracks
    assert not is_short or any("ends after" in note or "no other" in note for note in mix.notes)


@some
@given(drawn=requests())
def test_gaps_hold_or_the_list_says_where_not(world, drawn):
    request = made(world, drawn)
    mix, ids = world.make(request)
    before = list(request.rules.previous)
    if request.kind == "radio" and len(request.seeds.like) == 1:
        before += [one for one in request.seeds.like if one not in before]
    for what, gap in (("artist", request.artist_gap), ("album", request.album_gap)):
        kept = all(
            world.apart([*before, *ids[:at]], track_id, what) >= gap
            for at, track_id in enumerate(ids)
        )
        if not kept:
            assert request.kind == "radio"
            assert not request.rules.strict
            assert any(f"the {what} gap" in note for note in mix.notes)


@some
@given(drawn=requests(kinds=("radio",)))
def test_a_gap_is_shortened_only_where_no_track_would_keep_it(world, drawn):
    drawn["rules"]["strict"] = True
    drawn["rules"]["variety"] = 0.0
    _strict, strict_ids = world.make(made(world, drawn))
    drawn["rules"]["strict"] = False
    _loose, loose_ids = world.make(made(world, drawn))
    assert loose_ids[: len(strict_ids)] == strict_ids


@some
@given(drawn=requests(kinds=("radio",)))
def test_a_radio_runs_dry_with_the_catalogue_alone(world, drawn):
    drawn["length"] = Length(10 * TRACKS)
    drawn["rules"] |= {"strict": False, "per_artist": 0, "genre": None, "speech": True}
    request = made(world, drawn)
    _mix, ids = world.make(request)
    taken = {*ids, *request.seeds.like, *request.seeds.unlike, *request.rules.previous}
    for track_id in set(world.ids) - taken:
        assert any(world.are_copies(track_id, other) for other in taken)


@some
@given(drawn=requests())
def test_the_counts_add_up(world, drawn):
    request = made(world, drawn)
    try:
        mix, ids = world.make(request)
    except UsageError:
        assume(False)
    assert list(mix.left_out) == [*CATALOGUE_RULES, *LIST_RULES]
    assert all(count >= 0 for count in mix.left_out.values())
    by_track = sum(mix.left_out[name] for name in CATALOGUE_RULES)
    by_list = sum(mix.left_out[name] for name in LIST_RULES)
    assert mix.catalogue == TRACKS
    left = TRACKS - by_track
    assert len(ids) + by_list <= left
    if request.length.minutes is None and len(ids) < (request.tracks or 0):
        assert len(ids) + by_list == left  # every candidate was listed or left out


@some
@given(drawn=requests())
def test_the_same_request_gives_the_same_list(world, drawn):
    request = made(world, drawn)
    assert world.make(request)[1] == world.make(MixRequest.from_dict(request.as_dict()))[1]


@some
@given(drawn=requests(kinds=("radio",)), shorter=st.integers(1, 30))
def test_a_longer_radio_begins_as_a_shorter_one(world, drawn, shorter):
    drawn["length"] = Length(60)
    long = world.make(made(world, drawn))[1]
    drawn["length"] = Length(shorter)
    assert world.make(made(world, drawn))[1] == long[:shorter]


@some
@given(
    ends=st.lists(places, min_size=2, max_size=2, unique=True),
    steps=st.integers(1, 20),
    variety=st.sampled_from([0.0, 0.5, 1.0]),
    per_artist=st.integers(0, 3),
    random_seed=st.integers(0, 3),
)
def test_paths_keep_their_ends_and_their_length(
    world, ends, steps, variety, per_artist, random_seed
):
    one, other = (world.ids[place] for place in ends)
    rules = Rules(variety=variety, per_artist=per_artist, random_seed=random_seed)
    request = MixRequest("path", SeedSet((one, other)), rules, steps=steps)
    mix, ids = world.make(request)
    assert (ids[0], ids[-1]) == (one, other)
    assert len(set(ids)) == len(ids)
    assert len(ids) == steps + 1 or (len(ids) < steps + 1 and "instead of" in str(mix.notes))
    between = ids[1:-1]
    assert all(world.tracks[track_id].tags.genre != "Podcast" for track_id in between)
    for at, track_id in enumerate(between):
        assert not any(world.are_copies(track_id, seen) for seen in (one, other, *between[:at]))
        if per_artist:
            others = [one, other, *between[:at]]
            for name in world.artists(track_id):
                assert sum(name in world.artists(seen) for seen in others) < per_artist
    units = [world.units[track_id] for track_id in ids]
    steps_made = [float(a @ b) for a, b in itertools.pairwise(units)]
    assert [entry.similarity for entry in mix.entries[1:]] == pytest.approx(steps_made, abs=1e-5)


@some
@given(
    found=st.lists(places, min_size=1, max_size=40, unique=True),
    first=st.integers(0, 39) | st.none(),
)
def test_an_order_holds_each_track_once(world, found, first):
    ids = tuple(world.ids[place] for place in found)
    begin = None if first is None else ids[first % len(ids)]
    _mix, ordered = world.make(MixRequest("order", SeedSet(ids), first=begin))
    assert sorted(ordered) == sorted(ids)
    assert begin is None or ordered[0] == begin
