"""Whether the disks that a library lay on are mounted.

A mount point is remembered by its path: numbers of devices change when the system starts anew.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from recommender.catalog import KnownFile, Library, TrackState
from recommender.ingestion.plan import Plan
from recommender.utils.files import lies_in


def mount_points_of(root: Path, below: Iterable[str]) -> set[Path]:
    """The mount points, other than the root of the file system, that a library lies on.

    Args:
        root: the library's root, which is one or lies in one.
        below: paths, relative to the root, of those that a scan of it came upon.
    """
    points = {root / path for path in below}
    for path in (root, *root.parents):
        if path != path.parent and os.path.ismount(path):
            return points | {path}
    return points


def has_unmounted(library: Library) -> bool:
    """Whether nothing is mounted on one of the mount points that the library lay on."""
    return not all(map(os.path.ismount, library.mount_points))


def unmounted_point(library: Library, path: str) -> Path | None:
    """The mount point that a track at this path lay on, where nothing is mounted on it now."""
    for point in library.mount_points:
        if lies_in(path, _part(library, point)) and not os.path.ismount(point):
            return point
    return None


def keep_unmounted(plan: Plan, known: Mapping[str, KnownFile], *, is_whole: bool) -> None:
    """Where a disk is not mounted and most of its files are gone, take nothing for deleted.

    Args:
        plan: such vanished tracks become unmounted ones, and such failures stay. A remembered mount
            point stays among its mount points unless a scan of the whole library shows that its
            files are there without it.
        known: all that the catalogue has of the part that was scanned.
        is_whole: whether that is all of the library.
    """
    library = plan.library
    for point in library.mount_points:
        if os.path.ismount(point):
            plan.mount_points |= set() if is_whole else {point}  # else the scan came upon it
            continue
        part = _part(library, point)
        tracks = [
            track_id
            for path, entry in known.items()
            for track_id, state, _ in entry.tracks()
            if state is not TrackState.MISSING and lies_in(path, part)
        ]
        gone = [track_id for track_id in tracks if track_id in plan.vanished]
        if 2 * len(gone) > len(tracks):
            plan.unmounted[library.root if part == "" else point] = gone
            for track_id in gone:
                del plan.vanished[track_id]
            plan.gone_failures = [path for path in plan.gone_failures if not lies_in(path, part)]
        elif is_whole:
            continue
        plan.mount_points.add(point)


def _part(library: Library, point: Path) -> str:
    """The folder of a library that lies on a mount point; "" for all of it."""
    return point.relative_to(library.root).as_posix() if library.root in point.parents else ""
