"""Detect files that were moved or renamed, by the hash of their content.

Every track whose file is gone counts as lost: whether a scan has just missed it, or it is missing
or unavailable, or lies in a folder that was not scanned, such as one that was renamed. So it does
not matter which of two folders is scanned first.
"""

import os
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

from recommender.catalog import Catalog, Track
from recommender.embedding.space import SpaceId
from recommender.errors import AudioError
from recommender.ingestion.content_hash import hash_content, is_older, of_file
from recommender.ingestion.file_analysis import FileJob, SegmentTrack
from recommender.ingestion.file_reader import ReaderPool
from recommender.ingestion.three_block_hash import hash_three_blocks
from recommender.ingestion.worker_limits import FileLimits

_READERS = 8  # reading waits for the disk or the network, so more than the cores help
_FILES_PER_READER = 50  # a process takes as long to start as to hash so many files
_PER_TRANSACTION = 500


_Lost = tuple[Track, ...]
"""The tracks of a file that is gone: several where a cue sheet divided it."""


@dataclass(frozen=True)
class _NewFile:
    job: FileJob
    older_hash: str | None = None


def move_tracks(
    catalog: Catalog,
    space: SpaceId,
    new: Sequence[FileJob],
    vanished: Collection[int],
    present: Collection[int],
    stopped: Callable[[], bool],
    limits: FileLimits | None = None,
) -> list[FileJob]:
    """Give new files the tracks of lost ones that had the same content.

    A file with the size and time of the lost one was not written since: it gets the track at once,
    in the catalogue. Any other is read in full by a worker, as its content hash does not cover all
    of the sound.

    Args:
        catalog: all tracks but those in `present` may be lost.
        space: the one that files are analysed in.
        new: jobs for unknown files; of files with equal content, those that were not written since
            come first.
        vanished: ids of tracks whose file a scan has just missed.
        present: ids of tracks whose file is there, whatever their state in the catalogue.
        stopped: once it returns true, no further file is read.
        limits: what reading one file may cost.

    Returns:
        `new` with the content hashes that were read. Moved files have `track_id` and `moved`, those
        that a worker has to read have `lost_id`; where a cue sheet divided the file, `segments`
        has its tracks.
    """
    if not new:
        return []
    tracks = {
        id: of_file(found) for id, found in catalog.content_hashes().items() if id not in present
    }
    if not tracks:
        return list(new)
    older = any(map(is_older, tracks.values()))
    count = min(_READERS, 1 + len(new) // _FILES_PER_READER)
    with (
        closing(ReaderPool(count, limits, decodes=False)) as readers,
        ThreadPoolExecutor(count) as threads,
    ):
        files = list(threads.map(partial(_hashed, readers, older, stopped), new))
    matches = _matches(catalog, files, tracks, vanished)
    ids = [track.id for lost in matches.values() for track in lost]
    samples = catalog.samples_hashes(ids, space)
    jobs = [file.job for file in files]
    for index, lost in matches.items():
        jobs[index] = _with_tracks(jobs[index], lost, samples)
    _write(catalog, [job for job in jobs if job.moved])
    return jobs


def _hashed(
    readers: ReaderPool, older: bool, stopped: Callable[[], bool], job: FileJob
) -> _NewFile:
    """The file with its content hash, and with that of older catalogues if `older`."""
    if stopped():
        return _NewFile(job)
    try:
        older_hash = readers.call(hash_three_blocks, job.path) if older else None
        content_hash = readers.call(hash_content, job.path)
        return _NewFile(replace(job, content_hash=content_hash), older_hash)
    except (OSError, AudioError):
        return _NewFile(job)  # the analysis will fail, too, and give the reason


def _matches(
    catalog: Catalog,
    files: Sequence[_NewFile],
    tracks: Mapping[int, str],
    vanished: Collection[int],
) -> dict[int, _Lost]:
    """Index in `files` → the tracks of the lost file that it gets, each at most once."""
    with_hash: dict[str, list[int]] = defaultdict(list)
    for index, file in enumerate(files):
        for content_hash in {file.job.content_hash, file.older_hash} - {None}:
            with_hash[content_hash or ""].append(index)
    wanted = [id for id, content_hash in tracks.items() if content_hash in with_hash]
    lost: dict[str, list[_Lost]] = defaultdict(list)
    found = catalog.tracks(sorted(wanted, key=lambda id: (id not in vanished, id)))
    for group in _by_file(found):
        content_hash = tracks[group[0].id]
        rivals = [files[index].job for index in with_hash[content_hash]]
        if _is_gone(group[0], rivals if group[0].id in vanished else ()):
            lost[content_hash].append(group)
    matches: dict[int, _Lost] = {}
    for content_hash, of_hash in lost.items():
        free = [index for index in with_hash[content_hash] if index not in matches]
        matches.update(_paired(free, files, of_hash))
    return matches


def _by_file(tracks: Sequence[Track]) -> Iterator[_Lost]:
    """The tracks of each file together, in the order of the first of them."""
    groups: dict[tuple[int, str], list[Track]] = defaultdict(list)
    for track in tracks:
        groups[track.library.id, track.path].append(track)
    yield from (tuple(group) for group in groups.values())


def _is_gone(track: Track, rivals: Sequence[FileJob]) -> bool:
    """Whether the track's file does not exist; or only as one of `rivals`, under another name.

    That is so where a file system does not distinguish upper from lower case.
    """
    try:
        found = track.file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return any(_is_same_file(found, rival) for rival in rivals)


def _is_same_file(found: os.stat_result, job: FileJob) -> bool:
    try:
        return os.path.samestat(found, job.path.stat())
    except OSError:
        return False


def _paired(
    indices: Sequence[int], files: Sequence[_NewFile], lost: Sequence[_Lost]
) -> Iterator[tuple[int, _Lost]]:
    """Files and lost files of one content: those of the same size and time, then the rest."""
    unwritten: dict[tuple[int, int], deque[_Lost]] = defaultdict(deque)
    for group in lost:
        unwritten[group[0].size, group[0].mtime_ns].append(group)
    rest = []
    taken = set()
    for index in indices:
        stat = files[index].job.stat
        if same := unwritten.get((stat.size, stat.mtime_ns)):
            taken.add(same[0][0].id)
            yield index, same.popleft()
        else:
            rest.append(index)
    left = [group for group in lost if group[0].id not in taken]
    yield from zip(rest, left, strict=False)


def _with_tracks(job: FileJob, lost: _Lost, samples: Mapping[int, str | None]) -> FileJob:
    """The job of a file that gets lost tracks, at once or once its samples were compared."""
    track = lost[0]
    unwritten = (track.size, track.mtime_ns) == (job.stat.size, job.stat.mtime_ns)
    if track.segment:
        segments = [
            SegmentTrack(
                one.id,
                one.segment,
                one.content_hash,
                samples.get(one.id),
                is_analysed=one.id in samples,
                is_lost=not unwritten,
            )
            for one in lost
        ]
        return replace(job, segments=tuple(segments), moved=unwritten, unchanged=unwritten)
    return replace(
        job,
        track_id=track.id if unwritten else None,
        lost_id=None if unwritten else track.id,
        moved=unwritten,
        known_hash=track.content_hash,
        samples_hash=samples.get(track.id),
        is_analysed=track.id in samples,
    )


def _write(catalog: Catalog, moved: Sequence[FileJob]) -> None:
    for start in range(0, len(moved), _PER_TRANSACTION):
        with catalog.writing() as write:
            for job in moved[start : start + _PER_TRANSACTION]:
                if not job.segments:
                    write.moved(job.track_id or 0, job.library, job.stat, None, job.content_hash)
                for segment in job.segments:
                    write.moved(segment.track_id, job.library, job.stat, None)


def with_samples_hashes(catalog: Catalog, space: SpaceId, jobs: Sequence[FileJob]) -> list[FileJob]:
    """`jobs` of known files, with the hashes of the samples that were analysed in `space`."""
    samples = catalog.samples_hashes([id for job in jobs for id in job.track_ids], space)
    return [
        replace(
            job,
            samples_hash=samples.get(job.track_id or 0),
            segments=tuple(
                replace(one, samples_hash=samples.get(one.track_id)) for one in job.segments
            ),
        )
        for job in jobs
    ]


def forget_emptied(catalog: Catalog, had_tracks: Collection[int]) -> None:
    """Drop the libraries whose folder is gone and whose last track has moved elsewhere.

    Args:
        catalog: written to.
        had_tracks: ids of the libraries that had tracks before.
    """
    emptied = set(had_tracks) - set(catalog.library_counts())
    for library in catalog.libraries():
        if library.id in emptied and not os.path.lexists(library.root):
            catalog.remove_library(library.root)
