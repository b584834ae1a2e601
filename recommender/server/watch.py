"""Follow the music folders: a change in one starts an ingest of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from watchfiles import DefaultFilter, awatch

from recommender.catalog import Library
from recommender.errors import RecsysError
from recommender.server.errors import Problem
from recommender.server.jobs import IngestJobs
from recommender.utils.files import real_path

logger = logging.getLogger(__name__)

_SETTLE_MS = 5_000
"""Changes that follow within this time are one: an album that is copied is ingested once."""

_LOOK_S = 30.0
"""How often the list of folders is read anew."""


async def watch(libraries: Callable[[], Awaitable[list[Library]]], jobs: IngestJobs) -> None:
    """Queue an ingest of each library in which something changes; runs until it is cancelled."""
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
                *roots, watch_filter=DefaultFilter(), debounce=_SETTLE_MS, stop_event=stop
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
