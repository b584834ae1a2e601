"""The tracks of an index that the catalogue's exclusions keep out of mixes ("never in mixes").

Exclusions of tracks and folders are looked up by the catalogue; artists and genres are compared as
filters compare them, so that every artist of a track counts.
"""

import threading

import numpy as np

from recommender.catalog import Catalog
from recommender.recommendation.snapshot import Snapshot
from recommender.utils.arrays import BoolArray
from recommender.utils.codes import name_code
from recommender.utils.names import genre_key


class Exclusions:
    """Which tracks are excluded; computed anew where tracks or exclusions have changed."""

    def __init__(self, catalog: Catalog) -> None:
        """Of a catalogue, which stays open."""
        self._catalog = catalog
        self._finding = threading.Lock()
        self._found: tuple[object, Snapshot, BoolArray | None] | None = None

    def of(self, snapshot: Snapshot) -> BoolArray | None:
        """Which tracks of a snapshot are excluded: np.ndarray [shape=(n,)]; None for none.

        Not to be written to.
        """
        revision = self._catalog.lists_revision()
        with self._finding:
            known = self._found
            if known is None or known[0] != revision or known[1].index is not snapshot.index:
                known = (revision, snapshot, self._excluded(snapshot))
                self._found = known
            return known[2]

    def _excluded(self, snapshot: Snapshot) -> BoolArray | None:
        exclusions = self._catalog.exclusions()
        if not exclusions:
            return None
        mask = np.zeros(len(snapshot.index), dtype=np.bool_)
        rows = snapshot.index.rows(self._catalog.excluded_tracks())
        mask[rows[rows >= 0]] = True
        genres = [name_code(genre_key(one.value)) for one in exclusions if one.kind == "genre"]
        mask |= np.isin(snapshot.index.columns["genre"].whole(), genres)
        artists = [one.value for one in exclusions if one.kind == "artist"]
        mask[snapshot.artists.rows_of(artists)] = True
        mask.flags.writeable = False
        return mask
