"""The catalogue's rows as plain frozen dataclasses: what other modules and users handle."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from recommender.embedding.projection import Projection


class TrackState(StrEnum):
    """Whether a track can be recommended."""

    HEARD = "heard"
    MISSING = "missing"  # its file was not there at the last scan
    FAILED = "failed"  # it was heard once; the file has changed since and cannot be read now


@dataclass(frozen=True)
class Tags:
    """What the file says of itself; None where it says nothing."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    genre: str | None = None
    track_number: int | None = None
    year: int | None = None


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
    digest: str | None
    heard_in_space: bool
    failure_kind: str | None


@dataclass(frozen=True)
class Track:
    """One track of the catalogue."""

    id: int
    library: Library
    path: str
    size: int
    mtime_ns: int
    digest: str
    duration: float
    tags: Tags
    state: TrackState
    genre_probabilities: Mapping[str, float] = field(default_factory=dict)
    windows: tuple[tuple[float, float], ...] = ()
    heard_at: datetime | None = None
    heard_by: str | None = None

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
    def genre_heard(self) -> str | None:
        """The genre the network finds most probable."""
        heard = self.genre_probabilities
        return max(heard, key=lambda label: heard[label]) if heard else None


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
    """A file or folder that could not be heard, and why."""

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
class KeptProjection:
    """A projection that the catalogue keeps for one of its spaces.

    Attributes:
        projection: of the space's activations.
        origin: where it comes from.
        made_at: when it was stored.
        details: of the model's, whether `descriptors` are among its activations; of an adapted one,
            how it was found, with figures.
    """

    projection: Projection
    origin: ProjectionOrigin
    made_at: datetime
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
    heard: int
    missing: int
    failed_tracks: int
    failures: int
    seconds_of_music: float
