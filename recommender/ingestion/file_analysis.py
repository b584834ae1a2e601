"""The analysis of one file, in a worker process or in this one."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.audio.tags import Tags, read_tags
from recommender.catalog.records import FileStat, Library
from recommender.embedding.space import Analysis
from recommender.errors import AudioError, FileVanished, NoPermission, NoSound, UnreadableAudio
from recommender.ingestion.content_hash import hash_content
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND, FileType, file_type_of
from recommender.utils.files import AnyPath

if TYPE_CHECKING:
    from recommender.audio.windows import Windowing
    from recommender.embedding.embedder import Embedder


@dataclass(frozen=True)
class FileJob:
    """A file to be analysed, or of which at least the tags are to be read.

    Attributes:
        library: the library that it belongs to.
        stat: its path, size and time at the scan.
        track_id: its track, if it has one.
        analysed_hash: content hash with which its track was analysed in this space already.
        content_hash: its content hash now, where that is known.
        failed_as: kind of its last failure, where it is tried again unchanged.
        moved: whether its track was moved to this path in this run.
    """

    library: Library
    stat: FileStat
    track_id: int | None = None
    analysed_hash: str | None = None
    content_hash: str | None = None
    failed_as: str | None = None
    moved: bool = False

    @property
    def path(self) -> Path:
        """The absolute path of the file."""
        return self.library.root / self.stat.path


@dataclass(frozen=True)
class FileAnalysis:
    """A file that was analysed; `analysis` is None where its content had not changed."""

    content_hash: str
    tags: Tags
    analysis: Analysis | None


@dataclass(frozen=True)
class AnalysisFailure:
    """A file that could not be analysed, and why."""

    kind: str
    reason: str


def load_analyser(model: AnyPath, windowing: "Windowing | None") -> "Embedder":
    """The embedder of a worker, which uses one core. Raises `WeightsError`."""
    import torch

    from recommender.embedding.embedder import Embedder

    torch.set_num_threads(1)
    return Embedder.load(model, windowing)


def analyse_file(embedder: "Embedder", job: FileJob) -> FileAnalysis | AnalysisFailure:
    """Hash the content, and analyse it only where it is new in this space. Never raises."""
    path = job.path
    try:
        content_hash = job.content_hash or hash_content(path)
        analysis = None if content_hash == job.analysed_hash else embedder.analyse(path)
        return FileAnalysis(content_hash, read_tags(path), analysis)
    except NoSound as error:
        is_video = file_type_of(job.stat.path) is FileType.VIDEO
        return AnalysisFailure(VIDEO_WITHOUT_SOUND if is_video else error.kind, str(error))
    except AudioError as error:
        return AnalysisFailure(error.kind, str(error))
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


def analyse_in_process(
    load: Callable[[], "Embedder"], jobs: Iterable[FileJob], stopped: Callable[[], bool]
) -> Iterator[list[tuple[FileJob, FileAnalysis | AnalysisFailure]]]:
    """Analyse files one after the other in this process, on one core as a worker does.

    Args:
        load: loads the embedder.
        jobs: taken one by one.
        stopped: called before each file; once it returns true, the rest is left.

    Raises:
        Exception: whatever `load` raised.
    """
    import torch

    threads = torch.get_num_threads()
    try:
        embedder = load()
        for job in jobs:
            yield [(job, analyse_file(embedder, job))]
            if stopped():
                return
    finally:
        torch.set_num_threads(threads)
