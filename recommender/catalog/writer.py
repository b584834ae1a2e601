"""Writing the results of scans and analyses, in short transactions."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Table,
    Update,
    bindparam,
    case,
    delete,
    insert,
    select,
    update,
)

from recommender.audio.segments import Segment
from recommender.audio.tags import Tags
from recommender.catalog import leases, segment_rows
from recommender.catalog.activation_blob import checksum, encode
from recommender.catalog.changes import mark
from recommender.catalog.chunks import chunks
from recommender.catalog.leases import File
from recommender.catalog.libraries import TAG_FIELDS
from recommender.catalog.records import FileStat, Library, TrackState
from recommender.catalog.row_values import segment_values, stat_values, tag_values
from recommender.catalog.schema import (
    AnalysisRow,
    CatalogRow,
    DescriptorsRow,
    FailureRow,
    TrackRow,
    table,
)
from recommender.catalog.spaces import ensure_space
from recommender.catalog.track_removal import drop_tracks
from recommender.embedding.space import Analysis, SpaceId
from recommender.errors import CatalogError, TrackNotFound
from recommender.musical_descriptors import MusicalDescriptors
from recommender.utils.names import storable

# Statements that run for every track are built once, on plain tables and with parameters: building
# one takes several times as long as running it.
_TRACKS, _ANALYSES, _FAILURES = table(TrackRow), table(AnalysisRow), table(FailureRow)
_DESCRIPTORS = table(DescriptorsRow)
_TRACK_AT = select(_TRACKS.c.id, _TRACKS.c.content_hash).where(
    _TRACKS.c.library_id == bindparam("in_library"),
    _TRACKS.c.path == bindparam("at_path"),
    _TRACKS.c.segment == bindparam("of_segment"),
)
_TRACK_ROW = select(
    _TRACKS.c.library_id,
    _TRACKS.c.state,
    _TRACKS.c.segment,
    *(_TRACKS.c[name] for name in TAG_FIELDS),
).where(_TRACKS.c.id == bindparam("of_track"))
_UPDATE_TRACK = update(_TRACKS).where(_TRACKS.c.id == bindparam("of_track"))
_UPDATE_ANALYSIS = update(_ANALYSES).where(
    _ANALYSES.c.track_id == bindparam("of_track"), _ANALYSES.c.space_id == bindparam("in_space")
)
_FORGET_DESCRIPTORS = delete(_DESCRIPTORS).where(_DESCRIPTORS.c.track_id == bindparam("of_track"))
_UPDATE_FAILURE = update(_FAILURES).where(
    _FAILURES.c.library_id == bindparam("in_library"), _FAILURES.c.path == bindparam("at_path")
)
_FORGET_FAILURE = delete(_FAILURES).where(
    _FAILURES.c.library_id == bindparam("in_library"), _FAILURES.c.path == bindparam("at_path")
)


_LOST = (TrackState.MISSING, TrackState.UNAVAILABLE)


class Writer:
    """Writes to a `Catalog`, inside its `writing()` transaction.

    Attributes:
        changed: whether the transaction changes what can be recommended or how it is shown.
    """

    def __init__(self, connection: Connection) -> None:
        """For `Catalog.writing`, which owns the connection's transaction."""
        self._direct = connection
        self._analyses: list[dict[str, Any]] = []  # of new tracks, and not written yet
        self._descriptors: list[dict[str, Any]] = []  # likewise
        self._forgotten: list[dict[str, Any]] = []  # failures, likewise
        self._space_ids: dict[SpaceId, int] = {}
        self._revision = (connection.scalar(select(CatalogRow.revision)) or 0) + 1
        self.changed = False

    @property
    def _connection(self) -> Connection:
        """The transaction, once it has all that was to be written."""
        self.flush()
        return self._direct

    def flush(self) -> None:
        """Write what is kept back: rows of new tracks go together, in one call of the driver."""
        analyses, self._analyses = self._analyses, []
        descriptors, self._descriptors = self._descriptors, []
        forgotten, self._forgotten = self._forgotten, []
        if analyses:
            self._direct.execute(insert(_ANALYSES), analyses)
        if descriptors:
            self._direct.execute(insert(_DESCRIPTORS), descriptors)
        if forgotten:
            self._direct.execute(_FORGET_FAILURE, forgotten)

    def analysed(
        self,
        library: Library,
        stat: FileStat,
        content_hash: str,
        tags: Tags,
        analysis: Analysis,
        version: str,
        same_as: str | None = None,
        segment: Segment | None = None,
    ) -> int:
        """Store the analysis of a track, found by library, path and number of the segment.

        The path's failure is dropped.

        Where the content has changed (another hash), analyses of the former content in other spaces
        are dropped, and its musical descriptors. Those of `analysis` are stored, where it has any.

        Args:
            version: of the program that analysed it; stored as `Track.analysed_by`.
            same_as: another hash that is of the same content, by an older scheme.
            segment: the part of the file that the track is; None for all of it.

        Returns:
            The track's id: the one it had, or a new one.

        Raises:
            CatalogError: the activations have another length than those of their space.
        """
        values = {
            **stat_values(stat),
            **tag_values(tags, stat.path),
            "content_hash": content_hash,
            "file_hash": None,
            "state": TrackState.ANALYSED,
            "duration": float(analysis.duration),
            "damage": analysis.damage,
            "revision": self._revision,
            **segment_values(segment, analysis.duration),
        }
        old = self._track_at(library, stat.path, values["segment"])
        if old is None:
            track_id = self._insert(_TRACKS, {**values, "library_id": library.id})
            of_track = self._analysis_values(analysis, version)
            self._analyses.append({**of_track, "track_id": track_id})
            if analysis.descriptors is not None:
                self._descriptors.append({"track_id": track_id, **vars(analysis.descriptors)})
            self._forgotten.append({"in_library": library.id, "at_path": stat.path})
        else:
            track_id, old_hash = old
            self._update_track(track_id, values)
            if old_hash not in (content_hash, same_as):
                self._connection.execute(
                    delete(AnalysisRow).where(AnalysisRow.track_id == track_id)
                )
                self._connection.execute(_FORGET_DESCRIPTORS, {"of_track": track_id})
            self._store_analysis(track_id, analysis, version)
            if analysis.descriptors is not None:
                self._store_descriptors(track_id, analysis.descriptors)
            self.forget_failures(library, [stat.path])
        self.changed = True
        return track_id

    def described(self, track_id: int, descriptors: MusicalDescriptors) -> None:
        """Store the musical descriptors of a track; its analyses stay.

        Raises:
            TrackNotFound: the track is gone.
        """
        self._update_track(track_id, {"revision": self._revision})
        self._store_descriptors(track_id, descriptors)
        self.changed = True

    def held(self, lease_id: int, files: Collection[File]) -> set[File]:
        """Those of the files that a lease has claimed; nobody else gets them in this transaction.

        Results of others are not to be written: another ingest has them by now.
        """
        return leases.held(self._connection, lease_id, files)

    def release(self, lease_id: int, files: Collection[File]) -> None:
        """Give back the claims of files whose results are written."""
        leases.release(self._connection, lease_id, files)

    def set_predicted_genres(
        self, space: SpaceId, probabilities: Mapping[int, Mapping[str, float]]
    ) -> None:
        """Replace the genre probabilities of tracks analysed in `space`; the rest stays.

        Args:
            probabilities: track id → genre → probability.
        """
        if probabilities:
            space_id, _ = ensure_space(self._connection, space)
            self._connection.execute(
                _UPDATE_ANALYSIS,
                [
                    {"of_track": id, "in_space": space_id, "genre_probabilities": dict(of_track)}
                    for id, of_track in probabilities.items()
                ],
            )
            mark(self._connection, probabilities)
            self.changed = True

    def retagged(self, track_id: int, stat: FileStat, tags: Tags, content_hash: str) -> None:
        """Update tags, size and time of a file whose sound has not changed; its analyses stay.

        The track is recommended (again), and its path's failure is dropped.

        Raises:
            TrackNotFound: the track is gone.
        """
        library_id, state, _, old_tags = self._row_of(track_id)
        values = {
            **stat_values(stat),
            **tag_values(tags, stat.path),
            "content_hash": content_hash,
            "file_hash": None,
            "state": TrackState.ANALYSED,
        }
        if state != TrackState.ANALYSED or any(
            values[name] != getattr(old_tags, name) for name in TAG_FIELDS
        ):
            values["revision"] = self._revision
            self.changed = True
        self._update_track(track_id, values)
        self._forget_failures(library_id, [stat.path])

    def moved(
        self,
        track_id: int,
        library: Library,
        stat: FileStat,
        tags: Tags | None,
        content_hash: str | None = None,
    ) -> None:
        """Record that a track's file is now at `stat.path` of `library`; its analyses stay.

        Another track of the same segment there is dropped: its file was replaced by this one.

        Args:
            tags: None to keep those it has, as the file was not written.
            content_hash: of the same content, by the present scheme; None to keep the one it has.

        Raises:
            TrackNotFound: the track is gone.
        """
        _, _, segment, old_tags = self._row_of(track_id)
        replaced = self._track_at(library, stat.path, segment)
        if replaced is not None and replaced[0] != track_id:
            drop_tracks(self._connection, TrackRow.id == replaced[0])
        values = {**stat_values(stat), **tag_values(tags or old_tags, stat.path)}
        if content_hash is not None:
            values["content_hash"] = content_hash
        if tags is not None:
            values["file_hash"] = None
        values |= {
            "library_id": library.id,
            "state": TrackState.ANALYSED,
            "revision": self._revision,
        }
        self._update_track(track_id, values)
        self.forget_failures(library, [stat.path])
        self.changed = True

    def found_again(self, track_ids: Collection[int]) -> None:
        """Record that files of missing or unavailable tracks are there, unchanged.

        The tracks are recommended again, save those with a failure, which are FAILED again.
        """
        failure = (
            select(FailureRow.id)
            .where(FailureRow.library_id == TrackRow.library_id, FailureRow.path == TrackRow.path)
            .exists()
        )
        state = case((failure, TrackState.FAILED.value), else_=TrackState.ANALYSED.value)
        for chunk in chunks(track_ids):
            self._update_states(
                update(TrackRow)
                .where(TrackRow.id.in_(chunk), TrackRow.state.in_(_LOST))
                .values(state=state)
            )

    def failed(self, library: Library, stat: FileStat, kind: str, reason: str) -> None:
        """Record that a file or folder could not be analysed; its track is not recommended."""
        values = {
            **stat_values(stat),
            "kind": kind,
            "reason": storable(reason),
            "failed_at": datetime.now(UTC),
        }
        at_path = {"in_library": library.id, "at_path": stat.path}
        if not self._connection.execute(_UPDATE_FAILURE, {**at_path, **values}).rowcount:
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
        """Record that the tracks' files were not there when their folder was scanned."""
        self._set_states(track_ids, TrackState.MISSING)

    def unavailable(self, track_ids: Collection[int]) -> None:
        """Record that the tracks' files are not there at present, as a disk is not mounted.

        Tracks that failed stay FAILED.
        """
        self._set_states(track_ids, TrackState.UNAVAILABLE, but=TrackState.FAILED)

    def keep_segments(self, library: Library, path: str, numbers: Mapping[int, int]) -> None:
        """Drop the tracks of a file but these, and number those by their segments.

        Args:
            numbers: track id → number of the segment; 0 for all of the file.
        """
        if segment_rows.keep_segments(self._connection, library, path, numbers):
            self.changed = True

    def set_sheets(self, library: Library, file: str, sheets: Collection[FileStat]) -> None:
        """Record which cue sheets name a file; with `file` empty, which name none.

        What was recorded of other sheets for that file is dropped.
        """
        segment_rows.set_sheets(self._connection, library, file, sheets)

    def forget_sheets(self, library: Library, paths: Collection[str]) -> None:
        """Drop what was recorded of cue sheets that are gone."""
        segment_rows.forget_sheets(self._connection, library, paths)

    def set_samples_hash(self, track_id: int, space: SpaceId, samples_hash: str) -> None:
        """Store the hash of the samples that the track's analysis in `space` is of."""
        space_id, _ = ensure_space(self._connection, space)
        self._connection.execute(
            _UPDATE_ANALYSIS,
            {"of_track": track_id, "in_space": space_id, "samples_hash": samples_hash},
        )

    def forget_failures(self, library: Library, paths: Collection[str]) -> None:
        """Drop the failures of files that are gone or can be analysed now."""
        self._forget_failures(library.id, paths)

    def set_file_hash(self, track_id: int, file_hash: str) -> None:
        """Store the hash of the whole file. Raises `TrackNotFound`."""
        self._update_track(track_id, {"file_hash": file_hash})

    def _track_at(self, library: Library, path: str, segment: int) -> tuple[int, str] | None:
        at_path = {"in_library": library.id, "at_path": path, "of_segment": segment}
        row = self._direct.execute(_TRACK_AT, at_path).first()
        return None if row is None else (row.id, row.content_hash)

    def _row_of(self, track_id: int) -> tuple[int, TrackState, int, Tags]:
        """Library, state, segment and tags of a track. Raises `TrackNotFound`."""
        row = self._connection.execute(_TRACK_ROW, {"of_track": track_id}).first()
        if row is None:
            raise _gone(track_id)
        library_id, state, segment, *tags = row
        return library_id, state, segment, Tags(*tags)

    def _insert(self, into: Table, values: Mapping[str, Any]) -> int:
        result = self._direct.execute(insert(into), values)
        assert result.inserted_primary_key is not None
        return int(result.inserted_primary_key[0])

    def _update_track(self, track_id: int, values: Mapping[str, Any]) -> None:
        parameters = {**values, "of_track": track_id}
        if not self._connection.execute(_UPDATE_TRACK, parameters).rowcount:
            raise _gone(track_id)

    def _set_states(
        self, track_ids: Collection[int], state: TrackState, but: TrackState | None = None
    ) -> None:
        """Bring tracks into `state`, save those in state `but`."""
        for chunk in chunks(track_ids):
            self._update_states(
                update(TrackRow)
                .where(TrackRow.id.in_(chunk), TrackRow.state.not_in([state, but or state]))
                .values(state=state)
            )

    def _update_states(self, statement: Update) -> None:
        if self._connection.execute(statement.values(revision=self._revision)).rowcount:
            self.changed = True

    def _forget_failures(self, library_id: int, paths: Collection[str]) -> None:
        if paths:
            self._connection.execute(
                _FORGET_FAILURE,
                [{"in_library": library_id, "at_path": path} for path in paths],
            )

    def _store_analysis(self, track_id: int, analysis: Analysis, version: str) -> None:
        values = self._analysis_values(analysis, version)
        at_path = {"of_track": track_id, "in_space": values["space_id"]}
        if not self._connection.execute(_UPDATE_ANALYSIS, {**at_path, **values}).rowcount:
            self._insert(_ANALYSES, {**values, "track_id": track_id})

    def _analysis_values(self, analysis: Analysis, version: str) -> dict[str, Any]:
        """The columns of an analysis but for the track."""
        space_id = self._space_id(analysis)
        blob = encode(analysis.activations)
        return {
            "space_id": space_id,
            "analysed_at": datetime.now(UTC),
            "analysed_by": version,
            "genre_probabilities": {
                label: float(p) for label, p in analysis.genre_probabilities.items()
            },
            "windows": [[float(start), float(length)] for start, length in analysis.windows],
            "activations": blob,
            "samples_hash": analysis.samples_hash,
            "checksum": checksum(blob),
        }

    def _store_descriptors(self, track_id: int, descriptors: MusicalDescriptors) -> None:
        self._connection.execute(_FORGET_DESCRIPTORS, {"of_track": track_id})
        self._connection.execute(insert(_DESCRIPTORS), {"track_id": track_id, **vars(descriptors)})

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


def _gone(track_id: int) -> TrackNotFound:
    return TrackNotFound(
        f"track {track_id} is no longer in the catalogue: another process dropped it. Run it again."
    )
