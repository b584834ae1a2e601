"""Seeds of today's list, of what one user liked, played and skipped.

What others played has no part in it, and how often a track was played only weighs it as a seed:
what is recommended is what sounds like the seeds.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from recommender.catalog import Catalog, EventKind
from recommender.catalog.list_records import DEFAULT_USER, Event
from recommender.errors import NothingAnalysed, UsageError
from recommender.recommendation.mix_request import (
    Length,
    MixRequest,
    Rules,
    SeedSet,
    latest_last,
)

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
    catalog: Catalog, user: str = DEFAULT_USER, count: int = 5, now: datetime | None = None
) -> HistorySeeds:
    """The seeds of a day: the same ones all day while the history stays, others tomorrow.

    A track weighs by likes and by recent plays, less by the share of skips, and nothing once a like
    was taken back. Seeds are drawn by these weights without replacement (Efraimidis & Spirakis,
    "Weighted random sampling with a reservoir", 2006), the random numbers from the date and user.
    Where there is no history, every track is as likely.

    Args:
        catalog: stays open.
        user: empty for the only one.
        count: at least 1.
        now: whose date in the local time zone is the day; None for the present.

    Raises:
        NothingAnalysed: there is no track to begin with.
        UsageError: `count` is below 1.
    """
    if count < 1:
        raise UsageError(f"a list needs at least 1 seed, not {count}.")
    now = (now or datetime.now(UTC)).astimezone()
    events = catalog.history(user, kinds=(EventKind.LIKE, EventKind.UNLIKE))
    events += catalog.history(user, now - REMEMBERED, NOT_AGAIN)
    weights = _weights(events, now)
    present = catalog.present(weights)
    excluded = set(catalog.excluded_tracks().tolist())
    weights = {id: weight for id, weight in weights.items() if id in present.keys() - excluded}
    notes: tuple[str, ...] = ()
    if not weights:
        ids = [id for id in catalog.analysed_ids().tolist() if id not in excluded]
        if not ids:
            raise NothingAnalysed("no track can be a seed: ingest a folder of music.")
        weights = dict.fromkeys(ids, 1.0)
        notes = (
            "there are no likes and plays to begin with; the seeds are drawn from all tracks.",
        )
    drawn = _drawn(weights, count, f"{now.date().isoformat()} {user}")
    heaviest = max(weights[id] for id in drawn)
    return HistorySeeds(
        like=tuple(drawn),
        weights=tuple(weights[id] / heaviest for id in drawn),
        previous=_previous(events, now),
        notes=notes,
    )


def todays_request(
    catalog: Catalog,
    user: str = DEFAULT_USER,
    rules: Rules | None = None,
    length: Length | None = None,
    now: datetime | None = None,
) -> tuple[MixRequest, HistorySeeds]:
    """What `SimilarityService.mix` makes today's list of, and where its seeds come from.

    Args:
        catalog, user, now: as in `history_seeds`.
        rules: what was played or skipped lately is left out besides.
        length: None for that of a mix.

    Raises what `history_seeds` raises.
    """
    rules = rules or Rules(variety=VARIETY)
    now = (now or datetime.now(UTC)).astimezone()
    seeds = history_seeds(catalog, user, now=now)
    of_today = replace(
        rules,
        previous=latest_last((*seeds.previous, *rules.previous)),
        random_seed=rules.random_seed or now.date().toordinal(),
    )
    return MixRequest("mix", SeedSet(seeds.like), of_today, length or Length()), seeds


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
