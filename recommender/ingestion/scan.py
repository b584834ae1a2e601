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
from functools import lru_cache
from operator import attrgetter
from pathlib import Path

from recommender.catalog.records import FileStat
from recommender.errors import UsageError
from recommender.ingestion.file_types import (
    FileType,
    ending_label,
    ending_of,
    is_cue_sheet,
    type_of_ending,
)
from recommender.ingestion.ignore_files import (
    IGNORE_FILE,
    LEFT_OUT_INITIALS,
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
        sheets: cue sheets, by path; they are counted as skipped, too.
        skipped: number of files that hold no sound, by ending.
        excluded: number of files and folders left out by patterns.
        unreadable: folders and files that could not be read; what lies there is not known.
        settled: number of files that were handed to `Settled`, which are not among `files`.
        mount_points: folders below the root on which another file system is mounted.
        linked: links to folders that were followed.
    """

    files: tuple[FileStat, ...]
    skipped: Mapping[str, int]
    excluded: int
    unreadable: tuple[Unreadable, ...]
    settled: int = 0
    sheets: tuple[FileStat, ...] = ()
    mount_points: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()


Settled = Callable[[str, int, int], bool]
"""Given path, size and time (ns) of a file, whether nothing is to be done about it."""


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
    settled: Settled | None = None,
) -> Scan:
    """Walk `root`/`under` and list its files, with paths relative to `root`.

    Args:
        root: the library's folder.
        under: the part of it to walk, with forward slashes; all of it by default.
        exclude: patterns in gitignore syntax, relative to `root`; they win over ignore files.
        on_files: called with the number of entries of each folder, as it is read.
        settled: called with each file that may hold sound, in the order of paths, save those that
            are reached by a link to a folder; those it is true of are only counted. It is not asked
            of files in a folder with a cue sheet or directly below one, which may name them.

    Raises:
        UsageError: the folder is not there or cannot be read, or a pattern has no meaning.
    """
    require_folder(root / under)
    walk = _Walk(root, exclude_patterns(exclude), settled)
    for entries in walk.folders(under):
        if on_files is not None:
            on_files(entries)
    return walk.result()


def scan_files(root: Path, files: Sequence[str], exclude: Sequence[str] = ()) -> Scan:
    """Look at single files only, with the same rules as `scan_folder`.

    Args:
        root: the library's folder.
        files: paths relative to `root`, with forward slashes. Absent ones are left out. The cue
            sheets in their folders are listed, too.
        exclude: as for `scan_folder`.

    Raises:
        UsageError: a pattern has no meaning.
    """
    walk = _Walk(root, exclude_patterns(exclude))
    for file in files:
        walk.add_file(file)
    for folder in dict.fromkeys(file.rpartition("/")[0] for file in files):
        walk.add_sheets(folder)
    return walk.result()


@dataclass
class _Folder:
    """A folder that the walk is in: its relative path, its rules, and what is left of its entries.

    Attributes:
        size: number of all its entries.
        has_sheet: whether there is a cue sheet among them.
        lists_all: whether all its files are listed, as a cue sheet may name them.
    """

    path: str
    rules: tuple[_Rule, ...]
    entries: Iterator[os.DirEntry[str]]
    size: int
    has_sheet: bool = False
    lists_all: bool = False


class _Walk:
    """One scan and what it has found so far."""

    def __init__(self, root: Path, exclude: IgnorePatterns, settled: Settled | None = None) -> None:
        self.root = root
        self._top = os.path.join(root, "")  # noqa: PTH118 (with the separator at its end)
        self._exclude: tuple[_Rule, ...] = (("", exclude),) if exclude else ()
        self._is_settled = settled or (lambda path, size, mtime_ns: False)
        self._files: list[FileStat] = []
        self._sheets: dict[str, FileStat] = {}
        self._settled = 0
        self._skipped: Counter[str] = Counter()
        self._excluded = 0
        self._unreadable: list[Unreadable] = []
        self._rules: dict[str, tuple[_Rule, ...] | None] = {}
        self._devices: dict[str, int] = {}  # of the folders entered
        self._mount_points: list[str] = []
        self._linked: list[str] = []
        # A link to a folder above the root would lead to the whole disk: those count as entered.
        self._entered: set[_FolderId] = {_folder_id(above.stat()) for above in root.parents}

    def result(self) -> Scan:
        """What was found, files in the order of their paths."""
        files = tuple(sorted(self._files, key=lambda file: os.fsencode(file.path)))
        sheets = tuple(sorted(self._sheets.values(), key=lambda file: os.fsencode(file.path)))
        return Scan(
            files,
            dict(self._skipped),
            self._excluded,
            tuple(self._unreadable),
            self._settled,
            sheets,
            tuple(self._mount_points),
            tuple(self._linked),
        )

    def folders(self, under: str) -> Iterator[int]:
        """Walk `under`; gives the number of entries of each folder read."""
        above = self._rules_above(under)
        if above is None:
            return
        linked = [(under, above)]
        while linked:
            linked.sort(key=lambda found: os.fsencode(found[0]), reverse=True)
            path, rules = linked.pop()
            entered = len(self._entered)
            opened = [self._open(path, rules, lists_all=False)]
            if path != under and len(self._entered) > entered:
                self._linked.append(path)
            yield opened[-1].size
            while opened:
                below = self._add_entries(opened[-1], linked)
                if below is None:
                    opened.pop()
                else:
                    opened.append(self._open(*below, lists_all=opened[-1].has_sheet))
                    yield opened[-1].size

    def _open(self, path: str, rules: tuple[_Rule, ...], *, lists_all: bool) -> "_Folder":
        entries = self._enter(path)
        names = [entry.name for entry in entries]
        has_sheet = ".cue/" in f"{'/'.join(names).lower()}/"  # faster than name by name
        if IGNORE_FILE in names:
            own = self._rule_of(path)
            if own is None:
                return _Folder(path, (), iter(()), len(entries))
            rules = (*rules, *own)
        lists_all = lists_all or has_sheet
        return _Folder(path, rules, iter(entries), len(entries), has_sheet, lists_all)

    def _add_entries(
        self, folder: "_Folder", linked: list[tuple[str, tuple[_Rule, ...]]]
    ) -> tuple[str, tuple[_Rule, ...]] | None:
        """List files up to the next folder that is to be entered, which is returned."""
        prefix = f"{folder.path}/" if folder.path else ""
        by_ending = not (folder.rules or self._exclude or folder.lists_all)
        for entry in folder.entries:
            path = prefix + entry.name
            if by_ending and is_kept_sound(entry.name) and self._add_file(entry, path):
                continue
            if self._add(entry, path, folder.rules, listed=folder.lists_all):
                if not entry.is_symlink():
                    return path, folder.rules
                linked.append((path, folder.rules))
        return None

    def _add_file(self, entry: os.DirEntry[str], path: str) -> bool:
        """List a file that may hold sound; False for anything else, and what cannot be read."""
        try:
            found = entry.stat()
        except OSError:
            return False
        if not stat_bits.S_ISREG(found.st_mode):
            return False
        if self._is_settled(path, found.st_size, found.st_mtime_ns):
            self._settled += 1
        else:
            self._files.append(FileStat(path, found.st_size, found.st_mtime_ns))
        return True

    def add_file(self, path: str) -> None:
        """Add the file of this relative path, if it is there."""
        file = self.root / path
        if file.is_file():
            rules = self._rules_above(path)
            if rules is not None:
                self._add(file, path, rules)

    def add_sheets(self, folder: str) -> None:
        """Add the cue sheets of the folder with this relative path, if it can be read."""
        try:
            with os.scandir(self.root / folder) as entries:
                names = [entry.name for entry in entries if is_cue_sheet(entry.name)]
        except OSError:
            return
        for name in names:
            path = f"{folder}/{name}" if folder else name
            if path not in self._sheets:
                self.add_file(path)

    def _enter(self, path: str) -> list[os.DirEntry[str]]:
        """The entries of a folder in the order of the paths of all that they hold.

        None of them where it was entered before or is unreadable.
        """
        folder = f"{self._top}{path}"
        try:
            folder_id = _folder_id(os.stat(folder))  # noqa: PTH116 (for each folder, and faster)
            if folder_id in self._entered:
                return []
            self._entered.add(folder_id)
            self._note_device(path, folder_id[0])
            with os.scandir(folder) as entries:
                found = list(entries)
            folders = [entry for entry in found if entry.is_dir(follow_symlinks=False)]
            return sorted(found, key=_path_order if folders else _NAME)
        except OSError as error:
            self._unreadable.append(Unreadable(path, error.strerror or str(error)))
            return []

    def _note_device(self, path: str, device: int) -> None:
        """Note a folder that lies on another device than the folder above it."""
        self._devices[path] = device
        above = self._devices.get(path.rpartition("/")[0], device)
        if device != above and os.path.ismount(self.root / path):
            self._mount_points.append(path)

    def _add(
        self,
        entry: os.DirEntry[str] | Path,
        path: str,
        rules: Sequence[_Rule],
        *,
        listed: bool = False,
    ) -> bool:
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
        if self._is_excluded(entry.name, path, rules, is_folder=is_folder):
            self._excluded += 1
        elif is_folder:
            return True
        elif entry.name == IGNORE_FILE:
            self._skipped[ending_label(path)] += 1
        elif not stat_bits.S_ISREG(found.st_mode):
            self._skipped["(not a regular file)"] += 1
        elif type_of_ending(ending_of(entry.name)) is FileType.OTHER:
            self._skipped[ending_label(path)] += 1
            if is_cue_sheet(entry.name):
                self._sheets[path] = FileStat(path, found.st_size, found.st_mtime_ns)
        elif not listed and self._is_settled(path, found.st_size, found.st_mtime_ns):
            self._settled += 1
        else:
            self._files.append(FileStat(path, found.st_size, found.st_mtime_ns))
        return False

    def _is_excluded(
        self, name: str, path: str, rules: Sequence[_Rule], *, is_folder: bool
    ) -> bool:
        """Whether the last pattern that matches `path`, which ends in `name`, excludes it."""
        excluded = is_left_out(name, is_folder=is_folder)
        if rules or self._exclude:
            whole = f"{path}/" if is_folder else path
            for folder, patterns in (*rules, *self._exclude):
                decision = patterns.decides(whole[len(folder) + 1 :] if folder else whole)
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
            if suspect and self._is_excluded(name, path, rules, is_folder=True):
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


def is_kept_sound(name: str) -> bool:
    """Whether a file of this name may hold sound and no default leaves it out; quickly.

    False also for rare names that only `_Walk._add` can judge.
    """
    dot = name.rfind(".")
    return dot > 0 and name[0] not in LEFT_OUT_INITIALS and _is_kept_ending(name[dot:])


@lru_cache(maxsize=1024)
def _is_kept_ending(ending: str) -> bool:
    is_sound = type_of_ending(ending.lower()) in (FileType.AUDIO, FileType.VIDEO)
    return is_sound and not is_left_out(f"x{ending}", is_folder=False)


def _folder_id(found: os.stat_result) -> _FolderId:
    return found.st_dev, found.st_ino


_NAME = attrgetter("name")


def _path_order(entry: os.DirEntry[str]) -> str:
    """Sorts entries as the paths of what they hold: a folder's go on with a slash."""
    return f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name
