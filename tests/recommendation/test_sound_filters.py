"""Filters by musical descriptors: what they mean, relative to seeds, and what lacks a value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.errors import UsageError
from recommender.musical_descriptors import MusicalDescriptors
from recommender.musical_descriptors.record import MAJOR, MINOR
from recommender.recommendation.filters import Filters
from recommender.recommendation.mix_request import MixRequest, Rules, SeedSet
from recommender.recommendation.sound_filters import SoundFilters, compatible_keys

TEMPI = {"slow": 60.0, "seed": 120.0, "near": 124.0, "fast": 180.0}


@pytest.fixture
def seed(world) -> int:
    found = 0
    for number, (name, tempo) in enumerate(TEMPI.items()):
        described = MusicalDescriptors(
            tempo=tempo,
            second_tempo=240.0 if name == "slow" else 123.0 if name == "fast" else None,
            key=(9 + 7 * number) % 12,
            mode=MINOR,
            energy=number / 4,
            speech=0.9 if name == "fast" else 0.1,
        )
        one = world.add(f"{name}.ogg", 5 * number, descriptors=described)
        found = one if name == "seed" else found
    world.add("unknown.ogg", 40)
    world.add("empty.ogg", 45, descriptors=MusicalDescriptors())
    return found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"tempo": "120-130"}, {"near", "fast"}),  # "fast" by its second tempo
        ({"tempo": "60"}, {"slow"}),
        ({"tempo": ">150"}, {"slow", "fast"}),
        ({"tempo": "5%"}, {"near", "fast"}),
        ({"tempo": "1%"}, set()),
        ({"tempo": "1%, 59-61"}, {"slow"}),
        ({"key": "Am"}, {"slow"}),
        ({"key": "8A, 11A"}, {"slow", "fast"}),
        ({"key": "compatible"}, {"slow", "near"}),
        ({"key": "same"}, set()),
        ({"energy": ">.3"}, {"near", "fast"}),
        ({"energy": "0-.1, .7-1"}, {"slow", "fast"}),
        ({"energy": "<.3", "tempo": "50-70"}, {"slow"}),
        ({"speech": False}, {"slow", "near", "unknown", "empty"}),
    ],
)
def test_what_passes(world, seed: int, filters: dict, expected: set[str]) -> None:
    assert set(world.names(seed, **filters)) == expected


def test_speech_is_by_genre_tag_where_its_likelihood_is_unknown(world, seed: int) -> None:
    world.add("tagged.ogg", 50, genre="Audiobook")
    sung = MusicalDescriptors(speech=0.1)
    world.add("sung.ogg", 55, genre="Audiobook", descriptors=sung)
    assert set(world.names(seed, speech=False)) == {"slow", "near", "unknown", "empty", "sung"}


def test_tracks_that_lack_the_value_are_counted(world, seed: int) -> None:
    found = world.service.recommend(seed, 10, Filters(tempo="100-200", energy=">0"))
    assert found.lacking == {"tempo": 2, "energy": 2}
    assert world.service.recommend(seed, 10, Filters()).lacking == {}


def test_descriptors_that_come_later_are_filtered_by(world, seed: int) -> None:
    assert "unknown" not in world.names(seed, tempo="90-110")
    (unknown,) = (track.id for track in world.catalog.all_tracks() if track.title == "unknown")
    with world.catalog.writing() as write:
        write.described(unknown, MusicalDescriptors(tempo=100.0))
    world.service.index()
    assert world.names(seed, tempo="90-110") == ["unknown"]


def test_a_seed_without_a_tempo_cannot_be_compared_with(world, seed: int) -> None:
    (unknown,) = (track.id for track in world.catalog.all_tracks() if track.title == "unknown")
    with pytest.raises(UsageError, match="no seed has a tempo"):
        world.service.similar(unknown, 3, Filters(tempo="5%"))
    with pytest.raises(UsageError, match="no seed has a key"):
        world.service.similar(unknown, 3, Filters(key="compatible"))


def test_several_seeds_are_each_compared_with_their_own(world, seed: int) -> None:
    slow = next(track.id for track in world.catalog.all_tracks() if track.title == "slow")
    lists = world.service.similar_many([seed, slow], 5, Filters(tempo="5%"))
    assert [{n.track.title for n in found} for found in lists] == [{"near", "fast"}, set()]


def test_rules_of_mixes_are_the_same_filters(world, seed: int) -> None:
    request = MixRequest("mix", SeedSet((seed,)), Rules(tempo="5%", speech=True))
    found = world.service.mix(request)
    assert {entry.track.title for entry in found.entries} == {"near", "fast"}
    assert found.left_out["tempo"] == 3
    assert any("(tempo): 2" in note for note in found.notes)
    assert MixRequest.from_dict(request.as_dict()) == request


@pytest.mark.parametrize(
    "wrong",
    [
        *({"tempo": text} for text in ("", "fast", "130-120", "5 %%", "-5%", "1e9999", "120;130")),
        *({"key": text} for text in ("", "H", "13B", "near")),
        *({"energy": text} for text in ("", "high", "5%", ">", "nan")),
    ],
)
def test_what_cannot_be_understood_is_refused(wrong: dict) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Filters(**wrong)
    with pytest.raises(UsageError):
        Rules(**wrong)


def test_text_is_expected() -> None:
    with pytest.raises(TypeError, match="tempo is text"):
        Filters(tempo=120)  # type: ignore[arg-type]


@given(st.integers(0, 11), st.sampled_from([MAJOR, MINOR]))
def test_compatible_keys_are_mutual(key: int, mode: str) -> None:
    near = compatible_keys(key, mode)
    assert len(set(near)) == 4
    for other in near:
        assert (key, mode) in compatible_keys(*other)


@given(
    st.lists(st.floats(1, 400) | st.just(float("nan")), min_size=1, max_size=20),
    st.floats(1, 300),
    st.floats(0, 100),
)
def test_ranges_contain_what_lies_between_their_ends(
    tempi: list[float], low: float, width: float
) -> None:
    low, high = round(low, 3), round(low + width, 3)
    values = np.array(tempi, np.float32)
    filters = SoundFilters(tempo=f"{low}-{high}")
    empty = np.full(len(values), np.nan, np.float32)
    ((name, passes, lacking),) = filters.passing(lambda n: values if n == "tempo" else empty)
    assert name == "tempo"
    assert passes.tolist() == [bool(low <= value <= high) for value in values]
    assert lacking == sum(np.isnan(values))
