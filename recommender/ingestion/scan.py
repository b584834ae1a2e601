"""Read a music folder without opening a file: what is there, what is left out, what is closed.

The walk follows links to folders but enters no folder twice, so loops end; folders reached
without a link come first, so that a file keeps its real path whatever links point to it.
"""

import os
import stat as stat_bits
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from recommender.catalog.records import FileStat
from recommender.errors import UsageError
from recommender.ingestion.file_types import Kind, ending_label, kind_of
from recommender.utils.terminal_text import one_line

IGNORE_FILE = ".recsysignore"
"""Patterns in gitignore syntax; they apply to the folder the file is in and all below it."""

_FolderId = tuple[int, int]  # device, inode
_Rule = tuple[str, GitIgnoreSpec]  # folder it applies below, relative to the library; patterns


@dataclass(frozen=True)
class Unreadable:
    """A folder (or, rarely, a file) the operating system does not let us look at."""

    path: str  # relative to the library's root
    reason: str


@dataclass(frozen=True)
class Scan:
    """What one walk of a folder found.

    Attributes:
        files: regular files that may hold sound, by path; unknown endings are among them.
        skipped: number of files that hold no sound, by ending.
        excluded: number of files and folders left out by patterns.
        unreadable: places that could not be looked at; nothing is known of what lies there.
    """

    files: tuple[FileStat, ...]
    skipped: Mapping[str, int]
    excluded: int
    unreadable: tuple[Unreadable, ...]


def require_folder(folder: Path) -> None:
    """Raise `UsageError` unless `folder` is a folder that can be read."""
    if folder.is_dir():
        try:
            os.scandir(folder).close()
            return
        except OSError as error:
            reason = f"cannot be read ({error.strerror})"
    elif folder.exists():
        reason = "is a file; give the folder that holds your music"
    else:
        reason = "is not there (is the disk mounted?)"
    raise UsageError(f"folder {one_line(str(folder))} {reason}; nothing was changed")


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
        on_files: told the number of files in each folder, as it is read.

    Raises:
        UsageError: the folder is not there or cannot be read, or a pattern has no meaning.
    """
    require_folder(root / under)
    walk = _Walk(root, _patterns(exclude, "--exclude"))
    for folder_files in walk.folders(under):
        if on_files is not None:
            on_files(folder_files)
    files = tuple(sorted(walk.files, key=lambda file: os.fsencode(file.path)))
    return Scan(files, dict(walk.skipped), walk.excluded, tuple(walk.unreadable))


class _Walk:
    """One walk and what it has expanded so far."""

    def __init__(self, root: Path, exclude: GitIgnoreSpec) -> None:
        self.root = root
        self.files: list[FileStat] = []
        self.skipped: Counter[str] = Counter()
        self.excluded = 0
        self.unreadable: list[Unreadable] = []
        self._exclude = exclude
        # A link to a folder above the root would lead to the whole disk: those count as seen.
        self._entered: set[_FolderId] = {_folder_id(above.stat()) for above in root.parents}

    def folders(self, under: str) -> Iterator[int]:
        """Walk; gives the number of entries of each folder read."""
        rules = self._rules_above(under)
        real: list[tuple[str, tuple[_Rule, ...]]] = [(under, rules)]
        linked: list[tuple[str, tuple[_Rule, ...]]] = []
        while real or linked:
            path, rules = real.pop() if real else linked.pop()
            entries = self._enter(path)
            if any(entry.name == IGNORE_FILE for entry in entries):
                rules = (*rules, *self._rule_of(path))
            below: list[tuple[str, tuple[_Rule, ...]]] = []
            for entry in entries:
                entry_path = f"{path}/{entry.name}" if path else entry.name
                if self._take(entry, entry_path, rules):
                    (linked if entry.is_symlink() else below).append((entry_path, rules))
            real.extend(reversed(below))
            linked.sort(key=lambda found: os.fsencode(found[0]), reverse=True)
            yield len(entries)

    def _enter(self, path: str) -> list[os.DirEntry[str]]:
        """The entries of a folder by name; none where it was entered before or is closed."""
        folder = self.root / path
        try:
            folder_id = _folder_id(folder.stat())
            if folder_id in self._entered:
                return []
            self._entered.add(folder_id)
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            self.unreadable.append(Unreadable(path, error.strerror or str(error)))
            return []

    def _take(self, entry: os.DirEntry[str], path: str, rules: Sequence[_Rule]) -> bool:
        """Put a file where it belongs; True for a folder that is to be entered."""
        try:
            found = entry.stat()
        except OSError as error:
            if entry.is_symlink():
                self.skipped["(broken link)"] += 1
            else:
                self.unreadable.append(Unreadable(path, error.strerror or str(error)))
            return False
        is_folder = stat_bits.S_ISDIR(found.st_mode)
        if self._is_excluded(path + "/" if is_folder else path, rules):
            self.excluded += 1
        elif is_folder:
            return True
        elif entry.name == IGNORE_FILE:
            self.skipped[ending_label(path)] += 1
        elif not stat_bits.S_ISREG(found.st_mode):
            self.skipped["(not a regular file)"] += 1
        elif kind_of(path) is Kind.OTHER:
            self.skipped[ending_label(path)] += 1
        else:
            self.files.append(FileStat(path, found.st_size, found.st_mtime_ns))
        return False

    def _is_excluded(self, path: str, rules: Sequence[_Rule]) -> bool:
        """Whether the last pattern that speaks of `path` (folders end in a slash) excludes it."""
        excluded = False
        for folder, patterns in (*rules, ("", self._exclude)):
            said = patterns.check_file(path[len(folder) + 1 :] if folder else path).include
            excluded = excluded if said is None else said
        return excluded

    def _rules_above(self, under: str) -> tuple[_Rule, ...]:
        """The rules of the folders from the root down to, not including, `under`."""
        if not under:
            return ()
        parts = under.split("/")
        above = ["/".join(parts[:depth]) for depth in range(len(parts))]
        return tuple(rule for folder in above for rule in self._rule_of(folder))

    def _rule_of(self, path: str) -> tuple[_Rule, ...]:
        file = self.root / path / IGNORE_FILE
        try:
            lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except FileNotFoundError:
            return ()
        except OSError as error:
            self.unreadable.append(Unreadable(f"{path}/{IGNORE_FILE}", str(error.strerror)))
            return ()
        return ((path, _patterns(lines, one_line(str(file)))),)


def _patterns(lines: Sequence[str], origin: str) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise UsageError(f"a pattern of {origin} has no meaning: {error}") from error


def _folder_id(found: os.stat_result) -> _FolderId:
    return found.st_dev, found.st_ino
