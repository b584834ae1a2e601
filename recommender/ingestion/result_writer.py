"""Store the results of analysed files in the catalogue."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recommender.audio.segments import WHOLE_FILE
from recommender.catalog import Catalog, FileStat, Library
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import AudioError, CatalogError
from recommender.ingestion.claims import file_of
from recommender.ingestion.cue_sheets import NOT_USABLE, LibrarySheets
from recommender.ingestion.file_analysis import AnalysisFailure, FileAnalysis, FileJob
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND
from recommender.ingestion.report import Outcome
from recommender.ingestion.segment_analysis import Division
from recommender.version import __version__

if TYPE_CHECKING:
    from recommender.catalog import Writer

Result = FileAnalysis | AnalysisFailure | AudioError
"""Of one file; an error where the worker process died or was ended."""

Done = tuple[FileJob, Result]
"""A job with its result."""

SAME_ANALYSIS = 0.02
"""Distance of two analyses of the same sound, at most, as a share of their length: other versions
of decoders round in another way, and windows may lie some milliseconds apart. Their embeddings have
a cosine above .9998."""


def write_results(
    catalog: Catalog, space: SpaceId, batch: Sequence[Done], lease_id: int | None = None
) -> list[tuple[Path, Outcome, str | None] | None]:
    """Store results in one transaction.

    Args:
        catalog: written to.
        space: the space that the files were analysed in.
        batch: any number of files.
        lease_id: of the lease that they were claimed under, where several ingests share the
            catalogue; the claims are given back.

    Returns:
        For each file its path, its outcome, and why it could not be analysed. None for one that is
        claimed no more: nothing is written of it, as another ingest does.

    Raises:
        CatalogError: the catalogue cannot be written.
        SpaceMismatch: a file was analysed in another space.
    """
    if not batch:
        return []
    results = [(job, _settled(catalog, space, job, found)) for job, found in batch]
    files = {file_of(job) for job, _ in results}
    with catalog.writing() as write:
        mine = files if lease_id is None else write.held(lease_id, files)
        for job, result in results:
            if file_of(job) in mine:
                _write(write, space, job, result)
        if lease_id is not None:
            write.release(lease_id, mine)
    return [
        (
            job.path,
            _outcome(job, result),
            result.reason if isinstance(result, AnalysisFailure) else None,
        )
        if file_of(job) in mine
        else None
        for job, result in results
    ]


def _settled(
    catalog: Catalog, space: SpaceId, job: FileJob, found: Result
) -> FileAnalysis | AnalysisFailure:
    """The result, with an analysis only where it is to be stored: not where it tells nothing new.

    An analysis that only decides whether the content is the same is compared with the stored one.
    """
    if isinstance(found, AudioError):
        return AnalysisFailure(found.kind, str(found))
    if isinstance(found, FileAnalysis) and found.division is not None:
        parts = [(part, _settled(catalog, space, part, one)) for part, one in found.division.parts]
        analysed = tuple((part, one) for part, one in parts if isinstance(one, FileAnalysis))
        found = replace(found, division=replace(found.division, parts=analysed))
    if isinstance(found, AnalysisFailure) or not found.to_confirm or found.analysis is None:
        return found
    try:
        stored = catalog.analysis_of(job.track_id or job.lost_id or 0, space)
    except CatalogError:  # it is damaged
        stored = None
    if stored is None or not _nearly_equal(found.analysis, stored):
        return replace(found, same_content=False)
    return replace(
        found,
        analysis=None,
        samples_hash=found.analysis.samples_hash,
        descriptors=found.analysis.descriptors,
    )


def _nearly_equal(one: Analysis, other: Analysis) -> bool:
    """Whether two analyses in one space are of the same sound, save for rounding."""
    if one.activations.shape != other.activations.shape:
        return False
    difference = float(np.linalg.norm(one.activations - other.activations))
    return difference <= SAME_ANALYSIS * float(np.linalg.norm(other.activations))


def _write(
    write: "Writer", space: SpaceId, job: FileJob, result: FileAnalysis | AnalysisFailure
) -> None:
    if job.sheets or job.touched:
        write.set_sheets(job.library, job.stat.path, [use.stat for use in job.sheets])
    if isinstance(result, AnalysisFailure):
        write.failed(job.library, job.stat, result.kind, result.reason)
        return
    parts = _parts(job, result)
    if job.segments or result.division is not None:
        _arrange(write, job, parts)
        _write_sheets(write, job, result)
    for part, found in parts:
        _write_track(write, space, part, found)


def _parts(job: FileJob, result: FileAnalysis) -> Sequence[tuple[FileJob, FileAnalysis]]:
    """The tracks of a file, each with its own job."""
    divided = result.division is not None and result.division.parts
    return divided or [(job, result)]


def _arrange(write: "Writer", job: FileJob, parts: Sequence[tuple[FileJob, FileAnalysis]]) -> None:
    """Make the tracks of a file those of its segments; the others of that file give way."""
    numbers = {
        part.track_id: WHOLE_FILE if part.segment is None else part.segment.number
        for part, _ in parts
        if part.track_id is not None
    }
    for part, found in parts:
        if _is_lost_one(part, found):
            number = WHOLE_FILE if part.segment is None else part.segment.number
            numbers[part.lost_id or 0] = number
            write.moved(part.lost_id or 0, job.library, job.stat, None)
    write.keep_segments(job.library, job.stat.path, numbers)


def _write_sheets(write: "Writer", job: FileJob, result: FileAnalysis) -> None:
    """Record which cue sheets do not fit the file."""
    refused = {} if result.division is None else dict(_refused(result.division))
    fitting = [use.stat.path for use in job.sheets if use.stat not in refused]
    write.forget_failures(job.library, fitting)
    for stat, reason in refused.items():
        write.failed(job.library, stat, NOT_USABLE, reason)


def _refused(division: Division) -> Iterator[tuple[FileStat, str]]:
    for refused in division.refused:
        if refused.use is not None:
            yield refused.use.stat, refused.reason


def cue_sheet_notes(job: FileJob, result: Result) -> Iterator[tuple[Path, str]]:
    """Cue sheets that do not fit the file, and segments that could not be analysed, and why."""
    division = result.division if isinstance(result, FileAnalysis) else None
    if division is None:
        return
    for refused in division.refused:
        path = job.path if refused.use is None else job.library.root / refused.use.stat.path
        yield path, refused.reason
    for reason in division.left_out:
        yield job.path, reason
    for other in job.sheets[1:] if job.touched and division.parts else ():
        used = job.sheets[0].stat.path
        reason = f"{used} divides {job.stat.path} already; remove one of the two"
        yield job.library.root / other.stat.path, reason


def write_sheets(catalog: Catalog, library: Library, sheets: LibrarySheets) -> None:
    """Record what was found of cue sheets for which no file need be read."""
    if not (sheets.gone or sheets.lost_files or sheets.idle or sheets.unusable):
        return
    with catalog.writing() as write:
        write.forget_sheets(library, sheets.gone)
        for file in sorted(sheets.lost_files):
            write.set_sheets(library, file, ())
        write.set_sheets(library, "", [*sheets.idle, *sheets.unusable])
        write.forget_failures(library, [stat.path for stat in sheets.idle])
        for sheet in sheets.failures:
            write.failed(library, sheet.stat, sheet.kind, sheet.reason)


def moved_ids(job: FileJob, result: Result) -> set[int]:
    """Ids of the tracks of a lost file that a file which is it, moved, has taken over."""
    division = result.division if isinstance(result, FileAnalysis) else None
    if division is None or not division.parts:
        return job.lost_ids
    return {part.lost_id for part, _ in division.parts if part.lost_id is not None}


def _write_track(write: "Writer", space: SpaceId, job: FileJob, result: FileAnalysis) -> None:
    track_id = job.track_id
    if _is_lost_one(job, result):
        track_id = job.lost_id
        write.moved(track_id or 0, job.library, job.stat, result.tags, result.content_hash)
    elif result.analysis is None:
        write.retagged(track_id or 0, job.stat, result.tags, result.content_hash)
    if result.analysis is not None:
        space.require(result.analysis.space)
        same_as = job.known_hash if result.same_content else None
        write.analysed(
            job.library,
            job.stat,
            result.content_hash,
            result.tags,
            result.analysis,
            __version__,
            same_as,
            job.segment,
        )
    elif result.samples_hash is not None:
        write.set_samples_hash(track_id or 0, space, result.samples_hash)
    if result.descriptors is not None:
        write.described(track_id or 0, result.descriptors)


def _is_lost_one(job: FileJob, result: FileAnalysis) -> bool:
    return job.lost_id is not None and result.same_content


def _outcome(job: FileJob, result: FileAnalysis | AnalysisFailure) -> Outcome:
    if isinstance(result, AnalysisFailure):
        if result.kind == VIDEO_WITHOUT_SOUND:
            return Outcome.SKIPPED
        return Outcome.STILL_FAILING if result.kind == job.failed_as else Outcome.FAILED
    parts = _parts(job, result)
    if job.moved or any(_is_lost_one(part, found) for part, found in parts):
        return Outcome.MOVED
    if any(found.analysis is not None for _, found in parts):
        return Outcome.ANALYSED
    described = job.unchanged and any(found.descriptors is not None for _, found in parts)
    return Outcome.DESCRIBED if described else Outcome.RETAGGED
