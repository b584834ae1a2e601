"""Seeds of today's list, of what one user liked, played and skipped.

What others played has no part in it, and how often a track was played only weighs it as a seed:
what is recommended is what sounds like the seeds. Seeds keep to the rules that the list keeps to.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from recommender.catalog import EventKind
from recommender.catalog.list_records import DEFAULT_USER, Event
from recommender.errors import UsageError
from recommender.recommendation.mix_request import (
    Length,
    MixRequest,
    Rules,
    SeedSet,
    latest_last,
)

if TYPE_CHECKING:
    from recommender.recommendation.service import SimilarityService

HALF_LIFE_DAYS = 30.0
"""After so long, a play or a skip counts half."""

REMEMBERED = timedelta(days=730)
"""Older plays and skips count nothing; likes are for good."""

LIKE_WEIGHT = 2.0
"""A like weighs as much as three recent plays."""

NOT_AGAIN = {EventKind.PLAY: timedelta(days=7), EventKind.SKIP: timedelta(days=30)}
"""For so long, what was played or skipped is not listed."""

MOST_PREVIOUS = 2_000
"""Tracks that are not listed again, the latest of them."""

VARIETY = 0.2
"""Of today's list, where the rules give none."""


@dataclass(frozen=True)
class HistorySeeds:
    """What a user's history says of today.

    Attributes:
        like: ids of tracks to begin with, the weightiest first.
        weights: of each, above 0; the largest is 1.
        previous: ids of what was played or skipped lately, the latest last.
        notes: sentences, such as that there is no history and the seeds are random.
    """

    like: tuple[int, ...]
    weights: tuple[float, ...]
    previous: tuple[int, ...]
    notes: tuple[str, ...] = ()


def history_seeds(
    service: "SimilarityService",
    user: str = DEFAULT_USER,
    count: int = 5,
    now: datetime | None = None,
    rules: Rules | None = None,
) -> HistorySeeds:
    """The seeds of a day: the same ones all day while the history stays, others tomorrow.

    A track weighs by likes and by recent plays, less by the share of skips, and nothing once a like
    was taken back. Seeds are drawn by these weights without replacement (Efraimidis & Spirakis,
    "Weighted random sampling with a reservoir", 2006), the random numbers from the date and user.
    Where there is no history, every track is as likely.

    Args:
        service: over the catalogue that has the history.
        user: empty for the only one.
        count: at least 1.
        now: whose date in the local time zone is the day; None for the present.
        rules: no track is a seed that they would leave out of a list; None for the defaults.

    Raises:
        CatalogError: there is no track to begin with.
        UsageError: `count` is below 1, or the rules leave no track.
    """
    if count < 1:
        raise UsageError(f"a list needs at least 1 seed, not {count}.")
    catalog = service.catalog
    now = (now or datetime.now(UTC)).astimezone()
    events = catalog.history(user, kinds=(EventKind.LIKE, EventKind.UNLIKE))
    events += catalog.history(user, now - REMEMBERED, NOT_AGAIN)
    weights = _weights(events, now)
    known = catalog.present(weights)
    admitted = service.admitted(replace(rules or Rules(), previous=()), now.date()).tolist()
    passing = {id: weights[id] for id in weights.keys() & known.keys() & set(admitted)}
    notes: tuple[str, ...] = ()
    if not passing:
        passing = dict.fromkeys(admitted, 1.0)
        reason = "there are no likes and plays to begin with"
        if weights:
            reason = "the rules leave out all that was liked and played"
        notes = (f"{reason}; the seeds are drawn from all tracks.",)
    drawn = _drawn(passing, count, f"{now.date().isoformat()} {user}")
    heaviest = max(passing[id] for id in drawn)
    return HistorySeeds(
        like=tuple(drawn),
        weights=tuple(passing[id] / heaviest for id in drawn),
        previous=_previous(events, now),
        notes=notes,
    )


def todays_request(
    service: "SimilarityService",
    user: str = DEFAULT_USER,
    rules: Rules | None = None,
    length: Length | None = None,
    now: datetime | None = None,
) -> tuple[MixRequest, HistorySeeds]:
    """What `SimilarityService.mix` makes today's list of, and where its seeds come from.

    Args:
        service, user, now: as in `history_seeds`.
        rules: of seeds and list; what was played or skipped lately is left out besides.
        length: None for that of a mix.

    Raises what `history_seeds` raises.
    """
    rules = rules or Rules(variety=VARIETY)
    now = (now or datetime.now(UTC)).astimezone()
    seeds = history_seeds(service, user, now=now, rules=rules)
    of_today = replace(
        rules,
        previous=latest_last((*seeds.previous, *rules.previous)),
        random_seed=rules.random_seed or now.date().toordinal(),
    )
    weighed = SeedSet(seeds.like, weights=seeds.weights)
    return MixRequest("mix", weighed, of_today, length or Length()), seeds


def _weights(events: list[Event], now: datetime) -> dict[int, float]:
    """Track id → weight as a seed; those without any are left out."""
    liked: dict[int, bool] = {}
    counts: dict[EventKind, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for event in events:
        if event.kind in (EventKind.LIKE, EventKind.UNLIKE):
            liked[event.track_id] = event.kind is EventKind.LIKE
        elif now - event.at < REMEMBERED:
            days = max(0.0, (now - event.at) / timedelta(days=1))
            counts[event.kind][event.track_id] += 2.0 ** (-days / HALF_LIFE_DAYS)
    plays, skips = counts[EventKind.PLAY], counts[EventKind.SKIP]
    weights = {}
    for id in {*liked, *plays}:
        own = LIKE_WEIGHT * liked.get(id, False) + math.log2(1 + plays.get(id, 0.0))
        finished = (1 + plays.get(id, 0.0)) / (1 + plays.get(id, 0.0) + skips.get(id, 0.0))
        if liked.get(id, True) and own > 0:
            weights[id] = own * finished
    return weights


def _drawn(weights: dict[int, float], count: int, seed: str) -> list[int]:
    """So many of the tracks, the weightiest first; the draw depends on `seed` alone."""
    ids = sorted(weights)
    random = np.random.default_rng(list(seed.encode("utf-8", "surrogatepass")))
    keys = np.log(random.random(len(ids))) / np.array([weights[id] for id in ids])
    drawn = [ids[place] for place in np.argsort(-keys, kind="stable")[:count]]
    return sorted(drawn, key=lambda id: (-weights[id], id))


def _previous(events: list[Event], now: datetime) -> tuple[int, ...]:
    latest: dict[int, None] = {}
    for event in events:
        if event.kind in NOT_AGAIN and timedelta(0) <= now - event.at < NOT_AGAIN[event.kind]:
            latest.pop(event.track_id, None)
            latest[event.track_id] = None
    return tuple(latest)[-MOST_PREVIOUS:]
