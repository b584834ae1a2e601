"""How alike synthetic vectors are to real ones: hubs, and how hard a coarse search has it.

    python tests/bench/vector_statistics.py large.db [--source small.db] [--gtzan gtzan_logmel.npz]

A row for each set of vectors, projected as for recommendations:

- hub skewness: of the number of lists of ten nearest (exact, by cosine) that each track is in;
- duplicates: the share of tracks whose nearest has a cosine above .99;
- recall@10 of a coarse search that looks into the 1, 2, 4 … cells whose centres are nearest to the
  query, of as many cells as the root of the number of tracks (k-means, five rounds).

Sets of different size differ by that alone, so that the synthetic set is also cut to the size of
each real one. GTZAN's activations are computed by the default model, of three windows a track.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from synthetic_catalog import open_synthetic

from recommender.catalog import Catalog
from recommender.catalog.projector import catalog_projector
from recommender.utils.arrays import FloatArray, IntArray

K = 10
PROBED = (1, 2, 4, 8, 16, 32)
ROUNDS = 5
SAME = 0.99
BATCH = 1_000
WINDOWS = 3


def of_catalog(catalog: Catalog, most: int) -> FloatArray:
    """Unit vectors of the first `most` tracks."""
    projector = catalog_projector(catalog)
    found: list[FloatArray] = []
    for _, activations in catalog.activation_batches(projector.space):
        found.append(projector.project(activations))
        if sum(map(len, found)) >= most:
            break
    return np.concatenate(found)[:most]


def of_gtzan(archive: Path, tracks: int) -> FloatArray:
    """Unit vectors of GTZAN's tracks."""
    from recommender import Embedder
    from recommender.research.datasets import gtzan

    data = gtzan.load(archive)
    embedder = Embedder.load("default")
    found = []
    for index in range(len(data.track_ids))[:tracks]:
        decibels = data.decibels(index)
        width = decibels.shape[1] // WINDOWS
        windows = [decibels[:, n * width : (n + 1) * width] for n in range(WINDOWS)]
        found.append(embedder.analyse_spectrograms(windows)[0])
    return embedder.project(np.stack(found))


def nearest(vectors: FloatArray) -> tuple[IntArray, FloatArray]:
    """Rows of the `K` nearest others of each, and the cosine of the first."""
    rows, cosines = [], []
    for start in range(0, len(vectors), BATCH):
        scores = vectors[start : start + BATCH] @ vectors.T
        scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -2
        rows.append(np.argpartition(-scores, K, axis=1)[:, :K])
        cosines.append(scores.max(axis=1))
    return np.concatenate(rows), np.concatenate(cosines)


def skewness(found: IntArray, count: int) -> float:
    """Of the number of lists that each row is in."""
    occurrences = np.bincount(found.ravel(), minlength=count).astype(float)
    centred = occurrences - occurrences.mean()
    return float((centred**3).mean() / (centred**2).mean() ** 1.5)


def cells(vectors: FloatArray) -> tuple[FloatArray, IntArray]:
    """Unit centres of cells, and the cell of each vector."""
    count = max(PROBED[-1], round(len(vectors) ** 0.5))
    random = np.random.default_rng(0)
    centres = vectors[random.choice(len(vectors), count, replace=False)]
    for _ in range(ROUNDS):
        cell = np.argmax(vectors @ centres.T, axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, cell, vectors)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-9), centres)
    return centres, np.argmax(vectors @ centres.T, axis=1)


def recalls(vectors: FloatArray, exact: IntArray) -> Iterator[float]:
    """Mean recall for each of `PROBED`; a neighbour is found if its cell is looked into."""
    centres, cell = cells(vectors)
    order = np.argsort(-(vectors @ centres.T), axis=1)
    rank_of_cell = np.empty_like(order)
    np.put_along_axis(rank_of_cell, order, np.arange(len(centres))[None], axis=1)
    ranks = np.take_along_axis(rank_of_cell, cell[exact], axis=1)
    for probed in PROBED:
        yield float((ranks < probed).mean())


def row(name: str, vectors: FloatArray) -> str:
    exact, cosines = nearest(vectors)
    curve = " | ".join(f"{recall:.3f}" for recall in recalls(vectors, exact))
    return (
        f"| {name} | {len(vectors):,} | {skewness(exact, len(vectors)):.2f} "
        f"| {(cosines > SAME).mean():.3f} | {np.median(cosines):.3f} | {curve} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("catalog", type=Path, help="a synthetic catalogue")
    parser.add_argument("--source", type=Path, help="the catalogue of real music it is mixed of")
    parser.add_argument("--gtzan", type=Path, help="gtzan_logmel.npz")
    parser.add_argument("--gtzan-tracks", type=int, default=1_000)
    parser.add_argument("--most", type=int, default=20_000, help="tracks that are compared")
    options = parser.parse_args()
    with open_synthetic(options.catalog) as catalog:
        synthetic = of_catalog(catalog, options.most)
    real: dict[str, FloatArray] = {}
    if options.gtzan is None or not options.gtzan.is_file():
        print("No row for GTZAN: its spectrograms were not given.\n")
    else:
        real["GTZAN"] = of_gtzan(options.gtzan, options.gtzan_tracks)
    if options.source is not None:
        with Catalog.open(options.source, create=False) as catalog:
            real[f"the music of {options.source.name}"] = of_catalog(catalog, options.most)
    probed = " | ".join(f"recall, {n} cells" for n in PROBED)
    print(f"| | tracks | hub skewness | duplicates | median cosine of the nearest | {probed} |")
    print("|---|" + "---:|" * (4 + len(PROBED)))
    print(row("synthetic", synthetic))
    for name, vectors in real.items():
        print(row(name, vectors))
        if len(vectors) < len(synthetic):
            print(row("synthetic, as many", synthetic[: len(vectors)]))


if __name__ == "__main__":
    main()
