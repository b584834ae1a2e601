"""How good the recommendations are in the catalogue that is served, computed in the background."""

import logging
import threading
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from recommender.catalog.labels import labels_from_tags
from recommender.errors import NothingAnalysed, RecsysError
from recommender.evaluation.report import RetrievalReport, evaluate_retrieval
from recommender.recommendation.service import SimilarityService
from recommender.search.reranking import effective_method
from recommender.server.errors import Problem
from recommender.server.service_holder import ServiceHolder

logger = logging.getLogger(__name__)

LENGTH = 10
"""Of the lists that are judged."""

MOST_QUERIES = 1_000
"""Tracks whose lists are judged; of more, as many are drawn at random, always the same."""


@dataclass(frozen=True)
class Evaluation:
    """What came of it.

    Attributes:
        state: ``computing`` until there is something to say; ``impossible``: see `reason`.
        report: where it is done.
        ranking: that was judged.
        reason: why there is none, and what to do.
    """

    state: Literal["computing", "done", "impossible"]
    report: RetrievalReport | None = None
    ranking: str | None = None
    reason: str | None = None


_COMPUTING = Evaluation("computing")


class Evaluations:
    """Evaluates each state of the catalogue that is asked for, at most one at a time."""

    def __init__(self, holder: ServiceHolder) -> None:
        """Compute nothing yet."""
        self._holder = holder
        self._changing = threading.Lock()
        self._done: tuple[object, Evaluation] | None = None
        self._is_running = False

    def of(self, service: SimilarityService) -> Evaluation:
        """The evaluation of the catalogue as it is now; begun, where it is not there.

        That of a former state of the same catalogue is given until the next one is there.
        """
        key: Any = (service.state(), service.catalog_index.space)
        with self._changing:
            if self._done is not None and self._done[0] == key:
                return self._done[1]
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._compute, name="recsys-evaluate", daemon=True).start()
            return _COMPUTING

    def _compute(self) -> None:
        key: Any = None
        found = Evaluation("impossible", reason="It failed; the server's log says why.")
        try:
            with self._holder.lease() as service:
                key = (service.state(), service.catalog_index.space)
                found = evaluated(service)
        except (RecsysError, Problem) as error:
            logger.warning("the catalogue cannot be evaluated: %s", error)
        except Exception:
            logger.exception("the catalogue cannot be evaluated")
        finally:
            with self._changing:
                self._done = (key, found)
                self._is_running = False


def evaluated(service: SimilarityService, most_queries: int = MOST_QUERIES) -> Evaluation:
    """How often tracks have a genre tag in common with those that are recommended for them.

    Raises `RecsysError` where the catalogue cannot be read.
    """
    try:
        index = service.index()
    except NothingAnalysed:
        return Evaluation("impossible", reason="There is no analysed track yet: ingest music.")
    tracks = service.catalog.tracks(index.ids.tolist())
    labelled = labels_from_tags(tracks)
    rows = np.flatnonzero([genre is not None for genre in labelled.genres])
    if len(rows) < 2:
        return Evaluation(
            "impossible",
            reason="No two tracks have a genre in their tags, by which lists are judged: "
            "tag some, and ingest again.",
        )
    if len(rows) > most_queries:
        rows = np.random.default_rng(0).choice(rows, most_queries, replace=False)
    queries = np.zeros(len(tracks), dtype=np.bool_)
    queries[rows] = True
    report = evaluate_retrieval(
        index.comparable("reranked"), labelled.genres, labelled.artists, k=LENGTH, queries=queries
    )
    if not report.without_filter.overall.queries:
        return Evaluation(
            "impossible",
            reason="No two tracks have the same genre in their tags, by which lists are judged: "
            "ingest more music.",
        )
    ranking = effective_method("reranked", len(tracks), index.settings)
    return Evaluation("done", report, ranking)
