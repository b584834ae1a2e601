"""Training and evaluated tracks of `joint_whitening.py`, with the activations of their network."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from ablation import artist_fold_ids

from recommender.evaluation.report import evaluate_retrieval
from recommender.research.datasets import gtzan
from recommender.research.model_building.activations import ActivationLayout, Activations
from recommender.research.model_building.leave_genres_out import FOLDS, GALLERIES
from recommender.search.reranking import ranking
from recommender.utils.arrays import BoolArray, FloatArray, IntArray

WIDTH = 512
"""Activations of a network; the other values that are stored are of inner layers."""

SEEDS = 5


@dataclass(frozen=True, eq=False)
class Tracks:
    """Activations of some tracks.

    Attributes:
        ids: of the tracks.
        networks: of each network, clips [n, c, k] and the means of the low-pass filtered [n, k].
        descriptors: of tracks [n, d], of clips [n, c, d], low-pass filtered [n, d].
    """

    ids: list[str]
    networks: list[tuple[FloatArray, FloatArray]]
    descriptors: tuple[FloatArray, FloatArray, FloatArray]

    def activations(self, columns: slice = slice(WIDTH)) -> Activations:
        """As a model gives them.

        Args:
            columns: of what is stored of each network.
        """
        clips = [found[:, :, columns] for found, _ in self.networks]
        filtered = [found[:, columns] for _, found in self.networks]
        tracks, of_clips, low_passed = self.descriptors
        layout = ActivationLayout.of([found.shape[2] for found in clips], descriptors=True)
        return Activations(
            np.concatenate([*(found.mean(axis=1) for found in clips), tracks], axis=1),
            np.concatenate([*clips, of_clips], axis=2),
            layout,
            np.concatenate([*filtered, low_passed], axis=1),
            self.artists,
        )

    @property
    def genres(self) -> list[str]:
        return [gtzan.genre_of(i) for i in self.ids]

    @property
    def artists(self) -> list[str]:
        return [gtzan.artists()[i] for i in self.ids]


@dataclass(frozen=True, eq=False)
class World:
    """What is fitted on `training` is evaluated on `gallery`.

    Attributes:
        name: of the network.
        labels: of the training tracks, from 0.
        queries: which of the gallery's tracks are; None: all.
    """

    name: str
    training: Tracks
    gallery: Tracks
    labels: IntArray
    queries: BoolArray | None = None


class Embedding(Protocol):
    """What `figures` evaluates: from a world to unit vectors of its gallery."""

    def vectors(self, world: World) -> tuple[FloatArray, FloatArray]:
        """Of the gallery's tracks and of the same, low-pass filtered: [n, p] each."""


@dataclass(frozen=True)
class Stored:
    """The folder that `network_activations.py` wrote."""

    folder: Path

    @cached_property
    def _descriptors(self) -> dict[str, np.ndarray]:
        with np.load(self.folder / "descriptors.npz") as arrays:
            return dict(arrays)

    def network(self, name: str) -> tuple[FloatArray, FloatArray] | None:
        """What is stored of a network, of all tracks: see `Tracks`."""
        path = self.folder / f"{name}.npz"
        if not path.exists():
            return None
        with np.load(path) as arrays:
            return arrays["clips"], arrays["low_passed"]

    def tracks(self, ids: list[str], networks: list[tuple[FloatArray, FloatArray]]) -> Tracks:
        """The tracks that are stored of some."""
        row_of = {str(name): row for row, name in enumerate(self._descriptors["ids"])}
        present = [i for i in ids if i in row_of]
        rows = np.array([row_of[i] for i in present])
        found = self._descriptors
        return Tracks(
            present,
            [(clips[rows], filtered[rows]) for clips, filtered in networks],
            (found["tracks"][rows], found["clips"][rows], found["low_passed"][rows]),
        )

    def _split(self, *names: str) -> list[str]:
        present = set(self._descriptors["ids"].tolist())
        ids = [i for name in names for i in gtzan.split_ids("filtered", name)]
        return [i for i in ids if i in present]

    def _world(
        self, name: str, training: list[str], gallery: list[str], held_out: tuple[str, ...] = ()
    ) -> World | None:
        network = self.network(name)
        if network is None:
            return None
        seen = self.tracks([i for i in training if gtzan.genre_of(i) not in held_out], [network])
        evaluated = self.tracks(gallery, [network])
        codes = [gtzan.GENRES.index(genre) for genre in seen.genres]
        labels = np.unique(codes, return_inverse=True)[1].astype(np.int64)
        queries = np.isin(evaluated.genres, held_out) if held_out else None
        return World(name, seen, evaluated, labels, queries)

    def artist_folds(self) -> list[World]:
        """Those whose network is trained."""
        folds = artist_fold_ids(self._split("train", "valid"))
        found = [self._world(f"fold-{n}", *halves) for n, halves in enumerate(folds)]
        return [world for world in found if world is not None]

    def official(self, gallery: str) -> list[World]:
        """Fitted on the training tracks, one world a seed."""
        train, evaluated = self._split("train"), self._split(gallery)
        found = [self._world(f"train-{seed}", train, evaluated) for seed in range(SEEDS)]
        return [world for world in found if world is not None]

    def held_out(self, gallery: str) -> list[World]:
        """Genres held out; of seeds whose four networks are trained."""
        train, evaluated = self._split("train"), self._split(*GALLERIES[gallery])
        worlds: list[World] = []
        for seed in range(SEEDS):
            found = [
                self._world(f"genres-{seed}-{number}", train, evaluated, held_out)
                for number, held_out in enumerate(FOLDS)
            ]
            complete = [world for world in found if world is not None]
            worlds += complete if len(complete) == len(FOLDS) else []
        return worlds

    def five(self, gallery: str) -> World:
        """The five networks of the training tracks together."""
        networks = [self.network(f"train-{seed}") for seed in range(SEEDS)]
        present = [network for network in networks if network is not None]
        seen = self.tracks(self._split("train"), present)
        labels = np.array([gtzan.GENRES.index(genre) for genre in seen.genres])
        return World("five", seen, self.tracks(self._split(gallery), present), labels)

    def worlds(self) -> dict[str, list[World]]:
        """All by which a choice is made."""
        return {
            "folds": self.artist_folds(),
            "valid": self.official("valid"),
            "genres": self.held_out("valid"),
        }


def figures(world: World, embedding: Embedding) -> dict[str, float]:
    """Retrieval among a world's gallery, artist filter, lists of 10."""
    vectors, filtered = embedding.vectors(world)
    found = (filtered @ vectors.T).argmax(axis=1) == np.arange(len(vectors))
    genres, artists = world.gallery.genres, world.gallery.artists
    reports = [
        evaluate_retrieval(ranked, genres, artists, k=10, queries=world.queries, bootstrap=0)
        for ranked in (ranking(vectors), vectors)
    ]
    reranked, cosine = (r.with_filter.overall for r in reports if r.with_filter is not None)
    return {
        "precision": reranked.precision.value,
        "cosine_precision": cosine.precision.value,
        "hit": reranked.hit.value,
        "skewness": reports[0].hubness.skewness,
        "anti_hub_rate": reports[0].hubness.anti_hub_rate,
        "low_passed_found": float(found.mean()),
    }
