"""How to search for several seeds at once, and away from others: ways compared on artists.

    OMP_NUM_THREADS=1 python tests/experiments/seed_fusion.py --shared SHARED [--split test]

GTZAN has no albums, so artists stand for them. With `--split folds` (the figures to choose by), the
filtered training and validation tracks are divided into four folds of whole artists: the projection
of descriptors that `fast` has is fitted on three, the fourth is the catalogue, and figures are
means over folds. Otherwise the catalogue is a split as `fast` itself, trained on neither, sees it.

*Several seeds*: two or three drawn tracks of one artist, one or two tracks of each of two artists;
recall@10 of the artists' other tracks (of both, in the mean), and the share of lists that have some
of each artist. Ways: the mean of the unit vectors, by plain cosine and reranked; mean, maximum and
soft maximum of the reranked scores; reciprocal rank fusion; and groups of seeds that sound alike
(average linkage from a mean cosine of so much), each searched for by its mean, fused by rank.

*Unlike*: one track of an artist, away from a track of another artist of the same genre; two tracks
of artists of two genres, away from another track of the second; one track, away from one of another
genre, which should change little. Recall@10 of the liked artist's tracks, the same of the unliked,
mean cosine of the ten with the unliked track. Ways: the unliked vector subtracted with a weight
(Rocchio); with its cosine times so much as the weight (1 projects it away), at most so much; its
score subtracted, as it is or where it is positive; tracks barred that are nearer to it.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from stored import outputs

from recommender.embedding.model_files import find_model
from recommender.projections.lda import concatenate, fit_lda
from recommender.projections.wccn import WccnSettings, fit_wccn
from recommender.recommendation.fusion import fused_ranks
from recommender.recommendation.mix_seeds import grouped
from recommender.research.datasets import gtzan
from recommender.research.model_building.split_tracks import SplitTracks, joined, load_split
from recommender.search.reranking import augmented_database, database_vectors, expanded
from recommender.utils.arrays import FloatArray, IntArray, unit_rows

K, FOLDS, LDA_WEIGHT = 10, 4, 0.15
DRAWN = 600


@dataclass(frozen=True, eq=False)
class World:
    """A catalogue of n tracks.

    Attributes:
        units, database: np.ndarray [shape=(n, d)] and [shape=(n, d + 1)].
        moved: np.ndarray [shape=(n, d)], after expansion.
        artists, genres: np.ndarray [shape=(n,)].
    """

    units: FloatArray
    moved: FloatArray
    database: FloatArray
    artists: np.ndarray
    genres: np.ndarray

    @classmethod
    def of(cls, units: FloatArray, artists: list[str], genres: list[str]) -> "World":
        moved = augmented_database(units)[0]
        return cls(units, moved, database_vectors(moved), np.array(artists), np.array(genres))

    def tracks_of(self, least: int) -> dict[str, IntArray]:
        """The rows of artists with so many tracks."""
        names, counts = np.unique(self.artists, return_counts=True)
        chosen = [n for n, c in zip(names, counts, strict=True) if n and c >= least]
        return {name: np.flatnonzero(self.artists == name) for name in chosen}

    def scores(self, moved: FloatArray) -> FloatArray:
        """Reranked scores of all tracks for expanded queries [..., d]: [n, ...]."""
        offset = self.database[:, -1] if moved.ndim == 1 else self.database[:, -1:]
        return self.database[:, :-1] @ moved.T + offset

    def expanded(self, vector: FloatArray) -> FloatArray:
        unit = unit_rows(vector[None])
        cosines = (unit @ self.units.T)[0]
        nearest = np.argsort(-cosines)[:10]
        return expanded(unit, self.units[nearest][None], cosines[nearest][None])[0]

    def search(self, vector: FloatArray) -> FloatArray:
        """Scores for a vector from outside [d]."""
        return self.scores(self.expanded(vector))


Away = Callable[[World, FloatArray, FloatArray], FloatArray]
"""From a liked and an unliked unit vector [d] to scores [n]."""

Fuse = Callable[[World, IntArray], FloatArray]


def by_rank(world: World, seeds: IntArray) -> FloatArray:
    return fused_ranks(world.scores(world.moved[seeds]), np.ones(len(seeds)))


def by_groups(alike: float) -> Fuse:
    def fuse(world: World, seeds: IntArray) -> FloatArray:
        groups = grouped(world.units[seeds], alike)
        means = [world.units[seeds[group]].mean(axis=0) for group in groups]
        found = np.stack([world.search(mean) for mean in means], axis=1)
        found[seeds] = -np.inf
        return fused_ranks(found, np.array([len(group) for group in groups], float))

    return fuse


def soft(temperature: float) -> Fuse:
    def fuse(world: World, seeds: IntArray) -> FloatArray:
        found = world.scores(world.moved[seeds])
        return temperature * np.log(np.exp(found / temperature).mean(axis=1))

    return fuse


FUSED: dict[str, Fuse] = {
    "mean of vectors, cosine": lambda w, s: w.units @ w.units[s].mean(axis=0),
    "mean of vectors, reranked": lambda w, s: w.search(w.units[s].mean(axis=0)),
    "mean of scores": lambda w, s: w.scores(w.moved[s]).mean(axis=1),
    "maximum of scores": lambda w, s: w.scores(w.moved[s]).max(axis=1),
    "soft maximum, 0.2": soft(0.2),
    "rank fusion": by_rank,
    "groups from 0.1, rank fusion": by_groups(0.1),
    "groups from 0.2, rank fusion": by_groups(0.2),
    "groups from 0.3, rank fusion": by_groups(0.3),
    "groups from 0.4, rank fusion": by_groups(0.4),
}

TASKS = {"2 of one artist": (1, 2), "3 of one": (1, 3), "1 of two each": (2, 1), "2 of two": (2, 2)}


def fusion_figures(world: World) -> dict[str, list[float]]:
    """Way → recall of each task; of tasks with two artists also the share with both."""
    rows = world.tracks_of(4)
    names = sorted(rows)
    found: dict[str, list[float]] = {name: [] for name in FUSED}
    for artists, tracks in TASKS.values():
        random = np.random.default_rng(0)
        queries = []
        for _ in range(DRAWN):
            chosen = [names[at] for at in random.choice(len(names), artists, replace=False)]
            seeds = np.concatenate([random.choice(rows[n], tracks, replace=False) for n in chosen])
            queries.append((seeds, [set(rows[n].tolist()) - set(seeds.tolist()) for n in chosen]))
        for name, fuse in FUSED.items():
            recalls, both = [], []
            for seeds, wanted in queries:
                scores = np.array(fuse(world, seeds), dtype=float)
                scores[seeds] = -np.inf
                top = set(np.argsort(-scores)[:K].tolist())
                recalls.append(np.mean([len(top & own) / min(K, len(own)) for own in wanted]))
                both.append(all(top & own for own in wanted))
            found[name].append(float(np.mean(recalls)))
            if artists > 1:
                found[name].append(float(np.mean(both)))
    return found


def by_cosine(times: float, most: float = np.inf) -> Away:
    return lambda w, q, u: w.search(q - min(most, times * max(0.0, float(q @ u))) * u)


def rocchio(weight: float) -> Away:
    return lambda w, q, u: w.search(q - weight * u)


def penalty(weight: float, positive: bool) -> Away:
    def scored(world: World, like: FloatArray, unlike: FloatArray) -> FloatArray:
        away = world.search(unlike)
        return world.search(like) - weight * (np.maximum(away, 0) if positive else away)

    return scored


def barred(world: World, like: FloatArray, unlike: FloatArray) -> FloatArray:
    scores, away = world.search(like), world.search(unlike)
    return np.where(away > scores, scores - 10, scores)


UNLIKE: dict[str, Away] = {
    "nothing": lambda w, q, u: w.search(q),
    "Rocchio, 0.25": rocchio(0.25),
    "Rocchio, 0.5": rocchio(0.5),
    "by cosine, 1": by_cosine(1),
    "by cosine, 1.5": by_cosine(1.5),
    "by cosine, 2": by_cosine(2),
    "by cosine, 1.5, at most 0.5": by_cosine(1.5, 0.5),
    "by cosine, 3, at most 0.5": by_cosine(3, 0.5),
    "score less 0.25 of the unliked": penalty(0.25, False),
    "score less 0.5 of the unliked": penalty(0.5, False),
    "score less 0.5, where positive": penalty(0.5, True),
    "nearer to the unliked barred": barred,
}


UNLIKE_TASKS = ("same genre", "one of two", "unrelated")


def unlike_queries(world: World, task: str) -> Iterator[tuple[IntArray, IntArray, str, str]]:
    """Liked rows, unliked rows, and their artists."""
    rows = world.tracks_of(3)
    random = np.random.default_rng(1)
    pairs = [
        (a, b)
        for a in sorted(rows)
        for b in sorted(rows)
        if a != b
        and (world.genres[rows[a][0]] == world.genres[rows[b][0]]) == (task == "same genre")
    ]
    for _ in range(-(-DRAWN // len(pairs))):
        for at in random.permutation(len(pairs))[:DRAWN]:
            a, b = pairs[at]
            own, others = random.permutation(rows[a]), random.permutation(rows[b])
            like = np.array([own[0], others[1]]) if task == "one of two" else own[:1]
            yield like, others[:1], a, b


def unlike_figures(world: World) -> dict[str, list[float]]:
    """Way → for each task recall of the liked and of the unliked artist, cosine with the latter."""
    found: dict[str, list[float]] = {name: [] for name in UNLIKE}
    for task in UNLIKE_TASKS:
        queries = list(unlike_queries(world, task))
        for name, way in UNLIKE.items():
            figures = []
            for like, unlike, a, b in queries:
                liked, unliked = (
                    unit_rows(world.units[r].mean(axis=0)[None])[0] for r in (like, unlike)
                )
                scores = np.array(way(world, liked, unliked), dtype=float)
                given = [*like, *unlike]
                scores[given] = -np.inf
                top = np.argsort(-scores)[:K]
                recalls = []
                for artist in (a, b):
                    own = set(np.flatnonzero(world.artists == artist).tolist()) - set(given)
                    recalls.append(len(own & set(top.tolist())) / max(1, min(K, len(own))))
                figures.append(
                    [*recalls, float((world.units[top] @ world.units[unlike[0]]).mean())]
                )
            found[name] += np.mean(figures, axis=0).tolist()
    return found


def worlds(data: gtzan.Gtzan, split: str) -> Iterator[World]:
    if split != "folds":
        tracks = load_split(data, "filtered", split)
        units = outputs(find_model("fast"), tracks)[0]
        yield World.of(units, tracks.artists, tracks.genres)
        return
    tracks = joined([load_split(data, "filtered", name) for name in ("train", "valid")])
    random = np.random.default_rng(0)
    names = sorted(set(tracks.artists))
    fold_of = dict(zip(names, random.permutation(len(names)) % FOLDS, strict=True))
    folds = np.array([fold_of[a] if a else random.integers(FOLDS) for a in tracks.artists])
    for fold in range(FOLDS):
        yield fold_world(tracks, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))


def fold_world(tracks: SplitTracks, fitted: IntArray, held_out: IntArray) -> World:
    artists, genres = np.array(tracks.artists), np.array(tracks.genres)
    values, clips = tracks.descriptors, tracks.clip_descriptors
    settings = WccnSettings(components=300)
    whitened = fit_wccn(values[fitted], clips[fitted], artists[fitted].tolist(), settings=settings)
    separated = fit_lda(values[fitted], tracks.tracks.labels[fitted])
    weights = (1 - LDA_WEIGHT, LDA_WEIGHT)
    projection = concatenate((whitened, separated), weights, values[fitted])
    units = projection.apply(values[held_out])
    return World.of(units, artists[held_out].tolist(), genres[held_out].tolist())


def print_table(heads: list[str], figures: list[dict[str, list[float]]]) -> None:
    print("\n| | " + " | ".join(heads) + " |\n|---" + "|---:" * len(heads) + "|")
    for name in figures[0]:
        values = np.mean([one[name] for one in figures], axis=0)
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds gtzan/")
    parser.add_argument("--split", choices=("folds", "valid", "test"), default="folds")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = gtzan.load(options.shared / "gtzan" / "gtzan_logmel.npz")
    every = list(worlds(data, options.split))
    print(f"{options.split}: {', '.join(str(len(world.units)) for world in every)} tracks")
    heads = []
    for task, (artists, _) in TASKS.items():
        heads += [task, "both"] if artists > 1 else [task]
    print_table(heads, [fusion_figures(world) for world in every])
    heads = [f"{task}: {head}" for task in UNLIKE_TASKS for head in ("liked", "unliked", "cosine")]
    print_table(heads, [unlike_figures(world) for world in every])


if __name__ == "__main__":
    main()
