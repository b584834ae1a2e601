"""Ignore files (``.recsysignore``): how they are read, and what is left out without one."""

import errno
import re
import unicodedata
from fnmatch import translate
from pathlib import Path

from recommender.errors import UsageError
from recommender.ingestion.ignore_patterns import IgnorePatterns
from recommender.utils.files import IrregularFile, read_small
from recommender.utils.terminal_text import one_line

IGNORE_FILE = ".recsysignore"
"""Patterns in gitignore syntax; they apply to the folder the file is in and all below it.

UTF-8 or UTF-16, with or without a byte-order mark; lines that are not UTF-8 are taken as Latin-1
and as the very bytes of names. At most `LARGEST_IGNORE_FILE` bytes, and a regular file: a folder
whose ignore file cannot be obeyed is not read, and its tracks are left as they are.
"""

LARGEST_IGNORE_FILE = 64 * 1024

LEFT_OUT_FOLDERS = (
    # Recycle bins: freedesktop, macOS, Windows, Samba, NAS systems.
    *(".Trash", ".Trash-*", ".Trashes", "$RECYCLE.BIN", "RECYCLER", "#recycle", "@Recycle"),
    *(".recycle", ".recycler"),
    # Older versions and snapshots: Syncthing, btrfs, snapper, NetApp, QNAP, Synology, ZFS.
    *(".stversions", ".snapshot", ".snapshots", "~snapshot", "#snapshot", "@snapshot", ".zfs"),
    *("@Recently-Snapshot", ".versions"),
    # What macOS, Synology, QNAP and Windows keep for themselves.
    *(".AppleDouble", "__MACOSX", "@eaDir", "@tmp", ".@__thumb", "#SynoRecycle"),
    *(".Spotlight-V100", ".fseventsd", ".TemporaryItems", ".DocumentRevisions-V100"),
    *("System Volume Information", "lost+found"),
    # Where transfers keep what is not whole yet: rsync, Resilio Sync, Dropbox, Syncthing.
    *(".~tmp~", ".rsync-partial", ".rsync-tmp", ".sync", ".dropbox.cache", ".stfolder"),
)
"""Names of folders that are left out unless an ignore file (or an option) brings them back."""

LEFT_OUT_FILES = (
    "._*",  # AppleDouble: macOS keeps a file's attributes in it
    # Half-transferred: browsers, download managers, torrents, Resilio, Syncthing, ownCloud, rsync.
    *("*.part", "*.partial", "*.crdownload", "*.download", "*.opdownload", "*.filepart"),
    *("*.aria2", "*.!ut", "*.!qb", "*.bc!", "*.!bt", "*.!sync", "*.bts"),
    *(".syncthing.*.tmp", "~syncthing~*.tmp", ".*.~[0-9a-f]*", ".owncloudsync*", "*.icloud"),
    *(".goutputstream-*", ".*.[a-z0-9]*.[a-z0-9][a-z0-9][a-z0-9][a-z0-9][a-z0-9][a-z0-9]"),
)
"""Names of files that are left out likewise."""


def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(name.lower()) for name in names), re.IGNORECASE)


_FOLDERS = _any_of(LEFT_OUT_FOLDERS)
_FILES = _any_of(LEFT_OUT_FILES)
# Most names match none of `LEFT_OUT_FILES`, which these tell without trying every pattern.
_ENDINGS = tuple(name[1:].lower() for name in LEFT_OUT_FILES if name.startswith("*"))
LEFT_OUT_INITIALS = tuple({name[0] for name in LEFT_OUT_FILES if not name.startswith("*")})


class IgnoreFileRefused(Exception):
    """An ignore file that cannot be obeyed; the message says why and what to do."""


def is_left_out(name: str, *, is_folder: bool) -> bool:
    """Whether a file or folder of this name is left out where no pattern says otherwise."""
    if is_folder:
        return bool(_FOLDERS.match(name))
    is_suspect = name.startswith(LEFT_OUT_INITIALS) or name.lower().endswith(_ENDINGS)
    return is_suspect and bool(_FILES.match(name))


def read_ignore_file(folder: Path) -> IgnorePatterns | None:
    """The patterns of a folder's ignore file; None where it has none.

    Raises:
        IgnoreFileRefused: it is no regular file, too large, no text, or cannot be read.
    """
    path = folder / IGNORE_FILE
    try:
        data = read_small(path, LARGEST_IGNORE_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        if isinstance(error, IrregularFile) or error.errno == errno.ENXIO:
            raise IgnoreFileRefused(f"{IGNORE_FILE} is not a regular file; remove it") from error
        reason = error.strerror or str(error)
        raise IgnoreFileRefused(f"{IGNORE_FILE} cannot be read: {reason}") from error
    if len(data) > LARGEST_IGNORE_FILE:
        size = f"{LARGEST_IGNORE_FILE // 1024} KiB"
        raise IgnoreFileRefused(f"{IGNORE_FILE} is larger than {size}; shorten it")
    try:
        return IgnorePatterns(_lines(data), one_line(str(path)))
    except UsageError as error:
        raise IgnoreFileRefused(f"{error}; correct that line") from error


def _lines(data: bytes) -> list[str]:
    text = _utf16(data)
    if text is not None:
        return text.splitlines()
    if b"\0" in data:
        raise IgnoreFileRefused(f"{IGNORE_FILE} is no text; write patterns, one a line, in UTF-8")
    lines = []
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
        lines.append(line.decode("utf-8", "surrogateescape"))
        if not _is_utf8(line):
            lines.append(unicodedata.normalize("NFC", line.decode("cp1252", "replace")))
    return lines


def _utf16(data: bytes) -> str | None:
    """The text of UTF-16 bytes, by their byte-order mark or their zeros; None for others."""
    order = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}.get(data[:2])
    if order is None and len(data) >= 2 and len(data) % 2 == 0:
        zeros = data[1::2].count(0), data[::2].count(0)
        if max(zeros) > len(data) // 4 and min(zeros) == 0:
            order = "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"
    if order is None:
        return None
    try:
        return data.decode(order)
    except UnicodeError as error:
        raise IgnoreFileRefused(f"{IGNORE_FILE} is broken UTF-16; save it as UTF-8") from error


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeError:
        return False
    return True
