"""Whether the disk that a library lay on is mounted.

A mount point is remembered by its path: numbers of devices change when the system starts anew.
"""

import os
from pathlib import Path

from recommender.catalog import Library
from recommender.ingestion.plan import Plan


def mount_point_of(folder: Path) -> Path | None:
    """The mount point, other than the root of the file system, that `folder` is or lies in."""
    for path in (folder, *folder.parents):
        if path != path.parent and os.path.ismount(path):
            return path
    return None


def is_unmounted(library: Library) -> bool:
    """Whether the disk that the library lay on at its last ingest is not mounted now."""
    return library.mount_point is not None and not os.path.ismount(library.mount_point)


def keep_unmounted(plan: Plan, known_tracks: int) -> None:
    """Where the disk is not mounted and most files are gone, take nothing for deleted.

    Args:
        plan: its vanished tracks become unmounted ones, and its failures stay.
        known_tracks: number of tracks that the part scanned had, missing ones not counted.
    """
    if is_unmounted(plan.library) and 2 * len(plan.vanished) > known_tracks:
        plan.unmounted = sorted(plan.vanished)
        plan.vanished.clear()
        plan.gone_failures.clear()
