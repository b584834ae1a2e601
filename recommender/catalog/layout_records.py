"""Layouts: what was computed of all tracks of a catalogue together, such as a map of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from recommender.embedding.space import SpaceId
from recommender.utils.arrays import FloatArray, IntArray


class LayoutKind(StrEnum):
    """What a layout is."""

    MAP = "map"
    CLUSTERS = "clusters"


@dataclass(frozen=True, eq=False)
class StoredLayout:
    """A layout as it is stored; a catalogue has at most one of each kind.

    Attributes:
        kind: what it is.
        space: the projected space of the vectors that it was computed from.
        computed_at: when, in UTC; tracks that were added since do not change it.
        details: settings and figures; JSON values.
        ids: np.ndarray [shape=(n,)], int64: of tracks, in the order in which they were placed. Some
            may have left the catalogue.
        values: np.ndarray [shape=(n, w)], float32: of a map two coordinates of each; of clusters
            the number of its cluster.
    """

    kind: LayoutKind
    space: SpaceId
    computed_at: datetime
    details: Mapping[str, Any]
    ids: IntArray
    values: FloatArray
