"""The catalogue's rows as frozen dataclasses: what other modules and users handle."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from recommender.audio.damage import Damage
from recommender.audio.tags import Tags
from recommender.embedding.projection import Projection

_LARGEST_TIME = 2**63 - 1


class TrackState(StrEnum):
    """Whether a track can be recommended, which only an analysed one can."""

    ANALYSED = "analysed"
    MISSING = "missing"  # its file was not there when its folder was last scanned
    UNAVAILABLE = "unavailable"  # its library's root is absent or empty: a disk not mounted, say
    FAILED = "failed"  # it was analysed once; the file has changed since and cannot be read now


@dataclass(frozen=True)
class Library:
    """A music folder. Tracks are stored relative to `root`, so that it can move.

    Attributes:
        mount_points: where file systems were mounted, when it was last scanned, that the root lay
            on, or that lay below the root; that of "/" is not among them. They do not distinguish
            libraries.
        linked_folders: where the links led that scans followed to folders, without links; only
            `Catalog.libraries` reads them. They do not distinguish libraries either.
    """

    id: int
    root: Path
    mount_points: tuple[Path, ...] = field(default=(), compare=False)
    linked_folders: tuple[Path, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class FileStat:
    """What a scan reads of a file without opening it.

    Attributes:
        path: relative to the library's root, with forward slashes; bytes that are not UTF-8 are
            surrogate escapes, as from `os.fsdecode`.
        size: bytes.
        mtime_ns: time of the last modification, in nanoseconds since 1970. A time that 64 bits
            cannot hold (before 1677, after 2262), as damaged file systems have them, becomes the
            nearest one that they can.
    """

    path: str
    size: int
    mtime_ns: int

    def __post_init__(self) -> None:
        """Bring the time into range, as the catalogue stores it."""
        if not -_LARGEST_TIME <= self.mtime_ns <= _LARGEST_TIME:
            nearest = max(-_LARGEST_TIME, min(self.mtime_ns, _LARGEST_TIME))
            object.__setattr__(self, "mtime_ns", nearest)


@dataclass(frozen=True)
class KnownFile:
    """What the catalogue holds of a path: a track, a failure, or a track that failed later.

    Attributes:
        stat: of the file as analysed; of the file that failed where there is a failure.
        track_id, state, content_hash: None without a track.
        analysed_in_space: whether the track has an analysis in the space in question.
        failure_kind: None without a failure.
        segments: the tracks of a file that a cue sheet divides; the fields before are then those of
            the first of them, which is analysed where all are.
        is_described: whether the track has musical descriptors of the present version.
    """

    stat: FileStat
    track_id: int | None
    state: TrackState | None
    content_hash: str | None
    analysed_in_space: bool
    failure_kind: str | None
    segments: tuple["KnownSegment", ...] = ()
    is_described: bool = True

    @property
    def track_ids(self) -> tuple[int, ...]:
        """Ids of its tracks."""
        if self.segments:
            return tuple(segment.track_id for segment in self.segments)
        return () if self.track_id is None else (self.track_id,)

    def tracks(self) -> Iterator[tuple[int, TrackState | None, bool]]:
        """Id, state and `analysed_in_space` of each of its tracks."""
        if self.segments:
            for one in self.segments:
                yield one.track_id, one.state, one.analysed_in_space
        elif self.track_id is not None:
            yield self.track_id, self.state, self.analysed_in_space


@dataclass(frozen=True)
class KnownSegment:
    """A track that the catalogue has of a segment of a file.

    Attributes:
        number: of the segment.
        content_hash: of the file and the bounds of the segment.
        analysed_in_space: whether it has an analysis in the space in question.
        is_described: whether it has musical descriptors of the present version.
    """

    number: int
    track_id: int
    state: TrackState
    content_hash: str
    analysed_in_space: bool
    is_described: bool = True


@dataclass(frozen=True)
class KnownSheet:
    """A cue sheet as it was last read for one of the files that it names.

    Attributes:
        stat: of the sheet.
        file: relative to the library's root; empty where the sheet divides no file.
    """

    stat: FileStat
    file: str


@dataclass(frozen=True)
class Track:
    """One track of the catalogue.

    Attributes:
        path: relative to the library's root, as in `FileStat`.
        size, mtime_ns: of the file when it was analysed or last found.
        content_hash: of the sound data in the file, without its tags, and of the bounds of a
            segment.
        duration: seconds.
        genre_probabilities: predicted genre → probability, of the analysis in the active space, or
            else of the newest one; so are the remaining ones.
        windows: (start, length) in seconds of each window analysed, from the track's beginning.
        analysed_by: version of the program.
        damage: what was wrong with the file when it was analysed; None for an undamaged one.
        segment: number of the track in a file that a cue sheet divides; 0 for all of a file.
        start, end: seconds in such a file; None for all of a file.
    """

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
    damage: Damage | None = None
    segment: int = 0
    start: float | None = None
    end: float | None = None

    @property
    def file(self) -> Path:
        """Where the file should be now."""
        return self.library.root / self.path

    @property
    def location(self) -> str:
        """`path`, followed by ``#`` and the number of a segment."""
        return f"{self.path}#{self.segment}" if self.segment else self.path

    @property
    def title(self) -> str:
        """The tagged title, or the file's name without its ending, with the segment's number."""
        stem = Path(self.path).stem
        return self.tags.title or (f"{stem} #{self.segment}" if self.segment else stem)

    @property
    def artist(self) -> str | None:
        """The tagged artist, or else the album's."""
        return self.tags.artist or self.tags.album_artist

    @property
    def artists(self) -> tuple[str, ...]:
        """Every artist that the tags name, or else those of the album."""
        return self.tags.credited

    @property
    def predicted_genre(self) -> str | None:
        """The genre the network finds most probable."""
        probabilities = self.genre_probabilities
        return max(probabilities, key=probabilities.__getitem__) if probabilities else None


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
    """A projection that the catalogue stores for one of its spaces.

    Attributes:
        projection: of the space's activations.
        origin: where it comes from.
        stored_at: when it was stored.
        details: of the model's projection see `projector.ModelProjection`; of an adapted one how it
            was selected, with its evaluation.
    """

    projection: Projection
    origin: ProjectionOrigin
    stored_at: datetime
    details: Mapping[str, Any]


@dataclass(frozen=True)
class CatalogState:
    """Identifies one state of one catalogue; an index built from another one is stale.

    Attributes:
        catalog: random id of the catalogue.
        revision: counts the transactions that changed what can be recommended.
    """

    catalog: str
    revision: int


@dataclass(frozen=True)
class Counts:
    """The catalogue in numbers.

    Attributes:
        libraries: music folders.
        analysed, missing, unavailable, failed_tracks: tracks in each `TrackState`.
        failures: files and folders that could not be analysed, whether or not they ever were.
        seconds_of_music: duration of the analysed tracks together.
    """

    libraries: int
    analysed: int
    missing: int
    unavailable: int
    failed_tracks: int
    failures: int
    seconds_of_music: float
