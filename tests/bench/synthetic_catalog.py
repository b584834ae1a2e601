"""Writes a large catalogue whose vectors resemble real ones, from a thousand to a million tracks.

Every track is a mix of real analyses of a small catalogue: an artist has two of its tracks as a
common base, each of his twelve tracks has a third of its own, and noise is added in every dimension
by a fraction of its spread. One track in twenty is a copy of another, with hardly any noise. Rows
have every column filled, and paths of 70 characters. The files do not exist.

    recsys ingest MUSIC --db small.db
    python tests/bench/synthetic_catalog.py small.db large.db --tracks 40000

With `--vectors-only` the analyses are without their activations, which at a million tracks take
7 GB: they are drawn anew whenever they are read, by `open_synthetic`, whose catalogue has them in
`activation_batches`. What is drawn depends on the source and `--seed` alone.

How real it is, beside the source and GTZAN (`gtzan_logmel.npz`, analysed in some two minutes):

    python tests/bench/vector_statistics.py large.db --gtzan gtzan_logmel.npz
"""

import argparse
import hashlib
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select, update

from recommender.audio.tags import Tags
from recommender.catalog import Catalog, ProjectionOrigin
from recommender.catalog.activation_blob import checksum, encode
from recommender.catalog.schema import (
    AnalysisRow,
    CatalogRow,
    LibraryRow,
    SpaceRow,
    TrackRow,
    table,
)
from recommender.catalog.search_text import search_text
from recommender.embedding.space import SpaceId
from recommender.utils.arrays import FloatArray, IntArray

TRACKS_PER_ARTIST = 12
BLOCK = 100 * TRACKS_PER_ARTIST
"""Tracks that are drawn at once; a block depends on the seed and its number alone."""

DUPLICATES = 0.05
NOISE, COPY_NOISE = 0.3, 0.02
"""Of a dimension's standard deviation over the source's tracks."""

PATH_LENGTH = 70
GENRES = ("ambient", "blues", "chiptune", "folk", "jazz", "metal", "reggae", "waltz")
WINDOWS = 5


@dataclass(frozen=True, eq=False)
class Source:
    """Real activations [shape=(n, d)] and genre probabilities [shape=(n, c)], to be mixed."""

    activations: FloatArray
    probabilities: FloatArray
    seed: int
    tracks: int

    def save(self, file: Path) -> None:
        """Beside the catalogue, for `open_synthetic`."""
        np.savez(
            file,
            activations=self.activations,
            probabilities=self.probabilities,
            drawn=np.array([self.seed, self.tracks]),
        )

    @classmethod
    def load(cls, file: Path) -> "Source":
        """What `save` wrote."""
        with np.load(file) as stored:
            seed, tracks = (int(number) for number in stored["drawn"])
            return cls(stored["activations"], stored["probabilities"], seed, tracks)


@dataclass(frozen=True, eq=False)
class Block:
    """Up to `BLOCK` tracks; arrays have a row for each."""

    ids: IntArray
    activations: FloatArray
    probabilities: FloatArray
    durations: FloatArray
    genres: IntArray


def blocks(source: Source, numbers: Iterator[int] | range | None = None) -> Iterator[Block]:
    """All blocks, or those of these numbers."""
    everything = range(-(-source.tracks // BLOCK))
    for number in everything if numbers is None else numbers:
        yield _block(source, number)


def _block(source: Source, number: int) -> Block:
    random = np.random.default_rng([source.seed, number])
    count = min(BLOCK, source.tracks - number * BLOCK)
    artist = np.arange(count) // TRACKS_PER_ARTIST
    real = len(source.activations)
    spread = source.activations.std(axis=0)
    base = random.integers(real, size=(artist[-1] + 1, 2))
    rows = np.column_stack([base[artist], random.integers(real, size=count)])
    weights = random.dirichlet((2, 2, 3), size=count).astype(np.float32)
    mix = np.zeros((count, real), np.float32)
    np.add.at(mix, (np.arange(count)[:, None], rows), weights)
    activations = mix @ source.activations
    noise = random.standard_normal(activations.shape, dtype=np.float32) * spread
    activations += NOISE * noise
    probabilities = mix @ source.probabilities.astype(np.float32)
    durations = np.exp(random.normal(5.4, 0.35, count))
    genres = random.integers(len(GENRES), size=artist[-1] + 1)[artist]
    copies = np.flatnonzero(random.uniform(size=count) < DUPLICATES)
    originals = np.setdiff1d(np.arange(count), copies)
    if len(originals):
        of = originals[random.integers(len(originals), size=len(copies))]
        fresh = random.standard_normal((len(copies), len(spread)), dtype=np.float32)
        activations[copies] = activations[of] + COPY_NOISE * spread * fresh
        probabilities[copies], genres[copies] = probabilities[of], genres[of]
        durations[copies] = durations[of] * (1 + random.uniform(-0.002, 0.002, len(copies)))
    ids = number * BLOCK + 1 + np.arange(count)
    return Block(ids, activations, probabilities, durations.astype(np.float32), genres)


class SyntheticCatalog(Catalog):
    """A catalogue without stored activations, which draws them when they are read in batches."""

    source: Source

    def activation_batches(
        self, space: SpaceId, ids: IntArray | None = None
    ) -> Iterator[tuple[IntArray, FloatArray]]:
        """As `Catalog.activation_batches`; every track counts as analysed."""
        numbers = None if ids is None else np.unique((np.asarray(ids) - 1) // BLOCK).tolist()
        for block in blocks(self.source, numbers):
            rows = slice(None) if ids is None else np.isin(block.ids, ids)
            yield block.ids[rows], block.activations[rows]


def open_synthetic(path: Path) -> Catalog:
    """The catalogue that `write_catalog` wrote, with or without stored activations."""
    drawn = _source_file(path)
    if not drawn.exists():
        return Catalog.open(path, create=False)
    catalog = SyntheticCatalog.open(path, create=False)
    catalog.source = Source.load(drawn)
    return catalog


def _source_file(path: Path) -> Path:
    return path.with_suffix(".drawn.npz")


def tags_of(track_id: int, genre: str) -> Tags:
    """Every field filled, as players write them."""
    artist, number = divmod(track_id - 1, TRACKS_PER_ARTIST)
    name = f"Artist {artist}"
    return Tags(
        title=f"Song {track_id} of many",
        artist=name,
        album=f"Album {artist} of songs",
        album_artist=name,
        genre=genre,
        track_number=number + 1,
        year=1960 + artist % 60,
        artists=(name,),
        album_artists=(name,),
    )


def path_of(track_id: int, tags: Tags) -> str:
    """A path of `PATH_LENGTH` characters."""
    start = f"{tags.artist}/{tags.album}/{tags.track_number:02d} {tags.title} "
    return start.ljust(PATH_LENGTH - 4, "x") + ".ogg"


def track_row(track_id: int, genre: str, duration: float) -> dict[str, Any]:
    """A row of `tracks`."""
    tags = tags_of(track_id, genre)
    path = path_of(track_id, tags)
    return {
        "id": track_id,
        "library_id": 1,
        "path": path,
        "size": 4_000_000 + track_id,
        "mtime_ns": 1_700_000_000_000_000_000 + track_id,
        "content_hash": f"2w:{_digest(track_id)}",
        "state": "analysed",
        "duration": duration,
        "search_text": search_text(tags, path),
        "revision": 1,
        **vars(tags),
    }


def _digest(track_id: int) -> str:
    return hashlib.md5(str(track_id).encode(), usedforsecurity=False).hexdigest()


def analysis_row(
    track_id: int, duration: float, probabilities: dict[str, float], blob: bytes
) -> dict[str, Any]:
    """A row of `analyses`."""
    starts = [duration * (n + 0.5) / WINDOWS for n in range(WINDOWS)]
    return {
        "track_id": track_id,
        "space_id": 1,
        "analysed_at": datetime(2024, 1, 1, 1, 2, 3, 456789, tzinfo=UTC),
        "analysed_by": "0.1.0",
        "genre_probabilities": probabilities,
        "windows": [[start, 10.0] for start in starts],
        "activations": blob,
        "samples_hash": f"{track_id:08x}:{_digest(track_id)}",
        "checksum": checksum(blob),
    }


def write_catalog(
    small: Path, path: Path, tracks: int, seed: int = 0, *, vectors_only: bool = False
) -> None:
    """A new catalogue `path`, mixed of the tracks of `small`."""
    if path.exists():
        raise SystemExit(f"{path} exists: name a new file.")
    with Catalog.open(small, create=False) as source_catalog:
        space, settings = source_catalog.active_space(), source_catalog.analysis_settings()
        if space is None or settings is None:
            raise SystemExit(f"{small} has no analysed track: ingest some music first.")
        ids, activations = source_catalog.activations(space)
        found = source_catalog.tracks(ids.tolist())
        own = source_catalog.projection(space, ProjectionOrigin.MODEL)
    labels = tuple(found[0].genre_probabilities)
    probabilities = [[track.genre_probabilities[label] for label in labels] for track in found]
    source = Source(activations, np.array(probabilities), seed, tracks)
    with Catalog.open(path) as catalog:
        catalog.set_active(space, settings)
        if own is not None:
            catalog.store_projection(space, ProjectionOrigin.MODEL, own.projection, own.details)
        _write_rows(catalog, source, labels, vectors_only)
    if vectors_only:
        source.save(_source_file(path))


def _write_rows(
    catalog: Catalog, source: Source, labels: tuple[str, ...], vectors_only: bool
) -> None:
    with catalog._changing() as connection:
        assert connection.scalar(select(SpaceRow.id)) == 1
        connection.execute(update(SpaceRow).values(dimension=int(source.activations.shape[1])))
        connection.execute(insert(table(LibraryRow)), [{"id": 1, "root": "/synthetic"}])
    for block in blocks(source):
        ids, durations = block.ids.tolist(), block.durations.tolist()
        rows = [
            track_row(id, GENRES[genre], duration)
            for id, genre, duration in zip(ids, block.genres, durations, strict=True)
        ]
        analyses = [
            analysis_row(
                id,
                duration,
                dict(zip(labels, of_track, strict=True)),
                b"" if vectors_only else encode(vector),
            )
            for id, duration, of_track, vector in zip(
                ids, durations, block.probabilities.tolist(), block.activations, strict=True
            )
        ]
        with catalog._changing() as connection:
            connection.execute(insert(table(TrackRow)), rows)
            connection.execute(insert(table(AnalysisRow)), analyses)
    with catalog._changing() as connection:
        connection.execute(update(CatalogRow).values(revision=CatalogRow.revision + 1))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="a catalogue of real music")
    parser.add_argument("target", type=Path, help="the catalogue to write")
    parser.add_argument("--tracks", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vectors-only", action="store_true", help="store no activations")
    options = parser.parse_args()
    started = time.perf_counter()
    write_catalog(
        options.source,
        options.target,
        options.tracks,
        options.seed,
        vectors_only=options.vectors_only,
    )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size_mb = options.target.stat().st_size / 1e6
    print(
        f"{options.tracks:,} tracks: {size_mb:,.0f} MB in {time.perf_counter() - started:.0f} s, "
        f"at most {peak_mb:.0f} MB of memory"
    )


if __name__ == "__main__":
    main()
