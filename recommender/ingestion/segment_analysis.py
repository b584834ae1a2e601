"""The analysis of a file that a cue sheet divides: of each segment as of a file of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from recommender.audio.cue_sheet import parse_cue_sheet
from recommender.audio.segments import Segment, segments_of
from recommender.errors import AudioError, CueSheetError, NotFinite, PastEnd, Silent, TooShort
from recommender.ingestion.content_hash import same_bounds, segment_hash
from recommender.ingestion.cue_sheets import SheetUse

if TYPE_CHECKING:
    from recommender.ingestion.file_analysis import FileAnalysis, FileJob

Analyse = Callable[["FileJob"], "FileAnalysis"]
"""Analyses one segment; raises `AudioError`."""

_OF_THE_SEGMENT = (TooShort, Silent, NotFinite)
"""Errors that cost the segment, not the file."""


@dataclass(frozen=True)
class RefusedSheet:
    """A cue sheet that does not fit its file; `use` is None for an embedded one."""

    use: SheetUse | None
    reason: str


@dataclass(frozen=True)
class Division:
    """What became of the cue sheets of a file.

    Attributes:
        parts: the job and the analysis of each segment; none where the file is not divided.
        refused: sheets that do not fit it.
        left_out: why segments could not be analysed though the file can be read.
    """

    parts: tuple[tuple["FileJob", "FileAnalysis"], ...] = ()
    refused: tuple[RefusedSheet, ...] = ()
    left_out: tuple[str, ...] = ()


def divide(job: "FileJob", embedded: str | None, file_hash: str, analyse: Analyse) -> Division:
    """Analyse the segments of a file by the first of its cue sheets that fits.

    Args:
        job: of the file.
        embedded: text of the cue sheet in its tags.
        file_hash: its content hash.
        analyse: called with the job of each segment.

    Raises:
        AudioError: of the file; or of its segments, where none of them can be analysed.
    """
    refused: list[RefusedSheet] = []
    for use, segments in _sheets(job, embedded, refused):
        try:
            parts, left_out = _analysed(_jobs(job, segments, file_hash), analyse)
        except CueSheetError as error:
            refused.append(RefusedSheet(use, str(error)))
        else:
            return Division(parts, tuple(refused), left_out)
    return Division(refused=tuple(refused))


def _sheets(
    job: "FileJob", embedded: str | None, refused: list[RefusedSheet]
) -> Iterator[tuple[SheetUse | None, tuple[Segment, ...]]]:
    """The sheets to try; an embedded one that makes no sense is refused."""
    for use in job.sheets:
        yield use, use.segments
    if embedded is None:
        return
    try:
        sheet = parse_cue_sheet(embedded)
    except CueSheetError as error:
        refused.append(RefusedSheet(None, f"the cue sheet in its tags: {error}"))
        return
    files = [file for file in sheet.files if file.tracks]
    segments = segments_of(replace(sheet, files=tuple(files)), files[0]) if len(files) == 1 else ()
    if segments and not segments[0].is_whole:
        yield None, segments


def _jobs(job: "FileJob", segments: tuple[Segment, ...], file_hash: str) -> list["FileJob"]:
    """A job for each segment, with the track that it has: of the same bounds, or else number."""
    known = {one.content_hash: one for one in job.segments}
    if segments[0].is_whole:
        return [replace(job, segment=segments[0], sheets=(), segments=(), content_hash=file_hash)]
    hashes = [segment_hash(file_hash, segment) for segment in segments]
    matched = [
        next((one for stored, one in known.items() if same_bounds(stored, found)), None)
        for found in hashes
    ]
    free = {one.number: one for one in job.segments if one not in matched}
    jobs = []
    for segment, content_hash, same in zip(segments, hashes, matched, strict=True):
        track = same or free.get(segment.number)
        jobs.append(
            replace(
                job,
                segment=segment,
                sheets=(),
                segments=(),
                content_hash=content_hash,
                track_id=None if track is None or track.is_lost else track.track_id,
                lost_id=same.track_id if same is not None and same.is_lost else None,
                known_hash=None if track is None else track.content_hash,
                samples_hash=None if track is None else track.samples_hash,
                is_analysed=track is not None and track.is_analysed,
                is_described=track is not None and track.is_described,
            )
        )
    return jobs


def _analysed(
    jobs: list["FileJob"], analyse: Analyse
) -> tuple[tuple[tuple["FileJob", "FileAnalysis"], ...], tuple[str, ...]]:
    """The segments that can be analysed, and why others cannot.

    The last comes first: if it lies beyond the end of the file, nothing else need be decoded.
    """
    parts, left_out = [], []
    first_error: AudioError | None = None
    for job in reversed(jobs):
        try:
            parts.append((job, analyse(job)))
        except _OF_THE_SEGMENT as error:
            if job.segment is None or job.segment.is_whole:
                raise
            first_error = error
            left_out.append(f"track {job.segment.number} of its cue sheet is left out: {error}")
        except PastEnd as error:
            line = None if job.segment is None else job.segment.line
            reason = f"{error} It is the sheet of another file: correct it, or remove it"
            raise CueSheetError(line, reason) from error
    if not parts and first_error is not None:
        raise first_error
    return tuple(reversed(parts)), tuple(reversed(left_out))
