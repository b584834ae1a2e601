"""`recsys adapt` on music that the shipped models were not trained on.

The 487 valid and test tracks of GTZAN's fault-filtered split stand for a user's library, with
genres and artists, then with artists alone, then with neither. Printed is what the command prints:
every candidate on tracks held out by artist, and which is kept.

    python tests/experiments/adapting.py --gtzan PATH [--models default fast]
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from duplicates import gtzan_activations
from stored import judged

from recommender.adaptation import Adaptation, TrainingData, adaptation_of
from recommender.embedding.model_files import find_model
from recommender.research.datasets import gtzan
from recommender.research.model_building.leave_genres_out import Gallery
from recommender.utils.arrays import FloatArray

Names = Sequence[str | None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gtzan", type=Path, required=True, help="log-Mel archive, or folder")
    parser.add_argument(
        "--models", nargs="+", help="default: shipped ones not trained on the test split"
    )
    args = parser.parse_args()
    data, known = gtzan.load(args.gtzan), gtzan.artists()
    rows = data.select(Gallery.of(data, "valid+test").tracks.ids)
    genres = [gtzan.GENRES[label] for label in data.labels[rows]]
    artists = [known[data.track_ids[row]] for row in rows]
    nothing = [None] * len(rows)
    for model in judged(args.models):
        activations = gtzan_activations(model, args.gtzan)
        for what, labels in (
            ("genres and artists", (genres, artists)),
            ("artists", (nothing, artists)),
            ("neither genres nor artists", (nothing, nothing)),
        ):
            print(f"\n{model}, with {what}:")
            report(adapted(model, activations, *labels))


def adapted(model: str, activations: FloatArray, genres: Names, artists: Names) -> Adaptation:
    own = find_model(model).projection()
    ids = np.arange(len(activations))
    return adaptation_of(own, TrainingData.of(own, ids, activations, genres, artists))


def report(found: Adaptation) -> None:
    print(f"  {found.tracks} tracks, {found.artists} artists; {found.measured}, {found.ranking}")
    for tried in found.choice.tried:
        print(
            f"  {tried.name:<24} {tried.value:.3f} {tried.difference:+.3f} p {tried.p:.3f}  "
            f"skewness {tried.skewness:5.2f}  anti-hub rate {tried.anti_hub_rate:5.1%}  "
            f"common {tried.common:4.0%}"
        )
    print(f"  kept: {found.kept.name}. {found.choice.reason}")


if __name__ == "__main__":
    main()
