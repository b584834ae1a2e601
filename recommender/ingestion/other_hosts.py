"""Music folders that other hosts see, perhaps under another path than this one."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from recommender.catalog import Catalog, Library
from recommender.catalog.column_types import decode_path
from recommender.catalog.hosts import this_host
from recommender.embedding.space import SpaceId
from recommender.errors import UsageError
from recommender.utils.files import real_path

NOT_ON_THIS_HOST = (
    "not there on this host, while other hosts have seen it: mount it, or tell where it lies here "
    "with 'recsys library map'"
)

_COMPARED = 50
"""Files of a library that are looked for in a folder."""

_SAME = 0.5
"""Share of them, of the same size, from which on the folder is taken for the library."""


def is_seen_elsewhere(catalog: Catalog, library: Library) -> bool:
    """Whether the absence of a library's root tells nothing of its tracks."""
    return catalog.is_elsewhere(library) or not catalog.is_mapped(library)


def refuse_known_folders(catalog: Catalog, folders: Sequence[Path], space: SpaceId) -> None:
    """Raise `UsageError` for a new folder that is a library which this host has not seen yet.

    It would be analysed again, and every track would be there twice.
    """
    libraries = catalog.libraries()
    unseen = [
        library
        for library in libraries
        if not library.root.is_dir() and not catalog.is_mapped(library)
    ]
    for folder in folders:
        if any(folder.is_relative_to(real_path(library.root)) for library in libraries):
            continue
        for library in unseen:
            if _holds(folder, catalog, library, space):
                raise UsageError(
                    f"{folder} looks like the music folder {library.root}, which {this_host()!r} "
                    "does not see there. Say so, and nothing is analysed twice: 'recsys library "
                    f"map {library.root} {folder}'."
                )


def _holds(folder: Path, catalog: Catalog, library: Library, space: SpaceId) -> bool:
    """Whether the first files of a library are in a folder."""
    some = list(islice(catalog.known_tracks(library, space), _COMPARED))
    same = sum(_size(folder / decode_path(path)) == size for path, size, *_ in some)
    return bool(some) and same >= _SAME * len(some)


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None
