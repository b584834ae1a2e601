"""The columns of an index that filters, artist caps and duplicate detection compare."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.catalog import Catalog
from recommender.embedding.duplicates import DuplicateDetector
from recommender.embedding.stored_copies import copies_among, copies_beside, signatures
from recommender.search.columns import Columns
from recommender.utils.arrays import FloatArray, IntArray

_VERSION = "3"
"""Of what is computed; another one makes stored columns stale."""


class TrackColumnSource:
    """Computes them of a catalogue's tracks; a `search.columns.ColumnSource`.

    ``duration``, ``artists``, ``compound``, ``genre``, ``predicted``, ``damaged``, ``album`` and
    ``content`` are those of `catalog.track_columns.TrackColumns`; ``view`` is
    `DuplicateDetector.view`; ``signature`` and ``copies`` are those of `embedding.stored_copies`.
    """

    def __init__(self, catalog: Catalog, detector: DuplicateDetector) -> None:
        """Of the tracks of `catalog`, which stays open."""
        self._catalog = catalog
        self._detector = detector

    @property
    def digest(self) -> str:
        """See `ColumnSource`."""
        detector = self._detector
        facts = _VERSION, detector.digest, detector.threshold, detector.tolerance
        return hashlib.blake2b(repr(facts).encode(), digest_size=6).hexdigest()

    def columns(self, ids: IntArray, activations: FloatArray) -> dict[str, npt.NDArray[Any]]:
        """See `ColumnSource.columns`."""
        found = self._catalog.track_columns(ids)
        views = np.asarray(self._detector.view(activations), dtype=np.float32)
        return {
            "duration": found.durations,
            "artists": found.artists,
            "compound": found.compound,
            "genre": found.genres,
            "predicted": found.predicted,
            "damaged": found.damaged,
            "album": found.albums,
            "content": found.content,
            "view": views,
            "signature": signatures(views, found.durations),
        }

    def related(self, new: Columns, existing: Columns | None) -> dict[str, npt.NDArray[Any]]:
        """See `ColumnSource.related`."""
        added = np.asarray(new["signature"]), new["view"], np.asarray(new["duration"])
        if existing is None:
            return {"copies": copies_among(*added, self._detector)}
        there = (
            np.asarray(existing["signature"]),
            existing["view"],
            np.asarray(existing["duration"]),
        )
        return {"copies": copies_beside(added, there, self._detector)}
