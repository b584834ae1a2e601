"""A catalogue of drawn tracks for lists, and an independent look at what the rules say of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from toy_world import SPACE, ToyEmbedder, analysis

from recommender.catalog import Catalog, FileStat, Tags, Track
from recommender.embedding.duplicates import DuplicateDetector
from recommender.recommendation.mix_request import MixRequest
from recommender.recommendation.mix_result import Mix
from recommender.recommendation.service import SimilarityService
from recommender.utils.artists import artist_key, split_artists

TRACKS, DIMENSIONS, CLUSTERS = 150, 8, 10
COPIES = DuplicateDetector(threshold=0.9999)
ARTISTS = (
    *[f"Artist {number}" for number in range(12)],
    "Artist 1 feat. Artist 2",
    "Artist 3; Artist 4",
    "Various Artists",
    None,
)


@dataclass
class MixWorld:
    """The service, and the tracks by id."""

    service: SimilarityService
    tracks: dict[int, Track]
    units: dict[int, np.ndarray]

    @property
    def ids(self) -> list[int]:
        return sorted(self.tracks)

    def artists(self, track_id: int) -> set[str]:
        """Keys of the artists of a track; none has to be divided by evidence here."""
        names = split_artists(self.tracks[track_id].tags.artist)
        return {key for name in names if (key := artist_key(name))}

    def are_copies(self, one: int, other: int) -> bool:
        durations = [self.tracks[track_id].duration for track_id in (one, other)]
        agree = abs(durations[0] - durations[1]) <= 0.02 * max(durations)
        return bool(agree and self.units[one] @ self.units[other] >= COPIES.threshold)

    def apart(self, before: Sequence[int], track_id: int, what: str) -> int:
        """How far behind the last track of an artist, or of the album, of a track comes."""
        names = self._names(track_id, what)
        return next(
            (
                distance
                for distance, other in enumerate(reversed(before), start=1)
                if names & self._names(other, what)
            ),
            10**6,
        )

    def _names(self, track_id: int, what: str) -> set[str]:
        if what == "artist":
            return self.artists(track_id)
        return {self.tracks[track_id].tags.album or ""} - {""}

    def listed(self, mix: Mix) -> list[int]:
        return [entry.track.id for entry in mix.entries]

    def make(self, request: MixRequest) -> tuple[Mix, list[int]]:
        mix = self.service.mix(request)
        assert [entry.position for entry in mix.entries] == list(range(1, len(mix.entries) + 1))
        return mix, self.listed(mix)


def mix_world(database: Path) -> MixWorld:
    """Tracks in clusters, of 12 artists and some that name several or nobody; 1 in 15 a copy."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(CLUSTERS, DIMENSIONS))
    catalog = Catalog.open(str(database))
    library, _ = catalog.scope_of(database.parent)
    vectors, lengths = [], []
    with catalog.writing() as write:
        for number in range(TRACKS):
            vector = centres[number % CLUSTERS] + 0.6 * random.normal(size=DIMENSIONS)
            duration = float(random.uniform(100, 700))
            if number % 15 == 14:
                vector, duration = vectors[-1] * 1.0001, lengths[-1] * 1.001
            vectors.append(vector)
            lengths.append(duration)
            one = replace(
                analysis(0, duration), activations=(1e5 * vector).astype(np.float32), space=SPACE
            )
            tags = Tags(
                title=f"Title {number}",
                artist=ARTISTS[int(random.integers(len(ARTISTS)))],
                album=(f"Album {random.integers(30)}" if number % 4 else None),
                album_artist="Somebody",
                genre=("Rock", "Folk", "Podcast", None)[int(random.integers(4))],
            )
            write.analysed(library, FileStat(f"{number}.ogg", 1, 1), str(number), tags, one, "test")
    embedder = ToyEmbedder()
    service = SimilarityService(catalog, embedder, lambda: embedder, "cpu", COPIES)
    tracks = {track.id: track for track in catalog.all_tracks()}
    index = service.index()
    units = dict(zip(index.ids.tolist(), index.vectors, strict=True))
    return MixWorld(service, tracks, units)
