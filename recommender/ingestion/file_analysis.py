"""What a worker process does with one file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.audio.tags import Tags, read_tags
from recommender.catalog.records import FileStat, Library
from recommender.embedding.space import Analysis
from recommender.errors import AudioError, FileVanished, NoPermission, NoSound, UnreadableAudio
from recommender.ingestion.content_hash import hash_content
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND, Kind, kind_of

if TYPE_CHECKING:
    from recommender.audio.reader import Windowing
    from recommender.embedding.embedder import Embedder


@dataclass(frozen=True)
class FileJob:
    """A file to be analysed, or of which at least the tags are to be read.

    Attributes:
        library: where it belongs.
        stat: what the scan saw of it.
        track_id: its track, if it has one.
        analysed_hash: content digest under which its track was analysed in this space already.
        digest: its content digest now, where that is known.
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
        """Where the file is."""
        return self.library.root / self.stat.path


@dataclass(frozen=True)
class FileAnalysis:
    """A file that was analysed; without an analysis when its sound had not changed."""

    content_hash: str
    tags: Tags
    analysis: Analysis | None


@dataclass(frozen=True)
class AnalysisFailure:
    """A file that could not be analysed, and why."""

    kind: str
    reason: str


def load_analyser(model: str, windowing: "Windowing | None") -> "Embedder":
    """The embedder of a worker process, which uses one core."""
    import torch

    from recommender.embedding.embedder import Embedder

    torch.set_num_threads(1)
    return Embedder.load(model, windowing)


def analyse_file(embedder: "Embedder", job: FileJob) -> FileAnalysis | AnalysisFailure:
    """Digest first; analyse the file only when its sound is new in this space. Never raises."""
    path = job.path
    try:
        content_hash = job.content_hash or hash_content(path)
        analysis = None if content_hash == job.analysed_hash else embedder.analyse(path)
        return FileAnalysis(content_hash, read_tags(path), analysis)
    except NoSound as error:
        is_video = kind_of(job.stat.path) is Kind.VIDEO
        return AnalysisFailure(VIDEO_WITHOUT_SOUND if is_video else error.kind, str(error))
    except AudioError as error:
        return AnalysisFailure(error.kind, str(error))
    except FileNotFoundError:
        return AnalysisFailure(FileVanished.kind, "the file was gone when its turn came")
    except PermissionError:
        return AnalysisFailure(
            NoPermission.kind, "the operating system does not let us read the file"
        )
    except OSError as error:
        return AnalysisFailure(
            UnreadableAudio.kind, f"the file cannot be read: {error.strerror or error}"
        )
    except Exception as error:  # whatever a decoder throws costs this file alone
        return AnalysisFailure(UnreadableAudio.kind, f"unexpected {type(error).__name__}: {error}")
