"""The catalogue's rows as plain frozen dataclasses: what other modules and users handle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from recommender.audio.tags import Tags
from recommender.embedding.projection import Projection


class TrackState(StrEnum):
    """Whether a track can be recommended."""

    ANALYSED = "analysed"
    MISSING = "missing"  # its file was not there at the last scan
    FAILED = "failed"  # it was analysed once; the file has changed since and cannot be read now


@dataclass(frozen=True)
class Library:
    """A music folder. Tracks are stored relative to `root`, so that it can move."""

    id: int
    root: Path


@dataclass(frozen=True)
class FileStat:
    """What a scan sees of a file without opening it.

    `path` is relative to the library's root, with forward slashes; bytes that are not UTF-8 are
    kept as surrogate escapes, as `os.fsdecode` gives them.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class KnownFile:
    """What the catalogue holds of a path: a track, a failure, or a track that failed later."""

    stat: FileStat
    track_id: int | None
    state: TrackState | None
    content_hash: str | None
    analysed_in_space: bool
    failure_kind: str | None


@dataclass(frozen=True)
class Track:
    """One track of the catalogue."""

    id: int
    library: Library
    path: str
    size: int
    mtime_ns: int
    content_hash: str
    duration: float
    tags: Tags
    state: TrackState
    genre_probabilities: Mapping[str, float] = field(default_factory=dict)
    windows: tuple[tuple[float, float], ...] = ()
    analysed_at: datetime | None = None
    analysed_by: str | None = None

    @property
    def file(self) -> Path:
        """Where the file should be now."""
        return self.library.root / self.path

    @property
    def title(self) -> str:
        """The tagged title, or the file's name without its ending."""
        return self.tags.title or Path(self.path).stem

    @property
    def artist(self) -> str | None:
        """The tagged artist, or else the album's."""
        return self.tags.artist or self.tags.album_artist

    @property
    def predicted_genre(self) -> str | None:
        """The genre the network finds most probable."""
        analysed = self.genre_probabilities
        return max(analysed, key=lambda label: analysed[label]) if analysed else None


@dataclass(frozen=True)
class TrackFacts:
    """The little of a track that decides whether it is listed: many times quicker to read.

    `artist` is as in `Track`; `genre` is tagged; `genre_probabilities` are empty when not asked.
    """

    id: int
    state: TrackState
    duration: float
    artist: str | None = None
    genre: str | None = None
    genre_probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A file or folder that could not be analysed, and why."""

    library: Library
    path: str
    size: int
    mtime_ns: int
    kind: str
    reason: str
    failed_at: datetime


class ProjectionOrigin(StrEnum):
    """Where a projection comes from."""

    MODEL = "model"  # from the model's files
    ADAPTED = "adapted"  # fitted to this catalogue


@dataclass(frozen=True, eq=False)
class StoredProjection:
    """A projection that the catalogue keeps for one of its spaces.

    Attributes:
        projection: of the space's activations.
        origin: where it comes from.
        stored_at: when it was stored.
        details: of the model's, whether `descriptors` are among its activations; of an adapted one,
            how it was found, with figures.
    """

    projection: Projection
    origin: ProjectionOrigin
    stored_at: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True)
class CatalogState:
    """Names one moment of one catalogue; an index built from it is stale when it has changed."""

    catalog: str
    revision: int


@dataclass(frozen=True)
class Counts:
    """The catalogue in numbers."""

    libraries: int
    analysed: int
    missing: int
    failed_tracks: int
    failures: int
    seconds_of_music: float
