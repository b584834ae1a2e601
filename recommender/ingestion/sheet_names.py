"""Which file a name in a cue sheet stands for.

It is often not the file's name any more: what was a wav has become a flac, or file and sheet were
renamed together. So a name stands for a file in the sheet's folder (or in the one below it that the
name has) with, in this order: that name; that name in other case; that name with another ending;
and, where the sheet names one file only, the name of the sheet itself.
"""

import posixpath
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import PurePosixPath

from recommender.ingestion.file_types import FileType, file_type_of


class FileNames:
    """The files that a sheet can divide, by folder and name."""

    def __init__(self, paths: Iterable[str]) -> None:
        """Of files that a scan lists; those that hold no sound are passed over."""
        self._paths = frozenset(paths)

    def absent(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths that are of no file here."""
        return set(paths) - self._paths

    def find(self, sheet: str, written: str, *, alone: bool) -> str | None:
        """The file that a name in the sheet at this path stands for.

        Args:
            sheet: relative to the same folder as all files.
            written: the name, with separators of any system.
            alone: whether the sheet names no other file.
        """
        beside = posixpath.dirname(sheet)
        below, _, name = written.replace("\\", "/").rpartition("/")
        folders = [posixpath.normpath(posixpath.join(beside, below)), beside]
        for folder in dict.fromkeys("" if folder == "." else folder for folder in folders):
            exact = posixpath.join(folder, name)
            if exact in self._paths and _may_sound(exact):
                return exact
            for wanted in (name, PurePosixPath(name).stem):
                if found := self._by_name.get(_in_folder(folder, wanted)):
                    return found
        # The sheet of album.flac is album.cue or album.flac.cue.
        return self._by_name.get(_in_folder(beside, PurePosixPath(sheet).stem)) if alone else None

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], str]:
        """Folder and name → path, for the name with and without its ending."""
        found: dict[tuple[str, str], str] = {}
        stems: dict[tuple[str, str], str] = {}
        for path in sorted(filter(_may_sound, self._paths)):
            folder, _, name = path.rpartition("/")
            found.setdefault(_in_folder(folder, name), path)
            stems.setdefault(_in_folder(folder, PurePosixPath(name).stem), path)
        return stems | found


def _may_sound(path: str) -> bool:
    return file_type_of(path) in (FileType.AUDIO, FileType.VIDEO)


def _in_folder(folder: str, name: str) -> tuple[str, str]:
    return folded_name(folder), folded_name(name)


def folded_name(name: str) -> str:
    """A name without regard to case, and to how its accents are composed."""
    return unicodedata.normalize("NFC", name).casefold()
