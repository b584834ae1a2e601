"""Compare what a scan found with the catalogue, and decide what is to be done."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from recommender.catalog.records import FileStat, KnownFile, Library, TrackState
from recommender.errors import FileVanished, NoPermission, WorkerCrashed
from recommender.ingestion.cue_sheets import LibrarySheets
from recommender.ingestion.file_analysis import FileJob, SegmentTrack
from recommender.ingestion.file_types import (
    VIDEO_WITHOUT_SOUND,
    FileType,
    ending_label,
    file_type_of,
    looks_like_audio,
)
from recommender.ingestion.report import Outcome
from recommender.ingestion.scan import Scan
from recommender.utils.files import folders_of

_TRIED_AGAIN = frozenset({NoPermission.kind, FileVanished.kind, WorkerCrashed.kind})
"""Failures that can end without the file being changed."""

_ABSENT = frozenset({TrackState.MISSING, TrackState.UNAVAILABLE})


@dataclass
class Plan:
    """What is to be done for one library.

    Attributes:
        library: the library.
        known: jobs for files the catalogue knows: changed, or not yet analysed in this space.
        new: jobs for files it does not know.
        present: ids of tracks whose file is there, save those in `settled_ids`.
        settled_ids: of tracks whose file is there, unchanged, and was not compared here.
        found_again: ids of tracks that were missing or unavailable and are back unchanged.
        vanished: id → whether it was analysed in this space, of tracks whose file is gone.
        unmounted: folder → ids of tracks whose files are out of reach, as the disk that the folder
            lay on is not mounted; none of them is in `vanished`.
        mount_points: those that the library lies on, mounted or not.
        linked_folders: where the links lead that were followed to folders.
        gone_failures: paths of failures whose file is gone.
        settled: number of files that need not be opened, by outcome.
        skipped: number of files of unknown type that hold no audio, by ending.
        sheets: the cue sheets of what was scanned; None where there are none.
    """

    library: Library
    known: list[FileJob] = field(default_factory=list)
    new: list[FileJob] = field(default_factory=list)
    present: set[int] = field(default_factory=set)
    found_again: list[int] = field(default_factory=list)
    vanished: dict[int, bool] = field(default_factory=dict)
    unmounted: dict[Path, list[int]] = field(default_factory=dict)
    mount_points: set[Path] = field(default_factory=set)
    linked_folders: set[Path] = field(default_factory=set)
    gone_failures: list[str] = field(default_factory=list)
    settled: Counter[Outcome] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    sheets: LibrarySheets | None = None
    settled_ids: Sequence[int] = ()

    def present_ids(self) -> Iterator[int]:
        """The ids of all tracks whose file is there."""
        return chain(self.present, self.settled_ids)


@dataclass(frozen=True)
class Unchanged:
    """What is done with files that have not changed since the catalogue last saw them.

    Attributes:
        reanalyse: analyse them again.
        reread: compare their content, and read their tags again.
        retry_failed: try again those that failed; those that a process held when it died are tried
            again in any case.
        describes: compute the musical descriptors of tracks that lack them, and of new files.
    """

    reanalyse: bool = False
    reread: bool = False
    retry_failed: bool = False
    describes: bool = False

    @property
    def are_opened(self) -> bool:
        """Whether every file is opened, changed or not."""
        return self.reanalyse or self.reread

    def leaves(self, failure: str) -> bool:
        """Whether a file that failed so stays failed."""
        return not (failure in _TRIED_AGAIN or self.retry_failed or self.reanalyse)


def make_plan(
    library: Library,
    scan: Scan,
    known: Mapping[str, KnownFile],
    unchanged: Unchanged = Unchanged(),
    sheets: LibrarySheets | None = None,
) -> Plan:
    """Decide for every file of `scan`, and for everything `known` that it did not find.

    Args:
        library: the library.
        scan: of all or a part of it.
        known: what the catalogue has of that part, by path.
        unchanged: what is done with files that have not changed.
        sheets: the cue sheets of that part, if it has any.
    """
    plan = Plan(library, sheets=sheets)
    for stat in scan.files:
        entry = known.get(stat.path)
        if entry is not None:
            _plan_known(plan, stat, entry, unchanged)
        elif file_type_of(stat.path) is FileType.UNKNOWN and not _may_be_audio(library, stat):
            plan.skipped[ending_label(stat.path)] += 1
        else:
            plan.new.append(FileJob(library, stat, describes=unchanged.describes))
    for path, entry in _not_found(scan, known):
        if entry.failure_kind is not None:
            plan.gone_failures.append(path)
        for track_id, state, analysed in entry.tracks():
            if state is not TrackState.MISSING:
                plan.vanished[track_id] = analysed
    if sheets is not None:
        plan.known = [_with_sheets(job, sheets) for job in plan.known]
        plan.new = [_with_sheets(job, sheets) for job in plan.new]
    return plan


def _with_sheets(job: FileJob, sheets: LibrarySheets) -> FileJob:
    path = job.stat.path
    return replace(job, sheets=sheets.of(path), touched=sheets.touches(path))


def _plan_known(plan: Plan, stat: FileStat, entry: KnownFile, asked: Unchanged) -> None:
    unchanged = stat == entry.stat
    was_absent = entry.state in _ABSENT
    described = entry.is_described or not asked.describes
    analysed = entry.analysed_in_space and described and not asked.are_opened
    touched = plan.sheets is not None and plan.sheets.touches(stat.path)
    if entry.track_id is not None:
        ids = entry.track_ids
        plan.present.update(ids)
        if unchanged and was_absent:
            plan.found_again += ids
    if unchanged and entry.failure_kind == VIDEO_WITHOUT_SOUND:
        plan.skipped[ending_label(stat.path)] += 1
    elif unchanged and entry.failure_kind is not None and asked.leaves(entry.failure_kind):
        plan.settled[Outcome.STILL_FAILING] += 1
    elif unchanged and analysed and entry.state is TrackState.ANALYSED and not touched:
        plan.settled[Outcome.UNCHANGED] += 1
    elif unchanged and analysed and was_absent and entry.failure_kind is None and not touched:
        plan.settled[Outcome.FOUND_AGAIN] += 1
    else:
        job = FileJob(
            plan.library,
            stat,
            failed_as=entry.failure_kind if unchanged else None,
            unchanged=unchanged and entry.failure_kind is None,
            forced=asked.reanalyse,
            describes=asked.describes,
        )
        plan.known.append(_with_tracks(job, entry))


def _with_tracks(job: FileJob, entry: KnownFile) -> FileJob:
    """The job of a file that the catalogue knows."""
    if entry.segments:
        tracks = [
            SegmentTrack(
                one.track_id,
                one.number,
                one.content_hash,
                is_analysed=one.analysed_in_space,
                is_described=one.is_described,
            )
            for one in entry.segments
        ]
        return replace(job, segments=tuple(tracks))
    return replace(
        job,
        track_id=entry.track_id,
        known_hash=entry.content_hash,
        is_analysed=entry.analysed_in_space,
        is_described=entry.is_described,
    )


def _may_be_audio(library: Library, stat: FileStat) -> bool:
    try:
        return looks_like_audio(library.root / stat.path)
    except OSError:
        return True  # the analysis will fail, too, and give the reason


def _not_found(scan: Scan, known: Mapping[str, KnownFile]) -> Iterator[tuple[str, KnownFile]]:
    """What is known and was not found, except in folders that could not be read."""
    found = {stat.path for stat in (*scan.files, *scan.sheets)}
    unreadable = {entry.path for entry in scan.unreadable}
    for path, entry in known.items():
        is_hidden = unreadable and not unreadable.isdisjoint((path, *folders_of(path)))
        if path not in found and not is_hidden:
            yield path, entry
