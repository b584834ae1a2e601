"""The index of a catalogue: read from its file, or built anew where the catalogue has changed."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from recommender.catalog import Catalog
from recommender.catalog.projector import catalog_projector, nothing_analysed
from recommender.catalog.records import CatalogState
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError, IndexDamaged, IndexOutdated
from recommender.search.faiss_backend import Device
from recommender.search.index import TrackIndex
from recommender.search.index_file import index_file
from recommender.search.reranking import DEFAULT_SETTINGS, RerankingSettings
from recommender.utils.arrays import FloatArray

logger = logging.getLogger(__name__)

OnBuild = Callable[[int], None]
"""Called with the number of tracks before an index is built, which takes seconds to minutes."""


class Projector(Protocol):
    """Computes comparable vectors from stored activations, as `CatalogProjector` does."""

    @property
    def space(self) -> SpaceId:
        """The projected space."""

    def project(self, activations: FloatArray) -> FloatArray:
        """Unit vectors (np.ndarray [shape=(n, p)]) of activations [shape=(n, d)]."""


class CatalogIndex:
    """Reads, builds and saves the index of one catalogue in one projected space.

    Attributes:
        space: the projected space.
        duplicate_detector: computes what the index keeps for duplicate detection.
    """

    def __init__(
        self,
        catalog: Catalog,
        projector: Projector,
        duplicate_detector: DuplicateDetector,
        device: Device = "auto",
        settings: RerankingSettings = DEFAULT_SETTINGS,
    ) -> None:
        """For an open catalogue; nothing is read yet."""
        self.catalog = catalog
        self.projector = projector
        self.space = projector.space  # once: its digest is computed of the whole projection
        self.duplicate_detector = duplicate_detector
        self._device = device
        self._settings = settings

    @classmethod
    def of_active_space(cls, catalog: Catalog, device: Device = "auto") -> "CatalogIndex":
        """That of the space and the projection that the catalogue recommends with.

        Args:
            catalog: stays open.
            device: where neighbours are searched.

        Raises:
            CatalogError, SpaceMismatch, WeightsError: as `catalog_projector`.
        """
        projector = catalog_projector(catalog)
        return cls(catalog, projector, projector.duplicate_detector, device)

    def update(self, progress: OnBuild | None = None) -> TrackIndex:
        """The index of the catalogue as it is now: read from its file if that is up to date.

        Otherwise it is built and saved. An index that cannot be read or saved is logged as a
        warning.

        Args:
            progress: called with the number of tracks before an index is built, and only then.

        Raises:
            CatalogError: nothing was analysed.
            SpaceMismatch: the catalogue recommends in another space by now.
        """
        active = self.catalog.active_space()
        if active is not None:
            self.space.unprojected.require(active)
        state=self.catalog.state()
        import os
        if os.environ.get("REUSE"):
            index=TrackIndex.open(self.path(state),self._device)
            if index.state==state: return index
        return self.build(progress)

    def path(self, state: CatalogState) -> Path:
        """The file that holds the index, whether or not it is there now."""
        return index_file(self.space, state.catalog, self.catalog.file)

    def build(self, progress=None):
        state = self.catalog.state()
        ids, activations = self.catalog.activations(self.space.unprojected)
        if not len(ids):
            raise nothing_analysed(self.catalog)
        from recommender.search.track_columns import TrackColumnSource
        from recommender.utils.arrays import usable_rows
        source = TrackColumnSource(self.catalog, self.duplicate_detector)
        import time
        vectors = self.projector.project(activations)
        u = usable_rows(vectors); ids=ids[u]; vectors=vectors[u]; activations=activations[u]
        t=time.process_time()
        columns = source.columns(ids, activations)
        t2=time.process_time()
        columns |= source.related(columns, None)
        if len(ids)>1000: print("columns cpu", t2-t, "groups", time.process_time()-t2)
        path = self.path(state)
        t=time.process_time()
        r= TrackIndex.build(ids, vectors, self.space, state, self._device, path=path, columns=columns, settings=self._settings, columns_digest=source.digest)
        if len(ids)>1000: print("index cpu", time.process_time()-t)
        return r
