"""Which cue sheets of a library divide which of its files.

A sheet is found by the scan's own listing and read when it is new or has changed, or when a file
that it names is to be read. Which file a name in it stands for, `sheet_names` says.

Of several sheets for one file, the one that is called like the file comes first, then the first by
path; a sheet beside the file comes before one embedded in its tags, as that is the one people edit.
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from recommender.audio.cue_sheet import CueFile, CueSheet, parse_cue_sheet
from recommender.audio.cue_text import read_cue_text
from recommender.audio.segments import Segment, segments_of
from recommender.catalog.records import FileStat, KnownFile, KnownSheet, Library
from recommender.errors import CueSheetError
from recommender.ingestion.file_types import is_cue_sheet
from recommender.ingestion.scan import Scan, scan_files
from recommender.ingestion.sheet_names import FileNames, folded_name
from recommender.utils.files import folders_of, lies_in

NOT_USABLE = "cue-sheet"
"""`kind` of the failure of a sheet that makes no sense, or does not fit its file."""

WITHOUT_FILE = "cue-sheet-without-file"
"""`kind` of the failure of a sheet that names a file that is not there."""

_NOT_SOUND = frozenset({"BINARY", "MOTOROLA"})  # images of discs, which no player of music opens


@dataclass(frozen=True)
class SheetUse:
    """A cue sheet that names a file, and the segments that it divides it into."""

    stat: FileStat
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class SheetFailure:
    """A cue sheet that cannot be used, and why."""

    stat: FileStat
    kind: str
    reason: str


class LibrarySheets:
    """The cue sheets of the part of a library that was scanned.

    Attributes:
        failures: sheets that cannot be used, as far as they were read and this was not known.
        idle: sheets that were read and divide no file.
        unusable: sheets that were read and cannot be used, whether or not this was known.
        unreadable: paths of sheets that the system does not let us read, and why; what they divided
            stays as it is.
        gone: paths of sheets that were there when they were last read, and divided no file that is
            there now.
        lost_files: files that sheets divided, and that are not there.
    """

    def __init__(
        self,
        library: Library,
        scan: Scan,
        known_sheets: Sequence[KnownSheet],
        known_files: Mapping[str, KnownFile],
        *,
        partial: Container[str] = (),
    ) -> None:
        """Read the sheets that are new or have changed.

        Args:
            library: the library.
            scan: of all or a part of it.
            known_sheets: those of that part that the catalogue knows.
            known_files: what else it has of that part, by path.
            partial: sheets of which the scan need not have listed all files that they may name.
        """
        self._root = library.root
        self._stats = {stat.path: stat for stat in scan.sheets}
        self._known = defaultdict[str, list[KnownSheet]](list)
        self._naming = defaultdict[str, list[str]](list)
        for known in known_sheets:
            self._known[known.stat.path].append(known)
            self._naming[known.file].append(known.stat.path)
        self._names = FileNames(stat.path for stat in scan.files)
        self._partial = partial
        self._read: dict[str, set[str] | None] = {}
        self._uses = defaultdict[str, list[SheetUse]](list)
        self.failures: list[SheetFailure] = []
        self.idle: list[FileStat] = []
        self.unusable: list[FileStat] = []
        self.unreadable: list[tuple[str, str]] = []
        folders = {unreadable.path for unreadable in scan.unreadable}
        gone = [
            path
            for path in self._known.keys() - self._stats.keys()
            if folders.isdisjoint(folders_of(path))
        ]
        self._touched = {known.file for path in gone for known in self._known[path]}
        self.lost_files = self._names.absent(
            known.file
            for path, of_sheet in self._known.items()
            for known in of_sheet
            if known.file and path not in partial
        )
        without_file = {"", *self.lost_files}
        self.gone = sorted(
            path for path in gone if all(one.file in without_file for one in self._known[path])
        )
        for path, stat in self._stats.items():
            self._read_if_changed(stat, known_files.get(path))

    def touches(self, file: str) -> bool:
        """Whether a sheet that names `file`, or named it, is new, has changed, or is gone."""
        return file in self._touched

    def of(self, file: str) -> tuple[SheetUse, ...]:
        """The sheets that divide `file`, in the order in which they are tried."""
        for path in self._naming.get(file, ()):
            if path in self._stats:
                self._take(self._stats[path], None)
        return tuple(sorted(self._uses[file], key=lambda use: _preference(use.stat.path, file)))

    def _read_if_changed(self, stat: FileStat, failure: KnownFile | None) -> None:
        known = self._known.get(stat.path, [])
        lacks_file = failure is not None and failure.failure_kind == WITHOUT_FILE
        lacks_file |= any(one.file in self.lost_files for one in known)
        if known and all(one.stat == stat for one in known) and not lacks_file:
            return
        divided = self._take(stat, failure)
        if divided is not None:
            self._touched |= {one.file for one in known} | divided

    def _take(self, stat: FileStat, failure: KnownFile | None) -> set[str] | None:
        """Read a sheet, once; returns the files it divides, None where the system forbids it."""
        if stat.path not in self._read:
            try:
                sheet = parse_cue_sheet(read_cue_text(self._root / stat.path))
            except CueSheetError as error:
                self._read[stat.path] = set()
                self._fail(SheetFailure(stat, NOT_USABLE, str(error)), failure)
            except OSError as error:
                self._read[stat.path] = None
                self.unreadable.append((stat.path, error.strerror or str(error)))
            else:
                self._read[stat.path] = self._divided(stat, sheet, failure)
        return self._read[stat.path]

    def _divided(self, stat: FileStat, sheet: CueSheet, failure: KnownFile | None) -> set[str]:
        """The files that a sheet divides; it fails where there should be one and is none."""
        lacking: CueFile | None = None
        divided: set[str] = set()
        for of_sheet in sheet.files:
            segments = segments_of(sheet, of_sheet)
            if not segments or of_sheet.kind in _NOT_SOUND:
                continue
            alone = len(sheet.files) == 1
            file = self._names.find(stat.path, of_sheet.name, alone=alone)
            if file is None:
                lacking = lacking or of_sheet
            elif file not in divided:
                divided.add(file)
                self._uses[file].append(SheetUse(stat, segments))
        if divided:
            return divided
        if lacking is None:
            self.idle.append(stat)
        elif stat.path not in self._partial:
            self._fail(SheetFailure(stat, WITHOUT_FILE, _without_file(lacking)), failure)
        return set()

    def _fail(self, found: SheetFailure, known: KnownFile | None) -> None:
        if known is None or (known.stat, known.failure_kind) != (found.stat, found.kind):
            self.failures.append(found)
        self.unusable.append(found.stat)


def _without_file(lacking: CueFile) -> str:
    return (
        f"it divides {lacking.name!r}, and neither that file nor one of the same name with another "
        "ending is there; correct its FILE line, or remove it"
    )


def _preference(sheet: str, file: str) -> tuple[bool, str]:
    sheet_stem, path = PurePosixPath(sheet).stem, PurePosixPath(file)
    return folded_name(sheet_stem) not in (folded_name(path.stem), folded_name(path.name)), sheet


def find_sheets(
    library: Library,
    scan: Scan,
    known_sheets: Sequence[KnownSheet],
    known_files: Mapping[str, KnownFile],
    under: str | None = "",
) -> LibrarySheets | None:
    """The cue sheets of a scan; None where there never was one.

    Args:
        library: the library.
        scan: of all or a part of it.
        known_sheets: those of the whole library.
        known_files: what the catalogue has of that part, by path.
        under: the folder that was scanned; None for single files.
    """
    if not (scan.sheets or known_sheets):
        return None
    listed = {stat.path for stat in scan.sheets}
    files = {stat.path for stat in scan.files}
    outside = {
        known.stat.path
        for known in known_sheets
        if known.stat.path not in listed
        and (
            known.file in files
            or known.file in known_files
            or (under is not None and lies_in(known.stat.path, under))
        )
    }
    there = scan_files(library.root, sorted(outside)).sheets if outside else ()
    named = listed | outside
    return LibrarySheets(
        library,
        replace(scan, sheets=(*scan.sheets, *(s for s in there if s.path not in listed))),
        [known for known in known_sheets if known.stat.path in named],
        known_files,
        partial=named if under is None else {stat.path for stat in there},
    )


def with_divided_files(root: Path, files: Sequence[str]) -> tuple[str, ...]:
    """`files`, relative to `root`, with those that the cue sheets among them divide."""
    found = dict.fromkeys(files)
    for sheet in filter(is_cue_sheet, files):
        folder = sheet.rpartition("/")[0]
        with suppress(OSError, CueSheetError):  # the scan of the sheet itself says why
            parsed = parse_cue_sheet(read_cue_text(root / sheet))
            paths = (path.relative_to(root).as_posix() for path in (root / folder).iterdir())
            names = FileNames(paths)
            for file in parsed.files:
                path = names.find(sheet, file.name, alone=len(parsed.files) == 1)
                found.update({path: None} if path is not None else {})
    return tuple(found)
