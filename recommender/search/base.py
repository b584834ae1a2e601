"""The immutable part of an index: the arrays of a mapped file, with what is needed to search them.

Tracks have two numbers here. Their *row* is their place by rising id; columns are stored by row.
Their *position* is their place in the file: tracks of one cell of the space lie side by side, so
that a query reads a few places of the file.

Shapes: n tracks, vectors of d dimensions of which p are leading, c cells.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.search.mapped_file import Array, MappedFile, Shapes, index_damaged
from recommender.search.read_ahead import ReadAhead
from recommender.search.reranking import CosineStatistics, RerankingSettings
from recommender.search.vector_rows import VectorRows
from recommender.utils.arrays import FloatArray, IntArray

COLUMN = "column:"
"""Begins the names of columns in the file."""


@dataclass(frozen=True)
class Effort:
    """How much of an index a query looks at, and what it finds so.

    Attributes:
        probed: cells that are scanned.
        rescored: candidates beyond k that are scored again with all components.
        recall: of the 10 best, the share that is found, over queries of the catalogue itself; 1
            where a search is exact.
        measured_at: number of tracks when that was measured.
    """

    probed: int = 1
    rescored: int = 16
    recall: float = 1.0
    measured_at: int = 0


@dataclass(frozen=True)
class BaseFacts:
    """What an index says of itself.

    Attributes:
        space: the projected embedding space of the vectors.
        state: of the catalogue that it was read from.
        settings: of reranking.
        effort: of a query.
        dropped: tracks left out because their vectors were zero or not finite.
        columns: digest of what computed the columns.
        generation: a name that no other index has.
    """

    space: SpaceId
    state: CatalogState
    settings: RerankingSettings
    effort: Effort
    dropped: int
    columns: str
    generation: str

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `of_json`."""
        return asdict(self)

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> "BaseFacts":
        """Raises `LookupError`, `TypeError` or `ValueError` for values of another kind."""
        effort = Effort(**values["effort"])
        if min(effort.probed, effort.rescored, effort.measured_at) < 0:
            raise ValueError(f"a search that looks at {effort}")
        return cls(
            SpaceId(**values["space"]),
            CatalogState(**values["state"]),
            RerankingSettings(**values["settings"]),
            effort,
            int(values["dropped"]),
            str(values["columns"]),
            str(values["generation"]),
        )


@dataclass(frozen=True, eq=False)
class Base:
    """The immutable part of an index.

    Attributes:
        facts: what it says of itself.
        rows: the vectors, by position.
        ids: np.ndarray [shape=(n,)], int64, ascending: by row.
        position: np.ndarray [shape=(n,)], int32: of each row.
        row: np.ndarray [shape=(n,)], int32: of each position.
        starts: np.ndarray [shape=(c + 1,)], int64: first position of each cell, then n.
        cosine_centroids: np.ndarray [shape=(c, p)], float32: of unit vectors, leading components.
        score_centroids: np.ndarray [shape=(c, p + 1)], float32: of database vectors, likewise.
        rotation: np.ndarray [shape=(d, d)], float32, to the principal axes; [shape=(0, 0)] where
            vectors are stored as they are.
        statistics: of the cosines of expanded vectors; None where nothing is reranked.
        columns: name → np.ndarray [shape=(n, ...)], by row.
        file: what holds all of these.
        read_ahead: of the file.
    """

    facts: BaseFacts
    rows: VectorRows
    ids: IntArray
    position: IntArray
    row: IntArray
    starts: IntArray
    cosine_centroids: FloatArray
    score_centroids: FloatArray
    rotation: FloatArray
    statistics: CosineStatistics | None
    columns: Mapping[str, Array]
    file: MappedFile
    read_ahead: ReadAhead

    @property
    def path(self) -> Path | None:
        """Of the file; None for one without a name."""
        return self.file.path

    def __len__(self) -> int:
        """Number of tracks."""
        return len(self.ids)

    @property
    def dimension(self) -> int:
        """Length d of a vector."""
        return self.leading + int(self.rows.rest.shape[2])

    @property
    def leading(self) -> int:
        """Number p of leading components."""
        return int(self.rows.cosine_head.shape[1])

    def rotated(self, vectors: FloatArray) -> FloatArray:
        """Vectors [..., d] in the axes of the stored ones."""
        if not len(self.rotation):
            return vectors
        rotated: FloatArray = vectors @ self.rotation
        return rotated

    def turned_back(self, vectors: FloatArray) -> FloatArray:
        """The inverse of `rotated`."""
        if not len(self.rotation):
            return vectors
        turned: FloatArray = vectors @ self.rotation.T
        return turned

    @classmethod
    def open(cls, path: Path) -> "Base":
        """Map an index file.

        Types and shapes are checked, the few values that a search begins with (`starts`, the
        statistics, the facts), and what `MappedFile.open` checks. Raises as that.
        """
        return of_file(MappedFile.open(path))


def base_shapes(
    count: int,
    dimension: int,
    leading: int,
    cells: int,
    neighbours: int,
    columns: Mapping[str, Any],
) -> Shapes:
    """Types and shapes of the arrays of a base with `count` tracks.

    Args:
        dimension: d.
        leading: p.
        cells: c.
        neighbours: k of each track; 0 where nothing is reranked.
        columns: name → (type, shape of one track's value).
    """
    n, rest = count, dimension - leading
    vectors, offset = (2, leading + 1) if neighbours else (1, 0)
    turned = dimension if rest else 0
    moments = dimension if neighbours else 0
    return {
        "ids": ("<i8", (n,)),
        "position": ("<i4", (n,)),
        "row": ("<i4", (n,)),
        "starts": ("<i8", (cells + 1,)),
        "cosine_centroids": ("<f4", (cells, leading)),
        "score_centroids": ("<f4", (cells, offset)),
        "rotation": ("<f4", (turned, turned)),
        "mean_vector": ("<f8", (moments,)),
        "second_moment": ("<f8", (moments, moments)),
        "moments": ("<f8", (4 if neighbours else 0,)),
        "row_ids": ("<i8", (n,)),
        "cosine_head": ("<f4", (n, leading)),
        "score_head": ("<f4", (n, offset)),
        "rest": ("<f4", (n, vectors, rest)),
        "neighbours": ("<i8", (n, neighbours)),
        "neighbour_cosines": ("<f4", (n, neighbours)),
        **{COLUMN + name: (kind, (n, *shape)) for name, (kind, shape) in columns.items()},
    }


def rows_of(arrays: Mapping[str, Array]) -> VectorRows:
    """The vectors among the arrays of a file, by position."""
    named = {field.name: arrays[field.name] for field in fields(VectorRows) if field.name != "ids"}
    return VectorRows(arrays["row_ids"], **named)


def of_file(file: MappedFile) -> Base:
    """The base in an open file. Raises `IndexDamaged` where its arrays do not fit together."""
    path = file.path or Path()
    try:
        facts = BaseFacts.of_json(file.facts)
        _require_fitting(file.arrays, facts)
        return _assembled(file, facts)
    except (LookupError, TypeError, ValueError) as error:
        raise index_damaged(path, error) from error


def _require_fitting(arrays: Mapping[str, Array], facts: BaseFacts) -> None:
    """Raise unless types and shapes are those of `base_shapes` and `starts` divides the tracks."""
    head, rest, near = arrays["cosine_head"], arrays["rest"], arrays["neighbours"]
    count, leading = head.shape
    columns = {
        name.removeprefix(COLUMN): (values.dtype.str, values.shape[1:])
        for name, values in arrays.items()
        if name.startswith(COLUMN)
    }
    expected = base_shapes(
        count,
        leading + rest.shape[2],
        leading,
        len(arrays["starts"]) - 1,
        near.shape[1],
        columns,
    )
    for name, (kind, shape) in expected.items():
        found = arrays[name]
        if found.dtype.str != kind or found.shape != shape:
            raise ValueError(f"{name} are {found.dtype} {found.shape}, with {count} tracks")
    if set(arrays) - set(expected):
        raise ValueError("it holds arrays of another kind")
    starts = arrays["starts"]
    if starts[0] or starts[-1] != count or (np.diff(starts) < 0).any():
        raise ValueError("its cells do not divide its tracks")
    if near.shape[1] not in (0, facts.settings.k):
        raise ValueError(f"{near.shape[1]} neighbours of each track")
    for name in ("rotation", "mean_vector", "second_moment", "moments", "cosine_centroids"):
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"its {name} is not finite")


def _assembled(file: MappedFile, facts: BaseFacts) -> Base:
    arrays = file.arrays
    statistics = None
    if len(arrays["moments"]):
        count, *averages = arrays["moments"].tolist()
        statistics = CosineStatistics(
            int(count), arrays["mean_vector"], arrays["second_moment"], *averages
        )
    return Base(
        facts,
        rows_of(arrays),
        arrays["ids"],
        arrays["position"],
        arrays["row"],
        arrays["starts"],
        arrays["cosine_centroids"],
        arrays["score_centroids"],
        arrays["rotation"],
        statistics,
        {
            name.removeprefix(COLUMN): values
            for name, values in arrays.items()
            if name.startswith(COLUMN)
        },
        file,
        ReadAhead(file.content),
    )
