"""Lists are those that comparing every candidate with every track listed before it would give."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_world import SPACE, ToyEmbedder, direction, same_sound

from recommender.audio.damage import Damage
from recommender.catalog import Catalog, FileStat, Tags, Track
from recommender.embedding.duplicates import Recording
from recommender.embedding.space import Analysis, Embedding
from recommender.recommendation.filters import Filters
from recommender.recommendation.service import SimilarityService
from recommender.utils.artists import KnownArtists
from recommender.utils.names import genre_key, label_key

ARTISTS = (
    None,
    "Ana",
    "ÁNA",
    "Ben",
    "Cleo Lund",
    "Ana & Ben",
    "Cleo Lund & Dora",
    "Ana; Cleo Lund",
    "Ana feat. Ben",
    "Various Artists",
    "A; B; C; D; Cleo Lund; Ben",
    "Dora, The Explorer",
)
GENRES = (None, "Rock", "rock/pop", "Hip-Hop", "hip hop", "Other")
LABELS = ("folk", "rock")


@dataclass(frozen=True)
class Drawn:
    """A track to be."""

    degrees: float
    duration: float
    artist: str | None
    genre: str | None
    label: str
    is_damaged: bool


drawn = st.builds(
    Drawn,
    # Steps of less than half a degree: copies of copies that are none of each other.
    st.integers(0, 150).map(lambda step: step * 0.4),
    st.sampled_from((60.0, 60.9, 61.8, 62.9, 90.0, 91.0)),
    st.sampled_from(ARTISTS),
    st.sampled_from(GENRES),
    st.sampled_from(LABELS),
    st.booleans(),
)
wanted = st.builds(
    Filters,
    same_artist=st.booleans(),
    per_artist=st.sampled_from((None, 1, 2, 3)),
    genre=st.sampled_from((None, "ROCK", "hiphop")),
    predicted_genre=st.sampled_from((None, "rock")),
    min_duration=st.sampled_from((None, 61.0)),
    max_duration=st.sampled_from((None, 90.5)),
    keep_duplicates=st.booleans(),
    damaged=st.booleans(),
)


def add(catalog: Catalog, tracks: list[Drawn], first: int = 0) -> None:
    library, _ = catalog.scope_of(Path("/music"))
    with catalog.writing() as write:
        for number, track in enumerate(tracks, start=first):
            probabilities = {label: 0.75 if label == track.label else 0.25 for label in LABELS}
            one = Analysis(
                direction(track.degrees),
                probabilities,
                track.duration,
                (),
                SPACE,
                Damage(60.0, 30.0) if track.is_damaged else None,
            )
            tags = Tags(artist=track.artist, genre=track.genre)
            write.analysed(library, FileStat(f"{number}", 1, 1), str(number), tags, one, "test")


class Reference:
    """A list made of every track by rising distance, as the documentation of `Filters` has it."""

    def __init__(self, service: SimilarityService) -> None:
        self.index = service.index()
        self.tracks = {track.id: track for track in service.catalog.all_tracks()}
        names: dict[str, int] = {}
        for track in self.tracks.values():
            for name in dict.fromkeys(track.artists):
                names[name] = names.get(name, 0) + 1
        self.known = KnownArtists(names)
        self.views = dict(
            zip(self.index.ids.tolist(), self.index.columns["view"].whole(), strict=True)
        )

    def artists(self, track: Track) -> set[str]:
        return set(self.known.keys(track.artists))

    def recording(self, track: Track) -> Recording:
        return Recording(self.views[track.id], track.duration)

    def passes(self, track: Track, filters: Filters) -> bool:
        f = filters
        return (
            (f.genre is None or genre_key(track.tags.genre) == genre_key(f.genre))
            and (
                f.predicted_genre is None
                or label_key(track.predicted_genre or "") == label_key(f.predicted_genre)
            )
            and (f.min_duration is None or track.duration >= f.min_duration)
            and (f.max_duration is None or track.duration <= f.max_duration)
            and (f.damaged or track.damage is None)
        )

    def list(
        self,
        ranked: list[int],
        k: int,
        filters: Filters,
        seed_artists: set[str],
        seed: Recording | None,
    ) -> list[int]:
        listed: list[Track] = []
        for track in (self.tracks[track_id] for track_id in ranked):
            own = self.artists(track)
            recordings = [self.recording(other) for other in listed]
            copies = [seed, *recordings] if seed is not None else recordings
            if (
                not self.passes(track, filters)
                or (not filters.same_artist and own & seed_artists)
                or (
                    filters.per_artist is not None
                    and any(
                        sum(artist in self.artists(other) for other in listed) >= filters.per_artist
                        for artist in own
                    )
                )
                or (
                    not filters.keep_duplicates
                    and any(same_sound(one, self.recording(track)) for one in copies)
                )
            ):
                continue
            listed.append(track)
        return [track.id for track in listed[:k]]


@pytest.mark.parametrize("updated", [False, True], ids=["built", "updated"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_lists(empty_database, tmp_path_factory, updated, data) -> None:
    tracks = data.draw(st.lists(drawn, min_size=2, max_size=40), label="tracks")
    filters = data.draw(wanted, label="filters")
    k = data.draw(st.integers(1, 50), label="k")
    path = tmp_path_factory.mktemp("reference") / "toy.db"
    path.write_bytes(empty_database.read_bytes())
    with Catalog.open(path) as catalog:
        embedder = ToyEmbedder()
        service = SimilarityService(catalog, embedder, lambda: embedder, "cpu", same_sound)
        early = len(tracks) // 2 if updated else len(tracks)
        add(catalog, tracks[:early])
        service.index()
        add(catalog, tracks[early:], early)
        reference = Reference(service)
        seed = data.draw(st.sampled_from(sorted(reference.tracks)), label="seed")
        ranked = reference.index.rank_tracks(np.array([seed]), len(tracks)).ids[0].tolist()
        track = reference.tracks[seed]
        found = service.similar(seed, k, filters)
        assert [one.track.id for one in found] == reference.list(
            [other for other in ranked if other != seed],
            k,
            filters,
            reference.artists(track),
            reference.recording(track),
        )
        outside = direction(data.draw(st.integers(0, 60), label="outside")) / 3
        ranked = reference.index.rank(outside[None], len(tracks)).ids[0].tolist()
        found = service.similar(Embedding(outside, embedder.space), k, filters)
        assert [one.track.id for one in found] == reference.list(ranked, k, filters, set(), None)


def test_an_artist_is_known_by_the_last_of_many_names(world) -> None:
    many = "A; B; C; D; Cleo Lund; Ben"
    seed = world.add("seed.ogg", 0)
    world.add("many.ogg", 10, artist=many)
    world.add("two.ogg", 20, artist="Cleo Lund & Dora")
    world.add("other.ogg", 30, artist="Dora")
    assert world.names(seed, per_artist=1) == ["many", "other"]
