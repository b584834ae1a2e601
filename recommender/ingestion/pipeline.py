"""The ingest itself: scan, compare, detect moved files, analyse the rest, store the results.

The catalogue is consistent after every transaction, and what is stored is never analysed again; so
a run may be killed at any moment, and the next one continues.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from recommender.catalog import Catalog, KnownFile
from recommender.embedding.space import SpaceId
from recommender.ingestion.activation import activate, switch_space, tracks_to_reanalyse
from recommender.ingestion.file_analysis import (
    FileJob,
    analyse_file,
    analyse_in_process,
    load_analyser,
)
from recommender.ingestion.file_types import ending_label
from recommender.ingestion.index_update import update_stale_index
from recommender.ingestion.lock import ingest_lock
from recommender.ingestion.main_guard import end_unguarded_worker
from recommender.ingestion.move_detection import move_tracks
from recommender.ingestion.plan import Plan, make_plan
from recommender.ingestion.report import (
    Counters,
    IngestReport,
    NoProgress,
    Outcome,
    ProgressReporter,
)
from recommender.ingestion.result_writer import Done, write_results
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

if TYPE_CHECKING:
    from recommender.catalog import Library

_Stopped = Callable[[], bool]

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

    With more than one worker, files are analysed in other processes, which import the script that
    calls this: there, the call must stand below ``if __name__ == "__main__":``. With
    ``IngestSettings(workers=1)`` this process analyses; see `IngestSettings.in_process` for what
    that costs.

    Args:
        catalog: stays open.
        paths: a folder or file, or several (`str` or `os.PathLike`); None for the folders that the
            catalogue knows.
        settings: the defaults of `IngestSettings` when None.
        progress: called back as the run advances.

    Raises:
        TypeError: a path is neither `str` nor `os.PathLike`.
        UsageError: a path is not there or cannot be read, or there is none; nothing was changed.
        CatalogError: another ingest is running on this catalogue, or it cannot be written.
        WeightsError: the model's weights are missing or damaged.
        RecsysError: the worker processes cannot work.
    """
    end_unguarded_worker()
    settings = settings or IngestSettings()
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

    def over(self, targets: Targets) -> IngestReport:
        """Do all of it."""
        started = time.monotonic()
        self._set_unavailable(targets.unavailable)
        plans = [self._plan(scope) for scope in scopes_of(self.catalog, targets)]
        with _stop_on_interrupt() as stopped:
            if self.catalog.active_space() is None:
                activate(self.catalog, self.settings, self.space)
            jobs = self._settle(plans, stopped)
            if again := tracks_to_reanalyse(self.catalog, self.space, jobs):
                self.progress.reanalysing(again)
            self.progress.planned(len(jobs))
            self._analyse(jobs, stopped)
            interrupted = stopped()
        if not interrupted:
            switch_space(self.catalog, self.settings, self.space, self.counters)
            if self.settings.update_index:
                update_stale_index(self.catalog, self.progress.indexing)
        return self.counters.report(time.monotonic() - started, interrupted)

    def _set_unavailable(self, libraries: Sequence["Library"]) -> None:
        for library in libraries:
            tracks = self.catalog.set_unavailable(library)
            self.counters.unavailable.append((library.root, tracks))
            self.progress.unavailable(library.root, tracks)

    def _plan(self, scope: Scope) -> Plan:
        library, files, exclude = scope.library, scope.files, self.settings.exclude
        known: dict[str, KnownFile] = {}
        if files is None:
            scan = scan_folder(library.root, scope.under, exclude, self._count_entries)
            known = self.catalog.known_files(library, self.space, scope.under)
        else:
            scan = scan_files(library.root, files, exclude)
            self._count_entries(len(files))
            for file in files:
                known |= self.catalog.known_files(library, self.space, file)
            known = {path: entry for path, entry in known.items() if path in files}
        plan = make_plan(library, scan, known, retry=self.settings.retry_failed)
        self._count_scan(library, scan, plan)
        return plan

    def _count_entries(self, entries: int) -> None:
        self._entries += entries
        self.progress.scanned(self._entries)

    def _count_scan(self, library: "Library", scan: Scan, plan: Plan) -> None:
        counters = self.counters
        counters.scanned += len(scan.files) + sum(scan.skipped.values())
        counters.skipped_by_ending.update(scan.skipped)
        counters.skipped_by_ending.update(plan.skipped)
        counters.outcomes.update(plan.settled)
        counters.excluded += scan.excluded
        counters.unreadable += [(library.root / at.path, at.reason) for at in scan.unreadable]

    def _settle(self, plans: Sequence[Plan], stopped: _Stopped) -> list[FileJob]:
        """Write what needs no analysis: found again, moved, gone. Returns the files to analyse."""
        found_again = [track_id for plan in plans for track_id in plan.found_again]
        if found_again:
            with self.catalog.writing() as write:
                write.found_again(found_again)
        vanished = {
            track_id: analysed for plan in plans for track_id, analysed in plan.vanished.items()
        }
        present = {track_id for plan in plans for track_id in plan.present}
        new = [job for plan in plans for job in plan.new]
        new = move_tracks(self.catalog, new, vanished, present, stopped)
        to_analyse = [job for job in new if not (job.moved and self._is_analysed(job, vanished))]
        self.counters.outcomes[Outcome.MOVED] += len(new) - len(to_analyse)
        self._write_gone(plans, set(vanished) - {job.track_id for job in new})
        return sorted(
            [*to_analyse, *(job for plan in plans for job in plan.known)], key=lambda job: job.path
        )

    def _is_analysed(self, moved: FileJob, vanished: dict[int, bool]) -> bool:
        track_id = moved.track_id or 0
        if track_id in vanished:
            return vanished[track_id]
        return self.catalog.is_analysed(track_id, self.space)

    def _write_gone(self, plans: Sequence[Plan], missing: set[int]) -> None:
        if missing or any(plan.gone_failures for plan in plans):
            with self.catalog.writing() as write:
                write.missing(missing)
                for plan in plans:
                    write.forget_failures(plan.library, plan.gone_failures)
        self.counters.missing += len(missing)

    def _analyse(self, jobs: Sequence[FileJob], stopped: _Stopped) -> None:
        """Analyse the files and write the results, in small transactions."""
        if not jobs:
            return
        reached = 0
        batch: list[Done] = []
        written = time.monotonic()
        for done in self._rounds(jobs, stopped):
            reached += len(done)
            batch += done
            is_full = len(batch) >= self.settings.files_per_transaction
            if is_full or time.monotonic() - written > _BATCH_S:
                self._write(batch)
                batch, written = [], time.monotonic()
        self._write(batch)
        self.counters.outcomes[Outcome.NOT_REACHED] += len(jobs) - reached

    def _rounds(self, jobs: Sequence[FileJob], stopped: _Stopped) -> Iterator[Sequence[Done]]:
        """The files analysed since the last round; a round may have none."""
        settings = self.settings
        load = partial(load_analyser, settings.model, settings.windowing)
        if not settings.starts_processes:
            return analyse_in_process(load, self._reported(jobs), stopped)
        from recommender.ingestion.process_pool import WorkerPool

        workers = min(settings.workers, len(jobs))
        pool = WorkerPool(load, analyse_file, workers, settings.timeout_s)
        return pool.rounds(self._reported(jobs), stopped)

    def _reported(self, jobs: Sequence[FileJob]) -> Iterator[FileJob]:
        for job in jobs:
            self.progress.started(job.path)
            yield job

    def _write(self, batch: Sequence[Done]) -> None:
        """One transaction; counts and progress follow once it stands."""
        for path, outcome, reason in write_results(self.catalog, self.space, batch):
            if outcome is Outcome.SKIPPED:
                self.counters.skipped_by_ending[ending_label(path.name)] += 1
            else:
                self.counters.outcomes[outcome] += 1
            self.progress.done(path, outcome, reason)


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
