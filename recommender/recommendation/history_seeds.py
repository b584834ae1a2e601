"""Seeds of today's list, of what one user liked, played and skipped."""

from dataclasses import dataclass
from datetime import datetime

from recommender.catalog import Catalog
from recommender.catalog.list_records import DEFAULT_USER
from recommender.recommendation.mix_request import Length, MixRequest, Rules


@dataclass(frozen=True)
class HistorySeeds:
    """What a user's history says of today.

    Attributes:
        like: ids of tracks to begin with, the weightiest first.
        weights: of each, above 0; the largest is 1.
        previous: ids of what was played lately, the latest last.
        notes: sentences, such as that there is no history and the seeds are random.
    """

    like: tuple[int, ...]
    weights: tuple[float, ...]
    previous: tuple[int, ...]
    notes: tuple[str, ...] = ()


def history_seeds(
    catalog: Catalog, user: str = DEFAULT_USER, count: int = 5, now: datetime | None = None
) -> HistorySeeds:
    """The seeds of a day: the same ones all day, others tomorrow."""
    raise NotImplementedError


def todays_request(
    catalog: Catalog,
    user: str = DEFAULT_USER,
    rules: Rules | None = None,
    length: Length | None = None,
    now: datetime | None = None,
) -> tuple[MixRequest, HistorySeeds]:
    """What `SimilarityService.mix` makes today's list of, and where its seeds come from."""
    raise NotImplementedError
