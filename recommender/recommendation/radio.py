"""A list that goes on from its seeds, near them, without repeating anything.

Each entry is the best candidate for a query between the seed and the last entries: a list that
looks at the seed alone is a list of neighbours, in which each track is chosen as if the others were
not there; one that looks at the last entry alone is a random walk, which leaves the seed for ever.
Two things hold it near the seed: the seed's weight in the query, and that candidates are the
nearest tracks of the seed: `FIRST_CANDIDATES` of them, and `GROWTH` times as many as before
whenever they are fewer than `PER_ENTRY` for each entry so far, or the rules admit none of them.

Seeds that do not sound alike (`mix_seeds.seed_groups`) take turns, each by the share of the seeds
that it stands for, and each with last entries of its own.

Shapes: m candidates, d dimensions, g groups of seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recommender.recommendation.composition import (
    Composed,
    Composition,
    Task,
    draws,
    next_entries,
    varied,
)
from recommender.recommendation.fusion import finished
from recommender.recommendation.mix_seeds import SeedGroup, seed_groups
from recommender.recommendation.selection import Selection
from recommender.search.score_space import scores
from recommender.utils.arrays import BoolArray, FloatArray, Scores, unit_rows

DRIFT = 0.3
"""Weight of the last entries in the query; the rest is the seed's."""

RECENT = 3
"""How many of the last entries count."""

PER_ENTRY, FIRST_CANDIDATES, GROWTH = 8, 512, 4
"""Candidates for each entry, at first, and by how much more each time these do not suffice."""


@dataclass(eq=False)
class _Turn:
    """A group of seeds with the entries that were taken for it.

    Attributes:
        group: the seeds.
        entries: places of the entries.
    """

    group: SeedGroup
    entries: list[int] = field(default_factory=list)

    def due(self, position: int) -> float:
        """By how much it has had less than its share."""
        return self.group.weight * (position + 1) - len(self.entries)


class Radio:
    """A radio that is being made."""

    def __init__(self, task: Task, drift: float = DRIFT, recent: int = RECENT) -> None:
        """Without entries; the first candidates are looked up."""
        self._task = task
        self._drift = drift
        self._recent = recent
        self._rules = task.request.rules
        self.turns = [_Turn(g) for g in seed_groups(task.seeds, task.space, task.calibration)]
        self.selection: Selection = task.selection()
        self._database: FloatArray = np.empty((0, len(self._first.query.moved) + 1), np.float32)
        self._drawn: Scores = np.empty(0)
        self._durations: Scores = np.empty(0)
        self._fetch = FIRST_CANDIDATES // GROWTH
        self.whole = False
        self.widen()

    @property
    def _first(self) -> SeedGroup:
        return self.turns[0].group

    def widen(self) -> None:
        """Add more candidates: those that are next to the seeds."""
        self._fetch *= GROWTH
        space, allowed = self._task.space, self._task.candidates.allowed
        best = [space.best(turn.group.query, self._fetch, allowed) for turn in self.turns]
        self.whole = any(len(found.rows) < self._fetch for found in best)
        every = np.concatenate([found.rows for found in best])
        every = every[np.sort(np.unique(every, return_index=True)[1])]
        new = every[~np.isin(every, self.selection.rows)]
        self.selection.add(new)
        self._database = np.concatenate([self._database, space.database(new)])
        drawn = draws(self._task.snapshot.index.ids[new], self._rules.random_seed)
        self._drawn = np.concatenate([self._drawn, drawn])
        self._durations = self.selection.durations

    def query(self, turn: _Turn) -> FloatArray:
        """What the next entry of a group is to be like: np.ndarray [shape=(d,)], of length 1."""
        seed = turn.group.query.moved
        recent = turn.entries[-self._recent :]
        if not recent or not self._drift:
            return seed
        last = unit_rows(self._database[recent, :-1]).mean(axis=0)
        mixed: FloatArray = unit_rows(((1 - self._drift) * seed + self._drift * last)[None])[0]
        return mixed

    def extend(self, composition: Composition) -> str | None:
        """Add one entry; returns why there is none, or None."""
        selection = self.selection
        turn = max(self.turns, key=lambda one: one.due(selection.position))
        if not self.whole and len(selection.rows) < PER_ENTRY * (selection.position + 1):
            self.widen()
        eligible = self._eligible(composition)
        if not eligible.any():
            selection.pass_over(np.ones(len(selection.rows), dtype=np.bool_))
            return "dry"
        found = scores(self._database, self.query(turn))
        place = self._chosen(found, eligible)
        if not composition.fits(self._durations[place]):
            return "full"
        selection.pass_over(found > found[place])
        composition.add(place, float(self._durations[place]))
        selection.take(place)
        turn.entries.append(place)
        return None

    def _eligible(self, composition: Composition) -> BoolArray:
        """The candidates for the next entry; more are looked up while there are none."""
        while True:
            free = self.selection.eligible()
            eligible = next_entries(composition, free, self._durations)
            if eligible.any() or self.whole:
                break
            self.widen()
        if not eligible.any() and not self._rules.strict:
            eligible = self._nearly_eligible(composition)
        return eligible

    def _chosen(self, found: FloatArray, eligible: BoolArray) -> int:
        """The best eligible candidate, or by chance one that is nearly as good."""
        places = np.flatnonzero(eligible)
        own = found[places]
        if not self._rules.variety:
            return int(places[own.argmax()])
        ranks = np.empty(len(places))
        ranks[np.argsort(-own, kind="stable")] = np.arange(1.0, len(places) + 1)
        return int(places[varied(ranks, self._drawn[places], self._rules.variety).argmin()])

    def _nearly_eligible(self, composition: Composition) -> BoolArray:
        """The candidates that the gaps would admit soonest."""
        possible = next_entries(composition, self.selection.possible(), self._durations)
        waits = self.selection.waits()
        least = waits[possible].min(initial=np.iinfo(np.int64).max)
        nearly: BoolArray = possible & (waits == least)
        return nearly


def compose_radio(task: Task) -> Composed:
    """The list of a request of the kind ``radio``."""
    radio = Radio(task)
    composition = Composition.of(task.request)
    ended = None
    while not composition.is_full and ended is None:
        ended = radio.extend(composition)
    composition.notes += _shortened(task, radio.selection.shortest)
    groups: Sequence[SeedGroup] = [turn.group for turn in radio.turns]
    return finished(task, composition, radio.selection, groups, ended == "dry")


def _shortened(task: Task, shortest: dict[str, int]) -> list[str]:
    """What is to be said of gaps that could not be kept."""
    asked = {"artist": task.request.artist_gap, "album": task.request.album_gap}
    return [
        f"the {name} gap of {asked[name]} could not be kept everywhere: the shortest is {apart}; "
        "the catalogue has too few others."
        for name, apart in shortest.items()
        if apart < asked[name]
    ]
