"""Orders by tempo and key."""

import numpy as np
import pytest

from recommender.errors import UsageError
from recommender.musical_descriptors import MusicalDescriptors
from recommender.musical_descriptors.record import MAJOR, MINOR
from recommender.recommendation.harmonic_distance import key_distances, tempo_distances
from recommender.recommendation.mix_request import MixRequest, SeedSet


def test_an_order_by_tempo_and_key_rises_where_tempi_do(world) -> None:
    angles = {100: 0, 140: 4, 110: 8, 130: 12, 120: 16}  # by sound in another order
    ids = [
        world.add(
            f"{tempo}.ogg",
            angle,
            descriptors=MusicalDescriptors(tempo=float(tempo), key=0, mode=MAJOR),
        )
        for tempo, angle in angles.items()
    ]
    found = world.service.mix(MixRequest("order", SeedSet(tuple(ids)), by="tempo-key"))
    tempi = [int(entry.track.title) for entry in found.entries]
    assert tempi in ([100, 110, 120, 130, 140], [140, 130, 120, 110, 100])
    by_sound = world.service.mix(MixRequest("order", SeedSet(tuple(ids))))
    assert [int(entry.track.title) for entry in by_sound.entries] not in (tempi, tempi[::-1])


def test_tracks_without_descriptors_are_ordered_too(world) -> None:
    ids = [world.add(f"{number}.ogg", 5 * number) for number in range(4)]
    found = world.service.mix(MixRequest("order", SeedSet(tuple(ids)), by="tempo-key"))
    assert {entry.track.id for entry in found.entries} == set(ids)
    assert any("neither tempo nor key: 4" in note for note in found.notes)


def test_distances() -> None:
    found = tempo_distances([(120,), (60,), (125, 80), ()])
    assert np.allclose(found, found.T)
    assert found[0, 0] == 0
    assert found[0, 1] == pytest.approx(0.1)
    assert 0 < found[0, 2] < 0.3
    assert found[3, 0] == 0.5
    keys = key_distances([(8, True), (8, False), (9, True), (2, True), None])
    assert keys[0].tolist() == [0, 0.25, 0.25, 1, 0.5]


def test_the_request_is_checked_and_stored() -> None:
    request = MixRequest("order", SeedSet((1, 2)), by="tempo-key")
    assert MixRequest.from_dict(request.as_dict()) == request
    with pytest.raises(UsageError, match="ordered by"):
        MixRequest("order", SeedSet((1, 2)), by="mood")
    with pytest.raises(UsageError, match="'by' is for"):
        MixRequest("mix", SeedSet((1, 2)), by="sound")
    assert MusicalDescriptors(key=9, mode=MINOR).camelot == "8A"
