"""The tables as SQLAlchemy models. A change here needs a migration in `alembic/versions`."""

from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Double,
    Enum,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from recommender.audio.damage import Damage
from recommender.catalog.column_types import (
    DamageRecord,
    Moment,
    PathText,
    PathTexts,
    Texts,
    Vector,
)
from recommender.catalog.layout_records import LayoutKind
from recommender.catalog.list_records import EventKind, ExclusionKind
from recommender.catalog.records import ProjectionOrigin, TrackState
from recommender.catalog.server_records import RemoteKind
from recommender.utils.arrays import FloatArray


def _texts_of(kind: type[StrEnum]) -> Enum:
    """A column of the values of an enumeration, as text."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


_State, _Origin = _texts_of(TrackState), _texts_of(ProjectionOrigin)
_NEVER_REUSE_IDS = {"sqlite_autoincrement": True}


class Base(DeclarativeBase):
    """Base of the models; constraints get predictable names, by which migrations refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class CatalogRow(Base):
    """The one row with the catalogue's id, its revision and the active space.

    Of what changed after `changes_known_since`, tracks and removals tell the revision.
    `lists_revision` counts the changes of exclusions and playlists.
    """

    __tablename__ = "catalog"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36))
    revision: Mapped[int]
    active_space_id: Mapped[int | None] = mapped_column(ForeignKey("spaces.id"))
    analysis_settings: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    changes_known_since: Mapped[int] = mapped_column(server_default="0")
    lists_revision: Mapped[int] = mapped_column(server_default="0")


class LibraryRow(Base):
    """A music folder. No library lies inside another."""

    __tablename__ = "libraries"
    __table_args__ = (UniqueConstraint("root"), _NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    root: Mapped[str] = mapped_column(PathText)
    mount_points: Mapped[tuple[str, ...]] = mapped_column("mount_point", PathTexts, nullable=True)
    linked_folders: Mapped[tuple[str, ...]] = mapped_column(PathTexts, nullable=True)


class SpaceRow(Base):
    """An unprojected embedding space; `dimension` is None until its first analysis."""

    __tablename__ = "spaces"
    __table_args__ = (UniqueConstraint("model", "weights", "analysis"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(Text)
    weights: Mapped[str] = mapped_column(Text)
    analysis: Mapped[str] = mapped_column(Text)
    dimension: Mapped[int | None]


class TrackRow(Base):
    """A file, or a segment of one, that was analysed at least once.

    Of a track that is all of its file, `segment` is 0 and the bounds are NULL.
    """

    __tablename__ = "tracks"
    __table_args__ = (UniqueConstraint("library_id", "path", "segment"), _NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    library_id: Mapped[int] = mapped_column(ForeignKey("libraries.id"))
    path: Mapped[str] = mapped_column(PathText)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str] = mapped_column(Text)
    file_hash: Mapped[str | None] = mapped_column(Text)
    state: Mapped[TrackState] = mapped_column(_State)
    duration: Mapped[float] = mapped_column(Double)
    title: Mapped[str | None] = mapped_column(Text)
    artist: Mapped[str | None] = mapped_column(Text)
    album: Mapped[str | None] = mapped_column(Text)
    album_artist: Mapped[str | None] = mapped_column(Text)
    genre: Mapped[str | None] = mapped_column(Text)
    track_number: Mapped[int | None]
    year: Mapped[int | None]
    search_text: Mapped[str] = mapped_column(Text)
    artists: Mapped[tuple[str, ...] | None] = mapped_column(Texts)
    album_artists: Mapped[tuple[str, ...] | None] = mapped_column(Texts)
    damage: Mapped[Damage | None] = mapped_column(DamageRecord)
    revision: Mapped[int] = mapped_column(server_default="0", index=True)
    segment: Mapped[int] = mapped_column(server_default="0")
    segment_start: Mapped[float | None] = mapped_column(Double)
    segment_end: Mapped[float | None] = mapped_column(Double)
    recording_mbid: Mapped[str | None] = mapped_column(Text)
    isrcs: Mapped[tuple[str, ...] | None] = mapped_column(Texts)


class RemovalRow(Base):
    """A track that was dropped, and the revision since which it is not recommended."""

    __tablename__ = "removals"

    track_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(index=True)


class AnalysisRow(Base):
    """A model's analysis of one track; for the blob see `activation_blob`.

    The blob is behind all that listings read, so that they need not skip it; its checksum and the
    hash of the samples are read with it only, and NULL where they were never computed.
    """

    __tablename__ = "analyses"

    track_id: Mapped[int] = mapped_column(
        ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True
    )
    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    analysed_at: Mapped[datetime] = mapped_column(Moment)
    analysed_by: Mapped[str] = mapped_column(Text)
    genre_probabilities: Mapped[dict[str, float]] = mapped_column(JSON)
    windows: Mapped[list[list[float]]] = mapped_column(JSON)
    activations: Mapped[bytes] = mapped_column(LargeBinary)
    samples_hash: Mapped[str | None] = mapped_column(Text)
    checksum: Mapped[int | None] = mapped_column(BigInteger)


class DescriptorsRow(Base):
    """The musical descriptors of a track; see `musical_descriptors.MusicalDescriptors`.

    Values that are whole in steps of the algorithms are whole numbers here, which take less space.
    """

    __tablename__ = "musical_descriptors"

    track_id: Mapped[int] = mapped_column(
        ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int]
    loudness: Mapped[float | None] = mapped_column(Double)
    loudness_range: Mapped[float | None] = mapped_column(Double)
    tempo: Mapped[float | None] = mapped_column(Double)
    tempo_confidence: Mapped[float | None] = mapped_column(Double)
    second_tempo: Mapped[float | None] = mapped_column(Double)
    beat_strength: Mapped[float | None] = mapped_column(Double)
    key: Mapped[int | None]
    mode: Mapped[str | None] = mapped_column(String(8))
    key_confidence: Mapped[float | None] = mapped_column(Double)
    tuning: Mapped[float | None] = mapped_column(Double)
    energy: Mapped[float | None] = mapped_column(Double)
    danceability: Mapped[float | None] = mapped_column(Double)
    acousticness: Mapped[float | None] = mapped_column(Double)
    brightness: Mapped[float | None] = mapped_column(Double)
    percussive: Mapped[float | None] = mapped_column(Double)
    vocals: Mapped[float | None] = mapped_column(Double)
    dynamic_complexity: Mapped[float | None] = mapped_column(Double)
    speech: Mapped[float | None] = mapped_column(Double)


class ProjectionRow(Base):
    """A projection of a space, at most one of each origin; `matrix` is stored row by row."""

    __tablename__ = "projections"

    space_id: Mapped[int] = mapped_column(ForeignKey("spaces.id"), primary_key=True)
    origin: Mapped[ProjectionOrigin] = mapped_column(_Origin, primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    stored_at: Mapped[datetime] = mapped_column(Moment)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    mean: Mapped[FloatArray] = mapped_column(Vector)
    matrix: Mapped[FloatArray] = mapped_column(Vector)


class FailureRow(Base):
    """A file or folder that could not be analysed when it was last tried."""

    __tablename__ = "failures"
    __table_args__ = (UniqueConstraint("library_id", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    library_id: Mapped[int] = mapped_column(ForeignKey("libraries.id"))
    path: Mapped[str] = mapped_column(PathText)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    failed_at: Mapped[datetime] = mapped_column(Moment)


class CueSheetRow(Base):
    """A cue sheet as it was last read: a row for each file that it names; `file` is empty for none.

    It need not be read again before it changes, or before such a file does.
    """

    __tablename__ = "cue_sheets"
    __table_args__ = (UniqueConstraint("library_id", "path", "file"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    library_id: Mapped[int] = mapped_column(ForeignKey("libraries.id"))
    path: Mapped[str] = mapped_column(PathText)
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    file: Mapped[str] = mapped_column(PathText)


def _reference(of: str) -> ForeignKey:
    """A row goes with the row that it refers to."""
    return ForeignKey(f"{of}.id", ondelete="CASCADE")


class ExclusionRow(Base):
    """What is never in mixes.

    Of a track `track_id` is set; of a folder `path`, relative to the library's root, or absolute
    where it lay in no library (`library_id` is NULL).
    """

    __tablename__ = "exclusions"
    __table_args__ = (_NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ExclusionKind] = mapped_column(_texts_of(ExclusionKind))
    value: Mapped[str] = mapped_column(PathText)
    track_id: Mapped[int | None] = mapped_column(_reference("tracks"), index=True)
    library_id: Mapped[int | None] = mapped_column(_reference("libraries"))
    path: Mapped[str | None] = mapped_column(PathText)
    added_at: Mapped[datetime] = mapped_column(Moment)


class EventRow(Base):
    """A like, a play or a skip; two sources may tell of the same one."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("user_name", "at", "track_id", "kind", "source"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(Text)
    kind: Mapped[EventKind] = mapped_column(_texts_of(EventKind))
    track_id: Mapped[int] = mapped_column(_reference("tracks"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    source: Mapped[str] = mapped_column(Text)


class PlaylistRow(Base):
    """A playlist; its tracks are `PlaylistEntryRow`s."""

    __tablename__ = "playlists"
    __table_args__ = (UniqueConstraint("user_name", "name"), _NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(Text)
    recipe: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    target: Mapped[str | None] = mapped_column(PathText)
    absolute: Mapped[bool] = mapped_column(Boolean(create_constraint=False))
    created_at: Mapped[datetime] = mapped_column(Moment)
    changed_at: Mapped[datetime] = mapped_column(Moment)
    run_at: Mapped[datetime | None] = mapped_column(Moment)


class PlaylistEntryRow(Base):
    """A track in a playlist. Positions ascend, with gaps where tracks were dropped."""

    __tablename__ = "playlist_entries"

    playlist_id: Mapped[int] = mapped_column(_reference("playlists"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(_reference("tracks"), index=True)


class ServerRow(Base):
    """A media server; see `MediaServer`."""

    __tablename__ = "servers"
    __table_args__ = (UniqueConstraint("name"), _NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    login: Mapped[str] = mapped_column(Text)
    linked_at: Mapped[datetime | None] = mapped_column(Moment)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class RemoteTrackRow(Base):
    """A server's id of a track."""

    __tablename__ = "remote_tracks"

    server_id: Mapped[int] = mapped_column(_reference("servers"), primary_key=True)
    remote_id: Mapped[str] = mapped_column(Text, primary_key=True)
    track_id: Mapped[int] = mapped_column(_reference("tracks"), index=True)
    matched_by: Mapped[str] = mapped_column(Text)


class RemoteNameRow(Base):
    """A server's id of an artist or an album."""

    __tablename__ = "remote_names"

    server_id: Mapped[int] = mapped_column(_reference("servers"), primary_key=True)
    kind: Mapped[RemoteKind] = mapped_column(_texts_of(RemoteKind), primary_key=True)
    remote_id: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    artist: Mapped[str | None] = mapped_column(Text)


class LayoutRow(Base):
    """A map of the tracks, or clusters of them; see `layouts` for the blobs.

    It refers to tracks by ids in a blob: those that have left the catalogue are left out when it is
    read.
    """

    __tablename__ = "layouts"

    kind: Mapped[LayoutKind] = mapped_column(_texts_of(LayoutKind), primary_key=True)
    space: Mapped[dict[str, Any]] = mapped_column(JSON)
    computed_at: Mapped[datetime] = mapped_column(Moment)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    width: Mapped[int]
    checksum: Mapped[int] = mapped_column(BigInteger)
    track_ids: Mapped[bytes] = mapped_column(LargeBinary)
    track_values: Mapped[bytes] = mapped_column(LargeBinary)


class LibraryRootRow(Base):
    """Where a host sees a library that several hosts use, and what it knows of its disks there."""

    __tablename__ = "library_roots"

    library_id: Mapped[int] = mapped_column(_reference("libraries"), primary_key=True)
    host: Mapped[str] = mapped_column(Text, primary_key=True)
    root: Mapped[str] = mapped_column(PathText)
    mount_points: Mapped[tuple[str, ...]] = mapped_column("mount_point", PathTexts, nullable=True)
    linked_folders: Mapped[tuple[str, ...]] = mapped_column(PathTexts, nullable=True)


class LeaseRow(Base):
    """An ingest that may claim files until `expires_at`, by the clock of the database."""

    __tablename__ = "leases"
    __table_args__ = (_NEVER_REUSE_IDS,)

    id: Mapped[int] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(Text)
    process: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class ClaimRow(Base):
    """A file that an ingest analyses at present; it goes with the lease."""

    __tablename__ = "claims"

    library_id: Mapped[int] = mapped_column(_reference("libraries"), primary_key=True)
    path: Mapped[str] = mapped_column(PathText, primary_key=True)
    lease_id: Mapped[int] = mapped_column(_reference("leases"), index=True)


def table(model: type[Base]) -> Table:
    """The model's table, on which statements are faster to build than on the model."""
    return cast(Table, model.__table__)
