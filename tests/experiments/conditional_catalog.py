"""Lists with more weight on a group of features, judged by the catalogue's musical descriptors.

    recsys ingest MUSIC --db small.db
    python tests/experiments/conditional_catalog.py small.db [-k 5]

Every track is a seed, without its own artist. Columns: mean over neighbours of how far they are
from the seed in tempo (octaves, an octave apart counting as the same), brightness (octaves), beat
strength, dynamic complexity (dB), acousticness; and the share whose key goes with the seed's. The
last row is all pairs. Descriptors are computed from the same sound, by other means than features.
"""

import argparse
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np

from recommender.embedding.input_groups import GROUPS
from recommender.musical_descriptors import MusicalDescriptors
from recommender.musical_descriptors.record import camelot_number
from recommender.recommendation.filters import Filters
from recommender.recommendation.service import SimilarityService

Measure = Callable[[MusicalDescriptors, MusicalDescriptors], float | None]


def tempo(one: MusicalDescriptors, other: MusicalDescriptors) -> float | None:
    if one.tempo is None or other.tempo is None:
        return None
    octaves = abs(np.log2(one.tempo / other.tempo))
    return float(abs(octaves - round(octaves)))


def key(one: MusicalDescriptors, other: MusicalDescriptors) -> float | None:
    if one.key is None or other.key is None or one.mode is None or other.mode is None:
        return None
    apart = camelot_number(one.key, one.mode) - camelot_number(other.key, other.mode)
    return float(min(apart % 12, -apart % 12) + (one.mode != other.mode) <= 1)


def octaves(name: str) -> Measure:
    def measure(one: MusicalDescriptors, other: MusicalDescriptors) -> float | None:
        values = getattr(one, name), getattr(other, name)
        return None if None in values else float(abs(np.log2(values[0] / values[1])))

    return measure


def difference(name: str) -> Measure:
    def measure(one: MusicalDescriptors, other: MusicalDescriptors) -> float | None:
        values = getattr(one, name), getattr(other, name)
        return None if None in values else float(abs(values[0] - values[1]))

    return measure


MEASURES: dict[str, Measure] = {
    "tempo": tempo,
    "beat strength": difference("beat_strength"),
    "brightness": octaves("brightness"),
    "dynamic complexity": difference("dynamic_complexity"),
    "acousticness": difference("acousticness"),
    "key fits": key,
}


def row(name: str, pairs: list[tuple[MusicalDescriptors, MusicalDescriptors]]) -> None:
    cells = []
    for measure in MEASURES.values():
        values = [value for pair in pairs if (value := measure(*pair)) is not None]
        cells.append(f"{np.mean(values):20.3f}")
    print(f"{name:20}" + "".join(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path)
    parser.add_argument("-k", type=int, default=5)
    options = parser.parse_args()
    print(f"{'':20}" + "".join(f"{name:>20}" for name in MEASURES))
    with SimilarityService.open(options.catalog) as service:
        ids = service.index().ids.tolist()
        described = service.catalog.musical_descriptors(ids)
        cases: list[tuple[str, dict[str, float]]] = [("as it is", {})]
        for factor in (2.0, 4.0):
            cases += [(f"more {group} x{factor:g}", {group: factor}) for group in GROUPS]
            cases += [(f"less {group} x{factor:g}", {group: 1 / factor}) for group in GROUPS]
        for name, weights in cases:
            pairs = [
                (described[seed], described[found.track.id])
                for seed in ids
                for found in service.similar(
                    seed, options.k, Filters(same_artist=False), weights=weights
                )
                if seed in described and found.track.id in described
            ]
            row(name, pairs)
        row("all pairs", list(combinations(described.values(), 2)))


if __name__ == "__main__":
    main()
