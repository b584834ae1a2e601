"""The shipped models compared with simple methods: same tracks, same queries, same measures.

Every method analyses GTZAN's stored spectrograms and is fitted, where it learns at all, on the 443
filtered training tracks. Each of the 290 test tracks is a query among the other 289.

    python tests/experiments/rivals.py --shared SHARED [--split valid] [--json FILE]

Methods
    *MFCC mean + covariance*: 20 coefficients of librosa, standardised, cosine.
    *MFCC Gaussians*: what Musly does (Schnitzer, "Indexing content-based music similarity models
        for fast retrieval in massive databases", PhD thesis, Linz 2012): one Gaussian of 25 MFCCs
        a track, compared by the root of an approximate Jensen-Shannon divergence; then mutual
        proximity (Schnitzer, Flexer, Schedl & Widmer, JMLR 13, 2012, with independent normal
        distributions). Written anew; Musly itself analyses sound, at a finer step.
    *descriptors*: `features.descriptors`, by plain cosine, whitened by what varies within
        recordings (`projections.wccn`), by shrinkage LDA, and the last two concatenated.
    *models*: shipped ones, each with its own head and projection.

Columns: precision@10 with artist filter and its 95 % interval, without the filter, hit@10 with it;
skewness of the k-occurrence and anti-hub rate at k = 10; precision@10 of genres left out
of training (`leave_genres_out`; gallery of valid and test), mean and folds; accuracy by track;
precision@10, hit@10 (both with the artist filter) and that of genres left out again, of whatever is
compared by vectors, ranked as recommendations are (`recommender.search.reranking`).
`--split valid` gives the figures to choose by: the 197 validation tracks, also for held-out genres.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import torch
from scipy.stats import norm
from stored import judged, outputs

from recommender.embedding.model_files import find_model
from recommender.embedding.projection import Projection
from recommender.evaluation.labelled_vectors import Comparable, GivenSimilarities, LabelledVectors
from recommender.evaluation.metrics import DEFAULT_K
from recommender.evaluation.retrieval import hubness, score_queries
from recommender.evaluation.significance import bootstrap_interval
from recommender.features.descriptors import describe
from recommender.projections.lda import concatenate, fit_lda, fit_standardisation
from recommender.projections.wccn import WccnSettings, fit_wccn
from recommender.research.datasets import gtzan
from recommender.research.model_building.leave_genres_out import (
    FOLDS,
    Gallery,
    HeldOutGenrePrecision,
    without,
)
from recommender.research.model_building.split_tracks import load_split, load_tracks
from recommender.research.training.inference import clip_starts
from recommender.search.reranking import ranking
from recommender.utils.arrays import FloatArray, IntArray

CLIPS, CLIP_COLUMNS = 3, 129
LDA_WEIGHT = 0.15
"""As in the shipped models."""

Encoder = Callable[[IntArray], Comparable]
"""Rows of the data set [shape=(n,)] to unit vectors [shape=(n, d)], or the similarities of n."""

Fit = Callable[[IntArray, IntArray], Encoder]
"""Rows of the training tracks and their labels (from 0, both [shape=(m,)]) to an encoder."""

Predict = Callable[[IntArray], IntArray]


@dataclass(frozen=True)
class Method:
    """One row.

    Attributes:
        fit: learns from training tracks; of a model, that has learned already, it does nothing.
        classify: fits a classifier, or None.
        knows_all: trained on all genres.
    """

    name: str
    fit: Fit
    classify: Callable[[IntArray, IntArray], Predict] | None = None
    knows_all: bool = False


@dataclass(frozen=True)
class Row:
    """Figures of one method; None where there is none."""

    name: str
    precision: float
    precision_low: float
    precision_high: float
    precision_unfiltered: float
    hit: float
    skewness: float
    anti_hub_rate: float
    held_out_genres: float | None
    held_out_genres_folds: tuple[float, ...]
    accuracy: float | None
    reranked_precision: float | None
    reranked_hit: float | None
    reranked_held_out_genres: float | None


def rows_of(data: gtzan.Gtzan, name: str) -> IntArray:
    """Rows of a filtered split in the data set."""
    return data.select(load_split(data, "filtered", name).ids)


def held_out_genres(data: gtzan.Gtzan, fit: Fit, name: str) -> HeldOutGenrePrecision:
    """Fit once a fold, and search for what was left out."""
    gallery, training = Gallery.of(data, name), load_split(data, "filtered", "train")
    rows = data.select(gallery.tracks.ids)
    folds = []
    for held_out in FOLDS:
        tracks = without(training, held_out)
        encode = fit(data.select(tracks.ids), tracks.tracks.labels)
        folds.append(gallery.precision(encode(rows), held_out))
    return HeldOutGenrePrecision(name, tuple(folds))


def evaluated(method: Method, data: gtzan.Gtzan, split: str) -> Row:
    train, rows = rows_of(data, "train"), rows_of(data, split)
    vectors = method.fit(train, data.labels[train])(rows)
    genres = [gtzan.GENRES[label] for label in data.labels[rows]]
    artists = [gtzan.artists()[data.track_ids[row]] for row in rows]
    tracks = LabelledVectors.of(vectors, genres, artists)
    filtered, unfiltered = (
        score_queries(tracks, DEFAULT_K, artist_filter=on) for on in (True, False)
    )
    answerable = filtered.relevant > 0
    lows, highs = bootstrap_interval(filtered.precision[answerable][:, None], 1000, 0)
    by_vectors = not isinstance(vectors, GivenSimilarities)
    ranked = None
    if by_vectors:
        order = LabelledVectors.of(ranking(vectors), genres, artists)
        ranked = score_queries(order, DEFAULT_K, artist_filter=True)
    hubs = hubness(vectors, DEFAULT_K)
    gallery = "valid" if split == "valid" else "valid+test"
    held_out = held_out_reranked = None
    if not method.knows_all:
        held_out = held_out_genres(data, method.fit, gallery)
        if by_vectors:
            held_out_reranked = held_out_genres(data, reranked_fit(method.fit), gallery)
    return Row(
        name=method.name,
        precision=float(filtered.precision[answerable].mean()),
        precision_low=float(lows[0]),
        precision_high=float(highs[0]),
        precision_unfiltered=float(unfiltered.precision[unfiltered.relevant > 0].mean()),
        hit=float(filtered.hit[answerable].mean()),
        skewness=hubs.skewness,
        anti_hub_rate=hubs.anti_hub_rate,
        held_out_genres=held_out.mean if held_out else None,
        held_out_genres_folds=held_out.folds if held_out else (),
        accuracy=accuracy_of(method, data, train, rows),
        reranked_precision=None if ranked is None else float(ranked.precision[answerable].mean()),
        reranked_hit=None if ranked is None else float(ranked.hit[answerable].mean()),
        reranked_held_out_genres=held_out_reranked.mean if held_out_reranked else None,
    )


def accuracy_of(method: Method, data: gtzan.Gtzan, train: IntArray, rows: IntArray) -> float | None:
    """Accuracy on the tracks `rows` of a method that classifies, else None."""
    if method.classify is None:
        return None
    predicted = method.classify(train, data.labels[train])(rows)
    return float((predicted == data.labels[rows]).mean())


def reranked_fit(fit: Fit) -> Fit:
    """The same method, its vectors ranked as recommendations are."""

    def learn(rows: IntArray, labels: IntArray) -> Encoder:
        encode = fit(rows, labels)
        return lambda queries: ranking(encode(queries))

    return learn


class Vectors:
    """A vector for each track, found when asked for and then kept."""

    def __init__(self, data: gtzan.Gtzan, describe: Callable[[FloatArray], FloatArray]) -> None:
        self._data = data
        self._of_clip = describe
        self._whole: dict[int, FloatArray] = {}
        self._clips: dict[int, FloatArray] = {}

    def of(self, rows: IntArray) -> FloatArray:
        """Vectors of whole tracks, [n, d]."""
        for row in map(int, rows):
            if row not in self._whole:
                self._whole[row] = self._of_clip(self._data.decibels(row))
        return np.stack([self._whole[int(row)] for row in rows])

    def of_clips(self, rows: IntArray) -> FloatArray:
        """Vectors of three clips of each track, [n, 3, d]."""
        for row in map(int, rows):
            if row not in self._clips:
                decibels = self._data.decibels(row)
                starts = clip_starts(decibels.shape[1], CLIP_COLUMNS, CLIPS)
                clips = [self._of_clip(decibels[:, s : s + CLIP_COLUMNS]) for s in starts]
                self._clips[row] = np.stack(clips)
        return np.stack([self._clips[int(row)] for row in rows])

    def projected(self, fit: Callable[[FloatArray, IntArray, IntArray], Projection]) -> Fit:
        """A method that fits a projection to (vectors, labels, rows) of the training tracks."""

        def learn(rows: IntArray, labels: IntArray) -> Encoder:
            projection = fit(self.of(rows), labels, rows)
            return lambda queries: projection.apply(self.of(queries))

        return learn


def mfcc_moments(decibels: FloatArray) -> FloatArray:
    """Mean and covariance of 20 MFCCs."""
    coefficients = librosa.feature.mfcc(S=decibels, n_mfcc=20)
    upper = np.cov(coefficients)[np.triu_indices(20)]
    return np.concatenate([coefficients.mean(axis=1), upper]).astype(np.float32)


def mfcc_methods(data: gtzan.Gtzan) -> Iterator[Method]:
    """Moments, and Gaussians with and without mutual proximity."""
    moments = Vectors(data, mfcc_moments)
    scaled = moments.projected(lambda values, labels, _: fit_standardisation(values, labels))
    yield Method("MFCC mean + covariance", scaled)

    def distances(rows: IntArray) -> np.ndarray:
        return gaussian_distances([data.decibels(int(row)) for row in rows])

    yield Method(
        "MFCC Gaussians",
        lambda *_: lambda rows: GivenSimilarities(-distances(rows).astype(np.float32)),
    )
    yield Method(
        "MFCC Gaussians, mutual proximity",
        lambda *_: lambda rows: GivenSimilarities(mutual_proximity(distances(rows))),
    )


def gaussian_distances(spectrograms: list[FloatArray]) -> np.ndarray:
    """Root of the Jensen-Shannon divergence of the tracks' Gaussians, approximated, [n, n].

    The mixture of two Gaussians is replaced by the Gaussian with its mean and covariance, whose
    entropy has a closed form: JS = log|M| / 2 - (log|A| + log|B|) / 4.
    """
    coefficients = [librosa.feature.mfcc(S=decibels, n_mfcc=25) for decibels in spectrograms]
    means = np.stack([c.mean(axis=1) for c in coefficients]).astype(np.float64)
    covariances = np.stack([np.cov(c) for c in coefficients]) + 1e-3 * np.eye(25)
    volumes = np.linalg.slogdet(covariances)[1]
    distances = np.empty((len(means), len(means)))
    for i in range(len(means)):
        apart = means - means[i]
        merged = (covariances + covariances[i]) / 2 + apart[:, :, None] * apart[:, None, :] / 4
        divergence = np.linalg.slogdet(merged)[1] / 2 - (volumes + volumes[i]) / 4
        distances[i] = np.sqrt(np.maximum(divergence, 0))
    return distances


def mutual_proximity(distances: np.ndarray) -> FloatArray:
    """Log probability that a random track is farther from both of two tracks, [n, n]."""
    others = ~np.eye(len(distances), dtype=bool)
    mean = distances.mean(axis=1, where=others)[:, None]
    deviation = distances.std(axis=1, where=others)[:, None]
    farther = norm.logsf(distances, mean, deviation) + norm.logsf(distances, mean.T, deviation.T)
    return farther.astype(np.float32)


def descriptor_methods(data: gtzan.Gtzan) -> Iterator[Method]:
    """Handcrafted descriptors under four projections."""
    vectors = Vectors(data, describe)
    known_artists = gtzan.artists()

    def whitened(values: FloatArray, _: IntArray, rows: IntArray) -> Projection:
        artists = [known_artists[data.track_ids[row]] for row in rows]
        settings = WccnSettings(components=300)
        return fit_wccn(values, vectors.of_clips(rows), artists, settings=settings)

    def both(values: FloatArray, labels: IntArray, rows: IntArray) -> Projection:
        parts = (whitened(values, labels, rows), fit_lda(values, labels))
        return concatenate(parts, (1 - LDA_WEIGHT, LDA_WEIGHT), values)

    plain = vectors.projected(lambda values, labels, _: fit_standardisation(values, labels))
    known = vectors.projected(lambda values, labels, _: fit_lda(values, labels))
    yield Method("descriptors", plain)
    yield Method("descriptors, WCCN", vectors.projected(whitened))
    yield Method("descriptors, shrinkage LDA", known)
    yield Method(f"descriptors, WCCN + {LDA_WEIGHT:g} LDA", vectors.projected(both))


def model_method(model: str, data: gtzan.Gtzan) -> Method:
    """A trained model with its own head and projection."""
    weights = find_model(model)

    @cache
    def analysed(rows: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
        return outputs(weights, load_tracks(data, [data.track_ids[row] for row in rows]))

    return Method(
        f"model {weights.card.name} ({weights.card.architecture_summary})",
        lambda *_: lambda rows: analysed(tuple(map(int, rows)))[0],
        lambda *_: lambda rows: analysed(tuple(map(int, rows)))[1].argmax(axis=1),
        knows_all=True,
    )


def printed(row: Row) -> str:
    folds = " ".join(f"{value:.2f}" for value in row.held_out_genres_folds)
    held_out = "" if row.held_out_genres is None else f"{row.held_out_genres:.3f} ({folds})"
    accuracy = "" if row.accuracy is None else f"{100 * row.accuracy:.1f}"
    ranked = " | ".join(
        "" if value is None else f"{value:.3f}"
        for value in (row.reranked_precision, row.reranked_hit, row.reranked_held_out_genres)
    )
    return (
        f"| {row.name} | {row.precision:.3f} [{row.precision_low:.3f}, {row.precision_high:.3f}] "
        f"| {row.precision_unfiltered:.3f} | {row.hit:.3f} | {row.skewness:.2f} "
        f"| {100 * row.anti_hub_rate:.1f} | {held_out} | {accuracy} | {ranked} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--split", choices=("valid", "test"), default="test")
    parser.add_argument("--model", action="append", help="instead of every shipped model; repeat")
    parser.add_argument("--json", type=Path, help="write the rows here too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = gtzan.load(args.shared / "gtzan" / "gtzan_logmel.npz")
    methods = [*mfcc_methods(data), *descriptor_methods(data)]
    methods += [model_method(model, data) for model in judged(args.model)]
    print(
        f"| {args.split} | precision@10, artist filter | without | hit@10 | hub skewness "
        "| anti-hubs, % | held-out genres | accuracy, % | reranked: precision@10 | hit@10 "
        "| held-out genres |"
    )
    print("|" + 11 * "---|")
    rows = []
    for method in methods:
        rows.append(evaluated(method, data, args.split))
        print(printed(rows[-1]), flush=True)
    if args.json:
        content = {"split": args.split, "rows": [asdict(row) for row in rows]}
        args.json.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
