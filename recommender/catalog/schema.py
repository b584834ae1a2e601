"""The tables as SQLAlchemy models. A change here needs a migration in `alembic/versions`."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
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
from recommender.catalog.records import ProjectionOrigin, TrackState
from recommender.utils.arrays import FloatArray

_State = Enum(
    TrackState,
    native_enum=False,
    create_constraint=False,
    length=16,
    values_callable=lambda states: [state.value for state in states],
)
_Origin = Enum(
    ProjectionOrigin,
    native_enum=False,
    create_constraint=False,
    length=16,
    values_callable=lambda origins: [origin.value for origin in origins],
)
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
    """

    __tablename__ = "catalog"

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(String(36))
    revision: Mapped[int]
    active_space_id: Mapped[int | None] = mapped_column(ForeignKey("spaces.id"))
    analysis_settings: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    changes_known_since: Mapped[int] = mapped_column(server_default="0")


class LibraryRow(Base):
    """A music folder. No library lies inside another."""

    __tablename__ = "libraries"
    __table_args__ = (UniqueConstraint("root"), _NEVER_REUSE_IDS)

    id: Mapped[int] = mapped_column(primary_key=True)
    root: Mapped[str] = mapped_column(PathText)
    mount_points: Mapped[tuple[str, ...]] = mapped_column("mount_point", PathTexts, nullable=True)


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


def table(model: type[Base]) -> Table:
    """The model's table, on which statements are faster to build than on the model."""
    return cast(Table, model.__table__)
