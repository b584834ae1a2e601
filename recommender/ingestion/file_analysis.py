"""What a worker process does with one file."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recommender.audio.tags import read_tags
from recommender.catalog.records import FileStat, Library, Tags
from recommender.embedding.space import Hearing
from recommender.errors import AudioError, FileVanished, NoPermission, NoSound, UnreadableAudio
from recommender.ingestion.content_hash import content_digest
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND, Kind, kind_of

if TYPE_CHECKING:
    from recommender.audio.reader import Windowing
    from recommender.embedding.embedder import Embedder


@dataclass(frozen=True)
class FileJob:
    """A file to be heard, or of which at least the tags are to be read.

    Attributes:
        library: where it belongs.
        stat: what the scan saw of it.
        track_id: its track, if it has one.
        heard_as: content digest under which its track was heard in this space already.
        digest: its content digest now, where that is known.
        failed_as: kind of its last failure, where it is tried again unchanged.
        moved: whether its track was moved to this path in this run.
    """

    library: Library
    stat: FileStat
    track_id: int | None = None
    heard_as: str | None = None
    digest: str | None = None
    failed_as: str | None = None
    moved: bool = False

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self.library.root / self.stat.path


@dataclass(frozen=True)
class Heard:
    """A file that was heard; without a hearing when its sound had not changed."""

    digest: str
    tags: Tags
    hearing: Hearing | None


@dataclass(frozen=True)
class NotHeard:
    """A file that could not be heard, and why."""

    kind: str
    reason: str


def load_listener(model: str, windowing: "Windowing | None") -> "Embedder":
    """The embedder of a worker process, which uses one core."""
    import torch

    from recommender.embedding.embedder import load_embedder

    torch.set_num_threads(1)
    return load_embedder(model, windowing)


def listen(embedder: "Embedder", job: FileJob) -> Heard | NotHeard:
    """Digest first; hear the file only when its sound is new in this space. Never raises."""
    path = job.path
    try:
        digest = job.digest or content_digest(path)
        hearing = None if digest == job.heard_as else embedder.hear(path)
        return Heard(digest, read_tags(path), hearing)
    except NoSound as error:
        is_video = kind_of(job.stat.path) is Kind.VIDEO
        return NotHeard(VIDEO_WITHOUT_SOUND if is_video else error.kind, str(error))
    except AudioError as error:
        return NotHeard(error.kind, str(error))
    except FileNotFoundError:
        return NotHeard(FileVanished.kind, "the file was gone when its turn came")
    except PermissionError:
        return NotHeard(NoPermission.kind, "the operating system does not let us read the file")
    except OSError as error:
        return NotHeard(UnreadableAudio.kind, f"the file cannot be read: {error.strerror or error}")
    except Exception as error:  # whatever a decoder throws costs this file alone
        return NotHeard(UnreadableAudio.kind, f"unexpected {type(error).__name__}: {error}")
