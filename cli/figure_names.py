"""One name for each figure, in the tables of `recsys evaluate`, `compare`, `adapt` and `models`."""

MEAN_AVERAGE_PRECISION = "mean average precision"
SKEWNESS = "hubness skewness"
ANTI_HUB_RATE = "anti-hub rate"
"""Share of tracks that are in no list of neighbours."""


def precision_at(k: int) -> str:
    """Share of the k neighbours that are relevant: of the query's genre."""
    return f"precision@{k}"


def hit_at(k: int) -> str:
    """Share of queries with at least one relevant track among the k neighbours."""
    return f"hit@{k}"
