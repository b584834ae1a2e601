"""Why a track is in a list: what makes it and the seed alike, in numbers and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommender.embedding.input_groups import contributions
from recommender.musical_descriptors import MusicalDescriptors
from recommender.musical_descriptors.words import compared
from recommender.recommendation.group_terms import GroupTerms
from recommender.recommendation.mix_seeds import unit_of
from recommender.recommendation.seeds import SearchSeed
from recommender.recommendation.snapshot import Snapshot
from recommender.search.score_space import ScoreSpace
from recommender.utils.arrays import IntArray, Scores, unit_rows

SHARED_NEIGHBOURS, HUBNESS, PINNED = "shared neighbours", "hubness", "nearest of all"
"""What reranking adds to a similarity: that both are near to the same tracks; that the track is
near to less, or to more, than others are; that the nearest by plain cosine comes first."""

WEIGHTS = "weights"
"""What a list with other weights of groups adds, reranking included."""

_NAMED = 0.05
"""Contributions from which on a group is named in words."""

_NO_DIFFERENCE = 1e-6


@dataclass(frozen=True)
class Explanation:
    """Why a track is in a list.

    Attributes:
        groups: group of the input → what it contributes to the similarity; they add up to it.
        reranking: what is added to the similarity → how much; with the similarity these add up to
            the score.
        alike: what the musical descriptors of both have in common, in words.
        differ: what they differ in.
    """

    groups: Mapping[str, float]
    reranking: Mapping[str, float]
    alike: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In a line."""
        ordered = sorted(self.groups.items(), key=lambda item: -item[1])
        near = [f"{name} {_signed(value)}" for name, value in ordered if value >= _NAMED]
        far = [f"{name} {_signed(value)}" for name, value in ordered[::-1] if value <= -_NAMED]
        parts = [", ".join(near) or "nothing in particular"]
        if far:
            parts[0] += f"; against it {', '.join(far)}"
        if self.alike:
            parts.append(", ".join(self.alike))
        if self.differ:
            parts.append(f"differ in {', '.join(self.differ)}")
        return "; ".join(parts)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("0.", ".", 1)


class Explainer:
    """Explains the lists of one snapshot."""

    def __init__(self, snapshot: Snapshot, terms: GroupTerms) -> None:
        """Of tracks of `snapshot`, with the terms of their groups."""
        self._snapshot = snapshot
        self._terms = terms

    def explain(
        self,
        seed: SearchSeed,
        ids: IntArray,
        scores: Scores,
        described: Sequence[MusicalDescriptors | None],
        *,
        weighted: bool,
    ) -> list[Explanation]:
        """One explanation for each track of a list.

        Args:
            seed: what the list was made for.
            ids: np.ndarray [shape=(n,)].
            scores: np.ndarray [shape=(n,)]: what the list is ordered by.
            described: musical descriptors of the seed, then of each track.
            weighted: whether groups had other weights than 1.

        Raises what `GroupTerms` raises.
        """
        if not len(ids):
            return []
        groups = contributions(self._terms.of_seed(seed), self._terms.of_tracks(ids))
        similarities = groups.sum(axis=1)
        added = (
            {WEIGHTS: scores - similarities}
            if weighted
            else self._reranking(seed, ids, scores, similarities)
        )
        thirds = self._snapshot.descriptor_thirds
        first = described[0]
        names = self._terms.grouped.groups
        found = []
        for row, other in enumerate(described[1:]):
            words = ((), ()) if first is None or other is None else compared(first, other, thirds)
            found.append(
                Explanation(
                    dict(zip(names, groups[row].tolist(), strict=True)),
                    {
                        name: float(values[row])
                        for name, values in added.items()
                        if abs(values[row]) > _NO_DIFFERENCE
                    },
                    *words,
                )
            )
        return found

    def _reranking(
        self, seed: SearchSeed, ids: IntArray, scores: Scores, similarities: Scores
    ) -> dict[str, Scores]:
        """What reranking adds to each similarity, by its steps (`search.reranking`)."""
        space = ScoreSpace(self._snapshot.index)
        if not space.is_reranked or np.allclose(scores, similarities, rtol=0, atol=1e-5):
            return {}
        if seed.row is None:
            query = space.query_of(unit_of(seed, space))
        else:
            query = space.query_of_row(seed.row)
        database = space.database(self._snapshot.index.rows(ids)).astype(np.float64)
        moved = query.moved.astype(np.float64)
        expanded = unit_rows(database[:, :-1].astype(np.float32)).astype(np.float64) @ moved
        own = database[:, :-1] @ moved + database[:, -1]
        return {
            SHARED_NEIGHBOURS: expanded - similarities,
            HUBNESS: own - expanded,
            PINNED: scores - own,
        }
