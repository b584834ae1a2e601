"""Writing to the catalogue: what a scan found, in one small transaction."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, case, delete, insert, select, update

from recommender.audio.tags import Tags
from recommender.catalog.libraries import TAG_FIELDS
from recommender.catalog.queries import chunks, space_row
from recommender.catalog.records import FileStat, Library, TrackState
from recommender.catalog.schema import (
    AnalysisRow,
    CatalogRow,
    FailureRow,
    SpaceRow,
    TrackRow,
    table,
)
from recommender.catalog.search_text import search_text
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError, TrackNotFound
from recommender.utils.names import storable

_LARGEST_INTEGER = 2**31 - 1
_LARGEST_BIG_INTEGER = 2**63 - 1

# Statements that run for every track are made once, of plain tables and with parameters: putting
# one together takes several times as long as running it.
_TRACKS, _ANALYSES, _FAILURES = table(TrackRow), table(AnalysisRow), table(FailureRow)
_TRACK_AT = select(_TRACKS.c.id, _TRACKS.c.content_hash).where(
    _TRACKS.c.library_id == bindparam("in_library"), _TRACKS.c.path == bindparam("at_path")
)
_PLACE_AND_TAGS = select(
    _TRACKS.c.library_id, _TRACKS.c.state, *(_TRACKS.c[name] for name in TAG_FIELDS)
).where(_TRACKS.c.id == bindparam("of_track"))
_UPDATE_TRACK = update(_TRACKS).where(_TRACKS.c.id == bindparam("of_track"))
_UPDATE_ANALYSIS = update(_ANALYSES).where(
    _ANALYSES.c.track_id == bindparam("of_track"), _ANALYSES.c.space_id == bindparam("in_space")
)
_UPDATE_FAILURE = update(_FAILURES).where(
    _FAILURES.c.library_id == bindparam("in_library"), _FAILURES.c.path == bindparam("at_path")
)
_FORGET_FAILURE = delete(_FAILURES).where(
    _FAILURES.c.library_id == bindparam("in_library"), _FAILURES.c.path == bindparam("at_path")
)


class Writer:
    """The writing side of a `Catalog`, inside its `writing()` transaction.

    `changed` says whether the transaction changes what can be recommended or how it is shown.
    """

    def __init__(self, connection: Connection) -> None:
        """Lent by `Catalog.writing`, which owns the connection's transaction."""
        self._connection = connection
        self._space_ids: dict[SpaceId, int] = {}
        self.changed = False

    def analysed(
        self,
        library: Library,
        stat: FileStat,
        content_hash: str,
        tags: Tags,
        analysis: Analysis,
        version: str,
    ) -> int:
        """Store a track that was analysed, by its library and path; the path's failure is forgotten.

        When the content is another than before (another digest), what was analysed of the old one in
        other spaces is dropped with it.

        Args:
            version: the program that analysed it, kept as `Track.analysed_by`.

        Returns:
            The track's id: the one it had, or a new one.

        Raises:
            CatalogError: the activations have another length than those of their space.
        """
        values = {
            **_stat_values(stat),
            **_tag_values(tags, stat.path),
            "content_hash": content_hash,
            "file_hash": None,
            "state": TrackState.ANALYSED,
            "duration": float(analysis.duration),
        }
        old = self._track_at(library, stat.path)
        if old is None:
            track_id = self._insert(_TRACKS, {**values, "library_id": library.id})
        else:
            track_id, old_hash = old
            self._update_track(track_id, values)
            if old_hash != content_hash:
                self._connection.execute(
                    delete(AnalysisRow).where(AnalysisRow.track_id == track_id)
                )
        self._store_analysis(track_id, analysis, version)
        self.forget_failures(library, [stat.path])
        self.changed = True
        return track_id

    def set_predicted_genres(self, space: SpaceId, told: Mapping[int, Mapping[str, float]]) -> None:
        """Of tracks analysed in `space`, by id, the genres are told anew; the rest of it stays."""
        if told:
            space_id, _ = ensure_space(self._connection, space)
            self._connection.execute(
                _UPDATE_ANALYSIS,
                [
                    {"of_track": id, "in_space": space_id, "genre_probabilities": dict(shares)}
                    for id, shares in told.items()
                ],
            )
            self.changed = True

    def retagged(self, track_id: int, stat: FileStat, tags: Tags, content_hash: str) -> None:
        """The file's tags, size or time changed, its sound did not: what was analysed stays.

        The track is recommended (again), and its path's failure is forgotten.

        Raises:
            TrackNotFound: the track is gone.
        """
        library_id, state, old_tags = self._place_and_tags(track_id)
        values = {
            **_stat_values(stat),
            **_tag_values(tags, stat.path),
            "content_hash": content_hash,
        }
        self._update_track(track_id, {**values, "file_hash": None, "state": TrackState.ANALYSED})
        self._forget_failures(library_id, [stat.path])
        if state != TrackState.ANALYSED or any(
            values[name] != getattr(old_tags, name) for name in TAG_FIELDS
        ):
            self.changed = True

    def moved(self, track_id: int, library: Library, stat: FileStat, tags: Tags | None) -> None:
        """The track's file is now at `stat.path` of `library`; its row and analyses stay.

        A track that the catalogue had at that path is dropped: its file was replaced by this one.

        Args:
            tags: None to keep those it has.

        Raises:
            TrackNotFound: the track is gone.
        """
        old_tags = self._place_and_tags(track_id)[2]
        replaced = self._track_at(library, stat.path)
        if replaced is not None and replaced[0] != track_id:
            self._connection.execute(delete(TrackRow).where(TrackRow.id == replaced[0]))
        values = {**_stat_values(stat), **_tag_values(tags or old_tags, stat.path)}
        self._update_track(
            track_id, {**values, "library_id": library.id, "state": TrackState.ANALYSED}
        )
        self.forget_failures(library, [stat.path])
        self.changed = True

    def found_again(self, track_ids: Collection[int]) -> None:
        """Missing files are back, unchanged; those that had failed before are failed again."""
        failure = (
            select(FailureRow.id)
            .where(FailureRow.library_id == TrackRow.library_id, FailureRow.path == TrackRow.path)
            .exists()
        )
        state = case((failure, TrackState.FAILED.value), else_=TrackState.ANALYSED.value)
        for chunk in chunks(track_ids):
            self._update_states(
                update(TrackRow)
                .where(TrackRow.id.in_(chunk), TrackRow.state == TrackState.MISSING)
                .values(state=state)
            )

    def failed(self, library: Library, stat: FileStat, kind: str, reason: str) -> None:
        """The file (or folder) could not be analysed; a track with that path is not recommended."""
        values = {
            **_stat_values(stat),
            "kind": kind,
            "reason": storable(reason),
            "failed_at": datetime.now(UTC),
        }
        here = {"in_library": library.id, "at_path": stat.path}
        if not self._connection.execute(_UPDATE_FAILURE, {**here, **values}).rowcount:
            self._insert(_FAILURES, {**values, "library_id": library.id})
        self._update_states(
            update(TrackRow)
            .where(
                TrackRow.library_id == library.id,
                TrackRow.path == stat.path,
                TrackRow.state != TrackState.FAILED,
            )
            .values(state=TrackState.FAILED)
        )

    def missing(self, track_ids: Collection[int]) -> None:
        """The tracks' files were not there at the last scan; their rows are kept."""
        for chunk in chunks(track_ids):
            self._update_states(
                update(TrackRow)
                .where(TrackRow.id.in_(chunk), TrackRow.state != TrackState.MISSING)
                .values(state=TrackState.MISSING)
            )

    def forget_failures(self, library: Library, paths: Collection[str]) -> None:
        """Drop the failures of files that are gone, or can be analysed now."""
        self._forget_failures(library.id, paths)

    def set_file_hash(self, track_id: int, file_hash: str) -> None:
        """Store the digest of the whole file. Raises `TrackNotFound`."""
        self._update_track(track_id, {"file_hash": file_hash})

    def _track_at(self, library: Library, path: str) -> tuple[int, str] | None:
        here = {"in_library": library.id, "at_path": path}
        row = self._connection.execute(_TRACK_AT, here).first()
        return None if row is None else (row.id, row.content_hash)

    def _place_and_tags(self, track_id: int) -> tuple[int, TrackState, Tags]:
        row = self._connection.execute(_PLACE_AND_TAGS, {"of_track": track_id}).first()
        if row is None:
            raise _gone(track_id)
        library_id, state, *tags = row
        return library_id, state, Tags(*tags)

    def _insert(self, into: Table, values: Mapping[str, Any]) -> int:
        result = self._connection.execute(insert(into), values)
        assert result.inserted_primary_key is not None
        return int(result.inserted_primary_key[0])

    def _update_track(self, track_id: int, values: Mapping[str, Any]) -> None:
        parameters = {**values, "of_track": track_id}
        if not self._connection.execute(_UPDATE_TRACK, parameters).rowcount:
            raise _gone(track_id)

    def _update_states(self, statement: Any) -> None:
        if self._connection.execute(statement).rowcount:
            self.changed = True

    def _forget_failures(self, library_id: int, paths: Collection[str]) -> None:
        if paths:
            self._connection.execute(
                _FORGET_FAILURE,
                [{"in_library": library_id, "at_path": path} for path in paths],
            )

    def _store_analysis(self, track_id: int, analysis: Analysis, version: str) -> None:
        space_id = self._space_id(analysis)
        values = {
            "analysed_at": datetime.now(UTC),
            "analysed_by": version,
            "genre_probabilities": {
                label: float(p) for label, p in analysis.genre_probabilities.items()
            },
            "windows": [[float(start), float(length)] for start, length in analysis.windows],
            "activations": analysis.activations,
        }
        here = {"of_track": track_id, "in_space": space_id}
        if not self._connection.execute(_UPDATE_ANALYSIS, {**here, **values}).rowcount:
            self._insert(_ANALYSES, {**values, "track_id": track_id, "space_id": space_id})

    def _space_id(self, analysis: Analysis) -> int:
        dimension = len(analysis.activations)
        if analysis.space not in self._space_ids:
            id, known = ensure_space(self._connection, analysis.space, dimension)
            if known != dimension:
                raise CatalogError(
                    f"activations of length {dimension} do not belong to {analysis.space}, whose "
                    f"vectors have {known} numbers. Two networks share a name: rename one."
                )
            self._space_ids[analysis.space] = id
        return self._space_ids[analysis.space]


def ensure_space(
    connection: Connection, space: SpaceId, dimension: int | None = None
) -> tuple[int, int | None]:
    """The id of `space` (without its projection) and the length of its vectors.

    A new row is made for a new space; the length is set when it was not known.
    """
    row = connection.execute(
        select(SpaceRow.id, SpaceRow.dimension).where(space_row(space))
    ).first()
    if row is None:
        statement = insert(SpaceRow).values(
            model=space.model, weights=space.weights, analysis=space.analysis, dimension=dimension
        )
        return connection.execute(statement.returning(SpaceRow.id)).scalar_one(), dimension
    if row.dimension is None and dimension is not None:
        connection.execute(
            update(SpaceRow).where(SpaceRow.id == row.id).values(dimension=dimension)
        )
        return row.id, dimension
    return row.id, row.dimension


def bump_revision(connection: Connection) -> None:
    """What can be recommended has changed: indexes built before are stale."""
    connection.execute(update(CatalogRow).values(revision=CatalogRow.revision + 1))


def _gone(track_id: int) -> TrackNotFound:
    return TrackNotFound(
        f"track {track_id} is no longer in the catalogue: another process dropped it. Run it again."
    )


def _stat_values(stat: FileStat) -> dict[str, Any]:
    return {
        "path": stat.path,
        "size": stat.size,
        # A damaged file system can give a time beyond what an integer column holds.
        "mtime_ns": max(-_LARGEST_BIG_INTEGER, min(stat.mtime_ns, _LARGEST_BIG_INTEGER)),
    }


def _tag_values(tags: Tags, path: str) -> dict[str, Any]:
    values: dict[str, Any] = {"search_text": search_text(tags, path)}
    for name in TAG_FIELDS:
        value = getattr(tags, name)
        if isinstance(value, str):
            value = storable(value)
        elif value is not None and abs(value) > _LARGEST_INTEGER:
            value = None  # nonsense that an integer column could not hold
        values[name] = value
    return values
