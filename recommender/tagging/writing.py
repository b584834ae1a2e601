"""Write tempo and key into files: each is copied, written, compared, and then renamed.

The sound must be the same afterwards by the hash of its content, other tags must be the same, and
times and permissions are kept. The catalogue is told the new size, so that the next ingest leaves
the file alone.
"""

import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recommender.catalog import Catalog, FileStat, Track, TrackState
from recommender.catalog.engine import catalog_url, database_file
from recommender.errors import AudioError, UsageError
from recommender.ingestion.content_hash import hash_content
from recommender.ingestion.file_reader import ReaderPool
from recommender.ingestion.lock import ingest_lock
from recommender.musical_descriptors import MusicalDescriptors
from recommender.tagging.file_fields import BPM, KEY, read_values, write_values
from recommender.tagging.journal import Journal, JournalEntry
from recommender.utils.files import flush_folder, real_path

FIELDS = (BPM, KEY)

Values = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class TagSettings:
    """What is written.

    Attributes:
        fields: some of `FIELDS`.
        least_confidence: of a tempo or a key, for it to be written.
        overwrite: whether fields that a file has already are replaced.
        dry_run: only tell what would be written.

    Raises `UsageError`.
    """

    fields: tuple[str, ...] = FIELDS
    least_confidence: float = 0.4
    overwrite: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be written."""
        unknown = [field for field in self.fields if field not in FIELDS]
        if unknown or not self.fields:
            raise UsageError(
                f"{unknown[0] if unknown else 'nothing'!r} cannot be written into tags; "
                f"{' and '.join(FIELDS)} can."
            )
        if not 0 <= self.least_confidence <= 1:
            raise UsageError(f"a confidence is from 0 to 1, not {self.least_confidence:g}.")


@dataclass(frozen=True)
class TagChange:
    """What became of one file.

    Attributes:
        path: absolute.
        before, after: field → values, of the fields that change; none where nothing does.
        reason: why it was left alone; None where it was (or would be) written.
    """

    path: Path
    before: Values
    after: Values
    reason: str | None = None


def write_tags(
    catalog: Catalog, tracks: Collection[Track], settings: TagSettings = TagSettings()
) -> Iterator[TagChange]:
    """Write tempo and key of tracks into their files, one after another.

    Raises:
        CatalogError: an ingest is running, or the catalogue cannot be written.
        UsageError: it is in no file, so that there is no place for a journal.
    """
    journal = journal_of(catalog)
    run = datetime.now(UTC).isoformat(timespec="microseconds")
    found = catalog.musical_descriptors([track.id for track in tracks])
    with ingest_lock(catalog), closing(ReaderPool(1)) as readers:
        work = _Work(catalog, readers, journal, run)
        for track in tracks:
            yield _written(work, track, _wanted(found.get(track.id), settings), settings)


def undo_tags(catalog: Catalog, *, dry_run: bool = False) -> Iterator[TagChange]:
    """Put back what the last run of `write_tags` replaced; the runs before it stay in the journal.

    A file whose fields are not those that were written is left alone. Raises as `write_tags`.
    """
    journal = journal_of(catalog)
    entries = journal.entries()
    if not entries:
        return
    last = max(entry.run for entry in entries)
    kept = [entry for entry in entries if entry.run != last]
    with ingest_lock(catalog), closing(ReaderPool(1)) as readers:
        for entry in reversed([entry for entry in entries if entry.run == last]):
            change = _undone(_Work(catalog, readers, None, last), entry, dry_run)
            if change.reason is not None:
                kept.append(entry)
            yield change
    if not dry_run:
        journal.keep(kept)


def journal_of(catalog: Catalog) -> Journal:
    """The journal beside a catalogue. Raises `UsageError` for one that is in no file."""
    file = database_file(catalog_url(catalog.url))
    if file is None:
        raise UsageError("a catalogue on a server has no journal of tags; use one in a file.")
    return Journal(file.with_name(f"{file.name}.tags.jsonl"))


@dataclass(frozen=True)
class _Work:
    catalog: Catalog
    readers: ReaderPool
    journal: Journal | None
    run: str


def _wanted(found: MusicalDescriptors | None, settings: TagSettings) -> Values:
    """What the fields should be; none for what is not known, or not surely."""
    if found is None:
        return {}
    wanted: Values = {}
    least = settings.least_confidence
    if found.tempo is not None and (found.tempo_confidence or 0) >= least:
        wanted[BPM] = (f"{found.tempo:.0f}",)
    if found.initial_key is not None and (found.key_confidence or 0) >= least:
        wanted[KEY] = (found.initial_key,)
    return {field: values for field, values in wanted.items() if field in settings.fields}


def _written(work: _Work, track: Track, wanted: Values, settings: TagSettings) -> TagChange:
    file = track.file
    if track.segment:
        return TagChange(file, {}, {}, "it is one of several tracks in the file")
    if track.state is not TrackState.ANALYSED:
        return TagChange(file, {}, {}, f"it is {track.state}")
    if not wanted:
        return TagChange(file, {}, {}, "nothing is known surely enough")
    try:
        present = work.readers.call(read_values, file)
        changed = {
            field: values
            for field, values in wanted.items()
            if present[field] != values and (settings.overwrite or not present[field])
        }
        before = {field: present[field] for field in changed}
        if not changed:
            return TagChange(file, {}, {}, "it has them already")
        change = TagChange(file, before, changed)
        if not settings.dry_run:
            _replace(work, file, change)
    except (AudioError, OSError) as error:
        return TagChange(file, {}, {}, _why(error))
    return change


def _undone(work: _Work, entry: JournalEntry, dry_run: bool) -> TagChange:
    file = Path(entry.path)
    try:
        present = work.readers.call(read_values, file)
        if any(present[field] != values for field, values in entry.after.items()):
            return TagChange(file, {}, {}, "its tags were changed since")
        change = TagChange(file, dict(entry.after), dict(entry.before))
        if not dry_run:
            _replace(work, file, change)
    except (AudioError, OSError) as error:
        return TagChange(file, {}, {}, _why(error))
    return change


def _replace(work: _Work, file: Path, change: TagChange) -> None:
    """Write a copy, compare it, note it in the journal, and put it in the file's place."""
    target = real_path(file)
    status = target.stat()
    if not status.st_mode & 0o222:
        raise OSError("it is read-only")
    if status.st_nlink > 1:
        raise OSError(f"it has {status.st_nlink} hard links, of which one would be replaced")
    copy = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        shutil.copyfile(target, copy)
        work.readers.call(write_values, copy, change.after)
        if work.readers.call(hash_content, copy) != work.readers.call(hash_content, target):
            raise OSError("writing its tags would change its sound")
        _take_over(copy, target, status)
        if work.journal is not None:
            entry = JournalEntry(work.run, str(file), change.before, change.after)
            work.journal.add(entry)
        copy.replace(target)
    finally:
        copy.unlink(missing_ok=True)
    flush_folder(target.parent)
    _tell(work.catalog, file)


def _take_over(copy: Path, original: Path, status: os.stat_result) -> None:
    """Owner, permissions, extended attributes and times of the original; then to the disk."""
    if (copy.stat().st_uid, copy.stat().st_gid) != (status.st_uid, status.st_gid):
        os.chown(copy, status.st_uid, status.st_gid)
    shutil.copystat(original, copy)
    with copy.open("rb") as written:
        os.fsync(written.fileno())
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))


def _tell(catalog: Catalog, file: Path) -> None:
    """The catalogue learns the size that the file has now."""
    status = file.stat()
    for track in catalog.tracks_at(file):
        stat = FileStat(track.path, status.st_size, status.st_mtime_ns)
        with catalog.writing() as write:
            write.retagged(track.id, stat, track.tags, track.content_hash)


def _why(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "the operating system does not permit it"
    return str(getattr(error, "strerror", None) or error).rstrip(".")
