"""The projection that a catalogue is recommended with. No torch.

In this order: the one adapted to the catalogue; the installed model's, where the catalogue was
analysed with the installed weights; the model's projection as stored in the catalogue when it was
analysed. So a catalogue is recommended in its space also after an update of the package with other
weights, until it is analysed again.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property

from recommender.catalog import Catalog, ProjectionOrigin, StoredProjection
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.input_groups import GroupedProjection
from recommender.embedding.model_files import ModelFiles, find_model
from recommender.embedding.projection import Projection
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.embedding.space import SpaceId
from recommender.errors import NothingAnalysed, SpaceMismatch, WeightsError
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class ModelProjection:
    """A model's own projection, with the facts that apply to it.

    Attributes:
        projection: as in the model's files.
        descriptors: whether its input includes handcrafted descriptors, which duplicate detection
            needs to know.
        similarity_calibration: what its similarities mean; None where the card does not say.
        duplicate_threshold: cosine from which two tracks are duplicates; None likewise.
    """

    projection: Projection
    descriptors: bool
    similarity_calibration: SimilarityCalibration | None
    duplicate_threshold: float | None

    @classmethod
    def of_files(cls, files: ModelFiles) -> "ModelProjection":
        """That of a model's folder. Raises `WeightsError` when it is damaged."""
        card = files.card
        calibration = _calibration(card.similarity_calibration)
        return cls(files.projection(), card.descriptors, calibration, card.duplicate_threshold)

    @cached_property
    def duplicate_detector(self) -> DuplicateDetector:
        """For recordings analysed by the model."""
        return DuplicateDetector.of_model(
            self.projection, self.descriptors, self.duplicate_threshold
        )

    def store(self, catalog: Catalog, space: SpaceId) -> None:
        """Store it in the catalogue as the model's projection for `space`."""
        calibration = self.similarity_calibration
        details = {
            "descriptors": self.descriptors,
            "similarity_calibration": {} if calibration is None else asdict(calibration),
            "duplicate_threshold": self.duplicate_threshold,
        }
        catalog.store_projection(space, ProjectionOrigin.MODEL, self.projection, details)

    @classmethod
    def load(cls, catalog: Catalog, space: SpaceId) -> "ModelProjection | None":
        """What `store` stored for `space`, if anything."""
        found = catalog.projection(space, ProjectionOrigin.MODEL)
        if found is None:
            return None
        details = found.details
        return cls(
            found.projection,
            details["descriptors"],
            _calibration(details["similarity_calibration"]),
            details.get("duplicate_threshold"),  # catalogues of older versions have none
        )


def _calibration(values: Mapping[str, float]) -> SimilarityCalibration | None:
    return SimilarityCalibration(**values) if values else None


@dataclass(frozen=True, eq=False)
class CatalogProjector:
    """Projects the activations of a catalogue's active space.

    Attributes:
        active: the unprojected space.
        own: the model's projection.
        adapted: the one fitted to the catalogue, used in place of `own` where there is one.
        installed: whether the installed model analyses in this space.
    """

    active: SpaceId
    own: ModelProjection
    adapted: StoredProjection | None
    installed: bool

    @property
    def projection(self) -> Projection:
        """The projection in use."""
        return self.own.projection if self.adapted is None else self.adapted.projection

    @cached_property
    def grouped(self) -> GroupedProjection:
        """The projection in use, with the groups of its input."""
        return GroupedProjection.of(self.projection, self.own.descriptors)

    @cached_property
    def space(self) -> SpaceId:
        """The projected space; the projection is hashed at most once."""
        return replace(self.active, projection=self.projection.digest)

    @property
    def duplicate_detector(self) -> DuplicateDetector:
        """By the model's own projection, for which its threshold was fitted, also when adapted."""
        return self.own.duplicate_detector

    @property
    def similarity_calibration(self) -> SimilarityCalibration | None:
        """What similarities mean; None with an adapted projection, which has no calibration."""
        return self.own.similarity_calibration if self.adapted is None else None

    def project(self, activations: FloatArray) -> FloatArray:
        """Unit vectors (np.ndarray [shape=(n, p)]) of activations [shape=(n, d)]."""
        return self.projection.apply(activations)


def catalog_projector(catalog: Catalog) -> CatalogProjector:
    """The projector of the catalogue's active space.

    Raises:
        CatalogError: nothing was analysed yet.
        SpaceMismatch: it was analysed with other weights than the installed ones, and the catalogue
            has no projection for it.
        WeightsError: the installed weights are missing and the catalogue has no projection; or they
            are damaged.
    """
    active, analysis_settings = catalog.active_space(), catalog.analysis_settings()
    if active is None or analysis_settings is None:
        raise nothing_analysed(catalog)
    own, installed = _own_projection(catalog, active, str(analysis_settings["model"]))
    return CatalogProjector(
        active, own, catalog.projection(active, ProjectionOrigin.ADAPTED), installed
    )


def _own_projection(catalog: Catalog, active: SpaceId, model: str) -> tuple[ModelProjection, bool]:
    """The model's own projection, and whether it is the installed model's."""
    stored = ModelProjection.load(catalog, active)
    try:
        files = find_model(model)
        installed = replace(active, model=files.space().model, weights=files.space().weights)
    except WeightsError:
        if stored is None:
            raise
        return stored, False  # a folder of weights that was deleted since
    if installed == active:
        return ModelProjection.of_files(files), True
    if stored is None:
        active.require(installed)
    assert stored is not None  # otherwise the line above has raised
    return stored, False


def other_weights(active: SpaceId) -> SpaceMismatch:
    """The error for a file outside the catalogue where the installed model has other weights."""
    return SpaceMismatch(
        f"the catalogue was analysed in {active}, with other weights than the installed ones, so "
        "that only its own tracks can be queries. Run 'recsys ingest' on your folders to analyse "
        "them with the current model."
    )


def nothing_analysed(catalog: Catalog) -> NothingAnalysed:
    """The error for a catalogue without a track to recommend."""
    unavailable = catalog.counts().unavailable
    if unavailable:
        return NothingAnalysed(
            f"the music folders of the catalogue {catalog.name} were absent or "
            f"empty at the last ingest ({unavailable:,} unavailable tracks): mount their disk, "
            "then run 'recsys ingest'."
        )
    return NothingAnalysed(
        f"the catalogue {catalog.name} holds no music that was analysed. "
        "Run 'recsys ingest FOLDER' first."
    )
