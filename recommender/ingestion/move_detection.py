"""Detect files that were moved or renamed, by the hash of their content."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from recommender.audio.tags import read_tags
from recommender.catalog import Catalog
from recommender.ingestion.content_hash import hash_content
from recommender.ingestion.file_analysis import FileJob

_READERS = 8  # reading waits for the disk or the network, so threads help
_PER_TRANSACTION = 32


def move_tracks(
    catalog: Catalog,
    new: Sequence[FileJob],
    vanished: Collection[int],
    present: Collection[int],
    stopped: Callable[[], bool],
) -> list[FileJob]:
    """Give new files the tracks of lost ones that had the same content, in the catalogue.

    Args:
        catalog: has the lost tracks: those in `vanished`, and those that were missing before.
        new: jobs for unknown files; of files with equal content, the first gets the track.
        vanished: ids of tracks whose file is gone.
        present: ids of tracks whose file is there, whatever their state in the catalogue.
        stopped: once it returns true, no further file is read.

    Returns:
        `new` with the content hashes that were read; moved files have `track_id` and `moved`.
    """
    left = set(vanished)
    if not _lost(catalog, left, present):
        return list(new)
    with ThreadPoolExecutor(_READERS) as readers:
        jobs = list(readers.map(lambda job: job if stopped() else _with_content_hash(job), new))
        # The catalogue gives one lost track for each hash; the next one once that has moved.
        while moves := _matches(jobs, _lost(catalog, left, present)):
            for index, track_id in moves.items():
                jobs[index] = replace(jobs[index], track_id=track_id, moved=True)
                left.discard(track_id)
            _write(catalog, [jobs[index] for index in moves], readers)
    return jobs


def _lost(catalog: Catalog, left: Collection[int], present: Collection[int]) -> dict[str, int]:
    lost = catalog.lost_by_content_hash(left)
    return {
        content_hash: track_id for content_hash, track_id in lost.items() if track_id not in present
    }


def _with_content_hash(job: FileJob) -> FileJob:
    try:
        return replace(job, content_hash=hash_content(job.path))
    except OSError:
        return job  # the analysis will fail, too, and give the reason


def _matches(jobs: Sequence[FileJob], lost: Mapping[str, int]) -> dict[int, int]:
    """Index in `jobs` → id of the track it gets; the first of equal files gets it."""
    first: dict[str, int] = {}
    for index, job in enumerate(jobs):
        if job.content_hash in lost and not job.moved:
            first.setdefault(job.content_hash or "", index)
    return {index: lost[content_hash] for content_hash, index in first.items()}


def _write(catalog: Catalog, moved: Sequence[FileJob], readers: ThreadPoolExecutor) -> None:
    for start in range(0, len(moved), _PER_TRANSACTION):
        part = moved[start : start + _PER_TRANSACTION]
        tags = list(readers.map(lambda job: read_tags(job.path), part))
        with catalog.writing() as write:
            for job, new_tags in zip(part, tags, strict=True):
                write.moved(job.track_id or 0, job.library, job.stat, new_tags)
