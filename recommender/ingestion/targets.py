"""Which folders and files an ingest scans, and which libraries are not there at present.

A library whose root is absent, empty or unreadable is *unavailable*: most likely its disk is not
mounted, so nothing is concluded from the absence of its files.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from recommender.catalog import Catalog, Library, TrackState
from recommender.embedding.space import SpaceId
from recommender.errors import UsageError
from recommender.ingestion.scan import require_folder
from recommender.utils.files import AnyPath, as_path, real_path
from recommender.utils.terminal_text import one_line

Paths = AnyPath | Iterable[AnyPath]


@dataclass(frozen=True)
class Targets:
    """What one ingest is about; all paths are absolute.

    Attributes:
        folders: to be scanned with everything below them; none lies in another one.
        files: to be scanned alone; none lies in one of the folders.
        unavailable: libraries whose root is absent, empty or unreadable.
    """

    folders: tuple[Path, ...]
    files: tuple[Path, ...]
    unavailable: tuple[Library, ...]


@dataclass(frozen=True)
class Scope:
    """A part of one library to scan.

    Attributes:
        library: the library.
        under: a folder relative to its root, with forward slashes; "" for all of it.
        files: only these files, relative to its root; None for everything in `under`.
    """

    library: Library
    under: str = ""
    files: tuple[str, ...] | None = None


def as_paths(paths: Paths) -> list[Path]:
    """One path or several, as a list.

    Raises:
        TypeError: something is neither `str` nor `os.PathLike`.
        UsageError: there is none, or one is the empty string.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(_iterated(paths))
    several = [as_path(path, "a path to ingest") for path in given]
    if any(not os.fspath(path) for path in given):
        raise UsageError("a path to ingest is empty; name a folder or a file.")
    if not several:
        raise UsageError("no folder or file to ingest was given; name one that holds music.")
    return several


def _iterated(paths: object) -> Iterable[AnyPath]:
    if isinstance(paths, bytes) or not isinstance(paths, Iterable):
        raise TypeError(
            "paths must be a str or an os.PathLike, several of them, or None for the known "
            f"folders, not {paths!r}."
        )
    return paths


def find_targets(
    paths: Paths | None,
    libraries: Sequence[Library],
    has_tracks: Callable[[Library], bool] = lambda _: True,
) -> Targets:
    """Check the paths, and sort them into folders, files and unavailable libraries.

    Nothing is written, so that a mistyped path leaves no trace.

    Args:
        paths: folders and files; None for the roots of `libraries`.
        libraries: those of the catalogue.
        has_tracks: whether tracks of a library, whose root is empty, are in the catalogue.

    Raises:
        TypeError: as `as_paths` does.
        UsageError: no path was given; or one is absent or unreadable and belongs to no library
            that is unavailable.
    """
    if paths is None and not libraries:
        raise UsageError("the catalogue has no music folder yet; name a folder or file to ingest.")
    given = [library.root for library in libraries] if paths is None else as_paths(paths)
    folders: set[Path] = set()
    files: dict[Path, Path] = {}
    unavailable: dict[int, Library] = {}
    for path in given:
        library = _library_of(path, libraries)
        if library is not None and not _is_available(library, has_tracks):
            unavailable[library.id] = library
        elif os.path.isfile(path):  # noqa: PTH113 (False, not an error, where it cannot be read)
            files.setdefault(_unlinked(path), _absolute(path))
        else:
            require_folder(path)
            folders.add(real_path(path))
    outermost = [one for one in sorted(folders) if folders.isdisjoint(one.parents)]
    alone = [
        absolute
        for file, absolute in sorted(files.items())
        if folders.isdisjoint({*file.parents, *absolute.parents})
    ]
    return Targets(tuple(outermost), tuple(alone), tuple(unavailable.values()))


def has_tracks(catalog: Catalog, space: SpaceId, library: Library) -> bool:
    """Whether the library has tracks that are not missing already."""
    whole = (state for _, _, _, _, state, *_ in catalog.known_tracks(library, space))
    divided = catalog.known_segments(library, space).values()
    states = chain(whole, (one.state for known in divided for one in known.segments))
    return any(TrackState(state) is not TrackState.MISSING for state in states)


def scopes_of(catalog: Catalog, targets: Targets) -> list[Scope]:
    """The parts of libraries to scan; folders in no library become one.

    Raises:
        UsageError: a single file lies in no library, and its folder contains one.
    """
    for folder in targets.folders:
        catalog.scope_of(folder)  # may absorb libraries that lie in it
    scopes = [Scope(*catalog.scope_of(folder)) for folder in targets.folders]
    by_library: dict[int, tuple[Library, list[str]]] = {}
    for file in targets.files:
        library, relative = _file_in_library(catalog, file)
        by_library.setdefault(library.id, (library, []))[1].append(relative)
    scopes += [
        Scope(library, files=tuple(sorted(set(files)))) for library, files in by_library.values()
    ]
    return scopes


def _library_of(path: Path, libraries: Sequence[Library]) -> Library | None:
    """The library whose root `path` is or lies in, whether or not it is there."""
    absolute = {_unlinked(path), real_path(path)}
    for library in libraries:
        roots = {library.root, real_path(library.root)}
        if any(root == one or root in one.parents for root in roots for one in absolute):
            return library
    return None


def _is_available(library: Library, has_tracks: Callable[[Library], bool]) -> bool:
    try:
        with os.scandir(library.root) as entries:
            is_empty = next(entries, None) is None
    except OSError:  # absent, no folder, no permission, a stale network mount
        return False
    return not (is_empty and has_tracks(library))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 (links are kept)


def _unlinked(file: Path) -> Path:
    """`file` absolute, its folder without links; a link to a file keeps its own name."""
    absolute = _absolute(file)
    return real_path(absolute.parent) / absolute.name


def _file_in_library(catalog: Catalog, file: Path) -> tuple[Library, str]:
    """The library that holds `file`, which may be a new one, and the path relative to its root."""
    track = catalog.track_at(file)
    if track is not None:  # also by way of a linked folder
        return track.library, track.path
    file = _unlinked(file)
    inner = [library for library in catalog.libraries() if file.parent in library.root.parents]
    if inner:
        raise UsageError(
            f"{one_line(str(file))} lies in no folder of the catalogue, and its folder contains "
            f"one, {one_line(str(inner[0].root))}. Move the file there, or into a folder of its "
            "own; or ingest all of its folder."
        )
    library, folder = catalog.scope_of(file.parent)
    return library, f"{folder}/{file.name}" if folder else file.name
