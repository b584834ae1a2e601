"""What an index keeps of every track beside its vectors, so that lists need no database."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy.typing as npt

from recommender.utils.arrays import FloatArray, IntArray

Columns = Mapping[str, Any]
"""Name → np.ndarray [shape=(n, ...)], or what can be read as one."""


class ColumnSource(Protocol):
    """Computes named values of tracks.

    Attributes:
        digest: of how they are computed; an index with columns of another digest is stale.
    """

    @property
    def digest(self) -> str:
        """See the class."""

    def columns(self, ids: IntArray, activations: FloatArray) -> dict[str, npt.NDArray[Any]]:
        """The columns of some tracks.

        Args:
            ids: np.ndarray [shape=(m,)]; m may be 0.
            activations: np.ndarray [shape=(m, d)], float32: as stored.

        Returns:
            name → np.ndarray [shape=(m, ...)]; always the same names, types and further lengths.
        """

    def related(self, new: Columns, existing: Columns | None) -> dict[str, npt.NDArray[Any]]:
        """Further columns of `new` tracks [m, ...], which compare them with all tracks.

        The values of existing tracks never change.

        Args:
            new: columns of the tracks, all of an index that is built.
            existing: columns of the tracks that are there; None where an index is built.
        """
