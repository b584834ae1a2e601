"""Follow the music folders: a change in one starts an ingest of it."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import watchfiles
from watchfiles import Change, DefaultFilter

from recommender.catalog import Library
from recommender.errors import RecsysError
from recommender.ingestion.file_types import is_cue_sheet
from recommender.ingestion.scan import is_kept_sound
from recommender.server.errors import Problem
from recommender.server.jobs import IngestJobs
from recommender.utils.files import real_path

logger = logging.getLogger(__name__)

_SETTLE_MS = 5_000
"""Changes that follow within this time are one: an album that is copied is ingested once."""

_LOOK_S = 30.0
"""How often the list of folders is read anew."""

_Roots = dict[Path, Library]
"""Where a music folder really is → its library."""


class _MusicFilter(DefaultFilter):
    """Leaves out what the catalogue writes itself, where it lies in a music folder."""

    def __init__(self, catalogue: Path | None) -> None:
        super().__init__()
        self._folder = None if catalogue is None else real_path(catalogue.parent)

    def __call__(self, change: Change, path: str) -> bool:
        """Whether a change counts."""
        changed = Path(path)
        if changed.parent == self._folder:
            name = changed.name
            if not (is_kept_sound(name) or is_cue_sheet(name) or changed.is_dir()):
                return False
        return super().__call__(change, path)


async def watch(
    libraries: Callable[[], Awaitable[list[Library]]], catalogue: Path | None, jobs: IngestJobs
) -> None:
    """Queue an ingest of each library in which something changes; runs until it is cancelled.

    What changed before a folder was watched is found by one ingest of all that are watched anew: at
    the start, and when a disk is mounted.

    Args:
        libraries: reads the music folders.
        catalogue: its SQLite file, if it is one.
        jobs: runs the ingests.
    """
    watched: Collection[Path] = ()
    folders = _Folders(libraries)
    while True:
        roots = await folders.roots()
        if roots is not None:
            _queue(jobs, [library for root, library in roots.items() if root not in watched])
            watched = roots.keys()
        if roots:
            try:
                await _follow(roots, folders, _MusicFilter(catalogue), jobs)
                continue
            except (OSError, RuntimeError) as error:
                logger.warning("the music folders cannot be watched: %s", error)
        await asyncio.sleep(_LOOK_S)


async def _follow(
    roots: _Roots, folders: "_Folders", counts: DefaultFilter, jobs: IngestJobs
) -> None:
    """Watch folders until there are others. Raises `OSError` and `RuntimeError` of the watcher."""
    stop = threading.Event()
    # Beginning takes as long as a walk through the folders: all of it is for a thread.
    following = watchfiles.watch(
        *roots,
        watch_filter=counts,
        debounce=_SETTLE_MS,
        rust_timeout=round(1000 * _LOOK_S),
        yield_on_timeout=True,
        stop_event=stop,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    try:
        while (changes := await asyncio.to_thread(next, following, None)) is not None:
            paths = [Path(path) for _, path in changes]
            for root, library in roots.items():
                if any(path.is_relative_to(root) for path in paths):
                    _queue(jobs, [library])
            present = await folders.roots()
            if present is not None and present.keys() != roots.keys():
                return
    finally:
        stop.set()


def _queue(jobs: IngestJobs, libraries: list[Library]) -> None:
    if not libraries:
        return
    try:
        jobs.add([one.root for one in libraries], [one.id for one in libraries])
    except Problem as problem:
        logger.warning("a change is left to the next ingest: %s", problem)


class _Folders:
    """Looks at the music folders; what keeps it from that is logged once, until it succeeds."""

    def __init__(self, libraries: Callable[[], Awaitable[list[Library]]]) -> None:
        self._libraries = libraries
        self._failure = ""

    async def roots(self) -> _Roots | None:
        """The music folders that are there; None where that cannot be told at present."""
        try:
            found = await self._libraries()
            roots = await asyncio.to_thread(
                lambda: {real_path(one.root): one for one in found if one.root.is_dir()}
            )
        except (RecsysError, Problem, OSError) as error:
            if str(error) != self._failure:
                logger.warning("the music folders cannot be looked at: %s", error)
            self._failure = str(error)
            return None
        self._failure = ""
        return roots
