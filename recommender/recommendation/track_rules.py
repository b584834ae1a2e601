"""Rules that look at one track alone: which tracks of a catalogue are candidates of a list.

Shapes: n tracks of an index, by row.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from recommender.catalog.track_columns import CHRISTMAS, SPEECH
from recommender.errors import UsageError
from recommender.recommendation.filters import Filters
from recommender.recommendation.mix_request import Rules
from recommender.recommendation.mix_result import CATALOGUE_RULES
from recommender.recommendation.snapshot import Snapshot
from recommender.utils.arrays import BoolArray, IntArray

DECEMBER = 12


@dataclass(frozen=True, eq=False)
class Candidates:
    """The tracks that the rules admit.

    Attributes:
        allowed: np.ndarray [shape=(n,)], bool.
        left_out: rule → number of tracks that it leaves out, of those that the rules before admit;
            in the order of `CATALOGUE_RULES`, all of them.
    """

    allowed: BoolArray
    left_out: dict[str, int]

    @property
    def count(self) -> int:
        """How many there are."""
        return int(np.count_nonzero(self.allowed))


def candidates(
    snapshot: Snapshot,
    rules: Rules,
    seeds: Collection[int],
    excluded: BoolArray | None,
    today: date,
    *,
    any_needed: bool = True,
) -> Candidates:
    """Apply the rules one after another.

    Args:
        seeds: rows that are not candidates of any list.
        excluded: np.ndarray [shape=(n,)], bool: what the catalogue keeps out of mixes.
        today: decides about Christmas music.
        any_needed: whether it is an error where they leave nothing.

    Raises `UsageError` where the rules leave nothing of a catalogue that has other tracks than
    seeds and previous ones; the message names them.
    """
    allowed = snapshot.present()
    left_out = dict.fromkeys(CATALOGUE_RULES, 0)
    others = 0
    for name, passing in _rules(snapshot, rules, seeds, excluded, today):
        before = int(np.count_nonzero(allowed))
        if passing is not None:
            allowed &= passing
        left_out[name] = before - int(np.count_nonzero(allowed))
        if name == "played before":
            others = before - left_out[name]
    if any_needed and others and not allowed.any():
        raise UsageError(_nothing_left(snapshot, rules, left_out, others))
    return Candidates(allowed, left_out)


def _rules(
    snapshot: Snapshot,
    rules: Rules,
    seeds: Collection[int],
    excluded: BoolArray | None,
    today: date,
) -> Iterator[tuple[str, BoolArray | None]]:
    """Each rule with the tracks that pass it; None where all do."""
    columns = snapshot.index.columns
    yield "seed", _without(snapshot, list(seeds))
    yield "played before", _without(snapshot, snapshot.rows(rules.previous))
    yield "genre", snapshot.passing(Filters(genre=rules.genre))
    yield "predicted genre", snapshot.passing(Filters(predicted_genre=rules.predicted_genre))
    lengths = Filters(min_duration=rules.min_duration, max_duration=rules.max_duration)
    yield "length", snapshot.passing(lengths)
    yield "damaged", snapshot.passing(Filters(damaged=rules.damaged))
    for name, text in rules.filters().sound.wanted():
        yield name, snapshot.passing(Filters(**{name: text}))
    content = columns["content"].whole()
    yield "speech", None if rules.speech else (content & SPEECH) == 0
    plays_christmas = rules.christmas == "always" or (
        rules.christmas == "december" and today.month == DECEMBER
    )
    yield "Christmas", None if plays_christmas else (content & CHRISTMAS) == 0
    yield "excluded", None if excluded is None or not rules.exclusions else ~excluded


def _without(snapshot: Snapshot, rows: list[int] | IntArray) -> BoolArray | None:
    if not len(rows):
        return None
    mask = np.ones(len(snapshot.index), dtype=np.bool_)
    mask[rows] = False
    return mask


def _nothing_left(snapshot: Snapshot, rules: Rules, left_out: dict[str, int], others: int) -> str:
    hint = snapshot.genre_hint(rules.filters())
    after = list(CATALOGUE_RULES[2:])
    named = ", ".join(f"{name} {left_out[name]}" for name in after if left_out[name])
    text = f"the rules leave no track; of {others} they leave out: {named}."
    return f"{text} {hint[0].upper()}{hint[1:]}" if hint else f"{text} Loosen one of them."
