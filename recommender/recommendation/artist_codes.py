"""The artists of an index's tracks, as numbers (`utils.codes`)."""

import threading
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.track_columns import MORE_ARTISTS
from recommender.search.index import TrackIndex
from recommender.utils.arrays import IntArray
from recommender.utils.artists import KnownArtists, artist_key
from recommender.utils.codes import NO_NAME, name_code

_MOST_KEPT = 50_000
"""Tracks whose divided names are kept."""


class ArtistCodes:
    """Whose each track is. Names are divided where tracks of the index prove that one is several.

    Of most tracks, the codes are those in the index. The names of the others ("A & B") are read
    from the catalogue when a list first comes to them.
    """

    def __init__(self, catalog: Catalog, index: TrackIndex) -> None:
        """Of the tracks of `index`; nothing is read yet."""
        self._catalog = catalog
        self._index = index
        self._divided: dict[int, list[int]] = {}
        self._counting = threading.Lock()
        self._pairing = threading.Lock()

    def at(self, rows: IntArray) -> list[list[int]]:
        """The distinct artists of each of m tracks of the index, among them `NO_NAME` for nobody.

        Args:
            rows: np.ndarray [shape=(m,)].
        """
        codes: list[list[int]] = self._index.columns["artists"][rows].tolist()
        compound = np.flatnonzero(self._index.columns["compound"][rows])
        if len(compound):
            places = compound.tolist()
            for place, own in zip(places, self._of_compound(rows[compound]), strict=True):
                codes[place] = own
        return codes

    def rows_of(self, names: Sequence[str]) -> IntArray:
        """The tracks that are by any of these artists, guests included: np.ndarray [shape=(m,)]."""
        rows, codes = self.pairs
        return np.unique(rows[np.isin(codes, self.codes_of(names))])

    @property
    def pairs(self) -> tuple[IntArray, IntArray]:
        """Every track with each of its artists: rows and codes, np.ndarray [shape=(p,)] each.

        By rising row, without nobody. Read once, which takes a second for 100,000 tracks.
        """
        with self._pairing:
            return self._all_pairs

    @cached_property
    def _all_pairs(self) -> tuple[IntArray, IntArray]:
        every = self.at(np.arange(len(self._index)))
        distinct = [dict.fromkeys(code for code in own if code != NO_NAME) for own in every]
        rows = np.repeat(np.arange(len(every)), [len(own) for own in distinct])
        return rows, np.array([code for own in distinct for code in own], dtype=np.int64)

    def name_of(self, code: int, names: Sequence[str]) -> str | None:
        """That of the artists in a track's `names` that has a code; None where none has."""
        parts = (part for name in names for part in self._known.divided(name))
        return next((part for part in parts if name_code(artist_key(part)) == code), None)

    def codes_of(self, names: Sequence[str]) -> list[int]:
        """Codes of the artists that the names in a tag stand for, without nobody."""
        return [name_code(key) for key in self._known.keys(names)]

    def _of_compound(self, rows: IntArray) -> list[list[int]]:
        unread = np.array([row for row in rows.tolist() if row not in self._divided], np.int64)
        found = {row: self._divided[row] for row in rows.tolist() if row in self._divided}
        if len(unread):
            ids = self._index.ids[unread]
            names = self._catalog.credited_artists(ids)
            for row, track_id in zip(unread.tolist(), ids.tolist(), strict=True):
                found[row] = self.codes_of(names.get(track_id, ()))
            if len(self._divided) > _MOST_KEPT:
                self._divided = {}
            self._divided.update(found)
        return [found[row] for row in rows.tolist()]

    @property
    def _known(self) -> KnownArtists:
        with self._counting:
            return self._evidence

    @cached_property
    def _evidence(self) -> KnownArtists:
        """What names the tracks of the index have by themselves."""
        column = self._index.columns["artists"].whole()
        codes, counts = np.unique(column, return_counts=True)
        more: dict[int, int] = {}
        beyond = np.flatnonzero(column[:, -1] == MORE_ARTISTS)
        for names in self._catalog.credited_artists(self._index.ids[beyond]).values():
            for name in list(dict.fromkeys(names))[column.shape[1] - 1 :]:
                code = name_code(artist_key(name))
                more[code] = more.get(code, 0) + 1

        def count(key: str) -> int:
            code = name_code(key)
            if code in (NO_NAME, MORE_ARTISTS):
                return 0
            place = int(np.searchsorted(codes, code))
            found = place < len(codes) and codes[place] == code
            return (int(counts[place]) if found else 0) + more.get(code, 0)

        return KnownArtists.counted_by(count)
