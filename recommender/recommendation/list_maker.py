"""Makes the lists that `SimilarityService.mix` is asked for: one function for each kind."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.errors import UsageError
from recommender.recommendation.composition import Composed, Task
from recommender.recommendation.exclusions import Exclusions
from recommender.recommendation.fusion import compose_mix
from recommender.recommendation.growth import compose_growth
from recommender.recommendation.harmonic_distance import harmonic_distances
from recommender.recommendation.mix_request import MixRequest, Rules
from recommender.recommendation.mix_result import LIST_RULES, Mix, MixEntry
from recommender.recommendation.mix_seeds import (
    UNKNOWN,
    MixSeeds,
    first_line,
    read_seeds,
    unit_of,
)
from recommender.recommendation.path import compose_path
from recommender.recommendation.radio import compose_radio
from recommender.recommendation.seeds import SearchSeed, SeedReader
from recommender.recommendation.snapshot import Snapshot
from recommender.recommendation.tour import open_tour
from recommender.recommendation.track_rules import Candidates, candidates
from recommender.search.score_space import ScoreSpace

_COMPOSERS: dict[str, Callable[[Task], Composed]] = {
    "mix": compose_mix,
    "radio": compose_radio,
    "path": compose_path,
    "grow": compose_growth,
}


class ListMaker:
    """Makes lists over one catalogue."""

    def __init__(
        self,
        catalog: Catalog,
        seeds: SeedReader,
        detector: DuplicateDetector,
        calibration: SimilarityCalibration | None,
    ) -> None:
        """For `SimilarityService`, whose parts these are."""
        self._catalog = catalog
        self._seeds = seeds
        self._detector = detector
        self._calibration = calibration
        self._exclusions = Exclusions(catalog)

    def make(self, request: MixRequest, snapshot: Snapshot, today: date) -> Mix:
        """See `SimilarityService.mix`.

        Tracks that have left the catalogue, or have lost their file, since the snapshot was made
        are left out.
        """
        seeds = read_seeds(self._seeds, request.seeds, snapshot, all_needed=request.kind == "path")
        if request.kind in ("path", "order"):
            seeds = self._of_catalogue(request, seeds)
        while True:
            composed, left_out = self._composed(request, seeds, snapshot, today)
            ids = snapshot.index.ids[np.array(composed.rows, dtype=np.int64)].tolist()
            tracks = self._catalog.present(ids)
            gone = set(ids) - tracks.keys()
            if not gone:
                listed = [tracks[track_id] for track_id in ids]
                return self._mix(request, seeds, snapshot, composed, left_out, listed)
            snapshot = snapshot.without(gone)

    def _composed(
        self, request: MixRequest, seeds: MixSeeds, snapshot: Snapshot, today: date
    ) -> tuple[Composed, dict[str, int]]:
        """The entries, without those that were given, and what was left out."""
        if request.kind == "order":
            return Composed([], [], {}), {}
        rules = request.rules
        if rules.filters().sound.is_relative:
            described = self._seeds.descriptors(seeds.like)
            rules = replace(rules, **vars(rules.filters().sound.relative_to(described)))
        excluded = self._exclusions.of(snapshot) if request.rules.exclusions else None
        found = candidates(snapshot, rules, seeds.rows, excluded, today)
        space = ScoreSpace(snapshot.index)
        task = Task(request, seeds, snapshot, space, found, self._detector, self._calibration)
        if not found.count:
            empty = Composed([], [], dict.fromkeys(LIST_RULES, 0), ["no other track is left."])
            return empty, found.left_out
        return _COMPOSERS[request.kind](task), found.left_out

    def _of_catalogue(self, request: MixRequest, seeds: MixSeeds) -> MixSeeds:
        """The seeds that can be entries; of a path both have to be."""
        outside = [seed for seed in seeds.like if seed.seed.track is None]
        if outside and (request.kind == "path" or len(outside) == len(seeds.like)):
            raise UsageError(
                f"{_name(outside[0])} is not in the catalogue, so that it cannot be in a list: "
                "ingest its folder first."
            )
        if request.kind == "path" and len({seed.track_id for seed in seeds.like}) == 1:
            raise UsageError(f"a path from {_name(seeds.like[0])} to itself: give another end.")
        notes = [f"a seed was left out: {_name(seed)} is not in the catalogue." for seed in outside]
        inside = [seed for seed in seeds.like if seed.seed.track is not None]
        return MixSeeds(inside, [], [*seeds.notes, *notes])

    def _mix(
        self,
        request: MixRequest,
        seeds: MixSeeds,
        snapshot: Snapshot,
        composed: Composed,
        left_out: dict[str, int],
        tracks: list[Track],
    ) -> Mix:
        similarities = composed.similarities
        if request.kind == "path":
            first, last = (seed.seed.track for seed in seeds.like)
            assert first is not None
            assert last is not None
            tracks = [first, *tracks, last]
            if not composed.rows:
                similarities = _steps(seeds.like, ScoreSpace(snapshot.index))
        if request.kind == "order":
            seeds, similarities = self._ordered(request, seeds, snapshot)
            tracks = [seed.seed.track for seed in seeds.like if seed.seed.track is not None]
        entries = [
            MixEntry(track, position, similarity, self._is_close(similarity))
            for position, (track, similarity) in enumerate(
                zip(tracks, similarities, strict=True), start=1
            )
        ]
        return Mix(
            entries,
            request,
            {**left_out, **composed.left_out},
            [
                *seeds.notes,
                *composed.notes,
                *_lacking(request, snapshot),
                *self._nothing_near(request, entries),
            ],
            [seed.seed for seed in seeds.like],
            [seed.seed for seed in seeds.unlike],
            len(snapshot.index),
            snapshot.index.space,
            self._calibration,
            composed.shortest.get("artist"),
            composed.shortest.get("album"),
        )

    def _ordered(
        self, request: MixRequest, seeds: MixSeeds, snapshot: Snapshot
    ) -> tuple[MixSeeds, list[float]]:
        """The seeds in their smoothest order, and the similarity of each with the one before."""
        space = ScoreSpace(snapshot.index)
        first, notes = self._first(request, seeds, snapshot)
        units = np.stack([unit_of(seed, space) for seed in seeds.like]).astype(np.float64)
        distances = np.maximum(0.0, 1.0 - units @ units.T)
        if request.by == "tempo-key":
            described = self._seeds.descriptors(seeds.like)
            distances = harmonic_distances(described, distances)
            unknown = sum(
                one is None or (one.tempo is None and one.key is None) for one in described
            )
            notes += [f"tracks with neither tempo nor key: {unknown:,}."] * (unknown > 0)
        order = open_tour(distances, first)
        ordered = [seeds.like[place] for place in order.tolist()]
        return MixSeeds(ordered, [], [*seeds.notes, *notes]), _steps(ordered, space)

    def _first(
        self, request: MixRequest, seeds: MixSeeds, snapshot: Snapshot
    ) -> tuple[int | None, list[str]]:
        """The place of the seed that is to come first, and what is to be said where it is gone."""
        if request.first is None:
            return None, []
        try:
            wanted = self._seeds.read(request.first, snapshot).track_id
        except UNKNOWN as error:
            return None, [f"another track comes first: {first_line(error)}"]
        ids = [seed.track_id for seed in seeds.like]
        if wanted is None or wanted not in ids:
            raise UsageError("the track that is to come first is not among those to order.")
        return ids.index(wanted), []

    def admitted(
        self, rules: Rules, snapshot: Snapshot, today: date, *, any_needed: bool = True
    ) -> Candidates:
        """What the rules for single tracks admit. Raises `UsageError` as `candidates`."""
        excluded = self._exclusions.of(snapshot) if rules.exclusions else None
        rules = replace(rules, **vars(rules.filters().sound.absolute()))
        return candidates(snapshot, rules, (), excluded, today, any_needed=any_needed)

    def _is_close(self, similarity: float) -> bool | None:
        return None if self._calibration is None else self._calibration.is_close(similarity)

    def _nothing_near(self, request: MixRequest, entries: list[MixEntry]) -> list[str]:
        if request.kind in ("path", "order") or not entries:
            return []
        if any(entry.close is not False for entry in entries):
            return []
        nearest = max(entry.similarity for entry in entries)
        return [f"nothing in the catalogue is close to the seeds; the nearest has {nearest:.2f}."]


def _lacking(request: MixRequest, snapshot: Snapshot) -> list[str]:
    if request.kind == "order":
        return []
    return [
        f"tracks left out for want of a value ({name}): {count:,}."
        for name, count in snapshot.lacking(request.rules.filters()).items()
    ]


def _steps(seeds: list[SearchSeed], space: ScoreSpace) -> list[float]:
    """The similarity of each seed with the one before; 1 for the first."""
    units = np.stack([unit_of(seed, space) for seed in seeds])
    steps = np.einsum("nd,nd->n", units[1:], units[:-1])
    return [1.0, *np.clip(steps, -1, 1).tolist()]


def _name(seed: SearchSeed) -> str:
    return str(seed.seed.path or seed.seed.title or "a sound without a name")
