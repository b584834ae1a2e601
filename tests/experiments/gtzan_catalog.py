"""Writes a catalogue of GTZAN's held-out tracks, for benchmarks that need real genres and artists.

    python tests/experiments/gtzan_catalog.py --shared SHARED held-out.db [--split valid test]

The tracks of the filtered splits are analysed by `fast`, which was trained on neither, from their
stored spectrograms; artists and genres are tags. No track is longer than its 30 s.
"""

import argparse
from pathlib import Path

import torch
from stored import outputs, published_activations

from recommender.audio.tags import Tags
from recommender.catalog import Catalog, FileStat
from recommender.embedding.model_files import find_model
from recommender.embedding.space import Analysis
from recommender.ingestion.settings import IngestSettings
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import joined, load_split

MODEL = "fast"
SECONDS = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path)
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--split", nargs="+", default=["valid", "test"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = gtzan.load(options.shared / "gtzan" / "gtzan_logmel.npz")
    split = joined([load_split(data, "filtered", name) for name in options.split])
    weights = find_model(MODEL)
    activations = published_activations(weights, split).tracks
    probabilities = outputs(weights, split)[1]
    settings = IngestSettings(model=MODEL)
    space = settings.space()
    options.catalog.unlink(missing_ok=True)
    with Catalog.open(options.catalog) as catalog:
        catalog.set_active(space, settings.analysis_settings())
        library, _ = catalog.scope_of(options.catalog.absolute().parent)
        with catalog.writing() as write:
            rows = zip(split.ids, split.artists, activations, probabilities, strict=True)
            for number, (track_id, artist, own, chances) in enumerate(rows):
                genre = gtzan.genre_of(track_id)
                tags = Tags(title=track_id, artist=artist or None, genre=genre)
                found = dict(zip(weights.card.labels, map(float, chances), strict=True))
                analysis = Analysis(own, found, SECONDS, ((0.0, SECONDS),), space.unprojected)
                stat = FileStat(f"{track_id}.wav", 1, 1)
                write.analysed(library, stat, str(number), tags, analysis, "test")
    print(f"{len(split.ids)} tracks of {', '.join(options.split)} in {options.catalog}")


if __name__ == "__main__":
    main()
