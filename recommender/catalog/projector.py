"""What a catalogue is recommended with: the projection of its active space. No torch.

In this order: the one adapted to the catalogue; the installed model's, where the installed weights
are those that analysed the catalogue; the model's that was kept when it did. So a catalogue goes on
being recommended in its space when the package brings other weights, until it is analysed anew.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from recommender.catalog import Catalog, ProjectionOrigin, StoredProjection
from recommender.catalog.engine import catalog_url, shown
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.model_files import ModelFiles, find_model
from recommender.embedding.projection import Projection
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError, SpaceMismatch, WeightsError
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class ModelProjection:
    """A model's own projection, with what goes with it.

    Attributes:
        projection: as the model's files say.
        descriptors: whether descriptors are among the activations it takes; the test for copies
            needs to know.
        closeness: what its similarities mean; None where the card does not say.
        duplicate_threshold: from which cosine on two tracks are copies; None likewise.
    """

    projection: Projection
    descriptors: bool
    similarity_calibration: SimilarityCalibration | None
    duplicate_threshold: float | None

    @classmethod
    def of_files(cls, files: ModelFiles) -> "ModelProjection":
        """That of a model's folder. Raises `WeightsError` when it is damaged."""
        card = files.card
        close = _calibration(card.similarity_calibration)
        return cls(files.projection(), card.descriptors, close, card.duplicate_threshold)

    @property
    def duplicate_detector(self) -> DuplicateDetector:
        """Of two recordings analysed by the model."""
        return DuplicateDetector.of_model(
            self.projection, self.descriptors, self.duplicate_threshold
        )

    def keep(self, catalog: Catalog, space: SpaceId) -> None:
        """Store it in the catalogue as the model's for `space`."""
        close = {} if self.similarity_calibration is None else asdict(self.similarity_calibration)
        details = {
            "descriptors": self.descriptors,
            "similarity_calibration": close,
            "duplicate_threshold": self.duplicate_threshold,
        }
        catalog.store_projection(space, ProjectionOrigin.MODEL, self.projection, details)

    @classmethod
    def kept(cls, catalog: Catalog, space: SpaceId) -> "ModelProjection | None":
        """That which `keep` stored for `space`."""
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
        adapted: the one fitted to the catalogue, which is used where there is one.
        installed: whether the installed model analyses in this space.
    """

    active: SpaceId
    own: ModelProjection
    adapted: StoredProjection | None
    installed: bool

    @property
    def projection(self) -> Projection:
        """The one that is used."""
        return self.own.projection if self.adapted is None else self.adapted.projection

    @property
    def space(self) -> SpaceId:
        """The projected space."""
        return replace(self.active, projection=self.projection.digest)

    @property
    def duplicate_detector(self) -> DuplicateDetector:
        """The test for copies, always by the model's own projection: its limits are for that."""
        return self.own.duplicate_detector

    @property
    def similarity_calibration(self) -> SimilarityCalibration | None:
        """What similarities mean; None with an adapted projection, which nobody has measured."""
        return self.own.similarity_calibration if self.adapted is None else None

    def project(self, activations: FloatArray) -> FloatArray:
        """Unit vectors (np.ndarray [shape=(n, p)]) of activations [shape=(n, d)]."""
        return self.projection.apply(activations)


def catalog_projector(catalog: Catalog) -> CatalogProjector:
    """The projector of the catalogue's active space.

    Raises:
        CatalogError: nothing was analysed yet.
        SpaceMismatch: it was analysed with other weights than the installed ones, and no projection
            for it was kept then.
        WeightsError: the installed weights are missing, and none was kept; or they are damaged.
    """
    active, analysis_settings = catalog.active_space(), catalog.analysis_settings()
    if active is None or analysis_settings is None:
        raise nothing_analysed(catalog)
    own, installed = _own_projection(catalog, active, str(analysis_settings["model"]))
    return CatalogProjector(
        active, own, catalog.projection(active, ProjectionOrigin.ADAPTED), installed
    )


def _own_projection(catalog: Catalog, active: SpaceId, model: str) -> tuple[ModelProjection, bool]:
    """The model's own projection, and whether it is the installed one's."""
    kept = ModelProjection.kept(catalog, active)
    try:
        files = find_model(model)
        installed = replace(active, model=files.space().model, weights=files.space().weights)
    except WeightsError:
        if kept is None:
            raise
        return kept, False  # a folder of weights that is gone: its catalogue is not
    if installed == active:
        return ModelProjection.of_files(files), True
    if kept is None:
        active.require(installed)
    assert kept is not None  # or else the line above has raised
    return kept, False


def other_weights(active: SpaceId) -> SpaceMismatch:
    """The error for analysing another file in a space that the installed model does not analyse in."""
    return SpaceMismatch(
        f"the catalogue was analysed in {active}, with other weights than are installed now, so only "
        "its own tracks can be asked about. Run 'recsys ingest' on your folders to analyse them with "
        "the current model."
    )


def nothing_analysed(catalog: Catalog) -> CatalogError:
    """The error for a catalogue without a track to recommend."""
    return CatalogError(
        f"the catalogue {shown(catalog_url(catalog.url))} holds no music that was analysed. "
        "Run 'recsys ingest FOLDER' first."
    )
