"""A catalogue at one revision, in memory: its index and the columns that filters compare."""

import copy
import difflib
import threading
from collections.abc import Collection, Sequence

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import CatalogState
from recommender.catalog.track_columns import NameColumn
from recommender.embedding.duplicates import Recording
from recommender.errors import UsageError
from recommender.recommendation.filters import Filters
from recommender.search.index import TrackIndex
from recommender.utils.arrays import BoolArray, IntArray
from recommender.utils.names import first_genre, genre_key, label_key


class Snapshot:
    """What answers queries at one revision of a catalogue; never changed, replaced as a whole.

    Rows are those of the index; n of them.

    Attributes:
        index: the vectors.
        durations: np.ndarray [shape=(n,)], float64, seconds; NaN for a track that has left the
            catalogue since the index was built, which nothing admits.
        artists: all of each track.
        genres: tagged, by `genre_key`.
        damaged: np.ndarray [shape=(n,)], bool: whether the file is.
    """

    def __init__(self, catalog: Catalog, index: TrackIndex) -> None:
        """Read the columns of the index's tracks from `catalog`."""
        columns = catalog.track_columns().aligned(index.ids)
        self.index = index
        self.durations = columns.durations
        self.artists = columns.artists
        self.damaged = columns.damaged
        self._genre_tags = columns.genres.names
        self.genres = columns.genres.folded([genre_key(tag) for tag in self._genre_tags])
        self._catalog = catalog
        self._predicted: tuple[NameColumn, tuple[str, ...]] | None = None
        self._reading = threading.Lock()

    @property
    def state(self) -> CatalogState:
        """The state of the catalogue that it was read from."""
        return self.index.state

    def without(self, track_ids: Collection[int]) -> "Snapshot":
        """The same but for tracks of the index that are not to be recommended any more."""
        other = copy.copy(self)
        other.durations = self.durations.copy()
        other.durations[self.rows(np.array(sorted(track_ids), dtype=np.int64))] = np.nan
        return other

    def row(self, track_id: int) -> int | None:
        """The row of a track; None for one that is not recommended."""
        return self.index.row(track_id)

    def rows(self, track_ids: IntArray) -> IntArray:
        """The rows of tracks of the index."""
        return np.searchsorted(self.index.ids, track_ids)

    def recording(self, row: int) -> Recording:
        """What duplicate detection compares of a track."""
        return Recording(self.index.columns["view"][row], float(self.durations[row]))

    def admitted(self, filters: Filters, seed_artists: Sequence[str]) -> BoolArray:
        """Which tracks pass those filters that look at one track alone, [n].

        Args:
            filters: what is wanted.
            seed_artists: as the seed's tags name them.

        Raises `UsageError` for a predicted genre that the model does not know.
        """
        mask = ~np.isnan(self.durations)
        if filters.genre is not None:
            mask &= _having(self.genres, genre_key(filters.genre))
        if filters.predicted_genre is not None:
            mask &= self._predicted_as(filters.predicted_genre)
        if filters.min_duration is not None:
            mask &= self.durations >= filters.min_duration
        if filters.max_duration is not None:
            mask &= self.durations <= filters.max_duration
        if not filters.damaged:
            mask &= ~self.damaged
        if not filters.same_artist:
            mask &= ~self.artists.any_of(self.artists.codes_of(seed_artists))
        return mask

    def genre_hint(self, filters: Filters) -> str | None:
        """Why a genre filter leaves nothing and which genre was probably meant; else None."""
        if filters.genre is not None and not _having(self.genres, genre_key(filters.genre)).any():
            shown = {genre_key(tag): first_genre(tag) or "" for tag in self._genre_tags}
            shown.pop("", None)
            advice = _nearest(genre_key(filters.genre), shown) or (
                "the catalogue's genres are " + ", ".join(sorted(shown.values())[:10]) + "."
                if shown
                else "no track has a genre tag."
            )
            return f"no track is tagged with the genre {filters.genre!r}; {advice}"
        predicted = filters.predicted_genre
        if predicted is not None and not self._predicted_as(predicted).any():
            return f"the model predicts {predicted!r} for no track."
        return None

    def _predicted_as(self, genre: str) -> BoolArray:
        column, labels = self._predictions()
        known = {label_key(label): label for label in labels}
        if known and label_key(genre) not in known:
            near = _nearest(label_key(genre), known)
            raise UsageError(
                f"the model knows no genre {genre!r}{f' ({near})' if near else ''}; "
                f"it knows {', '.join(sorted(labels))}."
            )
        return column.equal(label_key(genre))

    def _predictions(self) -> tuple[NameColumn, tuple[str, ...]]:
        """The predicted genre of each track by `label_key`, and all labels; read at first use."""
        with self._reading:
            if self._predicted is None:
                column, labels = self._catalog.predicted_genres(self.index.ids)
                folded = column.folded([label_key(name) for name in column.names])
                self._predicted = folded, labels
            return self._predicted


def _having(column: NameColumn, key: str) -> BoolArray:
    """Which tracks have this key; the empty key is that of tracks without a name."""
    return column.equal(key) if key else column.codes < 0


def _nearest(key: str, shown: dict[str, str]) -> str | None:
    found = difflib.get_close_matches(key, shown, n=1)
    return f"did you mean {shown[found[0]]!r}?" if found else None
