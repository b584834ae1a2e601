"""The ingest itself: scan, compare, recognise what moved, analyse the rest, write it down.

The catalogue is consistent after every transaction, and what is in it is never done again; so a
run may be killed at any moment, and the next one continues.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from recommender.catalog import Catalog, Library, ProjectionOrigin
from recommender.embedding.model_files import find_model
from recommender.embedding.space import SpaceId
from recommender.errors import AudioError, UsageError
from recommender.ingestion.file_analysis import (
    AnalysisFailure,
    FileAnalysis,
    FileJob,
    analyse_file,
    load_analyser,
)
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND, ending_label
from recommender.ingestion.lock import ingest_lock
from recommender.ingestion.move_detection import move_tracks
from recommender.ingestion.plan import Plan, make_plan
from recommender.ingestion.report import (
    Counters,
    IngestReport,
    NoProgress,
    Outcome,
    ProgressReporter,
)
from recommender.ingestion.scan import Scan, require_folder, scan_folder
from recommender.ingestion.settings import IngestSettings
from recommender.utils.files import real_path
from recommender.version import __version__

if TYPE_CHECKING:
    from recommender.catalog import Writer

_Done = tuple[FileJob, FileAnalysis | AnalysisFailure]
_Stopped = Callable[[], bool]

_BATCH = 32
_BATCH_S = 2.0


def ingest(
    catalog: Catalog,
    folders: Sequence[Path],
    settings: IngestSettings | None = None,
    progress: ProgressReporter | None = None,
) -> IngestReport:
    """Bring the catalogue up to date with folders of music; only what changed is opened.

    A first Ctrl-C ends the run in good order, with `IngestReport.interrupted` set.

    Raises:
        UsageError: a folder is not there, cannot be read, or is a file; nothing was changed.
        CatalogError: another ingest is running on this catalogue, or it cannot be written.
        WeightsError: the model's weights are missing or damaged.
    """
    settings = settings or IngestSettings()
    if not folders:
        raise UsageError("no folder to ingest was given; name the folder that holds your music.")
    for folder in folders:
        require_folder(folder)
    run = _Run(catalog, settings, progress or NoProgress())
    with ingest_lock(catalog):
        return run.over(_outermost(folders))


def _outermost(folders: Sequence[Path]) -> list[Path]:
    """The folders as absolute paths, without those that lie in another one."""
    resolved = sorted({real_path(folder) for folder in folders})
    return [one for one in resolved if not any(other in one.parents for other in resolved)]


class _Run:
    """One ingest: its catalogue, its settings and its counts."""

    def __init__(
        self, catalog: Catalog, settings: IngestSettings, progress: ProgressReporter
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self.progress = progress
        self.space: SpaceId = settings.space()
        self.counters = Counters()
        self._entries = 0

    def over(self, roots: Sequence[Path]) -> IngestReport:
        """Do all of it."""
        started = time.monotonic()
        for root in roots:
            self.catalog.scope_of(root)  # may absorb libraries that lie in it
        plans = [self._plan(*self.catalog.scope_of(root)) for root in roots]
        with _stop_on_interrupt() as stopped:
            if self.catalog.active_space() is None:
                self._recommend_from_here()
            jobs = self._settle(plans, stopped)
            self._tell_of_other_weights(jobs)
            self.progress.planned(len(jobs))
            self._analyse(jobs, stopped)
            interrupted = stopped()
        if not interrupted:
            self._switch_space()
        return self.counters.report(time.monotonic() - started, interrupted)

    def _recommend_from_here(self) -> None:
        self._tell_genres_anew()
        # The projection first: whoever finds the space active finds what to recommend with, also
        # when the package brings other weights one day.
        self.settings.projection().store(self.catalog, self.space)
        self.catalog.set_active(self.space, self.settings.analysis_settings())

    def _tell_genres_anew(self) -> None:
        """Genres are what a head makes of activations: of another head they are others."""
        analysis_settings, files = self.catalog.analysis_settings(), find_model(self.settings.model)
        if analysis_settings is None or (
            self.catalog.active_space() == self.space
            and analysis_settings.get("head") == files.card.head_digest
        ):
            return
        ids, activations = self.catalog.activations(self.space)
        if not len(ids):
            return
        head, labels = files.head(), files.card.labels
        told = {}
        for track_id, row in zip(ids.tolist(), activations, strict=True):
            # One by one, as they are analysed: of many at once the last digits are others.
            shares = head.probabilities(row[None])[0].tolist()
            told[track_id] = dict(zip(labels, shares, strict=True))
        with self.catalog.writing() as write:
            write.set_predicted_genres(self.space, told)

    def _tell_of_other_weights(self, jobs: Sequence[FileJob]) -> None:
        """Say it when the model of the catalogue's space has got other weights since."""
        active = self.catalog.active_space()
        if active is None or active.model != self.space.model:
            return
        again = sum(job.track_id is not None and job.analysed_hash is None for job in jobs)
        if again and active.weights != self.space.weights:
            self.progress.reanalysing(again)

    def _switch_space(self) -> None:
        """Recommend in this run's space, unless some tracks were analysed in the former one only."""
        analysed = dict(self.catalog.spaces()).get(self.space, 0)
        self.counters.not_analysed = self.catalog.counts().analysed - analysed
        former = self.catalog.active_space()
        if self.counters.not_analysed and former != self.space:
            return
        self._recommend_from_here()  # also where nothing switches: the projection may be new
        if former is not None and former != self.space:
            self.counters.switched = True
            adapted = self.catalog.projection(former, ProjectionOrigin.ADAPTED)
            here = self.catalog.projection(self.space, ProjectionOrigin.ADAPTED)
            self.counters.adaptation_left = adapted is not None and here is None

    def _plan(self, library: Library, under: str) -> Plan:
        scan = scan_folder(library.root, under, self.settings.exclude, self._looked_at)
        known = self.catalog.known_files(library, self.space, under)
        plan = make_plan(library, scan, known, retry=self.settings.retry_failed)
        self._count_scan(library, scan, plan)
        return plan

    def _looked_at(self, entries: int) -> None:
        self._entries += entries
        self.progress.scanned(self._entries)

    def _count_scan(self, library: Library, scan: Scan, plan: Plan) -> None:
        counters = self.counters
        counters.scanned += len(scan.files) + sum(scan.skipped.values())
        counters.skipped_by_ending.update(scan.skipped)
        counters.skipped_by_ending.update(plan.skipped)
        counters.outcomes.update(plan.settled)
        counters.excluded += scan.excluded
        counters.unreadable += [(library.root / at.path, at.reason) for at in scan.unreadable]

    def _settle(self, plans: Sequence[Plan], stopped: _Stopped) -> list[FileJob]:
        """Write what needs no analysis: found again, moved, gone. Gives the files to be analysed."""
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
        return self.catalog.analysis_of(track_id, self.space) is not None

    def _write_gone(self, plans: Sequence[Plan], missing: set[int]) -> None:
        if missing or any(plan.gone_failures for plan in plans):
            with self.catalog.writing() as write:
                write.missing(missing)
                for plan in plans:
                    write.forget_failures(plan.library, plan.gone_failures)
        self.counters.missing += len(missing)

    def _analyse(self, jobs: Sequence[FileJob], stopped: _Stopped) -> None:
        """Analyse the files in worker processes and write what comes back, in small transactions."""
        if not jobs:
            return
        from recommender.ingestion.process_pool import WorkerPool

        settings = self.settings
        pool = WorkerPool(
            load=partial(load_analyser, settings.model, settings.windowing),
            task=analyse_file,
            workers=min(settings.workers, len(jobs)),
            timeout_s=settings.timeout_s,
        )
        reached = 0
        batch: list[_Done] = []
        written = time.monotonic()
        for done in pool.rounds(jobs, stopped):
            reached += len(done)
            batch += [(job, _told(result)) for job, result in done]
            if len(batch) >= _BATCH or time.monotonic() - written > _BATCH_S:
                self._write(batch)
                batch, written = [], time.monotonic()
        self._write(batch)
        self.counters.outcomes[Outcome.NOT_REACHED] += len(jobs) - reached

    def _write(self, batch: Sequence[_Done]) -> None:
        """One transaction; the counts follow once it stands."""
        if not batch:
            return
        with self.catalog.writing() as write:
            for job, result in batch:
                self._write_one(write, job, result)
        for job, result in batch:
            outcome = _outcome(job, result)
            if outcome is Outcome.SKIPPED:
                self.counters.skipped_by_ending[ending_label(job.stat.path)] += 1
            else:
                self.counters.outcomes[outcome] += 1
            self.progress.done(job.path, outcome)

    def _write_one(
        self, write: "Writer", job: FileJob, result: FileAnalysis | AnalysisFailure
    ) -> None:
        if isinstance(result, AnalysisFailure):
            write.failed(job.library, job.stat, result.kind, result.reason)
        elif result.analysis is None:
            write.retagged(job.track_id or 0, job.stat, result.tags, result.content_hash)
        else:
            self.space.require(result.analysis.space)
            write.analysed(
                job.library,
                job.stat,
                result.content_hash,
                result.tags,
                result.analysis,
                __version__,
            )


def _told(result: FileAnalysis | AnalysisFailure | AudioError) -> FileAnalysis | AnalysisFailure:
    if isinstance(result, AudioError):  # the worker died or was ended
        return AnalysisFailure(result.kind, str(result))
    return result


def _outcome(job: FileJob, result: FileAnalysis | AnalysisFailure) -> Outcome:
    if isinstance(result, AnalysisFailure):
        if result.kind == VIDEO_WITHOUT_SOUND:
            return Outcome.SKIPPED
        return Outcome.STILL_FAILING if result.kind == job.failed_as else Outcome.FAILED
    if job.moved:
        return Outcome.MOVED
    return Outcome.RETAGGED if result.analysis is None else Outcome.ANALYSED


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
