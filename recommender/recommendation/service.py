"""From a track to the tracks that sound like it.

`SimilarityService` puts catalogue, index and projection together. torch is loaded only when a
file outside the catalogue has to be analysed.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.engine import catalog_url, database_file
from recommender.catalog.projector import (
    CatalogProjector,
    catalog_projector,
    nothing_analysed,
    other_weights,
)
from recommender.catalog.records import CatalogState, Track
from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.embedding.space import Analysis, Embedding, SpaceId
from recommender.errors import AudioError, IndexDamaged, IndexOutdated, SpaceMismatch
from recommender.recommendation.filters import Filters
from recommender.recommendation.query import resolve
from recommender.recommendation.result_list import Candidate, Neighbour, Seed, Selection
from recommender.search.index import Device, FaissIndex, Ranked
from recommender.search.index_file import index_file
from recommender.search.reranking import RankingMethod
from recommender.utils.arrays import FloatArray

__all__ = ["Analyser", "Filters", "Neighbour", "Projector", "SimilarityService"]

FIRST_FETCH = 32
"""Candidates asked of the index at first; doubled until enough of them pass the filters."""

logger = logging.getLogger(__name__)


class Projector(Protocol):
    """What makes comparable vectors of stored activations; an `Embedder` is one."""

    @property
    def space(self) -> SpaceId:
        """The projected space."""

    def project(self, activations: FloatArray) -> FloatArray:
        """Unit vectors (np.ndarray [shape=(n, p)]) of activations [shape=(n, d)]."""


class Analyser(Protocol):
    """What analyses a file outside the catalogue; an `Embedder` is one."""

    def analyse(self, path: Path) -> Analysis:
        """Listen to a file. Raises `AudioError`."""


class SimilarityService:
    """Answers "what sounds like this?" over one catalogue.

    The index is read from its file, or built again when the catalogue has changed since.

    Attributes:
        closeness: tells which similarities are really close; None where nobody has measured.
    """

    def __init__(
        self,
        catalog: Catalog,
        projector: Projector,
        load_analyser: Callable[[], Analyser],
        device: Device = "auto",
        duplicate_detector: DuplicateDetector | None = None,
        similarity_calibration: SimilarityCalibration | None = None,
    ) -> None:
        """Serve `catalog` in the space of `projector`; see `open` for the usual way.

        Args:
            catalog: closed together with the service.
            projector: projects the catalogue's activations.
            load_analyser: called once, when the first file outside the catalogue is asked about.
            device: where FAISS searches.
            duplicate_detector: the test for copies of one recording.
            closeness: what similarities in the projector's space mean, where that is known.
        """
        self.catalog = catalog
        self.projector = projector
        self._load_analyser = load_analyser
        self._analyser: Analyser | None = None
        self._device = device
        self.similarity_calibration = similarity_calibration
        self._duplicates = duplicate_detector or DuplicateDetector()
        self._index: FaissIndex | None = None

    @classmethod
    def open(cls, url: str | None = None, device: Device = "auto") -> "SimilarityService":
        """Serve a catalogue with the model and the listening settings it was last ingested with.

        The projection is the one that `projector.catalog_projector` finds now; an adaptation made
        later is served by who opens the catalogue then.

        Args:
            url: database URL or path of a SQLite file; None for ``$RECSYS_DB`` or the default.
            device: ``auto`` (a GPU when FAISS sees one), ``cpu`` or ``cuda``.

        Raises:
            CatalogError: the catalogue is empty or cannot be opened.
            SpaceMismatch: it was analysed with other weights than the installed ones, before
                catalogues kept their projection.
            WeightsError: the weights are missing or damaged.
        """
        catalog = Catalog.open(url, create=False)
        try:
            projector = catalog_projector(catalog)
        except Exception:
            catalog.close()
            raise

        analyser = partial(_load_analyser, catalog, projector)
        return cls(
            catalog,
            projector,
            analyser,
            device,
            projector.duplicate_detector,
            projector.similarity_calibration,
        )

    def close(self) -> None:
        """Close the catalogue."""
        self.catalog.close()

    def __enter__(self) -> "SimilarityService":
        """The service itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the catalogue."""
        self.close()

    def similar(
        self,
        query: str | int | Path | Embedding,
        k: int = 10,
        filters: Filters | None = None,
        ranking: RankingMethod = "reranked",
    ) -> list[Neighbour]:
        """The k tracks most like `query` that pass `filters`, best first.

        Fewer than k come back only when the whole catalogue holds no more. Never the seed itself,
        nor a track whose file is missing.

        Args:
            query: a track id; a path, in the catalogue or not; words that match one title; or an
                embedding.
            k: at least 1.
            filters: None for the defaults of `Filters`.
            ranking: ``neighbourhood``, by what the whole catalogue says, or ``cosine``, by the bare
                embeddings.

        Raises:
            TrackNotFound, AmbiguousTrack: what to do is in the message.
            SpaceMismatch: the query lives in another embedding space.
            AudioError: the file outside the catalogue cannot be analysed.
            CatalogError: the catalogue is empty.
            UsageError: k, the filters or the ranking are out of range.
        """
        index = self.index()
        seed = self._seed(query)
        selection = Selection(
            seed, k, filters or Filters(), self._duplicates, self._activations_of, self.catalog
        )
        fetch, done = max(FIRST_FETCH, 2 * k), 0
        while True:
            found = _candidates(index, seed, fetch, ranking)
            selection.offer(found[done:])
            done = len(found)
            if selection.full or done == len(index):
                return selection.neighbours()
            fetch *= 2

    def index(self) -> FaissIndex:
        """The index of the catalogue as it is now: kept, read from its file, or built.

        Raises `CatalogError` when there is nothing to index, and `SpaceMismatch` when the
        catalogue was analysed in another space meanwhile.
        """
        state = self.catalog.state()
        if self._index is None or self._index.state != state:
            active = self.catalog.active_space()
            if active is not None:
                self.projector.space.unprojected.require(active)
            self._index = self._saved_index(state)
        return self.rebuild() if self._index is None else self._index

    def rebuild(self) -> FaissIndex:
        """Build the index from the catalogue's activations, save it and use it from now on.

        Raises `CatalogError` when there is nothing to index.
        """
        # The state is read first: should the catalogue change in between, the index counts as
        # stale and is built once more, never the other way round.
        state = self.catalog.state()
        space = self.projector.space
        ids, activations = self.catalog.activations(space.unprojected)
        if not len(ids):
            raise nothing_analysed(self.catalog)
        vectors = self.projector.project(activations)
        self._index = FaissIndex.build(ids, vectors, space, state, self._device)
        if self._index.dropped:
            logger.warning(
                "%d tracks have no usable embedding and are never recommended; run "
                "'recsys verify --repair', then ingest their folders.",
                self._index.dropped,
            )
        path = self.index_path(state)
        try:
            self._index.save(path)
        except OSError as error:  # a read-only folder: every start builds it again
            logger.warning("the index cannot be saved as %s (%s).", path, error)
        return self._index

    def index_path(self, state: CatalogState) -> Path:
        """The file that holds the index, whether or not it is there now."""
        database = database_file(catalog_url(self.catalog.url))
        return index_file(self.projector.space, state.catalog, database)

    def _saved_index(self, state: CatalogState) -> FaissIndex | None:
        try:
            index = FaissIndex.load(self.index_path(state), self._device)
        except (FileNotFoundError, IndexOutdated):
            return None
        except IndexDamaged as error:
            logger.warning("%s", error)
            return None
        return index if (index.space, index.state) == (self.projector.space, state) else None

    def _seed(self, query: str | int | Path | Embedding) -> Seed:
        if isinstance(query, Embedding):
            query.space.require(self.projector.space)
            return Seed(query.vector)
        found = resolve(self.catalog, query)
        return self._file_seed(found) if isinstance(found, Path) else self._catalogue_seed(found)

    def _catalogue_seed(self, track: Track) -> Seed:
        analysis = self.catalog.analysis_of(track.id, self.projector.space.unprojected)
        if analysis is None:
            raise SpaceMismatch(
                f"track {track.id} ({track.title}) has not been analysed with the catalogue's "
                f"current model. Run 'recsys ingest {track.library.root}'."
            )
        vector = self.projector.project(analysis.activations[None])[0]
        recording = Recording(self._duplicates.view(analysis.activations), track.duration)
        return Seed(vector, recording, track.artist, track.id)

    def _file_seed(self, path: Path) -> Seed:
        from recommender.audio.tags import read_tags

        if self._analyser is None:
            self._analyser = self._load_analyser()
        try:
            analysis = self._analyser.analyse(path)
        except AudioError as error:
            raise type(error)(f"{path}: {error}") from error
        analysis.space.require(self.projector.space.unprojected)
        vector = self.projector.project(analysis.activations[None])[0]
        tags = read_tags(path)
        recording = Recording(self._duplicates.view(analysis.activations), analysis.duration)
        return Seed(vector, recording, tags.artist or tags.album_artist)

    def _activations_of(self, track_id: int) -> FloatArray | None:
        analysis = self.catalog.analysis_of(track_id, self.projector.space.unprojected)
        return None if analysis is None else analysis.activations


def _candidates(index: FaissIndex, seed: Seed, k: int, ranking: RankingMethod) -> list[Candidate]:
    """The k best tracks for a seed, best first; of a longer list, the head."""
    found: Ranked
    if seed.track_id in index:
        found = index.rank_tracks(np.array([seed.track_id], dtype=np.int64), k, ranking)
    else:
        found = index.rank(seed.vector[None], k, ranking)
    columns = (found.ids[0], found.scores[0], found.similarities[0])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Candidate(*row) for row in rows]


def _load_analyser(catalog: Catalog, projector: CatalogProjector) -> Analyser:
    """The installed model, to analyse as the catalogue was analysed; `SpaceMismatch` if it cannot."""
    analysis_settings = catalog.analysis_settings()
    if not projector.installed or analysis_settings is None:
        raise other_weights(projector.active)
    from recommender.audio.reader import Windowing
    from recommender.embedding.embedder import load_embedder

    return load_embedder(analysis_settings["model"], Windowing(**analysis_settings["windowing"]))
