"""Is the catalogue true? Checked against the files, against itself, and against the index."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Track, TrackState
from recommender.errors import IndexDamaged
from recommender.index import FaissIndex
from recommender.similarity import SimilarityService


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

    Args:
        content: read each file whole and compare its digest with that of the last such check; the
            first check of a file records it.
        repair: mend states and index; files that must be heard again need an ingest.
        on_track: told (tracks done, tracks in all).
    """
    counts = catalog.counts()
    total = counts.heard + counts.missing + counts.failed_tracks
    findings: list[Finding] = []
    for done, track in enumerate(catalog.all_tracks(state=None), start=1):
        findings += _against_file(catalog, track, content, repair)
        if on_track is not None:
            on_track(done, total)
    findings += _against_itself(catalog)
    findings += _against_index(catalog, repair)
    return findings


def _against_file(catalog: Catalog, track: Track, content: bool, repair: bool) -> Iterator[Finding]:
    where = str(track.file)
    try:
        stat = track.file.stat()
    except OSError:
        if track.state is not TrackState.MISSING:
            if repair:
                with catalog.writing() as write:
                    write.missing([track.id])
            cure = "mount the disk, or mark it missing with --repair"
            yield Finding("vanished", where, "the file is not there", cure, repair)
        return
    as_known = (stat.st_size, stat.st_mtime_ns) == (track.size, track.mtime_ns)
    if track.state is TrackState.MISSING:
        mended = repair and as_known
        if mended:
            with catalog.writing() as write:
                write.found_again([track.id])
        yield Finding("back", where, "marked missing, but there", "ingest it", mended)
    elif not as_known:
        yield Finding("changed", where, "size or time differ from the catalogue's", "ingest it")
    elif content:
        yield from _whole_content(catalog, track)


def _whole_content(catalog: Catalog, track: Track) -> Iterator[Finding]:
    from recommender.ingest.digest import whole_digest

    try:
        found = whole_digest(track.file)
    except OSError as error:
        yield Finding("unreadable", str(track.file), str(error), "check the disk")
        return
    known = catalog.whole_digest_of(track.id)
    if known is None:
        with catalog.writing() as write:
            write.whole_digest(track.id, found)
    elif known != found:
        detail = "its bytes changed though its size and time did not: damage by the disk?"
        yield Finding("content", str(track.file), detail, "restore it from a backup, or touch it")


def _against_itself(catalog: Catalog) -> Iterator[Finding]:
    active = catalog.active_space()
    if active is None:
        return
    heard = {track.id for track in catalog.all_tracks()}
    ids, activations = catalog.activations(active)
    for track_id in sorted(heard - set(ids.tolist())):
        detail = f"not heard in the space that recommends ({active})"
        yield Finding("not heard", f"track {track_id}", detail, "ingest its folder")
    for track_id in ids[~np.isfinite(activations).all(axis=1)].tolist():
        yield Finding("bad vector", f"track {track_id}", "not finite", "touch the file, ingest it")


def _against_index(catalog: Catalog, repair: bool) -> Iterator[Finding]:
    if catalog.active_space() is None:
        return
    with SimilarityService.open(catalog.url) as service:
        path = service.index_path(catalog.state())
        trouble = _index_trouble(service, path)
        if trouble is None:
            return
        if repair:
            service.rebuild()
    yield Finding("index", str(path), trouble, "--repair (or it is rebuilt when used)", repair)


def _index_trouble(service: SimilarityService, path: Path) -> str | None:
    """What is wrong with the index file; None when it is missing, which only costs a rebuild."""
    try:
        index = FaissIndex.load(path, "cpu")
    except FileNotFoundError:
        return None
    except IndexDamaged as error:
        return str(error)
    catalog = service.catalog
    if index.space != service.projector.space or index.state != catalog.state():
        return None  # stale by its own account: replaced at the next use
    ids, activations = catalog.activations(index.space)
    expected = service.projector.project(activations)
    usable = np.isfinite(expected).all(axis=1) & expected.any(axis=1)
    if not np.array_equal(ids[usable], index.ids):
        return "it does not hold the tracks of the catalogue"
    if not np.allclose(index.vectors, expected[usable], atol=1e-5):
        return "its vectors are not those of the catalogue"
    return None
