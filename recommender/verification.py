"""Is the catalogue true? Checked against the files, against itself, and against the index."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender.catalog import Catalog, Failure, Library, Track, TrackState
from recommender.errors import (
    IndexDamaged,
    IndexOutdated,
    SpaceMismatch,
    UsageError,
    WeightsError,
)
from recommender.ingestion.scan import IGNORE_FILE, scan_folder
from recommender.recommendation.service import SimilarityService
from recommender.search.index import FaissIndex
from recommender.search.reranking import RerankingSettings
from recommender.utils.arrays import usable_rows

INGEST = "ingest its folder"

TIPPED = 1000
"""One track in so many may answer otherwise than a fresh index has it: of two neighbours that are
about equally near, rounding may choose the other."""


@dataclass(frozen=True)
class Finding:
    """Something that is not as the catalogue says.

    Attributes:
        kind: what is wrong, in a word or two.
        where: the file, or what else is meant.
        detail: what was found.
        cure: what the user can do.
        mended: whether it was repaired just now.
    """

    kind: str
    where: str
    detail: str
    cure: str
    mended: bool = False


def verify(
    catalog: Catalog,
    *,
    content: bool = False,
    repair: bool = False,
    on_track: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Everything that is off.

    The files are not as the catalogue says: "folder gone", "vanished", "back" (marked missing,
    though an ingest would find it), "changed", "content", "unreadable". The catalogue contradicts
    itself: "failure", "not analysed", "bad vector". The index, or the model installed, does not fit
    it: "index", "space".

    Args:
        content: read each file whole and compare its digest with that of the last such check; the
            first check of a file records it.
        repair: mend states, failures and index, and forget bad vectors, so that the next ingest
            analyses those files again. Tracks of a library whose folder is gone are left alone: the
            disk may not be mounted.
        on_track: told (tracks done, tracks in all).
    """
    return list(_Check(catalog, content, repair).findings(on_track))


class _Check:
    """One verification: what was asked for, and what is known from the start."""

    def __init__(self, catalog: Catalog, content: bool, repair: bool) -> None:
        self.catalog = catalog
        self.content = content
        self.repair = repair
        self.failures = {(f.library.id, f.path): f for f in catalog.failures()}
        self.analysed: dict[int, Path] = {}
        self.listed: dict[Library, frozenset[str]] = {}

    def findings(self, on_track: Callable[[int, int], None] | None) -> Iterator[Finding]:
        counts = self.catalog.counts()
        total = counts.analysed + counts.missing + counts.failed_tracks
        gone = {library for library in self.catalog.libraries() if not library.root.is_dir()}
        yield from map(_folder_gone, sorted(gone, key=lambda library: library.root))
        for done, track in enumerate(self.catalog.all_tracks(state=None), start=1):
            if track.state is TrackState.ANALYSED:
                self.analysed[track.id] = track.file
            if track.library not in gone:
                yield from self._of_track(track)
            if on_track is not None:
                on_track(done, total)
        for failure in self.failures.values():
            if failure.library not in gone:
                yield from self._of_failure(failure)
        yield from self._of_vectors()
        yield from self._of_index()

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
        as_known = (stat.st_size, stat.st_mtime_ns) == (track.size, track.mtime_ns)
        if track.state is TrackState.MISSING:
            yield from self._of_missing(track, as_known)
        elif track.state is TrackState.FAILED:
            if failure is None:
                yield Finding("failure", str(track.file), "marked failed, without a reason", INGEST)
        elif failure is not None:
            yield self._needless(failure, "noted as a failure, though it was analysed")
        elif not as_known:
            yield _changed(track.file)
        elif self.content:
            yield from self._of_content(track)

    def _of_missing(self, track: Track, as_known: bool) -> Iterator[Finding]:
        """Is a missing track's file back? Not if no ingest finds it: patterns may leave it out."""
        library = track.library
        if library not in self.listed:
            self.listed[library] = frozenset()
            try:
                scan = scan_folder(library.root)
            except UsageError as error:  # closed to us, or an ignore file without meaning
                cure = "mend it, then verify again"
                yield Finding("unreadable", str(library.root), str(error), cure)
            else:
                self.listed[library] = frozenset(file.path for file in scan.files)
        if track.path in self.listed[library]:
            yield self._back(track, as_known)

    def _vanished(self, track: Track) -> Finding:
        if self.repair:
            with self.catalog.writing() as write:
                write.missing([track.id])
            self.analysed.pop(track.id, None)
        cure = "put it back, or mark it missing with --repair"
        return Finding("vanished", str(track.file), "the file is not there", cure, self.repair)

    def _back(self, track: Track, as_known: bool) -> Finding:
        mended = self.repair and as_known
        if mended:
            with self.catalog.writing() as write:
                write.found_again([track.id])
        cure = "--repair" if as_known else INGEST
        detail = f"marked missing, but there, and no {IGNORE_FILE} leaves it out"
        return Finding("back", str(track.file), detail, cure, mended)

    def _of_content(self, track: Track) -> Iterator[Finding]:
        from recommender.ingestion.content_hash import hash_file

        try:
            found = hash_file(track.file)
        except OSError as error:
            yield _unreadable(track.file, error)
            return
        known = self.catalog.file_hash_of(track.id)
        if known is None:
            with self.catalog.writing() as write:
                write.set_file_hash(track.id, found)
        elif known != found:
            detail = "its bytes changed, its size and time did not: damage by the disk?"
            cure = "restore it from a backup; or touch it and ingest its folder"
            yield Finding("content", str(track.file), detail, cure)

    def _of_failure(self, failure: Failure) -> Iterator[Finding]:
        """A failure counts for the file that failed; another file there is to be tried."""
        file = failure.library.root / failure.path
        try:
            stat = file.stat()
        except (FileNotFoundError, NotADirectoryError):
            yield self._needless(failure, "noted as a failure, but not there")
            return
        except OSError:
            return  # which may be the very failure that is noted
        if (stat.st_size, stat.st_mtime_ns) != (failure.size, failure.mtime_ns):
            yield _changed(file)

    def _needless(self, failure: Failure, detail: str) -> Finding:
        if self.repair:
            with self.catalog.writing() as write:
                write.forget_failures(failure.library, [failure.path])
        where = str(failure.library.root / failure.path)
        return Finding("failure", where, detail, "--repair", self.repair)

    def _of_vectors(self) -> Iterator[Finding]:
        active = self.catalog.active_space()
        if active is None:
            return
        ids, activations = self.catalog.activations(active)
        for track_id in sorted(set(self.analysed) - set(ids.tolist())):
            detail = f"not analysed in the space that recommends ({active})"
            yield Finding("not analysed", str(self.analysed[track_id]), detail, INGEST)
        bad = ids[~usable_rows(activations)].tolist()
        if bad and self.repair:
            self.catalog.forget_analyses(bad)
        cure = INGEST if self.repair else f"--repair, then {INGEST}"
        for track_id in bad:
            where = str(self.analysed.get(track_id, f"track {track_id}"))
            yield Finding("bad vector", where, "its vector is zero or not finite", cure)

    def _of_index(self) -> Iterator[Finding]:
        if self.catalog.active_space() is None:
            return
        try:
            service = SimilarityService.open(self.catalog.url)
        except (SpaceMismatch, WeightsError) as error:
            yield Finding("space", self.catalog.url, str(error), "ingest every folder again")
            return
        with service:
            path = service.catalog_index.path(self.catalog.state())
            trouble = _index_trouble(service, path)
            if trouble is None:
                return
            if self.repair:
                # It is a cache: without it, the next use builds it from the catalogue.
                path.unlink()
        yield Finding("index", str(path), trouble, "--repair", self.repair)


def _index_trouble(service: SimilarityService, path: Path) -> str | None:
    """What is wrong with the index file; None where it is missing or outdated, as it is rebuilt."""
    try:
        index = FaissIndex.load(path, "cpu")
    except (FileNotFoundError, IndexOutdated):
        return None
    except IndexDamaged as error:
        return str(error)
    catalog = service.catalog
    current = (service.projector.space, catalog.state(), RerankingSettings())
    if (index.space, index.state, index.settings) != current:
        return None  # stale by its own account: replaced at the next use
    ids, activations = catalog.activations(index.space)
    vectors = service.projector.project(activations)
    fresh = FaissIndex.build(ids, vectors, index.space, index.state, "cpu")
    if not np.array_equal(fresh.ids, index.ids):
        return "it does not hold the tracks of the catalogue"
    if not np.allclose(index.vectors, fresh.vectors, atol=1e-5):
        return "its vectors are not those of the catalogue"
    if not _answer_alike(index, fresh):
        return "its tracks do not answer as their neighbourhoods say"
    return None


def _answer_alike(index: FaissIndex, fresh: FaissIndex) -> bool:
    """Whether the tracks of two indexes of the same vectors answer alike, save for rounding."""
    found, expected = index.database_vectors, fresh.database_vectors
    if found.shape != expected.shape:
        return False
    alike = np.isclose(found, expected, rtol=1e-3, atol=1e-4).all(axis=1)
    return bool(np.sum(~alike) <= len(fresh) // TIPPED)


def _folder_gone(library: Library) -> Finding:
    cure = "mount its disk, or say where it is now with 'recsys library move'"
    return Finding("folder gone", str(library.root), "the music folder is not there", cure)


def _unreadable(file: Path, error: OSError) -> Finding:
    reason = error.strerror or str(error)
    return Finding("unreadable", str(file), reason, "check permissions and disk")


def _changed(file: Path) -> Finding:
    return Finding("changed", str(file), "size or time differ from the catalogue's", INGEST)
