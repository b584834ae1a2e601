"""Checks a catalogue against the files, against itself and against its index."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recommender.catalog import (
    Catalog,
    Failure,
    FileStat,
    Library,
    ProjectionOrigin,
    Track,
    TrackState,
)
from recommender.catalog.projector import catalog_projector
from recommender.errors import (
    AudioError,
    CatalogError,
    SpaceMismatch,
    UsageError,
    WeightsError,
)
from recommender.ingestion.file_reader import FileReader
from recommender.ingestion.ignore_files import IGNORE_FILE
from recommender.ingestion.lock import ingest_lock
from recommender.ingestion.mounts import unmounted_point
from recommender.ingestion.scan import scan_folder
from recommender.ingestion.worker_limits import FileLimits
from recommender.playlists.recipes import check_recipe
from recommender.search.catalog_index import CatalogIndex
from recommender.search.index_check import index_error
from recommender.search.index_file import segment_file
from recommender.utils.arrays import usable_rows

INGEST = "ingest its folder"
REPAIR = "verify with repair"
RESTORE = "restore a copy of the database"

_CORRECT = "correct it, then verify again"

_LOST = (TrackState.MISSING, TrackState.UNAVAILABLE)


@dataclass(frozen=True)
class Finding:
    """A difference between the catalogue and what it describes.

    Attributes:
        kind: what is wrong, in a word or two.
        where: the file, folder, catalogue or track concerned.
        detail: what was found.
        fix: what the user can do.
        repaired: whether it was repaired just now.
    """

    kind: str
    where: str
    detail: str
    fix: str
    repaired: bool = False


def verify(
    catalog: Catalog,
    *,
    content: bool = False,
    repair: bool = False,
    on_track: Callable[[int, int], None] | None = None,
    limits: FileLimits | None = None,
) -> list[Finding]:
    """Everything that is wrong.

    The files are not as the catalogue says: "folder gone", "folder empty", "vanished", "back"
    (marked missing or unavailable, though an ingest would find it), "changed", "content", "tags",
    "unreadable". The catalogue contradicts itself: "failure", "not analysed", "bad vector". It is
    damaged: "database" (its pages), "damaged row" (a value that makes no sense), "damaged vector"
    and "damaged projection" (their checksums are others). The index, or the installed model, does
    not fit it: "index", "space". A playlist cannot be made again: "recipe", "playlist".

    Where a library's root is absent, empty or cannot be read, its disk may not be mounted. This is
    one finding for the whole library, and nothing is concluded about its files.

    Args:
        catalog: stays open.
        content: read each file whole and compare it with what an ingest, and then the first such
            check, stored of it (`ingestion.content_check`).
        repair: correct states, failures and the index, and drop bad vectors and damaged rows, so
            that the next ingest analyses those files again. A database whose pages are damaged is
            replaced by one of all rows that can be read; a copy of it is kept. Tracks of a library
            whose root is absent, empty or cannot be read become unavailable: not recommended, but
            kept.
        on_track: called with (tracks checked, tracks in all) after every track.
        limits: what reading one file may cost, in a process of its own.

    Raises:
        CatalogError: the catalogue cannot be read or written.
    """
    with FileReader(limits, decodes=False) as reader:  # which starts when it is first called
        return list(_Check(catalog, reader if content else None, repair).findings(on_track))


class _Check:
    """One verification: its options, and what the checks share."""

    def __init__(self, catalog: Catalog, reader: FileReader | None, repair: bool) -> None:
        self.catalog = catalog
        self.reader = reader  # of the files' content, where that is checked
        self.repair = repair
        self.failures: dict[tuple[int, str], Failure] = {}
        self.analysed: dict[int, Path] = {}
        self.scanned: dict[Library, frozenset[str]] = {}
        self.of_segments: set[tuple[str, str]] = set()  # found of files with several tracks
        self.compared: set[Path] = set()

    def findings(self, on_track: Callable[[int, int], None] | None) -> Iterator[Finding]:
        damage = list(self._of_database())
        yield from damage
        try:
            yield from self._of_contents(on_track)
        except CatalogError:
            if all(finding.repaired for finding in damage):
                raise  # otherwise what is wrong has been said, and must be repaired first

    def _of_contents(self, on_track: Callable[[int, int], None] | None) -> Iterator[Finding]:
        self.failures = {(f.library.id, f.path): f for f in self.catalog.failures()}
        counts = self.catalog.counts()
        total = counts.analysed + counts.missing + counts.unavailable + counts.failed_tracks
        unavailable = self._unavailable()
        yield from unavailable.values()
        for done, track in enumerate(self.catalog.all_tracks(state=None), start=1):
            if track.state is TrackState.ANALYSED:
                self.analysed[track.id] = track.file
            if track.library not in unavailable:
                yield from self._once_a_file(track, self._of_track(track))
            if on_track is not None:
                on_track(done, total)
        for failure in self.failures.values():
            if failure.library not in unavailable:
                yield from self._of_failure(failure)
        yield from self._of_vectors()
        yield from self._of_index()
        yield from self._of_playlists()

    def _once_a_file(self, track: Track, findings: Iterator[Finding]) -> Iterator[Finding]:
        """What is found of a track; of several in one file, what is wrong with the file once."""
        for finding in findings:
            if track.segment:
                found = (finding.kind, finding.where)
                if found in self.of_segments:
                    continue
                self.of_segments.add(found)
            yield finding

    def _of_database(self) -> Iterator[Finding]:
        """Damaged pages, then damaged values."""
        errors = self.catalog.page_errors()
        if errors:
            yield self._of_pages(errors)
            if not self.repair:
                return  # values on damaged pages are of no use
        rows = self.catalog.damaged_rows()
        repaired = self.catalog.repair_rows(rows) if rows and self.repair else [False] * len(rows)
        for row, done in zip(rows, repaired, strict=True):
            where = row.table if row.track_id is None else f"track {row.track_id}"
            detail = f"{row.column} of row {row.row} in {row.table}: {row.reason}"
            fix = RESTORE if self.repair else f"{REPAIR}, then {INGEST}"
            yield Finding("damaged row", where, detail, fix, done)
        yield from self._of_projections()

    def _of_projections(self) -> Iterator[Finding]:
        for space, origin in self.catalog.damaged_projections():
            if self.repair:
                self.catalog.drop_projection(space, origin)
            again = "adapt again" if origin is ProjectionOrigin.ADAPTED else INGEST
            fix = again if self.repair else f"{REPAIR}, then {again}"
            detail = "its projection is not what was stored"
            yield Finding("damaged projection", f"{space} ({origin})", detail, fix, self.repair)

    def _of_pages(self, errors: list[str]) -> Finding:
        """Damage of the file itself, which building SQLite's indexes again may repair."""
        where = str(self.catalog.file)
        detail = errors[0] + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else "")
        if not self.repair:
            return Finding("database", where, detail, f"{REPAIR}, then {INGEST}; or {RESTORE}")
        with suppress(CatalogError):
            self.catalog.reindex()
        if self.catalog.page_errors():
            with ingest_lock(self.catalog):
                result = self.catalog.salvage()
            lost = ", ".join(f"{number} of {name}" for name, number in result.lost.items())
            detail += f"; rows lost: {lost or 'none'}; the damaged file is kept as {result.copy}"
        return Finding("database", where, detail, INGEST, repaired=True)

    def _unavailable(self) -> dict[Library, Finding]:
        """The libraries whose files cannot be checked, by root, with what is wrong with each."""
        has_tracks = self.catalog.library_counts()
        has_failures = {library_id for library_id, _ in self.failures}
        found: dict[Library, Finding] = {}
        for library in self.catalog.libraries():
            is_known = library.id in has_tracks or library.id in has_failures
            finding = _root_finding(library)
            if finding is not None and (is_known or finding.kind != "folder empty"):
                found[library] = finding
                if self.repair:
                    self.catalog.set_unavailable(library)
        return found

    def _of_track(self, track: Track) -> Iterator[Finding]:
        failure = self.failures.get((track.library.id, track.path))
        try:
            stat = track.file.stat()
        except (FileNotFoundError, NotADirectoryError):
            if track.state is not TrackState.MISSING:
                yield self._vanished(track)
            return
        except OSError as error:
            yield _unreadable(track.file, error)
            return
        unchanged = _is_unchanged(stat, track)
        if track.state in _LOST:
            yield from self._of_lost(track, unchanged)
        elif track.state is TrackState.FAILED:
            if failure is None:
                yield Finding("failure", str(track.file), "marked failed, without a reason", INGEST)
        elif failure is not None:
            yield self._obsolete(failure, "recorded as a failure, though it was analysed")
        elif not unchanged:
            yield _changed(track.file)
        elif self.reader is not None and track.file not in self.compared:
            if track.segment:
                self.compared.add(track.file)
            yield from self._of_content(track, self.reader)

    def _of_lost(self, track: Track, unchanged: bool) -> Iterator[Finding]:
        """A missing or unavailable track whose file is there, and not excluded by patterns."""
        library = track.library
        if library not in self.scanned:
            self.scanned[library] = frozenset()
            try:
                scan = scan_folder(library.root)
            except UsageError as error:
                yield Finding("unreadable", str(library.root), str(error), _CORRECT)
            else:
                for folder in scan.unreadable:  # no permission, or an ignore file without meaning
                    where = str(library.root / folder.path)
                    yield Finding("unreadable", where, folder.reason, _CORRECT)
                self.scanned[library] = frozenset(file.path for file in scan.files)
        if track.path in self.scanned[library]:
            yield self._back(track, unchanged)

    def _vanished(self, track: Track) -> Finding:
        if (point := unmounted_point(track.library, track.path)) is not None:
            detail = f"the file does not exist, and nothing is mounted on {point}"
            fix = "mount the disk; or ingest the folder where it is now"
            return Finding("vanished", str(track.file), detail, fix)
        if self.repair:
            with self.catalog.writing() as write:
                write.missing([track.id])
            self.analysed.pop(track.id, None)
        fix = f"restore the file; or {REPAIR}, to mark it missing"
        return Finding("vanished", str(track.file), "the file does not exist", fix, self.repair)

    def _back(self, track: Track, unchanged: bool) -> Finding:
        repaired = self.repair and unchanged
        if repaired:
            with self.catalog.writing() as write:
                write.found_again([track.id])
        fix = REPAIR if unchanged else INGEST
        detail = f"marked {track.state}, but it is there, and no {IGNORE_FILE} leaves it out"
        return Finding("back", str(track.file), detail, fix, repaired)

    def _of_content(self, track: Track, reader: FileReader) -> Iterator[Finding]:
        from recommender.ingestion.content_check import Difference, find_difference

        try:
            found = find_difference(self.catalog, track, reader)
        except OSError as error:
            yield _unreadable(track.file, error)
            return
        except AudioError as error:
            yield Finding("unreadable", str(track.file), str(error), "check the file and its disk")
            return
        if found is Difference.SOUND:
            detail = "its sound changed, its size and time did not: exchanged, or a damaged disk?"
            fix = "restore it from a backup; or have it analysed again"
            yield Finding("content", str(track.file), detail, fix)
        elif found is Difference.TAGS:
            detail = "its tags changed, its size and time did not"
            yield Finding("tags", str(track.file), detail, "have its tags read again")

    def _of_failure(self, failure: Failure) -> Iterator[Finding]:
        """A failure is of the file that failed; a file that has changed since is to be tried."""
        file = failure.library.root / failure.path
        try:
            stat = file.stat()
        except (FileNotFoundError, NotADirectoryError):
            yield self._obsolete(failure, "recorded as a failure, but it does not exist")
            return
        except OSError:
            return  # perhaps the very failure that is recorded
        if not _is_unchanged(stat, failure):
            yield _changed(file)

    def _obsolete(self, failure: Failure, detail: str) -> Finding:
        if self.repair:
            with self.catalog.writing() as write:
                write.forget_failures(failure.library, [failure.path])
        where = str(failure.library.root / failure.path)
        return Finding("failure", where, detail, REPAIR, self.repair)

    def _of_vectors(self) -> Iterator[Finding]:
        active = self.catalog.active_space()
        if active is None:
            return
        if self.repair:
            self.catalog.fill_checksums()
        missing, damaged, bad = set(self.analysed), list[int](), list[int]()
        for batch in self.catalog.checked_batches(active):
            missing.difference_update(batch.ids.tolist(), batch.damaged)
            damaged += batch.damaged
            bad += batch.ids[~usable_rows(batch.activations)].tolist()
        yield from self._dropped(damaged, "damaged vector", "it is not what was stored")
        for track_id in sorted(missing):
            detail = f"not analysed in the space that recommends ({active})"
            yield Finding("not analysed", str(self.analysed[track_id]), detail, INGEST)
        yield from self._dropped(bad, "bad vector", "its vector is zero or not finite")

    def _dropped(self, track_ids: list[int], kind: str, detail: str) -> Iterator[Finding]:
        """Vectors that are of no use; repaired once their files are analysed again."""
        if track_ids and self.repair:
            self.catalog.forget_analyses(track_ids)
        fix = INGEST if self.repair else f"{REPAIR}, then {INGEST}"
        for track_id in track_ids:
            where = str(self.analysed.get(track_id, f"track {track_id}"))
            yield Finding(kind, where, detail, fix)

    def _of_index(self) -> Iterator[Finding]:
        if self.catalog.active_space() is None:
            return
        try:
            projector = catalog_projector(self.catalog)
        except (SpaceMismatch, WeightsError) as error:
            yield Finding("space", self.catalog.name, str(error), "ingest every folder again")
            return
        index = CatalogIndex.of_active_space(self.catalog)
        path = index.path(self.catalog.state())
        detail = index_error(self.catalog, projector, index.columns, path)
        if detail is None:
            return
        if self.repair:
            # It is a cache: the next use builds it from the catalogue.
            path.unlink()
            segment_file(path).unlink(missing_ok=True)
        yield Finding("index", str(path), detail, REPAIR, self.repair)

    def _of_playlists(self) -> Iterator[Finding]:
        """Recipes that cannot be run, and files that cannot be written."""
        for playlist in self.catalog.playlists():
            if playlist.recipe is not None:
                try:
                    check_recipe(playlist.recipe)
                except UsageError as error:
                    yield Finding("recipe", playlist.name, str(error), "save the playlist anew")
            if playlist.target is not None and not playlist.target.parent.is_dir():
                detail = f"the folder of its file {playlist.target} does not exist"
                fix = "create the folder; or save the playlist with another file"
                yield Finding("playlist", playlist.name, detail, fix)


def _root_finding(library: Library) -> Finding | None:
    """Why the files of a library cannot be checked; None where they can."""
    root = str(library.root)
    fix = (
        "mount its disk; or say where it is now with 'recsys library move', or drop its tracks "
        "with 'recsys library remove'"
    )
    try:
        with os.scandir(library.root) as entries:
            if next(entries, None) is not None:
                return None
        return Finding("folder empty", root, "the music folder is empty", fix)
    except (FileNotFoundError, NotADirectoryError):
        return Finding("folder gone", root, "the music folder does not exist", fix)
    except OSError as error:
        return _unreadable(library.root, error)


def _unreadable(file: Path, error: OSError) -> Finding:
    reason = error.strerror or str(error)
    return Finding("unreadable", str(file), reason, "check permissions and disk")


def _is_unchanged(found: os.stat_result, known: Track | Failure) -> bool:
    """Whether a file has the size and the time that the catalogue has of it."""
    stat = FileStat(known.path, found.st_size, found.st_mtime_ns)
    return stat == FileStat(known.path, known.size, known.mtime_ns)


def _changed(file: Path) -> Finding:
    return Finding("changed", str(file), "size or time differ from the catalogue's", INGEST)
