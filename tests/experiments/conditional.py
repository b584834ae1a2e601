"""Lists with more or less weight on a group of features: what they agree in, and what they cost.

    python tests/experiments/conditional.py --shared SHARED [--split test] [--factors 2 3 4]

Tracks of a filtered split of GTZAN, searched by `fast`, which was trained on the training tracks
alone; reranked as recommendations are. Each of its groups of input (`embedding.input_groups`) is
multiplied by a factor, or divided by it.

Precision@10 with artist filter is that of whole clips. What neighbours agree in is judged on sound
that they were not found by: lists are made of the first half of each clip, and compared in its
second half, by measures that are no part of the features:

    rhythm: autocorrelation of the onset strength at lags of .23 to 2 s; one less their correlation
    timbre: distance of the mean spectra, each less its own mean, dB a band
    harmony: difference of the share of power in lines that last (median filters, Fitzgerald,
        DAFx 2010)
    dynamics: difference of the standard deviation of the level over time, dB

Each is the mean over the ten neighbours with another artist, divided by that of random tracks: 1 is
chance, and less is nearer. `--split valid` is what the factor was chosen by.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.ndimage import median_filter

from recommender.embedding.input_groups import GROUPS, GroupedProjection, weighted
from recommender.embedding.model_files import find_model
from recommender.evaluation.labelled_vectors import LabelledVectors
from recommender.evaluation.retrieval import score_queries
from recommender.evaluation.significance import sign_flip_p
from recommender.features.descriptors import describe
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import load_split
from recommender.search.reranking import Ranking, ranking
from recommender.utils.arrays import FloatArray, Scores

MODEL = "fast"
K = 10
LAGS = slice(3, 27)


def onset_autocorrelation(levels: FloatArray) -> FloatArray:
    onsets = np.maximum(np.diff(levels, axis=1), 0).sum(axis=0)
    onsets = onsets - onsets.mean()
    whole = np.correlate(onsets, onsets, "full")[len(onsets) - 1 :]
    lags = whole[LAGS] / max(whole[0], 1e-9)
    centred = lags - lags.mean()
    return centred / max(np.linalg.norm(centred), 1e-9)


def mean_spectrum(levels: FloatArray) -> FloatArray:
    spectrum = levels.mean(axis=1)
    return (spectrum - spectrum.mean()) / np.sqrt(len(spectrum))


def lasting_share(levels: FloatArray) -> FloatArray:
    power = 10 ** (levels / 10)
    lines, strokes = median_filter(power, (1, 9)), median_filter(power, (9, 1))
    return np.array([lines.sum() / max((lines + strokes).sum(), 1e-12)])


def level_deviation(levels: FloatArray) -> FloatArray:
    return np.array([levels.mean(axis=0).std()])


MEASURES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "rhythm": onset_autocorrelation,
    "timbre": mean_spectrum,
    "harmony": lasting_share,
    "dynamics": level_deviation,
}


def distances(values: FloatArray) -> Scores:
    return np.linalg.norm(values[:, None] - values[None], axis=2)


def lists(found: Ranking, artists: list[str]) -> np.ndarray:
    """The ten best of each track that are by others [n, 10]."""
    scores = found.query_vectors @ found.database_vectors.T
    names = np.array(artists)
    same = (names[:, None] == names[None]) & (names[:, None] != "")
    np.fill_diagonal(same, True)
    scores[same] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :K]


def cases(factors: list[float]) -> list[tuple[str, Scores]]:
    """Names and weights of the rows."""
    found = [("1", np.ones(len(GROUPS)))]
    for factor in factors:
        for place, group in enumerate(GROUPS):
            for sign, word in ((1, "more"), (-1, "less")):
                weights = np.ones(len(GROUPS))
                weights[place] = factor**sign
                found.append((f"{word} {group} x{factor:g}", weights))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--split", default="valid")
    parser.add_argument("--factors", nargs="+", type=float, default=[2.0])
    options = parser.parse_args()
    data = gtzan.load(options.shared / "gtzan" / "gtzan_logmel.npz")
    split = load_split(data, "filtered", options.split)
    grouped = GroupedProjection.of(find_model(MODEL).projection(), descriptors=True)
    rows = data.select(split.ids)
    levels = [data.decibels(row) for row in rows]
    half = levels[0].shape[1] // 2
    whole = grouped.terms(split.descriptors)
    first = grouped.terms(np.stack([describe(one[:, :half]) for one in levels]))
    apart = {
        name: distances(np.stack([measure(one[:, half:]) for one in levels]))
        for name, measure in MEASURES.items()
    }
    spread = np.square(whole - whole.mean(axis=1, keepdims=True)).sum(axis=2).mean(axis=1)
    print("share of spread:", dict(zip(GROUPS, (spread / spread.sum()).round(3), strict=True)))
    base: dict[str, Scores] = {}
    print(f"{'':24}{'P@10':>7}" + "".join(f"{name:>20}" for name in MEASURES))
    for name, weights in cases(options.factors):
        labelled = LabelledVectors.of(
            ranking(weighted(whole, weights)), split.genres, split.artists
        )
        scored = score_queries(labelled, K, artist_filter=True)
        precision = float(scored.precision[scored.relevant > 0].mean())
        near = lists(ranking(weighted(first, weights)), split.artists)
        cells = []
        for measure, matrix in apart.items():
            own = np.take_along_axis(matrix, near, axis=1).mean(axis=1)
            chance = matrix[~np.eye(len(matrix), dtype=bool)].mean()
            base.setdefault(measure, own)
            change = (own - base[measure]) / chance
            p = sign_flip_p(change) if change.any() else 1.0
            cells.append(f"{own.mean() / chance:.3f} ({change.mean():+.3f}{'*' * (p < 0.05)})")
        print(f"{name:24}{precision:7.3f}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
