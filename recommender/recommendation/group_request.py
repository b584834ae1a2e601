"""What is asked of groups of features in one query: other weights, reasons, or both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.catalog import Catalog
from recommender.embedding.space import SpaceId
from recommender.errors import UsageError
from recommender.musical_descriptors import MusicalDescriptors
from recommender.recommendation.explanation import Explainer, Explanation
from recommender.recommendation.group_terms import GroupTerms
from recommender.recommendation.result_list import Hit
from recommender.recommendation.seeds import SearchSeed
from recommender.recommendation.snapshot import Snapshot
from recommender.recommendation.weighted_lists import checked_weights
from recommender.search.catalog_index import Projector
from recommender.utils.arrays import Scores


@dataclass(frozen=True)
class GroupRequest:
    """Asks something of the groups of features.

    Attributes:
        terms: of the groups of seeds and tracks.
        weights: np.ndarray [shape=(g,)]; None where all are 1.
        why: whether reasons are wanted.
    """

    terms: GroupTerms
    weights: Scores | None
    why: bool

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        space: SpaceId,
        projector: Projector,
        weights: Mapping[str, float] | None,
        why: bool,
    ) -> "GroupRequest | None":
        """None where nothing is asked.

        Raises `UsageError` for weights out of range, and for a projector that does not tell the
        groups of its input, as a `CatalogProjector` does by `grouped`.
        """
        if not weights and not why:
            return None
        grouped = getattr(projector, "grouped", None)
        if grouped is None:
            raise UsageError("the vectors of this model have no known groups of features.")
        terms = GroupTerms(catalog, space.unprojected, grouped)
        return cls(terms, checked_weights(weights or {}, grouped.groups), why)

    @property
    def named_weights(self) -> dict[str, float]:
        """Those that are not 1, by the name of their group."""
        if self.weights is None:
            return {}
        named = zip(self.terms.grouped.groups, self.weights.tolist(), strict=True)
        return {name: weight for name, weight in named if weight != 1}

    def reasons(
        self,
        seed: SearchSeed,
        hits: Sequence[Hit],
        snapshot: Snapshot,
        described: Sequence[MusicalDescriptors | None],
    ) -> list[Explanation]:
        """Why each track is in a list.

        Args:
            described: musical descriptors of the seed, then of each hit.
        """
        ids = np.array([hit.track_id for hit in hits], dtype=np.int64)
        scores = np.array([hit.score for hit in hits])
        weighted = self.weights is not None
        return Explainer(snapshot, self.terms).explain(
            seed, ids, scores, described, weighted=weighted
        )
