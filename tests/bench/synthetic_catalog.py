"""Writes a large catalogue whose vectors resemble real ones, to measure queries on.

Every track is a mix of real analyses of a small catalogue: an artist has two of its tracks as a
common base, each of his twelve tracks has a third of its own, and noise is added in every dimension
by a fraction of its spread. One track in twenty is a copy of another, with hardly any noise.

    recsys ingest MUSIC --db small.db
    python tests/bench/synthetic_catalog.py small.db large.db --tracks 20000

The files do not exist. What is drawn depends on the source and `--seed` alone.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select, update

from recommender.catalog import Catalog, ProjectionOrigin
from recommender.catalog.schema import (
    AnalysisRow,
    CatalogRow,
    LibraryRow,
    SpaceRow,
    TrackRow,
    table,
)
from recommender.embedding.space import SpaceId
from recommender.utils.arrays import FloatArray

TRACKS_PER_ARTIST = 12
DUPLICATES = 0.05
NOISE, COPY_NOISE = 0.3, 0.02
"""Of a dimension's standard deviation over the source's tracks."""

GENRES = ("ambient", "blues", "chiptune", "folk", "jazz", "metal", "reggae", "waltz")
BATCH = 500


@dataclass(frozen=True)
class Source:
    """A small catalogue."""

    space: SpaceId
    settings: dict[str, Any]
    projection: Any
    activations: FloatArray
    probabilities: FloatArray
    labels: tuple[str, ...]


def read_source(path: Path) -> Source:
    with Catalog.open(str(path), create=False) as catalog:
        space, settings = catalog.active_space(), catalog.analysis_settings()
        if space is None or settings is None:
            raise SystemExit(f"{path} has no analysed track: ingest some music first.")
        ids, activations = catalog.activations(space)
        tracks = catalog.tracks(ids.tolist())
        labels = tuple(tracks[0].genre_probabilities)
        probabilities = [[track.genre_probabilities[label] for label in labels] for track in tracks]
        own = catalog.projection(space, ProjectionOrigin.MODEL)
    return Source(space, dict(settings), own, activations, np.array(probabilities), labels)


def drawn_tracks(
    source: Source, count: int, seed: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A row of `tracks` and one of `analyses` for each, ids from 1."""
    random = np.random.default_rng(seed)
    spread = source.activations.std(axis=0)
    size = len(source.activations)
    originals: list[tuple[FloatArray, FloatArray, float, str]] = []
    base = random.integers(size, size=2)
    for number in range(count):
        artist, own = divmod(number, TRACKS_PER_ARTIST)
        if own == 0:
            base = random.integers(size, size=2)
            genre = GENRES[int(random.integers(len(GENRES)))]
        if originals and random.uniform() < DUPLICATES:
            activations, probabilities, duration, genre_ = originals[
                int(random.integers(len(originals)))
            ]
            activations = activations + COPY_NOISE * spread * random.standard_normal(len(spread))
            duration *= 1 + float(random.uniform(-0.002, 0.002))
        else:
            weights = random.dirichlet((2, 2, 3))
            rows = [*base, int(random.integers(size))]
            activations = weights @ source.activations[rows]
            activations = activations + NOISE * spread * random.standard_normal(len(spread))
            probabilities = weights @ source.probabilities[rows]
            duration, genre_ = float(np.exp(random.normal(5.4, 0.35))), genre
            originals.append((activations.astype(np.float32), probabilities, duration, genre_))
        path = f"artist {artist}/{number}.ogg"
        tags = {"title": f"song {number}", "artist": f"artist {artist}", "genre": genre_}
        yield _rows(number + 1, path, tags, duration, activations, probabilities, source.labels)


def _rows(
    track_id: int,
    path: str,
    tags: dict[str, str],
    duration: float,
    activations: FloatArray,
    probabilities: FloatArray,
    labels: tuple[str, ...],
) -> tuple[dict[str, Any], dict[str, Any]]:
    track = {
        "id": track_id,
        "library_id": 1,
        "path": path,
        "size": 1,
        "mtime_ns": 1,
        "content_hash": str(track_id),
        "state": "analysed",
        "duration": duration,
        "search_text": f"{tags['title']}\n{tags['artist']}\n{path}",
        **tags,
    }
    analysis = {
        "track_id": track_id,
        "analysed_at": datetime(2024, 1, 1, tzinfo=UTC),
        "analysed_by": "synthetic",
        "genre_probabilities": dict(
            zip(labels, (round(float(p), 6) for p in probabilities), strict=True)
        ),
        "windows": [[0.0, 10.0], [30.0, 10.0], [60.0, 10.0]],
        "activations": activations.astype(np.float32),
    }
    return track, analysis


def write_catalog(source: Source, path: Path, count: int, seed: int = 0) -> None:
    """A new catalogue `path`."""
    if path.exists():
        raise SystemExit(f"{path} exists: name a new file.")
    with Catalog.open(str(path)) as catalog:
        catalog.set_active(source.space, source.settings)
        if source.projection is not None:
            catalog.store_projection(
                source.space,
                ProjectionOrigin.MODEL,
                source.projection.projection,
                source.projection.details,
            )
        with catalog._changing() as connection:
            space_id = connection.scalar(select(SpaceRow.id))
            connection.execute(update(SpaceRow).values(dimension=int(source.activations.shape[1])))
            connection.execute(insert(table(LibraryRow)), [{"id": 1, "root": "/synthetic"}])
            drawn = list(drawn_tracks(source, count, seed))
            for start in range(0, count, BATCH):
                part = drawn[start : start + BATCH]
                connection.execute(insert(table(TrackRow)), [track for track, _ in part])
                connection.execute(
                    insert(table(AnalysisRow)),
                    [{**analysis, "space_id": space_id} for _, analysis in part],
                )
            connection.execute(update(CatalogRow).values(revision=CatalogRow.revision + 1))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="a catalogue of real music")
    parser.add_argument("target", type=Path, help="the catalogue to write")
    parser.add_argument("--tracks", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_catalog(read_source(options.source), options.target, options.tracks, options.seed)


if __name__ == "__main__":
    main()
