"""The seeds of a list: read, divided into groups that sound alike, and made queries of.

Several seeds of one sound are best searched for by their mean, which keeps what they share. Of
seeds that sound different the mean is a place where none of them is. So seeds are divided into
groups, and each group has a query of its own; `fusion` fuses what the queries find. Means and the
shares of groups count the weights of seeds.

What a list is to be unlike is subtracted from the queries: the mean of what is unliked with the
weight `AWAY` (Rocchio, "Relevance feedback in information retrieval", 1971), or with less where the
query has little of it in the first place, so that a list does not change its character because of
something that was never in it.

Shapes: vectors of d dimensions, in the axes of the index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.errors import (
    AmbiguousTrack,
    AudioError,
    RecsysError,
    SpaceMismatch,
    TrackNotFound,
    UsageError,
)
from recommender.recommendation.mix_request import SeedSet
from recommender.recommendation.seeds import Query, SearchSeed, SeedReader
from recommender.recommendation.snapshot import Snapshot
from recommender.search.score_space import ScoreQuery, ScoreSpace
from recommender.utils.arrays import FloatArray, Scores, unit_rows

AWAY, AWAY_PER_COSINE = 0.5, 3.0
"""Weight of what is unliked, at most, and for its cosine with the query."""

ALIKE, ALIKE_UNCALIBRATED = 0.75, 0.3
"""Mean cosine from which groups of seeds are one: as a share of the calibration's midpoint, and in
a space that has none."""

_LEFT_OUT = "a seed was left out: "
UNKNOWN = (TrackNotFound, AmbiguousTrack, AudioError, SpaceMismatch)
"""Raised for a query that is no seed; a list is made of the others."""


@dataclass(frozen=True, eq=False)
class MixSeeds:
    """The seeds of a list that are known.

    Attributes:
        like, unlike: in the order of the request, each track once.
        notes: what became of the others.
        weights: np.ndarray, of each in `like`; None where all count the same.
    """

    like: list[SearchSeed]
    unlike: list[SearchSeed]
    notes: list[str]
    weights: Scores | None = None

    @property
    def rows(self) -> list[int]:
        """Rows of the index, of all that are tracks of it."""
        return [seed.row for seed in (*self.like, *self.unlike) if seed.row is not None]


@dataclass(frozen=True, eq=False)
class SeedGroup:
    """Seeds that sound alike.

    Attributes:
        query: what is searched with.
        weight: share of the seeds that are in the group, by their weights.
    """

    query: ScoreQuery
    weight: float


def read_seeds(
    reader: SeedReader, seeds: SeedSet, snapshot: Snapshot, *, all_needed: bool = False
) -> MixSeeds:
    """Read the seeds of a request.

    Args:
        all_needed: whether one that is unknown is an error, and one that is there twice counts
            twice, as for the ends of a path.

    Raises:
        RecsysError: the only liked seed is unknown, as `SeedReader.read` raises it.
        TrackNotFound: none of several is known.
        UsageError: a seed is both liked and unliked.
    """
    notes: list[str] = []
    known = _read(reader, seeds.like, snapshot, notes, all_needed)
    like = list(known.values())
    if not like:
        causes = "; ".join(note.removeprefix(_LEFT_OUT).partition(". ")[0] for note in notes)
        raise TrackNotFound(
            f"none of the {len(seeds.like)} seeds is known: {causes}. Look with 'recsys list', or "
            "give the paths of sound files."
        )
    unlike = [*_read(reader, seeds.unlike, snapshot, notes, False, raise_single=False).values()]
    liked = {seed.track_id: seed for seed in like if seed.track_id is not None}
    both = [liked[seed.track_id] for seed in unlike if seed.track_id in liked]
    if both:
        names = ", ".join(f"{seed.seed.title!r} (track {seed.track_id})" for seed in both)
        raise UsageError(f"{names}: a list cannot be both like and unlike a seed.")
    weights = np.array([seeds.weights[place] for place in known]) if seeds.weights else None
    return MixSeeds(like, unlike, notes, weights)


def _read(
    reader: SeedReader,
    queries: Sequence[Query],
    snapshot: Snapshot,
    notes: list[str],
    all_needed: bool,
    raise_single: bool = True,
) -> dict[int, SearchSeed]:
    """Place among the queries → the seed, of those that are known."""
    found: dict[int, SearchSeed] = {}
    known: set[int] = set()
    for place, query in enumerate(queries):
        try:
            seed = reader.read(query, snapshot)
        except UNKNOWN as error:
            if all_needed or (len(queries) == 1 and raise_single):
                raise
            notes.append(f"{_LEFT_OUT}{first_line(error)}")
            continue
        if seed.track_id is not None and not all_needed:
            if seed.track_id in known:
                continue
            known.add(seed.track_id)
        found[place] = seed
    return found


def first_line(error: RecsysError) -> str:
    """What is wrong, without what could be done."""
    return str(error).partition("\n")[0].rstrip(":")


def unit_of(seed: SearchSeed, space: ScoreSpace) -> FloatArray:
    """The unit vector [d] of a seed."""
    if seed.row is not None:
        unit: FloatArray = space.units(np.array([seed.row]))[0]
        return unit
    assert seed.vector is not None
    return space.rotated(seed.vector.astype(np.float32))


def seed_groups(
    seeds: MixSeeds, space: ScoreSpace, calibration: SimilarityCalibration | None
) -> list[SeedGroup]:
    """The groups of the liked seeds, largest first, moved away from what is unliked."""
    units, weights = np.stack([unit_of(seed, space) for seed in seeds.like]), seeds.weights
    away = unliked_directions(seeds, space, calibration)
    found = []
    for group in grouped(units, _alike(calibration)):
        single = seeds.like[group[0]].row if len(group) == 1 and not len(away) else None
        if single is not None:  # as a list of similar tracks is made
            query = space.query_of_row(single)
        else:
            own = None if weights is None else weights[group]
            query = space.query_of(moved_away(_mean(units[group], own), away))
        share = len(group) / len(units)
        if weights is not None:
            share = float(weights[group].sum() / weights.sum())
        found.append(SeedGroup(query, share))
    return found


def unliked_directions(
    seeds: MixSeeds, space: ScoreSpace, calibration: SimilarityCalibration | None
) -> FloatArray:
    """The means of the groups of the unliked seeds: np.ndarray [shape=(m, d)], of length 1."""
    if not seeds.unlike:
        return np.empty((0, unit_of(seeds.like[0], space).shape[0]), dtype=np.float32)
    units = np.stack([unit_of(seed, space) for seed in seeds.unlike])
    return np.stack([_mean(units[group]) for group in grouped(units, _alike(calibration))])


def _alike(calibration: SimilarityCalibration | None) -> float:
    return ALIKE_UNCALIBRATED if calibration is None else ALIKE * calibration.midpoint


def grouped(units: FloatArray, alike: float) -> list[list[int]]:
    """Groups of unit vectors [m, d] by average linkage, largest first; of equals, as they come.

    Two groups are one while the mean of the cosines of their members with each other is `alike` or
    more (Sokal & Michener, "A statistical method for evaluating systematic relationships", 1958).
    """
    groups = [[place] for place in range(len(units))]
    sums = (units @ units.T).astype(np.float64)  # of the cosines of the members of two groups
    sizes = np.ones(len(units))
    while len(groups) > 1:
        means = sums / np.outer(sizes, sizes)
        np.fill_diagonal(means, -np.inf)
        one, other = sorted(divmod(int(means.argmax()), len(groups)))
        if means[one, other] < alike:
            break
        groups[one] = groups[one] + groups.pop(other)
        sums[one] += sums[other]
        sums[:, one] += sums[:, other]
        sizes[one] += sizes[other]
        sums = np.delete(np.delete(sums, other, axis=0), other, axis=1)
        sizes = np.delete(sizes, other)
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group[0]))


def moved_away(unit: FloatArray, away: FloatArray) -> FloatArray:
    """A unit vector [d] less unit vectors [m, d], the nearest first; see `AWAY`.

    Of one that is among them nothing sensible would be left, and it stays as it is.
    """
    moved = unit.astype(np.float64)
    for other in away[np.argsort(-(away @ unit), kind="stable")].astype(np.float64):
        moved = moved - min(AWAY, AWAY_PER_COSINE * max(0.0, float(moved @ other))) * other
    length = float(np.linalg.norm(moved))
    return (moved / length).astype(np.float32) if length > 1e-3 else unit


def _mean(units: FloatArray, weights: Scores | None = None) -> FloatArray:
    sums: Any = np.average(units.astype(np.float64), 0, weights)[None]
    mean: FloatArray = unit_rows(sums)[0]
    return mean if mean.any() else units[0]
