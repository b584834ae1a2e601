"""Terms of the groups of the input (`embedding.input_groups`), of seeds and of stored tracks."""

import numpy as np

from recommender.catalog import Catalog
from recommender.embedding.input_groups import GroupedProjection
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError, UsageError
from recommender.recommendation.seeds import SearchSeed
from recommender.utils.arrays import FloatArray, IntArray


class GroupTerms:
    """Reads activations from a catalogue and divides them among groups.

    Attributes:
        grouped: the projection with its groups.
    """

    def __init__(self, catalog: Catalog, space: SpaceId, grouped: GroupedProjection) -> None:
        """Of the analyses of `catalog` in `space`."""
        self.grouped = grouped
        self._catalog = catalog
        self._space = space

    def of_seed(self, seed: SearchSeed) -> FloatArray:
        """Terms of a seed: np.ndarray [shape=(g, p)].

        Raises `UsageError` for an embedding, which is of no known parts.
        """
        activations = seed.activations
        if seed.track_id is not None:
            analysis = self._catalog.analysis_of(seed.track_id, self._space)
            activations = None if analysis is None else analysis.activations
        if activations is None:
            raise UsageError(
                "an embedding does not tell what it was made of: give a track or a sound."
            )
        return self.grouped.terms(activations[None])[:, 0]

    def of_tracks(self, ids: IntArray) -> FloatArray:
        """Terms of tracks, read from their stored activations: np.ndarray [shape=(g, n, p)].

        Args:
            ids: np.ndarray [shape=(n,)], distinct.

        Raises `CatalogError` for a track whose stored vector is damaged or gone.
        """
        order = np.argsort(ids, kind="stable")
        width = self.grouped.projection.matrix.shape[1]
        found = np.empty((len(self.grouped.groups), len(ids), width), dtype=np.float32)
        done = 0
        for known, activations in self._catalog.activation_batches(self._space, ids):
            places = order[np.searchsorted(ids[order], known)]
            found[:, places] = self.grouped.terms(activations)
            done += len(known)
        if done < len(ids):
            raise CatalogError(
                f"the stored embeddings of {len(ids) - done} tracks are gone or damaged; "
                "'recsys verify' names them."
            )
        return found
