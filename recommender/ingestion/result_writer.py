"""Store the results of analysed files in the catalogue."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recommender.catalog import Catalog
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import AudioError, CatalogError
from recommender.ingestion.file_analysis import AnalysisFailure, FileAnalysis, FileJob
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND
from recommender.ingestion.report import Outcome
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
    results = [(job, _settled(catalog, space, job, found)) for job, found in batch]
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


def _settled(
    catalog: Catalog, space: SpaceId, job: FileJob, found: Result
) -> FileAnalysis | AnalysisFailure:
    """The result, with an analysis only where it is to be stored: not where it tells nothing new.

    An analysis that only decides whether the content is the same is compared with the stored one.
    """
    if isinstance(found, AudioError):
        return AnalysisFailure(found.kind, str(found))
    if isinstance(found, AnalysisFailure) or not found.to_confirm or found.analysis is None:
        return found
    try:
        stored = catalog.analysis_of(job.track_id or job.lost_id or 0, space)
    except CatalogError:  # it is damaged
        stored = None
    if stored is None or not _nearly_equal(found.analysis, stored):
        return replace(found, same_content=False)
    return replace(found, analysis=None, samples_hash=found.analysis.samples_hash)


def _nearly_equal(one: Analysis, other: Analysis) -> bool:
    """Whether two analyses in one space are of the same sound, save for rounding."""
    if one.activations.shape != other.activations.shape:
        return False
    difference = float(np.linalg.norm(one.activations - other.activations))
    return difference <= SAME_ANALYSIS * float(np.linalg.norm(other.activations))


def _write(
    write: "Writer", space: SpaceId, job: FileJob, result: FileAnalysis | AnalysisFailure
) -> None:
    if isinstance(result, AnalysisFailure):
        write.failed(job.library, job.stat, result.kind, result.reason)
        return
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
        )
    elif result.samples_hash is not None:
        write.set_samples_hash(track_id or 0, space, result.samples_hash)


def _is_lost_one(job: FileJob, result: FileAnalysis) -> bool:
    return job.lost_id is not None and result.same_content


def _outcome(job: FileJob, result: FileAnalysis | AnalysisFailure) -> Outcome:
    if isinstance(result, AnalysisFailure):
        if result.kind == VIDEO_WITHOUT_SOUND:
            return Outcome.SKIPPED
        return Outcome.STILL_FAILING if result.kind == job.failed_as else Outcome.FAILED
    if job.moved or _is_lost_one(job, result):
        return Outcome.MOVED
    return Outcome.RETAGGED if result.analysis is None else Outcome.ANALYSED
