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
from recommender.search.index import DuplicateViews, FaissIndex
from recommender.search.index_file import index_damaged, index_file, read_facts
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

    def update(self, progress: OnBuild | None = None) -> FaissIndex:
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
        return self.saved(self.catalog.state()) or self.build(progress)

    def path(self, state: CatalogState) -> Path:
        """The file that holds the index, whether or not it is there now."""
        return index_file(self.space, state.catalog, self.catalog.file)

    def is_current(self, state: CatalogState) -> bool:
        """Whether the file says that it is the index of `state`; faiss is not imported.

        Raises as `index_file.read_facts`.
        """
        wanted = {
            "space": asdict(self.space),
            "state": asdict(state),
            "reranking": asdict(self._settings),
            "duplicate_detector": self.duplicate_detector.digest,
        }
        facts = read_facts(self.path(state))
        return all(facts.get(name) == value for name, value in wanted.items())

    def saved(self, state: CatalogState) -> FaissIndex | None:
        """The index file, unless it is missing, damaged, or of another state of the catalogue."""
        try:
            if self.is_current(state):
                index = FaissIndex.load(self.path(state), self._device)
                self._require_own(index)
                return index
        except (FileNotFoundError, IndexOutdated):
            pass
        except IndexDamaged as error:
            logger.warning("%s", error)
        return None

    def _require_own(self, index: FaissIndex) -> None:
        """Raise `IndexDamaged` unless vectors have the lengths of those that `build` would make.

        One track tells; its values are compared by `verify`.
        """
        path = self.path(index.state)
        try:
            analysis = len(index) and self.catalog.analysis_of(int(index.ids[0]), self.space)
        except CatalogError:  # a damaged row, for which the file is all there is
            return
        if not analysis:
            raise index_damaged(path, "its tracks are not those of the catalogue")
        activations = analysis.activations[None]
        found = index.dimension, index.duplicates.rows.shape[1]
        expected = (
            self.projector.project(activations).shape[1],
            self.duplicate_detector.view(activations).shape[1],
        )
        if found != expected:
            raise index_damaged(path, f"its vectors have the lengths {found}, not {expected}")

    def build(self, progress: OnBuild | None = None) -> FaissIndex:
        """Build the index from the catalogue's activations and save it.

        Raises `CatalogError` when there is nothing to index.
        """
        # The state is read first: should the catalogue change in between, the index counts as
        # stale and is built once more, never the other way round.
        state = self.catalog.state()
        ids, activations = self.catalog.activations(self.space.unprojected)
        if not len(ids):
            raise nothing_analysed(self.catalog)
        if progress is not None:
            progress(len(ids))
        detector = self.duplicate_detector
        index = FaissIndex.build(
            ids,
            self.projector.project(activations),
            self.space,
            state,
            self._device,
            duplicates=DuplicateViews(detector.view(activations), detector.digest),
            settings=self._settings,
        )
        if index.dropped:
            logger.warning(
                "%d tracks have no usable embedding and are never recommended; verify "
                "the catalogue with repair, then ingest their folders.",
                index.dropped,
            )
        path = self.path(state)
        try:
            index.save(path)
        except OSError as error:  # a read-only folder: every start builds it again
            logger.warning("the index cannot be saved as %s (%s).", path, error)
        return index
