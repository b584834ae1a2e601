"""List what a music folder holds without opening a file.

The walk follows links to folders but enters no folder twice, so loops end; folders reached
without a link come first, so that a file keeps its real path whatever links point to it.

Recycle bins, older versions, what operating systems keep for themselves and half-transferred files
are left out (`ignore_files.LEFT_OUT_FOLDERS`, `LEFT_OUT_FILES`) unless a pattern such as
``!.Trashes/`` in an ignore file, or among those to exclude, brings them back.
"""

import os
import stat as stat_bits
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recommender.catalog.records import FileStat
from recommender.errors import UsageError
from recommender.ingestion.file_types import FileType, ending_label, file_type_of
from recommender.ingestion.ignore_files import (
    IGNORE_FILE,
    IgnoreFileRefused,
    is_left_out,
    read_ignore_file,
)
from recommender.ingestion.ignore_patterns import IgnorePatterns
from recommender.utils.terminal_text import one_line

_FolderId = tuple[int, int]  # device, inode
_Rule = tuple[str, IgnorePatterns]  # folder it applies below, relative to the library; patterns


@dataclass(frozen=True)
class Unreadable:
    """A folder (or, rarely, a file) that the operating system does not let us read."""

    path: str  # relative to the library's root
    reason: str


@dataclass(frozen=True)
class Scan:
    """What one scan found.

    Attributes:
        files: regular files that may hold sound, by path; unknown endings are among them.
        skipped: number of files that hold no sound, by ending.
        excluded: number of files and folders left out by patterns.
        unreadable: folders and files that could not be read; what lies there is not known.
        mount_points: folders below the root on which another file system is mounted.
    """

    files: tuple[FileStat, ...]
    skipped: Mapping[str, int]
    excluded: int
    unreadable: tuple[Unreadable, ...]
    mount_points: tuple[str, ...] = ()


def require_folder(folder: Path) -> None:
    """Raise `UsageError` unless `folder` is a folder that can be read."""
    try:
        os.scandir(folder).close()
    except FileNotFoundError:
        reason = "is not there (is the disk mounted?)"
    except NotADirectoryError:
        reason = "is neither a folder nor a regular file"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    else:
        return
    raise UsageError(f"{one_line(str(folder))} {reason}; nothing was changed.")


def exclude_patterns(patterns: Sequence[str]) -> IgnorePatterns:
    """Patterns in gitignore syntax, compiled. Raises `UsageError` for one that has no meaning."""
    return IgnorePatterns(patterns, "the patterns to exclude")


def scan_folder(
    root: Path,
    under: str = "",
    exclude: Sequence[str] = (),
    on_files: Callable[[int], None] | None = None,
) -> Scan:
    """Walk `root`/`under` and list its files, with paths relative to `root`.

    Args:
        root: the library's folder.
        under: the part of it to walk, with forward slashes; all of it by default.
        exclude: patterns in gitignore syntax, relative to `root`; they win over ignore files.
        on_files: called with the number of entries of each folder, as it is read.

    Raises:
        UsageError: the folder is not there or cannot be read, or a pattern has no meaning.
    """
    require_folder(root / under)
    walk = _Walk(root, exclude_patterns(exclude))
    for entries in walk.folders(under):
        if on_files is not None:
            on_files(entries)
    return walk.result()


def scan_files(root: Path, files: Sequence[str], exclude: Sequence[str] = ()) -> Scan:
    """Look at single files only, with the same rules as `scan_folder`.

    Args:
        root: the library's folder.
        files: paths relative to `root`, with forward slashes. Absent ones are left out.
        exclude: as for `scan_folder`.

    Raises:
        UsageError: a pattern has no meaning.
    """
    walk = _Walk(root, exclude_patterns(exclude))
    for file in files:
        walk.add_file(file)
    return walk.result()


class _Walk:
    """One scan and what it has found so far."""

    def __init__(self, root: Path, exclude: IgnorePatterns) -> None:
        self.root = root
        self._exclude = exclude
        self._files: list[FileStat] = []
        self._skipped: Counter[str] = Counter()
        self._excluded = 0
        self._unreadable: list[Unreadable] = []
        self._rules: dict[str, tuple[_Rule, ...] | None] = {}
        self._devices: dict[str, int] = {}  # of the folders entered
        self._mount_points: list[str] = []
        # A link to a folder above the root would lead to the whole disk: those count as entered.
        self._entered: set[_FolderId] = {_folder_id(above.stat()) for above in root.parents}

    def result(self) -> Scan:
        """What was found, files in the order of their paths."""
        files = tuple(sorted(self._files, key=lambda file: os.fsencode(file.path)))
        unreadable, mount_points = tuple(self._unreadable), tuple(self._mount_points)
        return Scan(files, dict(self._skipped), self._excluded, unreadable, mount_points)

    def folders(self, under: str) -> Iterator[int]:
        """Walk `under`; gives the number of entries of each folder read."""
        above = self._rules_above(under)
        if above is None:
            return
        real: list[tuple[str, tuple[_Rule, ...]]] = [(under, above)]
        linked: list[tuple[str, tuple[_Rule, ...]]] = []
        while real or linked:
            path, rules = real.pop() if real else linked.pop()
            entries = self._enter(path)
            if any(entry.name == IGNORE_FILE for entry in entries):
                own = self._rule_of(path)
                if own is None:
                    continue
                rules = (*rules, *own)
            below: list[tuple[str, tuple[_Rule, ...]]] = []
            for entry in entries:
                entry_path = f"{path}/{entry.name}" if path else entry.name
                if self._add(entry, entry_path, rules):
                    (linked if entry.is_symlink() else below).append((entry_path, rules))
            real.extend(reversed(below))
            linked.sort(key=lambda found: os.fsencode(found[0]), reverse=True)
            yield len(entries)

    def add_file(self, path: str) -> None:
        """Add the file of this relative path, if it is there."""
        file = self.root / path
        if file.is_file():
            rules = self._rules_above(path)
            if rules is not None:
                self._add(file, path, rules)

    def _enter(self, path: str) -> list[os.DirEntry[str]]:
        """The entries of a folder by name; none where it was entered before or is unreadable."""
        folder = self.root / path
        try:
            folder_id = _folder_id(folder.stat())
            if folder_id in self._entered:
                return []
            self._entered.add(folder_id)
            self._note_device(path, folder_id[0])
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            self._unreadable.append(Unreadable(path, error.strerror or str(error)))
            return []

    def _note_device(self, path: str, device: int) -> None:
        """Note a folder that lies on another device than the folder above it."""
        self._devices[path] = device
        above = self._devices.get(path.rpartition("/")[0], device)
        if device != above and os.path.ismount(self.root / path):
            self._mount_points.append(path)

    def _add(self, entry: os.DirEntry[str] | Path, path: str, rules: Sequence[_Rule]) -> bool:
        """List or count a file; True for a folder that is to be entered."""
        try:
            found = entry.stat()
        except OSError as error:
            if entry.is_symlink():
                self._skipped["(broken link)"] += 1
            else:
                self._unreadable.append(Unreadable(path, error.strerror or str(error)))
            return False
        is_folder = stat_bits.S_ISDIR(found.st_mode)
        if self._is_excluded(path + "/" if is_folder else path, rules):
            self._excluded += 1
        elif is_folder:
            return True
        elif entry.name == IGNORE_FILE:
            self._skipped[ending_label(path)] += 1
        elif not stat_bits.S_ISREG(found.st_mode):
            self._skipped["(not a regular file)"] += 1
        elif file_type_of(path) is FileType.OTHER:
            self._skipped[ending_label(path)] += 1
        else:
            self._files.append(FileStat(path, found.st_size, found.st_mtime_ns))
        return False

    def _is_excluded(self, path: str, rules: Sequence[_Rule]) -> bool:
        """Whether the last pattern that matches `path` (folders end in a slash) excludes it."""
        is_folder = path.endswith("/")
        excluded = is_left_out(path.rstrip("/").rpartition("/")[2], is_folder=is_folder)
        for folder, patterns in (*rules, ("", self._exclude)):
            decision = patterns.decides(path[len(folder) + 1 :] if folder else path)
            excluded = excluded if decision is None else decision
        return excluded

    def _rules_above(self, under: str) -> tuple[_Rule, ...] | None:
        """The rules of the folders from the root down to, not including, `under`.

        None where one of those folders, or `under` itself, is left out by its name, or where an
        ignore file there cannot be obeyed.
        """
        rules: tuple[_Rule, ...] = ()
        parts = under.split("/") if under else []
        for depth, name in enumerate(parts):
            own = self._rule_of("/".join(parts[:depth]))
            if own is None:
                return None
            rules = (*rules, *own)
            path = "/".join(parts[: depth + 1])
            is_folder = depth + 1 < len(parts) or (self.root / path).is_dir()
            suspect = is_folder and is_left_out(name, is_folder=True)
            if suspect and self._is_excluded(f"{path}/", rules):
                self._excluded += 1
                return None
        return rules

    def _rule_of(self, path: str) -> tuple[_Rule, ...] | None:
        """The rule of a folder's own ignore file, read once; none without such a file.

        None where it cannot be obeyed: what lies in the folder is then not known.
        """
        if path not in self._rules:
            try:
                patterns = read_ignore_file(self.root / path)
                self._rules[path] = () if patterns is None else ((path, patterns),)
            except IgnoreFileRefused as refused:
                self._unreadable.append(Unreadable(path, str(refused)))
                self._rules[path] = None
        return self._rules[path]


def _folder_id(found: os.stat_result) -> _FolderId:
    return found.st_dev, found.st_ino
