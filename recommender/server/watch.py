"""Follow the music folders: a change in one starts an ingest of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

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

    Args:
        libraries: reads the music folders.
        catalogue: its SQLite file, if it is one.
        jobs: runs the ingests.
    """
    while True:
        found = await _known(libraries)
        roots = {real_path(library.root): library for library in found if library.root.is_dir()}
        if not roots:
            await asyncio.sleep(_LOOK_S)
            continue
        stop = asyncio.Event()
        looking = asyncio.create_task(_stop_on_change(libraries, set(roots), stop))
        try:
            async for changes in awatch(
                *roots, watch_filter=_MusicFilter(catalogue), debounce=_SETTLE_MS, stop_event=stop
            ):
                _queue(jobs, roots, [Path(path) for _, path in changes])
        except (OSError, RuntimeError) as error:
            logger.warning("the music folders cannot be watched: %s", error)
            await asyncio.sleep(_LOOK_S)
        finally:
            looking.cancel()


def _queue(jobs: IngestJobs, roots: dict[Path, Library], paths: list[Path]) -> None:
    changed = {
        root: library
        for root, library in roots.items()
        if any(path.is_relative_to(root) for path in paths)
    }
    for library in changed.values():
        try:
            jobs.add([library.root], [library.id])
        except Problem as problem:
            logger.warning("a change is left to the next ingest: %s", problem)


async def _stop_on_change(
    libraries: Callable[[], Awaitable[list[Library]]], roots: set[Path], stop: asyncio.Event
) -> None:
    while not stop.is_set():
        await asyncio.sleep(_LOOK_S)
        found = await _known(libraries)
        if {real_path(one.root) for one in found if one.root.is_dir()} != roots:
            stop.set()


async def _known(libraries: Callable[[], Awaitable[list[Library]]]) -> list[Library]:
    try:
        return await libraries()
    except (RecsysError, Problem):
        return []
