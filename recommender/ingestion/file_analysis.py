"""The analysis of one file by a worker."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.audio.samples_hash import same_samples
from recommender.audio.segments import Segment
from recommender.audio.tags import Tags
from recommender.catalog.records import FileStat, Library
from recommender.embedding.space import Analysis
from recommender.errors import (
    AudioError,
    FileVanished,
    NoPermission,
    NoSound,
    RecsysError,
    UnreadableAudio,
    WorkerCrashed,
)
from recommender.ingestion.content_hash import has_content, hash_content, is_whole
from recommender.ingestion.cue_sheets import SheetUse
from recommender.ingestion.file_reader import FileReader, ReaderModel
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND, FileType, file_type_of
from recommender.ingestion.isolated_analyser import IsolatedAnalyser
from recommender.ingestion.reader_model import SameSamples
from recommender.ingestion.segment_analysis import Division, divide
from recommender.musical_descriptors import MusicalDescriptors
from recommender.utils.files import AnyPath

if TYPE_CHECKING:
    from recommender.audio.span_decoder import Span
    from recommender.audio.windows import Windowing
    from recommender.ingestion.worker_limits import FileLimits


@dataclass(frozen=True)
class SegmentTrack:
    """A track that the catalogue has of a segment of a file.

    Attributes:
        track_id: its id.
        number: of the segment.
        content_hash: of the file and the bounds of the segment.
        samples_hash, is_analysed: as of a `FileJob`.
        is_lost: whether it is that of a file which is gone, as `FileJob.lost_id`.
        is_described: as of a `FileJob`.
    """

    track_id: int
    number: int
    content_hash: str
    samples_hash: str | None = None
    is_analysed: bool = False
    is_lost: bool = False
    is_described: bool = True


@dataclass(frozen=True)
class FileJob:
    """A file to be analysed, or of which at least the tags are to be read.

    Attributes:
        library: the library that it belongs to.
        stat: its path, size and time at the scan.
        track_id: its track, if it has one.
        lost_id: a track whose file is gone and had the same content hash: it becomes this file's
            once the samples agree.
        known_hash: content hash that the catalogue has of its track, or of the lost one.
        samples_hash: likewise, of the windows as analysed in this space.
        is_analysed: whether that track was analysed in this space.
        content_hash: its content hash now, where that is known.
        failed_as: kind of its last failure, where it is tried again unchanged.
        moved: whether its track was moved to this path in this run.
        unchanged: whether size and time are those of its track; tags are read again all the same.
        forced: whether it is analysed even if its content has not changed.
        segments: the tracks of a file that a cue sheet divides; it has no `track_id` then.
        sheets: the cue sheets that divide it now, in the order in which they are tried.
        touched: whether a sheet that names it, or named it, is new, has changed, or is gone.
        segment: the part of the file that the job is for; None for all of it.
        describes: whether musical descriptors are computed where it is analysed, or lacks them.
        is_described: whether its track has descriptors of this version.
    """

    library: Library
    stat: FileStat
    track_id: int | None = None
    lost_id: int | None = None
    known_hash: str | None = None
    samples_hash: str | None = None
    is_analysed: bool = False
    content_hash: str | None = None
    failed_as: str | None = None
    moved: bool = False
    unchanged: bool = False
    forced: bool = False
    segments: tuple[SegmentTrack, ...] = ()
    sheets: tuple[SheetUse, ...] = ()
    touched: bool = False
    segment: Segment | None = None
    describes: bool = False
    is_described: bool = True

    @property
    def track_ids(self) -> set[int]:
        """Ids of its tracks."""
        own = {track.track_id for track in self.segments if not track.is_lost}
        return own if self.track_id is None else own | {self.track_id}

    @property
    def lost_ids(self) -> set[int]:
        """Ids of the tracks of a file that is gone, and may be this one."""
        lost = {track.track_id for track in self.segments if track.is_lost}
        return lost if self.lost_id is None else lost | {self.lost_id}

    @property
    def is_settled(self) -> bool:
        """Whether it has got its track, and need not be read."""
        return self.moved and self.is_analysed and not self.sheets

    @property
    def span(self) -> "Span | None":
        """The part of the file to be decoded; None for all of it."""
        if self.segment is None or self.segment.is_whole:
            return None
        return self.segment.start, self.segment.end

    @property
    def path(self) -> Path:
        """The absolute path of the file."""
        return self.library.root / self.stat.path


@dataclass(frozen=True)
class FileAnalysis:
    """A file that was read.

    Attributes:
        content_hash: of its content now.
        tags: its tags now.
        analysis: None where its content is the one that is analysed already.
        same_content: whether its content is that of `FileJob.known_hash`, as far as was compared.
        samples_hash: of its windows, where they were decoded and not analysed.
        to_confirm: whether `same_content` was concluded from the content hash alone: the analysis
            will tell, by comparison with the one that is stored. Windows differ a little, too,
            where the length of an mp3 is guessed, and guessed otherwise once it has a tag.
        division: what became of its cue sheets; None for a file without any.
        descriptors: its musical descriptors, where they were computed and it was not analysed.
    """

    content_hash: str
    tags: Tags
    analysis: Analysis | None
    same_content: bool = False
    samples_hash: str | None = None
    to_confirm: bool = False
    division: Division | None = None
    descriptors: MusicalDescriptors | None = None


@dataclass(frozen=True)
class AnalysisFailure:
    """A file that could not be analysed, and why."""

    kind: str
    reason: str


def load_analyser(
    model: AnyPath, windowing: "Windowing | None", limits: "FileLimits"
) -> IsolatedAnalyser:
    """The analyser of a worker: a process that uses one core, and starts now."""
    reader = FileReader(limits, model=ReaderModel(model, windowing))
    reader.start()
    return IsolatedAnalyser(reader)


def analyse_file(
    analyser: IsolatedAnalyser, job: FileJob
) -> FileAnalysis | AnalysisFailure | WorkerCrashed:
    """Hash the content, and analyse it only where it is new in this space.

    Raises `RecsysError`, but never through the fault of a file.
    """
    try:
        return _analysed(analyser, job)
    except WorkerCrashed as error:  # of the process that opens the file
        return error
    except NoSound as error:
        is_video = file_type_of(job.stat.path) is FileType.VIDEO
        return AnalysisFailure(VIDEO_WITHOUT_SOUND if is_video else error.kind, str(error))
    except AudioError as error:
        return AnalysisFailure(error.kind, str(error))
    except RecsysError:
        raise
    except FileNotFoundError:
        return AnalysisFailure(FileVanished.kind, "the file was gone when its turn came")
    except PermissionError:
        return AnalysisFailure(
            NoPermission.kind, "the operating system does not permit reading the file"
        )
    except OSError as error:
        return AnalysisFailure(
            UnreadableAudio.kind, f"the file cannot be read: {error.strerror or error}"
        )
    except Exception as error:  # whatever a decoder throws costs this file alone
        return AnalysisFailure(UnreadableAudio.kind, f"unexpected {type(error).__name__}: {error}")


def _analysed(analyser: IsolatedAnalyser, job: FileJob) -> FileAnalysis:
    """Like `analyse_file`, with the errors of decoders."""
    content_hash = job.content_hash or analyser.call(hash_content, job.path)
    tagged = analyser.read_tagged(job.path)
    if not job.sheets and tagged.cue_sheet is None:
        return _analysed_track(analyser, replace(job, content_hash=content_hash), tagged.tags)

    def of_segment(part: FileJob) -> FileAnalysis:
        tags = tagged.tags if part.segment is None else part.segment.tags_with(tagged.tags)
        return _analysed_track(analyser, part, tags)

    division = divide(job, tagged.cue_sheet, content_hash, of_segment)
    if division.parts:
        return FileAnalysis(content_hash, tagged.tags, None, division=division)
    whole = _analysed_track(analyser, replace(job, content_hash=content_hash), tagged.tags)
    return replace(whole, division=division)


def _analysed_track(analyser: IsolatedAnalyser, job: FileJob, tags: Tags) -> FileAnalysis:
    """The analysis of a file, or of a segment of one, whose content hash is known."""
    path, content_hash = job.path, job.content_hash or ""
    same = job.known_hash is not None and _has_content(analyser, job, content_hash)
    if not (same and job.is_analysed):
        analysis = analyser.analyse(path, job.span, job.describes)
        return FileAnalysis(content_hash, tags, analysis, same)
    describes = job.describes and (job.forced or not job.is_described)
    if (job.unchanged or is_whole(job.known_hash or "")) and not job.forced:
        described = analyser.describe(path, job.span) if describes else None
        return FileAnalysis(content_hash, tags, None, same_content=True, descriptors=described)
    found = analyser.analyse_changed(path, job.samples_hash, job.forced, job.span, describes)
    if isinstance(found, SameSamples):
        return FileAnalysis(
            content_hash, tags, None, True, found.samples_hash, descriptors=found.descriptors
        )
    agrees = same_samples(job.samples_hash, found.samples_hash or "")
    return FileAnalysis(
        content_hash,
        tags,
        found,
        same_content=agrees is not False or not job.forced,
        to_confirm=not job.forced,
    )


def _has_content(analyser: IsolatedAnalyser, job: FileJob, content_hash: str) -> bool:
    """Whether the content is that of `FileJob.known_hash`; those of segments have one scheme."""
    if job.span is not None:
        return content_hash == job.known_hash
    return analyser.call(has_content, job.path, content_hash, job.known_hash or "")
