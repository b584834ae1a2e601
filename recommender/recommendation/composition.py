"""What the lists of `fusion`, `radio` and `growth` are made with, and what they have in common.

Shapes: n tracks of an index, m candidates of a list.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.recommendation.mix_request import MixRequest
from recommender.recommendation.mix_seeds import MixSeeds
from recommender.recommendation.selection import Gaps, Selection
from recommender.recommendation.snapshot import Snapshot
from recommender.recommendation.track_rules import Candidates
from recommender.search.score_space import ScoreSpace
from recommender.utils.arrays import BoolArray, IntArray, Scores

WIDEST = 10.0
"""At variety 1 a list is drawn from so many times as many tracks as it has, and `FIRST_RANK`."""

FIRST_RANK = 10.0
"""What the best rank counts as when ranks are varied: the first few differ little."""

NEARLY = 0.9
"""Share of the minutes up to which tracks that are too long for the rest are passed over."""

_LONG_AGO = -(10**9)
"""Position of a track that counts for no gap."""


@dataclass(frozen=True, eq=False)
class Task:
    """A list to be made.

    Attributes:
        request: what is asked for.
        seeds: those of its seeds that are known.
        snapshot: of the catalogue.
        space: of its index.
        candidates: what the rules for single tracks admit.
        detector: by which tracks are copies.
        calibration: what similarities mean, where known.
    """

    request: MixRequest
    seeds: MixSeeds
    snapshot: Snapshot
    space: ScoreSpace
    candidates: Candidates
    detector: DuplicateDetector
    calibration: SimilarityCalibration | None

    def selection(self) -> Selection:
        """Without candidates and entries; seeds and previous tracks are in front."""
        request = self.request
        gaps = Gaps(request.artist_gap, request.album_gap, request.per_artist)
        found = Selection(self.snapshot, self.detector, gaps)
        self.begin(found)
        return found

    def begin(self, selection: Selection) -> None:
        """Put seeds and previous tracks in front of a list."""
        request = self.request
        previous = self.snapshot.rows(request.rules.previous).tolist()
        seeds = [row for row in self.seeds.rows if row not in set(previous)]
        playing = self.seeds.like[0].row if len(self.seeds.like) == 1 else None
        if request.kind == "radio" and playing in seeds:
            seeds.remove(playing)
            previous.append(playing)
        selection.before(previous)
        selection.before(seeds, first=_LONG_AGO)
        every = (*self.seeds.like, *self.seeds.unlike)
        sounds = [seed.recording for seed in every if seed.recording is not None]
        selection.sounds_before(sounds)


@dataclass(eq=False)
class Composition:
    """The entries of a list so far.

    Attributes:
        most: tracks; None for any number.
        seconds: most seconds.
        places: of the entries among the candidates of a `Selection`.
        lasted: seconds so far.
        notes: see `Mix.notes`.
    """

    most: int | None
    seconds: float = math.inf
    places: list[int] = field(default_factory=list)
    lasted: float = 0.0
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: MixRequest) -> "Composition":
        """Empty, with the length of a request."""
        minutes = request.length.minutes
        return cls(request.tracks, math.inf if minutes is None else 60 * float(minutes))

    @property
    def is_full(self) -> bool:
        """Whether it has as many tracks as were asked for."""
        return self.most is not None and len(self.places) >= self.most

    def fits(self, durations: Scores | float) -> BoolArray:
        """Which tracks [m] the list has time for."""
        found: BoolArray = np.asarray(self.lasted + durations <= self.seconds)
        return found

    @property
    def is_nearly_full(self) -> bool:
        """Whether so little time is left that no track has to be found that fits."""
        return self.lasted >= NEARLY * self.seconds

    def add(self, place: int, duration: float) -> None:
        """Add an entry."""
        self.places.append(place)
        self.lasted += duration


@dataclass(frozen=True, eq=False)
class Composed:
    """A finished list.

    Attributes:
        rows: of the index, in order.
        similarities: of each, see `MixEntry.similarity`.
        left_out: by the rules of `LIST_RULES`.
        notes: see `Mix.notes`.
        shortest: see `Selection.shortest`.
    """

    rows: list[int]
    similarities: list[float]
    left_out: dict[str, int]
    notes: list[str] = field(default_factory=list)
    shortest: dict[str, int] = field(default_factory=dict)


def draws(track_ids: IntArray, random_seed: int) -> Scores:
    """A number in [0, 1) for each track: np.ndarray [shape=(m,)], float64.

    It depends on its id and the seed alone, so that what becomes of one track does not depend on
    which others there are. SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number
    generators", OOPSLA 2014) of both.
    """
    key = (random_seed * 0x9E3779B97F4A7C15) % 2**64
    mixed = track_ids.astype(np.uint64) + np.uint64(key)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    found: Scores = (mixed >> np.uint64(11)) / 2.0**53
    return found


def varied(ranks: Scores, drawn: Scores, variety: float) -> Scores:
    """What candidates are chosen by, the least first: their ranks, each made worse by chance.

    A rank r becomes ``(r + FIRST_RANK) * WIDEST ** (variety * u)`` with u in [0, 1), whatever the
    scale of the scores is; see `reach` for how far that goes.

    Args:
        ranks: np.ndarray [shape=(m,)], from 1.
        drawn: np.ndarray [shape=(m,)], u of each.
        variety: see `Rules.variety`.
    """
    keys: Scores = (ranks + FIRST_RANK) * WIDEST ** (variety * drawn) if variety else ranks
    return keys


def reach(tracks: int, variety: float) -> int:
    """The last rank that can be in a list of so many tracks."""
    return int(WIDEST**variety * (tracks + FIRST_RANK) - FIRST_RANK)


def take_in_order(composition: Composition, selection: Selection, keys: Scores) -> bool:
    """Fill a list with candidates by rising key [m]; returns whether it ended for want of any."""
    durations = selection.durations
    order = np.argsort(keys, kind="stable")
    if selection.has_gaps:
        return _take_with_gaps(composition, selection, order, durations)
    for place in order.tolist():
        if composition.is_full:
            return False
        if not selection.admits(place):
            continue
        duration = float(durations[place])
        if composition.fits(duration):
            composition.add(place, duration)
            selection.take(place)
        elif composition.is_nearly_full:
            return False
    return not composition.is_full


def _take_with_gaps(
    composition: Composition, selection: Selection, order: IntArray, durations: Scores
) -> bool:
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    while not composition.is_full:
        eligible = np.flatnonzero(next_entries(composition, selection.eligible(), durations))
        if not len(eligible):
            selection.pass_over(np.ones(len(order), dtype=np.bool_))
            return True
        place = int(eligible[ranks[eligible].argmin()])
        if not composition.fits(durations[place]):
            return False
        selection.pass_over(ranks < ranks[place])
        composition.add(place, float(durations[place]))
        selection.take(place)
    return False


def next_entries(composition: Composition, eligible: BoolArray, durations: Scores) -> BoolArray:
    """Of candidates [m] those that may come next, as long as there is time for some of them."""
    if composition.seconds == math.inf or composition.is_nearly_full:
        return eligible
    return eligible & composition.fits(durations)


def ran_dry(composition: Composition, wanted: Iterable[str]) -> str:
    """The note of a list that ended early."""
    count = len(composition.places)
    rules = ", ".join(wanted)
    because = f" (left out: {rules})" if rules else ""
    if composition.seconds < math.inf:
        minutes = (composition.seconds - composition.lasted) / 60
        return (
            f"the list ends after {count} tracks, with {minutes:.1f} minutes left: the rules allow "
            f"no other that fits{because}."
        )
    return f"the list ends after {count} tracks: the rules allow no other{because}."


def named(left_out: dict[str, int]) -> list[str]:
    """Rules that left something out, with their numbers."""
    return [f"{name} {count}" for name, count in left_out.items() if count]
