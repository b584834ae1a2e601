"""A catalogue at one revision: its index, and what filters compare of the tracks in it."""

import copy
import difflib
import threading
from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import CatalogState
from recommender.catalog.track_columns import SPEECH
from recommender.embedding.duplicates import Recording
from recommender.errors import UsageError
from recommender.musical_descriptors.words import WORDS, DescriptorThirds
from recommender.recommendation.artist_codes import ArtistCodes
from recommender.recommendation.filters import Filters
from recommender.search.index import TrackIndex
from recommender.utils.arrays import BoolArray, FloatArray, IntArray
from recommender.utils.codes import name_code
from recommender.utils.names import first_genre, genre_key, label_key

_MASKS = 8
"""Filters whose tracks are kept; each takes a byte a track."""

_GENRES_NAMED = 10
"""In a message that says which there are."""

_Wanted = tuple[object, ...]


class Snapshot:
    """What answers queries at one revision of a catalogue; never changed, replaced as a whole.

    Rows are those of the index; n of them.

    Attributes:
        index: vectors, and columns of `search.track_columns`.
        artists: of each track.
    """

    def __init__(self, catalog: Catalog, index: TrackIndex) -> None:
        """Of an index of `catalog`; what a query needs is read when it is needed."""
        self.index = index
        self.artists = ArtistCodes(catalog, index)
        self._catalog = catalog
        self._gone: IntArray = np.empty(0, dtype=np.int64)
        self._masks: dict[_Wanted, BoolArray] = {}
        self._descriptors: dict[str, FloatArray] = {}
        self._keeping = threading.Lock()

    @property
    def state(self) -> CatalogState:
        """The state of the catalogue that it describes."""
        return self.index.state

    def without(self, track_ids: Collection[int]) -> "Snapshot":
        """The same but for tracks of the index that are not to be recommended any more."""
        other = copy.copy(self)
        rows = self.index.rows(np.array(sorted(track_ids), dtype=np.int64))
        other._gone = np.union1d(self._gone, rows[rows >= 0])
        return other

    def row(self, track_id: int) -> int | None:
        """The row of a track; None for one that is not recommended."""
        return self.index.row(track_id)

    def rows(self, track_ids: Sequence[int]) -> IntArray:
        """The rows of those tracks that are recommended, in their order."""
        rows = self.index.rows(np.array(track_ids, dtype=np.int64))
        return rows[rows >= 0]

    def recording(self, row: int) -> Recording:
        """What duplicate detection compares of a track."""
        columns = self.index.columns
        return Recording(columns["view"][row], float(columns["duration"][row]))

    def allowed(self, filters: Filters) -> BoolArray | None:
        """Which tracks pass those filters that look at one track alone, [n]; None for all.

        Raises `UsageError` for a predicted genre that the model does not know.
        """
        mask = self.passing(filters)
        if len(self._gone):
            mask = np.ones(len(self.index), dtype=np.bool_) if mask is None else mask.copy()
            mask[self._gone] = False
        return mask

    def present(self) -> BoolArray:
        """Which tracks may be recommended at all, [n]; a new array."""
        mask = np.ones(len(self.index), dtype=np.bool_)
        mask[self._gone] = False
        return mask

    def passing(self, filters: Filters) -> BoolArray | None:
        """As `allowed`, those included that are gone; not to be written to."""
        wanted = _wanted(filters)
        if not any(wanted):
            return None
        with self._keeping:
            mask = self._masks.pop(wanted, None)
            if mask is None:
                mask = self._passing(filters)
            self._masks[wanted] = mask  # behind the others: the first is dropped first
            if len(self._masks) > _MASKS:
                del self._masks[next(iter(self._masks))]
        return mask

    def _passing(self, filters: Filters) -> BoolArray:
        columns = self.index.columns
        mask = np.ones(len(self.index), dtype=np.bool_)
        if filters.genre is not None:
            mask &= columns["genre"].whole() == name_code(genre_key(filters.genre))
        if filters.predicted_genre is not None:
            mask &= self._predicted_as(filters.predicted_genre)
        if filters.min_duration is not None:
            mask &= columns["duration"].whole() >= filters.min_duration
        if filters.max_duration is not None:
            mask &= columns["duration"].whole() <= filters.max_duration
        if not filters.damaged:
            mask &= ~columns["damaged"].whole()
        if not filters.speech:
            mask &= (columns["content"].whole() & SPEECH) == 0
        for _, passes, _ in filters.sound.passing(self._descriptor):
            mask &= passes
        mask.flags.writeable = False
        return mask

    def lacking(self, filters: Filters) -> dict[str, int]:
        """Musical descriptor → number of tracks that lack it, of those that are filtered by."""
        counts = {name: n for name, _, n in filters.sound.passing(self._descriptor)}
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def descriptor_thirds(self) -> DescriptorThirds:
        """What values of musical descriptors are low and high here."""
        return DescriptorThirds.of(np.column_stack([self._descriptor(name) for name in WORDS]))

    def _descriptor(self, name: str) -> FloatArray:
        """Values of a musical descriptor, [n], read when they are first needed."""
        if name not in self._descriptors:
            read = self._catalog.descriptor_columns(np.asarray(self.index.ids), [name])
            self._descriptors[name] = read[:, 0]
        return self._descriptors[name]

    def _predicted_as(self, genre: str) -> BoolArray:
        found: BoolArray = self.index.columns["predicted"].whole() == name_code(label_key(genre))
        if not found.any():
            self._require_label(genre)
        return found

    def _require_label(self, genre: str) -> None:
        labels = self._catalog.genre_labels()
        known = {label_key(label): label for label in labels}
        if known and label_key(genre) not in known:
            near = _nearest(label_key(genre), known)
            raise UsageError(
                f"the model knows no genre {genre!r}{f' ({near})' if near else ''}; "
                f"it knows {', '.join(sorted(labels))}."
            )

    def genre_hint(self, filters: Filters) -> str | None:
        """Why a genre filter leaves nothing and which genre was probably meant; else None."""
        genre, predicted = filters.genre, filters.predicted_genre
        if genre is not None and not self._passing(Filters(genre=genre)).any():
            tags = self._catalog.genres()
            shown = {genre_key(tag): first_genre(tag) or "" for tag in tags}
            shown.pop("", None)
            advice = _nearest(genre_key(genre), shown) or (
                _some_of(sorted(shown.values(), key=str.casefold))
                if shown
                else "no track has a genre tag."
            )
            return f"no track is tagged with the genre {genre!r}; {advice}"
        if predicted is not None and not self._predicted_as(predicted).any():
            return f"the model predicts {predicted!r} for no track."
        return None


def _wanted(filters: Filters) -> _Wanted:
    """What distinguishes the masks of filters; nothing that is true where all tracks pass."""
    genre, predicted = filters.genre, filters.predicted_genre
    return (
        genre is not None and ("tagged", genre_key(genre)),
        predicted is not None and ("predicted", label_key(predicted)),
        filters.min_duration is not None and ("from", float(filters.min_duration)),
        filters.max_duration is not None and ("to", float(filters.max_duration)),
        not filters.damaged,
        not filters.speech and "speech",
        *filters.sound.wanted(),
    )


def _some_of(genres: list[str]) -> str:
    further = len(genres) - _GENRES_NAMED
    rest = f" and {further:,} more" if further > 0 else ""
    return f"the catalogue's genres are {', '.join(genres[:_GENRES_NAMED])}{rest}."


def _nearest(key: str, shown: dict[str, str]) -> str | None:
    found = difflib.get_close_matches(key, shown, n=1)
    return f"did you mean {shown[found[0]]!r}?" if found else None
