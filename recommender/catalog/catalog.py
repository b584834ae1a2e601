"""`Catalog`: queries, and changes of libraries, spaces and projections; provides a `Writer`."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from recommender.catalog import (
    analyses,
    catalog_row,
    libraries,
    queries,
    scan_queries,
    spaces,
    stored_projections,
    summary,
    track_columns,
)
from recommender.catalog.database import Database
from recommender.catalog.records import (
    CatalogState,
    Counts,
    Failure,
    KnownFile,
    Library,
    ProjectionOrigin,
    StoredProjection,
    Track,
    TrackState,
)
from recommender.catalog.schema import CatalogRow
from recommender.catalog.track_columns import NameColumn, TrackColumns
from recommender.catalog.writer import Writer
from recommender.embedding.projection import Projection
from recommender.embedding.space import Analysis, SpaceId
from recommender.utils.arrays import FloatArray, IntArray
from recommender.utils.files import AnyPath, as_path

logger = logging.getLogger(__name__)

_NAMED = 20
"""Damaged tracks that a warning names."""


class Catalog(Database):
    """The catalogue in one database; see `open`. Methods may be called from several threads.

    Every method is one transaction (`all_tracks` one for every few hundred tracks) and raises
    `CatalogError` when the database cannot be read or written. Where a path is taken, anything but
    a `str` or `os.PathLike` raises `TypeError`.
    """

    # Libraries

    def libraries(self) -> list[Library]:
        """Every library, by root."""
        with self._reading() as connection:
            return libraries.all_libraries(connection)

    def library_counts(self) -> dict[int, dict[TrackState, int]]:
        """Library id → number of its tracks by state; states without a track are left out."""
        with self._reading() as connection:
            return summary.library_counts(connection)

    def scope_of(self, folder: AnyPath) -> tuple[Library, str]:
        """The library that holds `folder`, and the sub-path inside it ("" for its root).

        A folder in no library becomes one. When it contains libraries it absorbs them: their
        tracks keep ids and analyses, and their paths get longer.
        """
        folder = as_path(folder, "folder")
        with self._reading() as connection:
            scope = libraries.holding(folder, libraries.all_libraries(connection))
        if scope is not None:
            return scope
        with self._changing() as connection:
            return libraries.scope_of(connection, folder)

    def move_library(self, old: AnyPath, new: AnyPath) -> Library:
        """Record that the library with root `old` is now at `new`; nothing is analysed again.

        Where `new` is or lies in another library, its tracks become part of that; where it contains
        some, they become part of it. Of two tracks with one path then, one stays.

        Args:
            old: need not exist any more.

        Returns:
            The library that holds the tracks now.

        Raises:
            CatalogError: there is no library at `old`.
        """
        old, new = as_path(old, "old"), as_path(new, "new")
        with self._changing() as connection:
            return libraries.move(connection, old, new)

    def remove_library(self, root: AnyPath) -> int:
        """Drop a library with its tracks, analyses and failures; no music file is touched.

        Args:
            root: need not exist any more.

        Returns:
            The number of tracks dropped.

        Raises:
            CatalogError: there is no library with this root.
        """
        root = as_path(root, "root")
        with self._changing() as connection:
            return libraries.remove(connection, root)

    def set_mount_points(self, library: Library, mount_points: Iterable[AnyPath]) -> None:
        """Record on which mount points, other than "/", the library's root and folders lie."""
        paths = [as_path(point, "mount_points") for point in mount_points]
        with self._changing() as connection:
            libraries.set_mount_points(connection, library, paths)

    def set_unavailable(self, library: Library) -> int:
        """Mark the tracks of a library, whose root is absent or empty, as UNAVAILABLE.

        They are kept, but not recommended, until a scan finds their files (`Writer.found_again`)
        or, in a root that is there again, does not (`Writer.missing`). Tracks that failed stay
        FAILED, with their failures.

        Returns:
            The number of tracks of the library.
        """
        with self._changing() as connection:
            return libraries.set_unavailable(connection, library)

    # For scans

    def known_files(
        self, library: Library, space: SpaceId, under: str = ""
    ) -> dict[str, KnownFile]:
        """The files of a library that the catalogue has a track or a failure of, by relative path.

        Args:
            space: `KnownFile.analysed_in_space` refers to its unprojected space.
            under: only the file or folder with this relative path.
        """
        with self._reading() as connection:
            return scan_queries.known_files(connection, library, space, under)

    def content_hashes(self) -> dict[int, str]:
        """Track id → content hash of every track, whatever its state; in the order of the ids."""
        with self._reading() as connection:
            return scan_queries.content_hashes(connection)

    def samples_hashes(self, track_ids: Collection[int], space: SpaceId) -> dict[int, str | None]:
        """Track id → `Analysis.samples_hash` in the unprojected space of `space`.

        Tracks that were not analysed there are left out.
        """
        with self._reading() as connection:
            return scan_queries.samples_hashes(connection, track_ids, space)

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
                catalog_row.bump_revision(connection)

    # Tracks

    def track(self, track_id: int) -> Track:
        """The track with this id. Raises `TrackNotFound`."""
        return self.tracks([track_id])[0]

    def tracks(self, ids: Sequence[int]) -> list[Track]:
        """The tracks with these ids, in the same order. Raises `TrackNotFound`."""
        with self._reading() as connection:
            return queries.tracks_by_id(connection, ids)

    def present(self, ids: Collection[int]) -> dict[int, Track]:
        """Those of the tracks with these ids that are ANALYSED, by id."""
        with self._reading() as connection:
            return queries.present(connection, ids)

    def track_at(self, path: AnyPath) -> Track | None:
        """The track whose file is `path` (relative to the working directory, or absolute)."""
        path = as_path(path, "path")
        with self._reading() as connection:
            return queries.track_at(connection, path)

    def copies_of(self, track: Track) -> list[Track]:
        """Other tracks, in any state, of the same sound, by id.

        They have its content hash; or, where an older release computed one of the two hashes, its
        size, time and duration.
        """
        with self._reading() as connection:
            return queries.copies_of(connection, track)

    def search(self, words: str, limit: int | None = None) -> list[Track]:
        """Tracks of any state in whose title, artists, album or path every word occurs, by path.

        Case and accents do not matter; no words match every track.
        """
        with self._reading() as connection:
            return queries.search(connection, words, limit)

    def all_tracks(self, state: TrackState | None = TrackState.ANALYSED) -> Iterator[Track]:
        """Every track in `state` (None: in any), by id; a few hundred are in memory at a time."""
        last = 0
        while True:
            with self._reading() as connection:
                tracks = queries.tracks_after(connection, last, state)
            if not tracks:
                return
            yield from tracks
            last = tracks[-1].id

    def track_columns(self) -> TrackColumns:
        """What filters compare, of every ANALYSED track."""
        with self._reading() as connection:
            return track_columns.track_columns(connection)

    def predicted_genres(self, ids: IntArray) -> tuple[NameColumn, tuple[str, ...]]:
        """The most probable genre of tracks in the active space, and the genres the model predicts.

        Args:
            ids: np.ndarray [shape=(n,)]; a track without an analysis there has no genre.
        """
        with self._reading() as connection:
            return track_columns.predicted_genres(connection, ids)

    def file_hash_of(self, track_id: int) -> str | None:
        """The hash of the whole file, if it was ever computed. Raises `TrackNotFound`."""
        with self._reading() as connection:
            return queries.file_hash_of(connection, track_id)

    # Analyses

    def activations(self, space: SpaceId) -> tuple[IntArray, FloatArray]:
        """The vectors that recommendations are computed from.

        Args:
            space: its unprojected space is meant.

        Returns:
            ids: np.ndarray [shape=(n,)], int64, ascending: the ANALYSED tracks with an analysis.
            activations: np.ndarray [shape=(n, d)], float32: not projected, not normalised;
                shape (0, 0) in a space that no track was ever analysed in.

        Damaged vectors, which do not have the checksum that was stored with them, are left out,
        and their tracks are named in a warning; see `checked_activations`.
        """
        ids, found, damaged = self.checked_activations(space)
        if damaged:
            logger.warning(
                "the stored embeddings of %d tracks are damaged, and are left out (ids %s%s). Run "
                "'recsys verify' to repair them, then ingest their folders.",
                len(damaged),
                ", ".join(map(str, damaged[:_NAMED])),
                "…" if len(damaged) > _NAMED else "",
            )
        return ids, found

    def checked_activations(self, space: SpaceId) -> tuple[IntArray, FloatArray, list[int]]:
        """What `activations` returns, and the ids of the tracks that it leaves out."""
        with self._reading() as connection:
            return analyses.activations(connection, space)

    def is_analysed(self, track_id: int, space: SpaceId) -> bool:
        """Whether the track has an undamaged analysis in the unprojected space of `space`."""
        with self._reading() as connection:
            return analyses.is_analysed(connection, track_id, space)

    def analysis_of(self, track_id: int, space: SpaceId) -> Analysis | None:
        """The analysis of the track in the unprojected space of `space`, if it has one.

        Raises:
            CatalogError: it is damaged.
        """
        with self._reading() as connection:
            return analyses.analysis_of(connection, track_id, space)

    def forget_analyses(self, track_ids: Collection[int]) -> None:
        """Drop every analysis of these tracks, so that the next ingest analyses them again."""
        with self._changing() as connection:
            analyses.forget(connection, track_ids)

    # Spaces and their projections

    def spaces(self) -> list[tuple[SpaceId, int]]:
        """The unprojected spaces, each with its number of ANALYSED tracks."""
        with self._reading() as connection:
            return spaces.spaces(connection)

    def active_space(self) -> SpaceId | None:
        """The unprojected space that recommendations use; None before the first ingest."""
        with self._reading() as connection:
            return catalog_row.active_space(connection)

    def analysis_settings(self) -> Mapping[str, Any] | None:
        """The settings stored with the active space: how to analyse another file the same way."""
        with self._reading() as connection:
            return connection.scalar(select(CatalogRow.analysis_settings))

    def set_active(self, space: SpaceId, analysis_settings: Mapping[str, Any]) -> None:
        """Recommend in the unprojected space of `space` from now on.

        Args:
            analysis_settings: what `analysis_settings` shall return; JSON values only.
        """
        with self._changing() as connection:
            catalog_row.set_active(connection, space, analysis_settings)

    def projection(self, space: SpaceId, origin: ProjectionOrigin) -> StoredProjection | None:
        """The stored projection of this origin for the unprojected space of `space`.

        Raises:
            CatalogError: its values are not those that were stored.
        """
        with self._reading() as connection:
            return stored_projections.load(connection, space, origin)

    def store_projection(
        self,
        space: SpaceId,
        origin: ProjectionOrigin,
        projection: Projection,
        details: Mapping[str, Any],
    ) -> None:
        """Store a projection of the unprojected space of `space`, replacing one of this origin.

        Nothing is written where the same one is stored already, with the same details. The revision
        stays as it is: another projection has another index file.

        Args:
            details: as in `StoredProjection`; JSON values only.
        """
        with self._changing() as connection:
            stored_projections.store(connection, space, origin, projection, details)

    def drop_projection(self, space: SpaceId, origin: ProjectionOrigin) -> bool:
        """Drop the stored projection of this origin; returns whether there was one."""
        with self._changing() as connection:
            return stored_projections.drop(connection, space, origin)

    def damaged_projections(self) -> list[tuple[SpaceId, ProjectionOrigin]]:
        """The spaces and origins of projections whose values are not those that were stored."""
        with self._reading() as connection:
            return stored_projections.damaged(connection)

    # The catalogue as a whole

    def failures(self) -> list[Failure]:
        """Every file or folder that could not be analysed, by library and path."""
        with self._reading() as connection:
            return summary.failures(connection)

    def genres(self) -> dict[str, int]:
        """Tagged genre → number of ANALYSED tracks, most frequent first.

        As in `Filters.genre` the first genre of a tag counts, and spellings that differ in case,
        accents, blanks and hyphens are one genre, in its most frequent spelling.
        """
        with self._reading() as connection:
            return summary.genres(connection)

    def counts(self) -> Counts:
        """The catalogue in numbers."""
        with self._reading() as connection:
            return summary.counts(connection)

    def state(self) -> CatalogState:
        """Which catalogue this is, and its present revision."""
        with self._reading() as connection:
            return catalog_row.state(connection)

    def prune(self, *, force: bool = False) -> int:
        """Drop missing tracks and their analyses; unavailable ones are never dropped.

        Args:
            force: also drop them when they are more than half of the tracks that are not
                unavailable, which is more often a mistake than meant.

        Returns:
            The number of tracks dropped.

        Raises:
            CatalogError: more than half are missing, and `force` is False.
        """
        with self._changing() as connection:
            return libraries.prune(connection, force)
