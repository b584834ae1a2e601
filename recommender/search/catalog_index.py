"""The index of a catalogue: read from its files, brought up to date, or built anew.

The files are a cache beside the database: a base, which is written whole and renamed, and a segment
of what has changed since, to which every update appends. An update reads the changed tracks alone
from the catalogue. Once the segment has grown, `merge` writes base and segment as a new base, which
needs nothing from the catalogue; the old files answer meanwhile.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from recommender.catalog import Catalog, Changes
from recommender.catalog.projector import catalog_projector, nothing_analysed
from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import CatalogError, IndexDamaged, IndexOutdated
from recommender.search.base import Base, BaseFacts, Effort
from recommender.search.build import merged, prepared, written
from recommender.search.cells import DEFAULT_CELLS, CellSettings
from recommender.search.columns import ColumnSource
from recommender.search.faiss_backend import Device
from recommender.search.index import TrackIndex
from recommender.search.index_file import index_file, segment_file
from recommender.search.index_lock import log_unsaved, remove_orphans, writing
from recommender.search.live_tracks import LiveTracks, Segment
from recommender.search.mapped_file import index_damaged, read_facts
from recommender.search.reranking import DEFAULT_SETTINGS, RerankingSettings
from recommender.search.segment_file import append_segment, read_segment
from recommender.search.staging import Batch, staged
from recommender.search.track_columns import TrackColumnSource
from recommender.search.update import Changed, changes
from recommender.utils.arrays import FloatArray, IntArray, usable_rows

logger = logging.getLogger(__name__)

OnBuild = Callable[[int], None]
"""Called with the number of tracks before an index is built, which takes seconds to minutes."""

MOST_CHANGED = 0.5
"""Share of the tracks that may change at once; beyond it an index is built anew."""

SEGMENT_ROWS = 8192
"""Rows of a segment from which on it is merged, or an eighth of the tracks where that is less."""

LEAST_SEGMENT = 512
"""Rows of a segment that are never merged: scanning them costs nothing."""

DRIFT = 0.05
"""Share of tracks, added and gone since the base was written, from which on it is written anew, so
that its statistics are those of the catalogue. Up to it, scores differ by about .01 at most from
those of an index that is built anew (``tests/bench/incremental.py``)."""

GROWTH = 1.5
"""By how much a catalogue grows before axes, cells and the recall of a query are computed anew."""

BUILD_WAIT_S, APPEND_WAIT_S = 600.0, 2.0
"""How long a process waits for another one that is building or appending to the same index; then
it builds or updates its own in memory."""


class Projector(Protocol):
    """Computes comparable vectors from stored activations, as `CatalogProjector` does."""

    @property
    def space(self) -> SpaceId:
        """The projected space."""

    def project(self, activations: FloatArray) -> FloatArray:
        """Unit vectors (np.ndarray [shape=(n, p)]) of activations [shape=(n, d)]."""


class CatalogIndex:
    """Reads, updates, builds and saves the index of one catalogue in one projected space.

    Attributes:
        space: the projected space.
        columns: computes what the index keeps of every track beside its vectors.
    """

    def __init__(
        self,
        catalog: Catalog,
        projector: Projector,
        columns: ColumnSource,
        device: Device = "auto",
        settings: RerankingSettings = DEFAULT_SETTINGS,
        cells: CellSettings = DEFAULT_CELLS,
    ) -> None:
        """For an open catalogue; nothing is read yet."""
        self.catalog = catalog
        self.projector = projector
        self.space = projector.space  # once: its digest is computed of the whole projection
        self.columns = columns
        self._device = device
        self._settings = settings
        self._cells = cells
        self._held: TrackIndex | None = None

    @classmethod
    def of_active_space(cls, catalog: Catalog, device: Device = "auto") -> "CatalogIndex":
        """That of the space and the projection that the catalogue recommends with.

        Args:
            catalog: stays open.
            device: where neighbours are searched.

        Raises:
            CatalogError, SpaceMismatch, WeightsError: as `catalog_projector`.
        """
        projector = catalog_projector(catalog)
        columns = TrackColumnSource(catalog, projector.duplicate_detector)
        return cls(catalog, projector, columns, device)

    def path(self, state: CatalogState) -> Path:
        """The file of the base, whether or not it is there now."""
        return index_file(self.space, state.catalog, self.catalog.file)

    def update(self, progress: OnBuild | None = None) -> TrackIndex:
        """The index of the catalogue as it is now.

        It is read from its files; what has changed since they were written is added. It is built
        where there are none, where they are of no use, or where most tracks have changed. An index
        that cannot be read or saved is logged as a warning.

        Args:
            progress: called with the number of tracks before an index is built, and only then.

        Raises:
            CatalogError: nothing was analysed.
            SpaceMismatch: the catalogue recommends in another space by now.
        """
        active = self.catalog.active_space()
        if active is not None:
            self.space.unprojected.require(active)
        state = self.catalog.state()
        index = self._newest(state)
        if index is not None and index.state != state:
            index = self._brought_up_to_date(index, state)
        if index is None:
            index = self._built_once(state, progress)
        self._held = index
        return index

    def is_sound(self, index: TrackIndex) -> bool:
        """Whether the file of an index is what was written; else it is logged, and dropped.

        Reads all of a large file, and nothing of one that was checked before.
        """
        try:
            with index.tracks.base.read_ahead.everything():
                index.tracks.base.file.verify()
        except IndexDamaged as error:
            logger.warning("%s", error)
            self._held = None
            if index.tracks.base.path is not None:
                index.tracks.base.path.unlink(missing_ok=True)
            return False
        return True

    def is_current(self, state: CatalogState) -> bool:
        """Whether the files are the index of `state`; faiss is not imported.

        Raises as `Base.open`.
        """
        base = Base.open(self.path(state))
        stored = read_segment(segment_file(self.path(state)), base)
        return self._fits(base.facts, state) and stored.state == state

    def waiting(self) -> IntArray | None:
        """The tracks that an update will read from the catalogue; None for all of them."""
        state = self.catalog.state()
        with suppress(FileNotFoundError, IndexDamaged):
            base = Base.open(self.path(state))
            if self._fits(base.facts, state):
                revision = read_segment(segment_file(self.path(state)), base).state.revision
                found = self.catalog.changes_since(revision, self.space.unprojected)
                return None if found is None else found.changed
        return None

    def _fits(self, facts: BaseFacts, state: CatalogState) -> bool:
        """Whether an index is of this catalogue, space and settings, at whatever revision."""
        return (
            facts.space == self.space
            and facts.state.catalog == state.catalog
            and facts.settings == self._settings
            and facts.columns == self.columns.digest
        )

    def _newest(self, state: CatalogState) -> TrackIndex | None:
        """The index that is held or the one in the files, whichever is of a later state."""
        held = self._held
        if held is not None and held.state == state:
            return held
        saved = self.saved(state)
        if held is None or (saved is not None and saved.state.revision >= held.state.revision):
            return saved
        return held

    def saved(self, state: CatalogState) -> TrackIndex | None:
        """The index in the files, as of `state` or before; None where they are of no use."""
        path = self.path(state)
        try:
            base = Base.open(path)
            if not self._fits(base.facts, state):
                return None
            self._require_own(base)
            stored = read_segment(segment_file(path), base)
            if stored.broken is not None:
                message = "the end of %s is left out, and is written again: %s."
                logger.warning(message, segment_file(path), stored.broken)
            if stored.state.revision > state.revision:  # an older copy of the database
                return None
            return TrackIndex(base, stored.segment, stored.state, self._device)
        except (FileNotFoundError, IndexOutdated):
            return None
        except IndexDamaged as error:
            logger.warning("%s", error)
            return None

    def _require_own(self, base: Base) -> None:
        """Raise `IndexDamaged` unless vectors have the lengths of those that `build` would make.

        One track tells; its values are compared by `verify`.
        """
        assert base.path is not None
        try:
            analysis = len(base) and self.catalog.analysis_of(int(base.ids[0]), self.space)
        except CatalogError:  # a damaged row, for which the file is all there is
            return
        if not analysis:
            return  # it may be gone since
        expected = self.projector.project(analysis.activations[None]).shape[1]
        if base.dimension != expected:
            found = f"its vectors have the length {base.dimension}, not {expected}"
            raise index_damaged(base.path, found)

    def _brought_up_to_date(self, index: TrackIndex, state: CatalogState) -> TrackIndex | None:
        """The index with the changes since it was written; None where it is to be built anew."""
        found = self.catalog.changes_since(index.state.revision, self.space.unprojected)
        if found is None or index.state.catalog != state.catalog:
            return None
        if len(found.changed) + len(found.removed) > MOST_CHANGED * len(index):
            return None
        changed = self._changed(found, index.tracks)
        if len(index) + len(changed.ids) < 2 * self._settings.min_tracks:
            return None  # built in no time, and it may be reranked by now
        later = changes(index.tracks, changed, self._cells)
        updated = index.changed(index.tracks.segment.followed_by(later), found.state)
        if not len(updated):
            raise nothing_analysed(self.catalog)
        base = index.tracks.base
        if base.path is not None:
            self._append(base.path, index, later, found.state)
        return updated

    def _append(self, path: Path, index: TrackIndex, later: Segment, state: CatalogState) -> None:
        """Save what follows `index`, unless another process has saved more meanwhile."""
        base = index.tracks.base
        with writing(path, APPEND_WAIT_S) as may_write:
            if not may_write or not self._is_on_disk(base):
                return
            stored = read_segment(segment_file(path), base)
            if stored.state == index.state:
                try:
                    append_segment(segment_file(path), base, later, state, stored.length)
                except OSError as error:
                    log_unsaved(segment_file(path), error)

    def _is_on_disk(self, base: Base) -> bool:
        """Whether no other process has written another base since."""
        assert base.path is not None
        with suppress(FileNotFoundError, IndexDamaged):
            return bool(read_facts(base.path).get("generation") == base.facts.generation)
        return False

    def _changed(self, found: Changes, tracks: LiveTracks) -> Changed:
        """The changed tracks with their vectors and columns; those without count as gone."""
        every = np.empty(0, np.int64)
        units = np.empty((0, tracks.base.dimension), np.float32)
        columns = {name: values[:0] for name, values in tracks.base.columns.items()}
        if batches := list(self._batches(found.changed)):
            every, units = (np.concatenate([batch[part] for batch in batches]) for part in (0, 1))
            kept = np.flatnonzero(usable_rows(units))
            every, units = every[kept], units[kept]
            if len(every):
                columns = {
                    name: np.concatenate([values[name] for _, _, values in batches])[kept]
                    for name in batches[0][2]
                }
                columns |= self.columns.related(columns, tracks.columns)
        gone = np.union1d(found.removed, np.setdiff1d(found.changed, every))
        return Changed(every, units, columns, gone)

    def _batches(self, ids: IntArray | None = None) -> Iterator[Batch]:
        """Ids, vectors and columns of tracks, read in a stream."""
        space = self.space.unprojected
        for found, activations in self.catalog.activation_batches(space, ids):
            units = np.asarray(self.projector.project(activations), dtype=np.float32)
            yield found, units, self.columns.columns(found, activations)

    def _built_once(self, state: CatalogState, progress: OnBuild | None) -> TrackIndex:
        """The index, built by this process or by another one that has begun before it."""
        with writing(self.path(state), BUILD_WAIT_S) as may_write:
            if may_write:
                saved = self.saved(state)
                if saved is not None and saved.state == state:
                    return saved
            return self._build(may_write, progress)

    def build(self, progress: OnBuild | None = None) -> TrackIndex:
        """Build the index from the catalogue's activations and save it.

        Raises `CatalogError` when there is nothing to index.
        """
        with writing(self.path(self.catalog.state()), BUILD_WAIT_S) as may_write:
            self._held = self._build(may_write, progress)
            return self._held

    def _build(self, may_write: bool, progress: OnBuild | None) -> TrackIndex:
        # The state is read first: should the catalogue change in between, the index counts as
        # stale and is brought up to date, never the other way round.
        state = self.catalog.state()
        count = dict(self.catalog.spaces()).get(self.space.unprojected, 0)
        if not count:
            raise nothing_analysed(self.catalog)
        if progress is not None:
            progress(count)
        path = self.path(state)
        if may_write:
            try:
                base = self._written(path, state)
            except OSError as error:  # a full disk: every start builds it again
                log_unsaved(path, error)
            else:
                segment_file(path).unlink(missing_ok=True)
                remove_orphans(path, state.catalog, self.catalog.file)
                return TrackIndex(base, device=self._device)
        return TrackIndex(self._written(None, state), device=self._device)

    def _written(self, path: Path | None, state: CatalogState) -> Base:
        """The base of the catalogue's tracks, in the file `path` or in one without a name."""
        tracks = staged(self._batches(), self.columns, None if path is None else path.parent)
        if not len(tracks.ids) and not tracks.dropped:
            raise nothing_analysed(self.catalog)
        if tracks.dropped:
            logger.warning(
                "%d tracks have no usable embedding and are never recommended; verify "
                "the catalogue with repair, then ingest their folders.",
                tracks.dropped,
            )
        facts = BaseFacts(
            self.space, state, self._settings, Effort(), tracks.dropped, self.columns.digest, ""
        )
        laid_out = prepared(tracks, self._settings, self._cells)
        return written(path, laid_out, tracks.columns, facts, self._cells)

    def tidied(self, index: TrackIndex) -> TrackIndex:
        """The index itself, or one of the same tracks after a merge where that was due."""
        return self.merge(index) if self.needs_merge(index) else index

    def needs_merge(self, index: TrackIndex) -> bool:
        """Whether the segment of an index has grown so much that `merge` is due."""
        segment, count = index.tracks.segment, len(index.tracks.base)
        rows = len(segment.rows) + len(segment.removed)
        if rows > max(LEAST_SEGMENT, min(SEGMENT_ROWS, count // 8)):
            return True
        return segment.added > max(LEAST_SEGMENT // 8, DRIFT * count)

    def merge(self, index: TrackIndex) -> TrackIndex:
        """Write base and segment of an index as one new base, and return that.

        Where the catalogue has grown by half since its cells were made, it is built anew. The
        index itself comes back where another process is writing, or where it cannot be saved.
        """
        base = index.tracks.base
        if len(index) > GROWTH * max(1, base.facts.effort.measured_at):
            return self.build()
        if base.path is None:
            return index
        with writing(base.path, 0.0) as may_write:
            if not may_write or not self._is_on_disk(base):
                return index
            facts = replace(base.facts, state=index.state)
            with base.read_ahead.everything():
                laid_out = merged(index.tracks)
            try:
                new = written(base.path, laid_out, index.columns, facts, self._cells, measure=False)
            except OSError as error:
                log_unsaved(base.path, error)
                return index
            segment_file(base.path).unlink(missing_ok=True)
            self._held = TrackIndex(new, device=self._device)
            return self._held
