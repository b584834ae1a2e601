"""`Catalog`: queries, and changes of libraries, spaces and projections; provides a `Writer`."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import select

from recommender.catalog import (
    analyses,
    catalog_row,
    changes,
    libraries,
    listed_tracks,
    musical_descriptors,
    queries,
    scan_queries,
    spaces,
    stored_projections,
    summary,
    track_columns,
    track_names,
)
from recommender.catalog.changes import Changes
from recommender.catalog.chunks import chunks
from recommender.catalog.layouts import Layouts
from recommender.catalog.listed_tracks import ListedTrack
from recommender.catalog.lists import Lists
from recommender.catalog.records import (
    CatalogState,
    Counts,
    Failure,
    FileStat,
    KnownFile,
    KnownSheet,
    Library,
    ProjectionOrigin,
    StoredProjection,
    Track,
    TrackState,
)
from recommender.catalog.remote_ids import RemoteIds
from recommender.catalog.scan_queries import KnownRow
from recommender.catalog.schema import CatalogRow
from recommender.catalog.shared_use import SharedUse
from recommender.catalog.track_columns import TrackColumns
from recommender.catalog.track_names import TrackNames
from recommender.catalog.writer import Writer
from recommender.embedding.projection import Projection
from recommender.embedding.space import Analysis, SpaceId
from recommender.musical_descriptors import MusicalDescriptors
from recommender.utils.arrays import FloatArray, IntArray
from recommender.utils.files import AnyPath, as_path

logger = logging.getLogger(__name__)

_NAMED = 20
"""Damaged tracks that a warning names."""


class Catalog(Lists, RemoteIds, Layouts, SharedUse):
    """The catalogue in one database; see `open`. Methods may be called from several threads.

    Every method is one transaction (`all_tracks` one for every few hundred tracks) and raises
    `CatalogError` when the database cannot be read or written. Where a path is taken, anything but
    a `str` or `os.PathLike` raises `TypeError`.
    """

    # Libraries

    def libraries(self) -> list[Library]:
        """Every library, by the root that it has on this host."""
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

    def set_linked_folders(self, library: Library, folders: Iterable[AnyPath]) -> None:
        """Record where the links led that scans of the library followed to folders."""
        paths = [as_path(folder, "folders") for folder in folders]
        with self._changing() as connection:
            libraries.set_linked_folders(connection, library, paths)

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

    def known_tracks(self, library: Library, space: SpaceId, under: str = "") -> Iterator[KnownRow]:
        """The tracks among `known_files` as rows, by path; a few thousand are in memory at a time.

        They are sorted as the database sorts text, which by SQLite is by code points.
        """
        return chain.from_iterable(self._known_pages(library, space, under))

    def _known_pages(
        self, library: Library, space: SpaceId, under: str
    ) -> Iterator[Sequence[KnownRow]]:
        last = ""
        while True:
            with self._reading() as connection:
                page = scan_queries.known_tracks(connection, library, space, under, last)
            if not page:
                return
            yield page
            last = page[-1][0]

    def known_failures(self, library: Library, under: str = "") -> dict[str, tuple[FileStat, str]]:
        """Path → file and kind of failure of the failures among `known_files`."""
        with self._reading() as connection:
            return scan_queries.known_failures(connection, library, under)

    def known_segments(
        self, library: Library, space: SpaceId, under: str = ""
    ) -> dict[str, KnownFile]:
        """Those of `known_files` that cue sheets divide, without their failures."""
        with self._reading() as connection:
            return scan_queries.known_segments(connection, library, space, under)

    def known_sheets(self, library: Library, under: str = "") -> list[KnownSheet]:
        """The cue sheets of a library that were read.

        Args:
            under: only those at this relative path or, as it is a folder, below it.
        """
        with self._reading() as connection:
            return scan_queries.known_sheets(connection, library, under)

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
            writer.flush()
            if writer.changed:
                catalog_row.bump_revision(connection)

    # Tracks

    def track(self, track_id: int) -> Track:
        """The track with this id. Raises `TrackNotFound`."""
        return self.tracks([track_id])[0]

    def tracks(self, ids: Sequence[int]) -> list[Track]:
        """The tracks with these ids, in the same order. Raises `TrackNotFound`."""
        found = self._compiled_reads.tracks(ids)
        if found is not None and all(id in found for id in ids):
            return [found[id] for id in ids]
        with self._reading() as connection:
            return queries.tracks_by_id(connection, ids)

    def present(self, ids: Collection[int]) -> dict[int, Track]:
        """Those of the tracks with these ids that are ANALYSED, by id."""
        found = self._compiled_reads.tracks(ids)
        if found is not None:
            return {id: track for id, track in found.items() if track.state is TrackState.ANALYSED}
        with self._reading() as connection:
            return queries.present(connection, ids)

    def track_at(self, path: AnyPath) -> Track | None:
        """The track whose file is `path` (relative to the working directory, or absolute).

        The first of them, where a cue sheet divides the file.
        """
        return next(iter(self.tracks_at(path)), None)

    def tracks_at(self, path: AnyPath) -> list[Track]:
        """Like `track_at`, every track of the file, in their order."""
        path = as_path(path, "path")
        with self._reading() as connection:
            return queries.tracks_at(connection, path)

    def copies_of(self, track: Track) -> list[Track]:
        """Other tracks, in any state, of the same sound, by id.

        They have its content hash; or, where an older release computed one of the two hashes, its
        size, time and duration.
        """
        with self._reading() as connection:
            return queries.copies_of(connection, track)

    def tracks_of_sheet(self, sheet: AnyPath) -> list[Track]:
        """The tracks of the files that the cue sheet at this path names, by file and number."""
        path = as_path(sheet, "sheet")
        with self._reading() as connection:
            return queries.tracks_of_sheet(connection, path)

    def search(self, words: str, limit: int | None = None, offset: int = 0) -> list[Track]:
        """Tracks of any state in whose title, artists, album or path every word occurs, by path.

        Case and accents do not matter; no words match every track.
        """
        with self._reading() as connection:
            return queries.search(connection, words, limit, offset)

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

    def analysed_ids(self) -> IntArray:
        """The tracks that are ANALYSED: np.ndarray [shape=(n,)], int64, ascending."""
        with self._reading() as connection:
            return queries.analysed_ids(connection)

    def track_names(self) -> Iterator[TrackNames]:
        """What every track, in any state, is named by elsewhere, by id."""
        last = 0
        while True:
            with self._reading() as connection:
                page = track_names.page_after(connection, last)
            if not page:
                return
            yield from page
            last = page[-1].id

    def listed_tracks(self) -> Iterator[ListedTrack]:
        """Every ANALYSED track as browsers of artists and albums list it, by id."""
        last = 0
        while True:
            with self._reading() as connection:
                page = listed_tracks.page_after(connection, last)
            if not page:
                return
            yield from page
            last = page[-1].id

    def track_years(self) -> Sequence[tuple[int, int]]:
        """Ids and years of those analysed tracks whose tags name a year."""
        with self._reading() as connection:
            return listed_tracks.years(connection)

    def tracks_after(
        self, last: int, limit: int, state: TrackState | None = TrackState.ANALYSED
    ) -> list[Track]:
        """At most `limit` tracks in `state` (None: in any) whose ids are above `last`, by id."""
        with self._reading() as connection:
            return queries.tracks_after(connection, last, state, limit)

    def track_columns(self, ids: IntArray) -> TrackColumns:
        """What filters compare, of tracks in the order of `ids` (np.ndarray [shape=(n,)])."""
        with self._reading() as connection:
            return track_columns.track_columns(connection, ids)

    def musical_descriptors(self, ids: Collection[int]) -> dict[int, MusicalDescriptors]:
        """The musical descriptors of those of the tracks that have any, by id."""
        with self._reading() as connection:
            return musical_descriptors.descriptors_of(connection, ids)

    def descriptor_columns(self, ids: IntArray, names: Sequence[str]) -> FloatArray:
        """Musical descriptors of tracks as numbers, for filters.

        Args:
            ids: np.ndarray [shape=(n,)], distinct.
            names: of d values; ``mode`` is 1 for minor, 0 for major.

        Returns:
            np.ndarray [shape=(n, d)], float32; NaN where a track lacks a value.

        Raises:
            UsageError: there is no such value.
        """
        with self._reading() as connection:
            return musical_descriptors.descriptor_columns(connection, ids, names)

    def credited_artists(self, ids: IntArray) -> dict[int, tuple[str, ...]]:
        """`Track.artists` of those of the tracks that are ANALYSED, by id."""
        with self._reading() as connection:
            return track_columns.credited_artists(connection, ids)

    def genre_labels(self) -> tuple[str, ...]:
        """The genres that were predicted, each with some probability, in the active space.

        Reads every analysis.
        """
        with self._reading() as connection:
            return track_columns.genre_labels(connection)

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
        and their tracks are named in a warning; see `checked_activations`. Where there are more
        tracks than fit into memory, `activation_batches` reads them.
        """
        ids, found, damaged = self.checked_activations(space)
        _warn_of_damaged(damaged)
        return ids, found

    def activation_batches(
        self, space: SpaceId, ids: IntArray | None = None
    ) -> Iterator[tuple[IntArray, FloatArray]]:
        """What `activations` returns, a few hundred tracks at a time, each time in a transaction.

        What changes while they are read may or may not be seen. Whoever reads `state` before the
        first batch learns of it afterwards, by `changes_since`.

        Args:
            space: its unprojected space is meant.
            ids: np.ndarray [shape=(m,)]: of these tracks only, as far as they can be recommended.
        """
        damaged: list[int] = []
        for batch in self.checked_batches(space) if ids is None else self._batches_of(space, ids):
            damaged += batch.damaged
            if len(batch.ids):
                yield batch.ids, batch.activations
        _warn_of_damaged(damaged)

    def damaged_activations(self, space: SpaceId, ids: IntArray | None = None) -> list[int]:
        """The tracks that `activation_batches` leaves out because their vectors are damaged."""
        batches = self.checked_batches(space) if ids is None else self._batches_of(space, ids)
        return [track_id for batch in batches for track_id in batch.damaged]

    def checked_batches(self, space: SpaceId) -> Iterator[analyses.Batch]:
        """What `activation_batches` reads, together with the tracks that it leaves out."""
        last = 0
        while True:
            with self._reading() as connection:
                batch = analyses.batch_after(connection, space, last)
            if batch is None:
                return
            yield batch
            last = batch.last

    def _batches_of(self, space: SpaceId, ids: IntArray) -> Iterator[analyses.Batch]:
        for chunk in chunks(np.unique(ids).tolist()):
            with self._reading() as connection:
                batch = analyses.batch_of(connection, space, chunk)
            if batch is not None:
                yield batch

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
        state = self._compiled_reads.state()
        if state is not None:
            return state
        with self._reading() as connection:
            return catalog_row.state(connection)

    def changes_since(self, revision: int, space: SpaceId) -> Changes | None:
        """What has changed since `CatalogState.revision` was `revision`.

        Args:
            space: its unprojected space is meant.

        Returns:
            None where it is not known that far back, or there never was such a revision: then
            everything is to be read anew.
        """
        with self._reading() as connection:
            return changes.changes_since(connection, revision, space)

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


def _warn_of_damaged(track_ids: list[int]) -> None:
    if track_ids:
        logger.warning(
            "the stored embeddings of %d tracks are damaged, and are left out (ids %s%s). Run "
            "'recsys verify' to repair them, then ingest their folders.",
            len(track_ids),
            ", ".join(map(str, track_ids[:_NAMED])),
            "…" if len(track_ids) > _NAMED else "",
        )
