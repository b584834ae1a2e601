"""`Catalog`: opens the database, answers questions, and lends a `Writer`."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, delete, func, select, update

from recommender.catalog import libraries, queries, stored_projections
from recommender.catalog.engine import catalog_url, database_file, make_engine, transaction
from recommender.catalog.migrations import require_newest
from recommender.catalog.queries import CHUNK, track_query, tracks_of
from recommender.catalog.records import (
    CatalogState,
    Counts,
    Failure,
    KnownFile,
    Library,
    ProjectionOrigin,
    StoredProjection,
    Track,
    TrackFacts,
    TrackState,
)
from recommender.catalog.schema import AnalysisRow, CatalogRow, SpaceRow, TrackRow
from recommender.catalog.writer import Writer, bump_revision, ensure_space
from recommender.embedding.projection import Projection
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError
from recommender.utils.arrays import FloatArray


class Catalog:
    """The catalogue of one database; see `open`. Methods may be called from several threads.

    Every method is one transaction (`all_tracks` one for each few hundred tracks) and raises
    `CatalogError` when the database cannot be read or written.

    Attributes:
        url: the SQLAlchemy URL, by which another process can open the same catalogue.
        folder: where the SQLite file lies, and the index and lock files beside it; None for a
            database server.
    """

    def __init__(self, engine: Engine) -> None:
        """For `open`, which checks the schema behind the engine first."""
        self._engine = engine
        file = database_file(engine.url)
        self.folder: Path | None = None if file is None else file.parent
        self.url: str = engine.url.render_as_string(hide_password=False)

    @classmethod
    def open(cls, url: str | None = None, *, create: bool = True) -> Self:
        """Open a catalogue; an empty or absent database is made with the newest schema.

        Args:
            url: an SQLAlchemy URL, or the plain path of a SQLite file; None for ``$RECSYS_DB``,
                and without that ``catalog.db`` in the platform's folder for user data.
            create: False to refuse a SQLite file that is not there, as who only reads should.

        Raises:
            CatalogError: it cannot be opened or made, is not there, is no catalogue, or has an
                older or newer schema.
        """
        place = catalog_url(url)
        file = database_file(place)
        if not create and file is not None and not file.exists():
            raise CatalogError(
                f"there is no catalogue {file}: make it with 'recsys ingest FOLDER', or name "
                "another with --db."
            )
        engine = make_engine(place)
        try:
            require_newest(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        """Close the connections to the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """The catalogue itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    # Libraries

    def libraries(self) -> list[Library]:
        """Every library, by root."""
        with self._reading() as connection:
            return libraries.all_libraries(connection)

    def library_counts(self) -> dict[int, dict[TrackState, int]]:
        """Library id → number of its tracks by state; states without a track are left out."""
        with self._reading() as connection:
            return queries.library_counts(connection)

    def scope_of(self, folder: Path) -> tuple[Library, str]:
        """The library that holds `folder`, and the sub-path inside it ("" for its root).

        A folder in no library becomes one. When it contains libraries it absorbs them: their
        tracks keep ids and analyses, and their paths get longer.
        """
        with self._reading() as connection:
            scope = libraries.holding(folder, libraries.all_libraries(connection))
        if scope is not None:
            return scope
        with self._changing() as connection:
            scope = libraries.holding(folder, libraries.all_libraries(connection))
            if scope is not None:  # another process was faster
                return scope
            library = libraries.add(connection, folder)
            if libraries.absorb_inner(connection, library):
                bump_revision(connection)
            return library, ""

    def move_library(self, old: Path, new: Path) -> Library:
        """The library whose root was `old` is now at `new`; nothing needs to be analysed again.

        Raises:
            CatalogError: there is no library at `old`, or `new` overlaps another one.
        """
        with self._changing() as connection:
            library = libraries.move(connection, old, new)
            bump_revision(connection)
            return library

    # What a scan asks

    def known_files(
        self, library: Library, space: SpaceId, under: str = ""
    ) -> dict[str, KnownFile]:
        """All that is known of the library's files, by relative path.

        Where a failure is known, `stat` is the file that failed, so that it is tried again only
        when it changes.

        Args:
            space: the space that `KnownFile.analysed_in_space` tells of.
            under: only the file or folder of this relative path.
        """
        with self._reading() as connection:
            return queries.known_files(connection, library, space, under)

    def lost_by_content_hash(self, vanished: Collection[int]) -> dict[str, int]:
        """Content digest → id of a track whose file is lost: in `vanished`, or marked missing.

        Of several copies that are lost, one in `vanished` is given, then the lowest id.
        """
        with self._reading() as connection:
            return queries.lost_by_content_hash(connection, vanished)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One transaction to write in. Keep it short: other processes wait for it.

        Nothing is written when the body raises. `state().revision` grows by one if the
        transaction changes what can be recommended or how it is shown.
        """
        with self._changing() as connection:
            writer = Writer(connection)
            yield writer
            if writer.changed:
                bump_revision(connection)

    # Tracks

    def track(self, track_id: int) -> Track:
        """The track with this id. Raises `TrackNotFound`."""
        return self.tracks([track_id])[0]

    def tracks(self, ids: Sequence[int]) -> list[Track]:
        """The tracks with these ids, in the same order. Raises `TrackNotFound`."""
        with self._reading() as connection:
            return queries.tracks_by_id(connection, ids)

    def facts(
        self, ids: Collection[int], *, with_probabilities: bool = False
    ) -> dict[int, TrackFacts]:
        """What decides whether tracks are listed, by id; ids that no track has are left out.

        Args:
            ids: in any number and order.
            with_probabilities: also the genres analysed in the active space, which takes longer.
        """
        with self._reading() as connection:
            return queries.facts(connection, ids, with_probabilities)

    def track_at(self, path: Path) -> Track | None:
        """The track whose file is `path` (relative to the working directory, or absolute)."""
        with self._reading() as connection:
            known = libraries.all_libraries(connection)
            for library, relative in libraries.relative_paths(path, known):
                query = track_query().where(
                    TrackRow.library_id == library.id, TrackRow.path == relative
                )
                for track in tracks_of(connection, query):
                    return track
        return None

    def search(self, words: str, limit: int | None = None) -> list[Track]:
        """Tracks of any state in whose title, artists, album or path every word occurs.

        Case and accents do not matter; no words find all. In the order of paths.
        """
        with self._reading() as connection:
            return tracks_of(connection, queries.search_query(words, limit))

    def all_tracks(self, state: TrackState | None = TrackState.ANALYSED) -> Iterator[Track]:
        """Every track in `state` (None: in any), by id; only a few hundred are held at a time."""
        query = track_query().order_by(TrackRow.id).limit(CHUNK)
        if state is not None:
            query = query.where(TrackRow.state == state)
        last = 0
        while True:
            with self._reading() as connection:
                tracks = tracks_of(connection, query.where(TrackRow.id > last))
            if not tracks:
                return
            yield from tracks
            last = tracks[-1].id

    # What was analysed

    def activations(self, space: SpaceId) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """The vectors that recommendations are made of.

        Args:
            space: its unprojected space is meant.

        Returns:
            ids: np.ndarray [shape=(n,)], int64, ascending: tracks in state ANALYSED with an analysis.
            activations: np.ndarray [shape=(n, d)], float32: not projected, not normalised;
                shape (0, 0) in a space that nothing was ever analysed in.
        """
        with self._reading() as connection:
            return queries.activations(connection, space)

    def analysis_of(self, track_id: int, space: SpaceId) -> Analysis | None:
        """What was analysed of the track in the unprojected space of `space`."""
        with self._reading() as connection:
            return queries.analysis_of(connection, track_id, space)

    def spaces(self) -> list[tuple[SpaceId, int]]:
        """The (unprojected) spaces, each with its number of tracks in state ANALYSED."""
        with self._reading() as connection:
            return queries.spaces(connection)

    def active_space(self) -> SpaceId | None:
        """The (unprojected) space that recommendations use; None before the first ingest."""
        with self._reading() as connection:
            row = connection.execute(
                select(SpaceRow.model, SpaceRow.weights, SpaceRow.analysis).join(
                    CatalogRow, CatalogRow.active_space_id == SpaceRow.id
                )
            ).first()
        return None if row is None else SpaceId(*row)

    def analysis_settings(self) -> Mapping[str, Any] | None:
        """The settings saved with the active space: how to analyse another file in the same way."""
        with self._reading() as connection:
            return connection.scalar(select(CatalogRow.analysis_settings))

    def set_active(self, space: SpaceId, analysis_settings: Mapping[str, Any]) -> None:
        """From now on recommendations use the unprojected space of `space`.

        Args:
            listening: settings that `analysis_settings` gives back; JSON values only.
        """
        with self._changing() as connection:
            space_id, _ = ensure_space(connection, space)
            old = connection.execute(
                select(CatalogRow.active_space_id, CatalogRow.analysis_settings)
            ).one()
            if tuple(old) != (space_id, dict(analysis_settings)):
                connection.execute(
                    update(CatalogRow).values(
                        active_space_id=space_id, analysis_settings=dict(analysis_settings)
                    )
                )
                bump_revision(connection)

    def projection(self, space: SpaceId, origin: ProjectionOrigin) -> StoredProjection | None:
        """The projection of this origin that is kept for the unprojected space of `space`.

        Raises:
            CatalogError: its numbers are not those that were stored.
        """
        with self._reading() as connection:
            return stored_projections.kept(connection, space, origin)

    def store_projection(
        self,
        space: SpaceId,
        origin: ProjectionOrigin,
        projection: Projection,
        details: Mapping[str, Any],
    ) -> None:
        """Keep a projection of the unprojected space of `space`, in place of one of this origin.

        Nothing is written where the same one is kept already, with the same details. The revision
        stays: an index is another file for another projection.

        Args:
            details: as in `StoredProjection`; JSON values only.
        """
        with self._changing() as connection:
            space_id, _ = ensure_space(connection, space)
            stored_projections.keep(connection, space_id, origin, projection, details)

    def drop_projection(self, space: SpaceId, origin: ProjectionOrigin) -> bool:
        """Forget the projection of this origin; says whether there was one."""
        with self._changing() as connection:
            return stored_projections.drop(connection, space, origin)

    def forget_analyses(self, track_ids: Collection[int]) -> None:
        """Drop all that was analysed of these tracks, so that the next ingest analyses them again."""
        with self._changing() as connection:
            for chunk in queries.chunks(track_ids):
                connection.execute(delete(AnalysisRow).where(AnalysisRow.track_id.in_(chunk)))
            bump_revision(connection)

    # The catalogue as a whole

    def failures(self) -> list[Failure]:
        """Every file or folder that could not be analysed, by library and path."""
        with self._reading() as connection:
            return queries.failures(connection)

    def counts(self) -> Counts:
        """The catalogue in numbers; the seconds are those of tracks in state ANALYSED."""
        with self._reading() as connection:
            return queries.counts(connection)

    def state(self) -> CatalogState:
        """Which catalogue this is, and its revision now."""
        with self._reading() as connection:
            row = connection.execute(select(CatalogRow.uuid, CatalogRow.revision)).one()
            return CatalogState(row.uuid, row.revision)

    def prune(self, *, force: bool = False) -> int:
        """Drop missing tracks and what was analysed of them.

        Returns:
            How many tracks were dropped.

        Raises:
            CatalogError: without `force`, when more than half of all tracks are missing.
        """
        with self._changing() as connection:
            lost = TrackRow.state == TrackState.MISSING
            missing = connection.scalar(select(func.count(TrackRow.id)).where(lost)) or 0
            total = connection.scalar(select(func.count(TrackRow.id))) or 0
            if 2 * missing > total and not force:
                raise CatalogError(
                    f"{missing} of {total} tracks are missing: is a disk not mounted? Mount it and "
                    "ingest again, or drop them all the same with --force."
                )
            connection.execute(delete(TrackRow).where(lost))
            return missing

    def file_hash_of(self, track_id: int) -> str | None:
        """The digest of the whole file, if it was ever computed. Raises `TrackNotFound`."""
        with self._reading() as connection:
            row = connection.execute(
                select(TrackRow.file_hash).where(TrackRow.id == track_id)
            ).first()
            if row is None:
                raise queries.no_such_track(track_id)
            file_hash: str | None = row.file_hash
            return file_hash

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with transaction(self._engine, writes=True) as connection:
            # SQLite has one writer at a time; on servers this row's lock does the same.
            connection.execute(select(CatalogRow.id).with_for_update())
            yield connection
