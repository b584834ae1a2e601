"""Store the results of analysed files in the catalogue."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.catalog import Catalog
from recommender.embedding.space import SpaceId
from recommender.errors import AudioError
from recommender.ingestion.file_analysis import AnalysisFailure, FileAnalysis, FileJob
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND
from recommender.ingestion.report import Outcome
from recommender.version import __version__

if TYPE_CHECKING:
    from recommender.catalog import Writer

Done = tuple[FileJob, FileAnalysis | AnalysisFailure | AudioError]
"""A job with its result; an error where the worker process died or was ended."""


def write_results(
    catalog: Catalog, space: SpaceId, batch: Sequence[Done]
) -> list[tuple[Path, Outcome, str | None]]:
    """Store results in one transaction.

    Args:
        catalog: written to.
        space: the space that the files were analysed in.
        batch: any number of files.

    Returns:
        For each file its path, its outcome, and why it could not be analysed.

    Raises:
        CatalogError: the catalogue cannot be written.
        SpaceMismatch: a file was analysed in another space.
    """
    if not batch:
        return []
    results = [
        (job, AnalysisFailure(found.kind, str(found)) if isinstance(found, AudioError) else found)
        for job, found in batch
    ]
    with catalog.writing() as write:
        for job, result in results:
            _write(write, space, job, result)
    return [
        (
            job.path,
            _outcome(job, result),
            result.reason if isinstance(result, AnalysisFailure) else None,
        )
        for job, result in results
    ]


def _write(
    write: "Writer", space: SpaceId, job: FileJob, result: FileAnalysis | AnalysisFailure
) -> None:
    if isinstance(result, AnalysisFailure):
        write.failed(job.library, job.stat, result.kind, result.reason)
    elif result.analysis is None:
        write.retagged(job.track_id or 0, job.stat, result.tags, result.content_hash)
    else:
        space.require(result.analysis.space)
        write.analysed(
            job.library, job.stat, result.content_hash, result.tags, result.analysis, __version__
        )


def _outcome(job: FileJob, result: FileAnalysis | AnalysisFailure) -> Outcome:
    if isinstance(result, AnalysisFailure):
        if result.kind == VIDEO_WITHOUT_SOUND:
            return Outcome.SKIPPED
        return Outcome.STILL_FAILING if result.kind == job.failed_as else Outcome.FAILED
    if job.moved:
        return Outcome.MOVED
    return Outcome.RETAGGED if result.analysis is None else Outcome.ANALYSED
