"""What was in the tags of files before something was written there, beside the catalogue.

A line of JSON for each file, flushed to the disk before the file is replaced. A line that a crash
left half is no line.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from recommender.catalog.column_types import decode_path, encode_path
from recommender.utils.files import replace_file


@dataclass(frozen=True)
class JournalEntry:
    """One file.

    Attributes:
        run: when the command ran, ISO 8601 in UTC; the same for all files of it.
        path: absolute.
        before, after: field → values that it had, and got.
    """

    run: str
    path: str
    before: Mapping[str, tuple[str, ...]]
    after: Mapping[str, tuple[str, ...]]


class Journal:
    """The journal of one catalogue."""

    def __init__(self, file: Path) -> None:
        """In `file`, which need not exist."""
        self.file = file

    def add(self, entry: JournalEntry) -> None:
        """Append an entry, and wait until it is on the disk. Raises `OSError`."""
        line = json.dumps({**asdict(entry), "path": encode_path(entry.path)}) + "\n"
        with self.file.open("ab") as journal:
            if journal.tell() and not self._ends_with_a_line():
                line = "\n" + line
            journal.write(line.encode())
            journal.flush()
            os.fsync(journal.fileno())

    def entries(self) -> list[JournalEntry]:
        """All entries, oldest first. Raises `OSError`."""
        try:
            lines = self.file.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [entry for line in lines if (entry := _parsed(line)) is not None]

    def keep(self, entries: Iterable[JournalEntry]) -> None:
        """Replace all entries by these. Raises `OSError`."""
        lines = [
            json.dumps({**asdict(entry), "path": encode_path(entry.path)}) + "\n"
            for entry in entries
        ]
        if lines:
            replace_file(self.file, "".join(lines).encode())
        else:
            self.file.unlink(missing_ok=True)

    def _ends_with_a_line(self) -> bool:
        with self.file.open("rb") as journal:
            journal.seek(-1, os.SEEK_END)
            return journal.read(1) == b"\n"


def _parsed(line: bytes) -> JournalEntry | None:
    try:
        found = json.loads(line)
        datetime.fromisoformat(found["run"])
        values = [
            {str(name): tuple(map(str, texts)) for name, texts in found[at].items()}
            for at in ("before", "after")
        ]
        return JournalEntry(found["run"], decode_path(found["path"]), *values)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
