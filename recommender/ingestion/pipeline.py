"""The ingest itself: scan, compare, detect moved files, analyse the rest, store the results.

The catalogue is consistent after every transaction, and what is stored is never analysed again; so
a run may be killed at any moment, and the next one continues.
"""

import signal
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from recommender.catalog import Catalog, KnownFile
from recommender.embedding.space import SpaceId
from recommender.errors import CrashedAlone, WorkerCrashed
from recommender.ingestion.activation import activate, switch_space, tracks_to_reanalyse
from recommender.ingestion.claims import Claims, claiming
from recommender.ingestion.cue_sheets import find_sheets, with_divided_files
from recommender.ingestion.file_analysis import (
    FileJob,
    analyse_file,
    load_analyser,
)
from recommender.ingestion.file_types import ending_label
from recommender.ingestion.index_update import update_stale_index
from recommender.ingestion.known_stream import KnownStream
from recommender.ingestion.lock import ingest_lock
from recommender.ingestion.mounts import has_unmounted, keep_unmounted, mount_points_of
from recommender.ingestion.move_detection import forget_emptied, move_tracks, with_samples_hashes
from recommender.ingestion.other_hosts import (
    NOT_ON_THIS_HOST,
    is_seen_elsewhere,
    refuse_known_folders,
)
from recommender.ingestion.plan import Plan, Unchanged, make_plan
from recommender.ingestion.process_pool import WorkerPool
from recommender.ingestion.ray_pool import RayPool, ray_cluster
from recommender.ingestion.report import (
    Counters,
    IngestReport,
    NoProgress,
    Outcome,
    ProgressReporter,
)
from recommender.ingestion.result_writer import (
    Done,
    Result,
    cue_sheet_notes,
    moved_ids,
    write_results,
    write_sheets,
)
from recommender.ingestion.scan import Scan, exclude_patterns, scan_files, scan_folder
from recommender.ingestion.settings import IngestSettings
from recommender.ingestion.targets import (
    Paths,
    Scope,
    Targets,
    find_targets,
    has_tracks,
    scopes_of,
)
from recommender.utils.arguments import require_type
from recommender.utils.files import real_path

if TYPE_CHECKING:
    from recommender.catalog import Library
    from recommender.ingestion.isolated_analyser import IsolatedAnalyser

_Stopped = Callable[[], bool]

_CRASHED = (WorkerCrashed.kind, CrashedAlone.kind)

_BATCH_S = 2.0
"""Seconds after which analysed files are written, however few they are."""


def ingest(
    catalog: Catalog,
    paths: Paths | None = None,
    settings: IngestSettings | None = None,
    progress: ProgressReporter | None = None,
) -> IngestReport:
    """Bring the catalogue up to date with folders and files; only what changed is opened.

    Tracks whose file is gone are marked missing. Where the root of a known folder is absent or
    empty, its disk is probably not mounted: its tracks become unavailable until their files are
    there again. A single file belongs to the known folder that holds it; where there is none, the
    file's folder becomes known, and the next run without `paths` takes in all of it.

    A first Ctrl-C ends the run in good order, with `IngestReport.interrupted` set.

    Files are analysed by other processes, one for each worker, which do not import the script that
    calls this.

    Args:
        catalog: stays open.
        paths: a folder or file, or several (`str` or `os.PathLike`); None for the folders that the
            catalogue knows.
        settings: the defaults of `IngestSettings` when None.
        progress: called back as the run advances.

    Raises:
        TypeError: a path is neither `str` nor `os.PathLike`, or another argument of a wrong type.
        UsageError: a path is not there or cannot be read, or there is none; nothing was changed.
        CatalogError: another ingest is running on this catalogue, or it cannot be written.
        WeightsError: the model's weights are missing or damaged.
        RecsysError: the worker processes cannot work.
    """
    require_type(catalog, Catalog, "catalog", "an open recommender.Catalog")
    settings = IngestSettings() if settings is None else settings
    require_type(settings, IngestSettings, "settings", "a recommender.IngestSettings or None")
    exclude_patterns(settings.exclude)
    space = settings.space()
    targets = find_targets(paths, catalog.libraries(), partial(has_tracks, catalog, space))
    run = _Run(catalog, settings, space, progress or NoProgress())
    with ingest_lock(catalog):
        return run.over(targets)


class _Run:
    """One ingest: its catalogue, its settings and its counts."""

    def __init__(
        self,
        catalog: Catalog,
        settings: IngestSettings,
        space: SpaceId,
        progress: ProgressReporter,
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self.progress = progress
        self.space = space
        self.counters = Counters()
        self._entries = 0
        self._to_confirm: set[int] = set()  # vanished tracks that may have moved
        self._unchanged = Unchanged(
            reanalyse=settings.reanalyze,
            reread=settings.reread_tags,
            retry_failed=settings.retry_failed,
            describes=settings.descriptors,
        )

    def over(self, targets: Targets) -> IngestReport:
        """Do all of it."""
        started = time.monotonic()
        self._set_unavailable(targets.unavailable)
        if self.catalog.has_claims:
            refuse_known_folders(self.catalog, targets.folders, self.space)
        plans = [self._plan(scope) for scope in scopes_of(self.catalog, targets)]
        may_move = any(plan.new for plan in plans)
        with_tracks = set(self.catalog.library_counts() if may_move else ())
        with _stop_on_interrupt() as stopped:
            if self.catalog.active_space() is None:
                activate(self.catalog, self.settings, self.space)
            jobs = self._settle(plans, stopped)
            if again := tracks_to_reanalyse(self.catalog, self.space, jobs):
                self.progress.reanalysing(again)
            self.progress.planned(len(jobs))
            self._analyse(jobs, stopped)
            self._write_missing(self._to_confirm)
            interrupted = stopped()
        if self.counters.outcomes[Outcome.MOVED]:
            forget_emptied(self.catalog, with_tracks)
        if not interrupted:
            switch_space(self.catalog, self.settings, self.space, self.counters)
            if self.settings.update_index:
                update_stale_index(self.catalog, self.progress.indexing)
        return self.counters.report(time.monotonic() - started, interrupted)

    def _set_unavailable(self, libraries: Sequence["Library"]) -> None:
        for library in libraries:
            if self.catalog.has_claims and is_seen_elsewhere(self.catalog, library):
                self.counters.unreadable.append((library.root, NOT_ON_THIS_HOST))
            else:
                self._count_unavailable(library.root, self.catalog.set_unavailable(library))

    def _count_unavailable(self, folder: Path, tracks: int) -> None:
        self.counters.unavailable.append((folder, tracks))
        self.progress.unavailable(folder, tracks)

    def _plan(self, scope: Scope) -> Plan:
        library, files, exclude = scope.library, scope.files, self.settings.exclude
        if self.catalog.has_claims:
            self.catalog.note_host(library)
        known: dict[str, KnownFile] = {}
        stream = KnownStream(iter(()), {})
        known_sheets = self.catalog.known_sheets(library)
        if files is None:
            stream = KnownStream(
                self.catalog.known_tracks(library, self.space, scope.under),
                self.catalog.known_failures(library, scope.under),
                self.catalog.known_segments(library, self.space, scope.under),
                {known.file for known in known_sheets},
                describes=self._unchanged.describes,
            )
            # Where a disk is gone, what is left is counted against what is known.
            compares_all = self._unchanged.are_opened or has_unmounted(library)
            settles = None if compares_all else stream.settles
            count = self._count_entries
            scan = scan_folder(library.root, scope.under, exclude, count, settles)
            known = stream.rest()
        else:
            files = with_divided_files(library.root, files)
            scan = scan_files(library.root, files, exclude)
            self._count_entries(len(files))
            for file in files:
                known |= self.catalog.known_files(library, self.space, file)
            known = {path: entry for path, entry in known.items() if path in files}
        under = scope.under if files is None else None
        sheets = find_sheets(library, scan, known_sheets, known, under)
        plan = make_plan(library, scan, known, self._unchanged, sheets)
        plan.settled[Outcome.UNCHANGED] += scan.settled
        plan.settled_ids = stream.settled
        plan.mount_points = mount_points_of(library.root, scan.mount_points)
        is_whole = files is None and not scope.under
        plan.linked_folders = {real_path(library.root / path) for path in scan.linked}
        plan.linked_folders |= set() if is_whole else set(library.linked_folders)
        keep_unmounted(plan, known, is_whole=is_whole)
        self._count_scan(library, scan, plan)
        return plan

    def _count_entries(self, entries: int) -> None:
        self._entries += entries
        self.progress.scanned(self._entries)

    def _count_scan(self, library: "Library", scan: Scan, plan: Plan) -> None:
        counters = self.counters
        counters.scanned += len(scan.files) + scan.settled + sum(scan.skipped.values())
        counters.skipped_by_ending.update(scan.skipped)
        counters.skipped_by_ending.update(plan.skipped)
        counters.outcomes.update(plan.settled)
        counters.excluded += scan.excluded
        counters.unreadable += [(library.root / at.path, at.reason) for at in scan.unreadable]
        if plan.sheets is not None:
            counters.unreadable += [(library.root / at, why) for at, why in plan.sheets.unreadable]
            counters.cue_sheets += [
                (library.root / sheet.stat.path, sheet.reason) for sheet in plan.sheets.failures
            ]

    def _settle(self, plans: Sequence[Plan], stopped: _Stopped) -> list[FileJob]:
        """Write what needs no analysis: found again, moved, gone. Returns the files to analyse."""
        found_again = [track_id for plan in plans for track_id in plan.found_again]
        if found_again:
            with self.catalog.writing() as write:
                write.found_again(found_again)
        vanished = {
            track_id: analysed for plan in plans for track_id, analysed in plan.vanished.items()
        }
        new = [job for plan in plans for job in plan.new]
        present = {id for plan in plans for id in plan.present_ids()} if new else set()
        new = move_tracks(
            self.catalog, self.space, new, vanished, present, stopped, self.settings.limits
        )
        to_analyse = [job for job in new if not job.is_settled]
        self.counters.outcomes[Outcome.MOVED] += len(new) - len(to_analyse)
        moved = {track_id for job in new for track_id in job.track_ids}
        self._to_confirm = vanished.keys() & {lost_id for job in new for lost_id in job.lost_ids}
        self._write_missing(vanished.keys() - moved - self._to_confirm)
        self._write_gone(plans)
        known = with_samples_hashes(
            self.catalog, self.space, [job for plan in plans for job in plan.known]
        )
        return sorted([*to_analyse, *known], key=lambda job: job.path)

    def _write_missing(self, missing: Collection[int]) -> None:
        if missing:
            with self.catalog.writing() as write:
                write.missing(missing)
        self.counters.missing += len(missing)

    def _write_gone(self, plans: Sequence[Plan]) -> None:
        """Forget failures of files that are gone; keep tracks whose disk is not mounted."""
        for plan in plans:
            if plan.gone_failures or plan.unmounted:
                with self.catalog.writing() as write:
                    write.forget_failures(plan.library, plan.gone_failures)
                    write.unavailable(set().union(*plan.unmounted.values()))
            for folder, tracks in plan.unmounted.items():
                self._count_unavailable(folder, len(tracks))
            if plan.mount_points != set(plan.library.mount_points):
                self.catalog.set_mount_points(plan.library, sorted(plan.mount_points))
            if plan.linked_folders != set(plan.library.linked_folders):
                self.catalog.set_linked_folders(plan.library, sorted(plan.linked_folders))
            if plan.sheets is not None and not plan.unmounted:
                write_sheets(self.catalog, plan.library, plan.sheets)

    def _analyse(self, jobs: Sequence[FileJob], stopped: _Stopped) -> None:
        """Analyse the files and write the results, in small transactions."""
        if not jobs:
            return
        reached = 0
        batch: list[Done] = []
        written = time.monotonic()
        shares = self.catalog.has_claims
        with (
            nullcontext() if self.settings.ray is None else ray_cluster(self.settings.ray),
            claiming(self.catalog, self.space) if shares else nullcontext() as claims,
        ):
            for done in self._rounds(jobs, claims, stopped):
                batch += done
                reached += self._count_known(claims)
                is_full = len(batch) >= self.settings.files_per_transaction
                if is_full or time.monotonic() - written > _BATCH_S:
                    reached += self._write(batch, claims)
                    batch, written = [], time.monotonic()
            reached += self._write(batch, claims) + self._count_known(claims)
        self.counters.outcomes[Outcome.NOT_REACHED] += len(jobs) - reached

    def _count_known(self, claims: Claims | None) -> int:
        """Count the files that other ingests have analysed meanwhile."""
        known = [] if claims is None else claims.take_known()
        for job in known:
            self.counters.outcomes[Outcome.UNCHANGED] += 1
            self.progress.started(job.path)
            self.progress.done(job.path, Outcome.UNCHANGED)
        return len(known)

    def _rounds(
        self, jobs: Sequence[FileJob], claims: Claims | None, stopped: _Stopped
    ) -> Iterator[Sequence[Done]]:
        """The files analysed since the last round; a round may have none.

        First, alone, come the files that a process held when it died.
        """
        suspects = [job for job in jobs if job.failed_as in _CRASHED]
        others = [job for job in jobs if job.failed_as not in _CRASHED]
        for some, workers in ((suspects, 1), (others, self.settings.workers)):
            shares = (iter(some),) if claims is None else claims.rounds(some, stopped)
            for share in shares if some and not stopped() else ():
                pool = self._pool(min(workers, len(some)), some)
                for done in pool.rounds(self._reported(share), stopped):
                    yield [(job, _confirmed(job, found)) for job, found in done]
                yield ()

    def _pool(
        self, workers: int, jobs: Sequence[FileJob]
    ) -> "RayPool | WorkerPool[IsolatedAnalyser, FileJob, Result]":
        settings = self.settings
        load = partial(load_analyser, settings.model, settings.windowing, settings.limits)
        if settings.ray is None:
            return WorkerPool(load, analyse_file, workers)
        libraries = {job.library.id: job.library for job in jobs}.values()
        return RayPool(load, workers, {one.id: self.catalog.roots_of(one) for one in libraries})

    def _reported(self, jobs: Iterable[FileJob]) -> Iterator[FileJob]:
        for job in jobs:
            self.progress.started(job.path)
            yield job

    def _write(self, batch: Sequence[Done], claims: Claims | None) -> int:
        """One transaction; counts and progress follow once it stands. Returns the files written."""
        lease_id = None if claims is None else claims.lease_id
        results = write_results(self.catalog, self.space, batch, lease_id)
        for (job, found), result in zip(batch, results, strict=True):
            if result is None:
                continue
            path, outcome, reason = result
            self.counters.cue_sheets += cue_sheet_notes(job, found)
            if outcome is Outcome.MOVED:
                self._to_confirm -= moved_ids(job, found)
            if outcome is Outcome.SKIPPED:
                self.counters.skipped_by_ending[ending_label(path.name)] += 1
            else:
                self.counters.outcomes[outcome] += 1
            self.progress.done(path, outcome, reason)
        return sum(result is not None for result in results)


def _confirmed(job: FileJob, found: Result) -> Result:
    """What became of a file; a second crash, now that it was alone, is its own unless it was killed
    from outside."""
    is_suspect = job.failed_as in _CRASHED
    if is_suspect and isinstance(found, WorkerCrashed) and not found.killed:
        return CrashedAlone(f"{found}, again, when it analysed nothing else")
    return found


@contextmanager
def _stop_on_interrupt() -> Iterator[_Stopped]:
    """Turn the first Ctrl-C into a request to stop; a second one interrupts at once."""
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested.is_set
        return

    def request(number: int, frame: FrameType | None) -> None:
        if requested.is_set():
            raise KeyboardInterrupt
        requested.set()

    before = signal.signal(signal.SIGINT, request)
    try:
        yield requested.is_set
    finally:
        signal.signal(signal.SIGINT, before)
