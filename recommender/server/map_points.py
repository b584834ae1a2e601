"""The library as a map: a point for every track, and names for where many of a kind lie.

Shapes: n tracks.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.catalog.layout_records import LayoutKind
from recommender.library_map import Clusters, clusters, map_coordinates
from recommender.recommendation.service import SimilarityService
from recommender.search.index import TrackIndex
from recommender.utils.arrays import FloatArray, IntArray

SIDE = 65_535
"""Length of the map's longer side, in the units of its coordinates."""

NO_GROUP = 255
"""In place of a genre where none is predicted, and of an energy that is not known."""

NO_CLUSTER = 65_535

_CELLS = 48
_SMOOTHED = 2
"""Times that counts of cells are averaged with their neighbours."""

_LEAST_TRACKS = 4
_FEW = 600
"""On a map of fewer tracks, each name stands once."""

_SECOND = 0.45
"""A second region of the same name has at least this share of the first one's density."""

_APART = _CELLS // 4
"""And lies so many cells away."""


Column = npt.NDArray[np.unsignedinteger[Any]]
"""A number for each track."""


@dataclass(frozen=True)
class Region:
    """A part of the map where tracks of a kind lie close together.

    Attributes:
        name: of the kind.
        x, y: where they are densest, as coordinates of the map.
        tracks: of that kind, on the whole map.
        group: index of the kind.
    """

    name: str
    x: int
    y: int
    tracks: int
    group: int


@dataclass(frozen=True, eq=False)
class LibraryMap:
    """A point for every track that is on the map of the catalogue.

    Attributes:
        method: how the coordinates were made.
        note: what is to be said of it in a line.
        ids: np.ndarray [shape=(n,)], int64, ascending.
        places: np.ndarray [shape=(n, 2)], uint16: x to the right and y upwards, 0 to `SIDE`.
        columns: what points may be coloured by, each [shape=(n,)]: ``genre``, uint8, index of the
            predicted genre or `NO_GROUP`; ``year``, uint16, 0 where none is tagged; where they are
            known ``energy``, uint8, to 254, `NO_GROUP` where it is not, and ``cluster``, uint16,
            index of the cluster or `NO_CLUSTER`.
        genres: names, most frequent first.
        clusters: names, largest first.
        regions: where tracks of a genre lie.
        cluster_regions: where those of a cluster lie.
    """

    method: str
    note: str | None
    ids: IntArray
    places: npt.NDArray[np.uint16]
    columns: Mapping[str, Column]
    genres: tuple[str, ...]
    clusters: tuple[str, ...]
    regions: tuple[Region, ...]
    cluster_regions: tuple[Region, ...]

    def rows(self, track_ids: Sequence[int]) -> IntArray:
        """The rows of those tracks that are on the map, in their order."""
        wanted = np.array(track_ids, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self.ids, wanted), max(len(self.ids) - 1, 0))
        found: IntArray = rows[self.ids[rows] == wanted] if len(self.ids) else rows[:0]
        return found

    def packed(self, most: int) -> bytes:
        """The map in one piece: a head as JSON, then columns of all tracks or of a fair sample.

        The bytes ``RMAP``, the head's length as uint32, the head padded with blanks to a multiple
        of four, then for each entry of the head's ``columns`` as many values as ``shown`` says,
        little-endian, each column again padded to a multiple of four bytes.

        Args:
            most: tracks that it may have; of more, as many are drawn at random, always the same.
        """
        rows = np.arange(len(self.ids))
        if len(rows) > most:
            rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
        columns = {
            "id": self.ids[rows].astype("<u4"),
            "x": self.places[rows, 0].astype("<u2"),
            "y": self.places[rows, 1].astype("<u2"),
            **{name: _little(values[rows]) for name, values in self.columns.items()},
        }
        head = {
            "total": len(self.ids),
            "shown": len(rows),
            "side": SIDE,
            "method": self.method,
            "note": self.note,
            "genres": self.genres,
            "clusters": self.clusters,
            "regions": [vars(region) for region in self.regions],
            "cluster_regions": [vars(region) for region in self.cluster_regions],
            "columns": [[name, f"u{column.itemsize}"] for name, column in columns.items()],
        }
        text = _padded(json.dumps(head).encode(), b" ")
        parts = [b"RMAP", len(text).to_bytes(4, "little"), text]
        parts += [_padded(column.tobytes(), b"\0") for column in columns.values()]
        return b"".join(parts)


def map_stamp(service: SimilarityService) -> tuple[object, ...]:
    """Of what the map is made; as long as it is the same, so is the map."""
    stored = [service.catalog.layout(kind) for kind in LayoutKind]
    computed = [None if one is None else (one.computed_at, len(one.ids)) for one in stored]
    return (service.state(), service.catalog_index.space, *computed)


def map_points(service: SimilarityService) -> LibraryMap:
    """The map of the catalogue as it is now: the stored one, or else its principal components.

    Raises `NothingAnalysed` for a catalogue without tracks.
    """
    placed = map_coordinates(service)
    index = service.current_index()
    codes = np.asarray(index.columns["predicted"])
    genres, names = _genres(service, index, codes)
    rows = index.rows(placed.ids)
    places = _places(placed.xy)
    columns: dict[str, Column] = {"genre": genres[rows], "year": _years(service, placed.ids)}
    columns |= _energies(service, placed.ids)
    grouped = clusters(service)
    if grouped is not None:
        columns["cluster"] = _clusters(grouped, placed.ids)
    return LibraryMap(
        method="t-SNE" if placed.source == "tsne" else "principal components",
        note=placed.note if placed.unplaced else None,
        ids=placed.ids,
        places=places,
        columns=columns,
        genres=names,
        clusters=() if grouped is None else grouped.names,
        regions=tuple(regions(places, columns["genre"], names)),
        cluster_regions=()
        if grouped is None
        else tuple(regions(places, columns["cluster"], grouped.names)),
    )


def regions(
    places: npt.NDArray[np.uint16],
    groups: Column,
    labels: Sequence[str],
) -> Iterator[Region]:
    """Where tracks of a group are denser than elsewhere, and denser than those of other groups.

    Args:
        places: as in `LibraryMap`.
        groups: np.ndarray [shape=(n,)]: index into `labels`; others are of no group.
        labels: names of the groups.
    """
    cells = np.minimum(places.astype(np.int64) * _CELLS // (SIDE + 1), _CELLS - 1)
    flat = cells[:, 1] * _CELLS + cells[:, 0]
    everything = _density(flat) + 1e-9
    for group, name in enumerate(labels):
        members = groups == group
        tracks = int(members.sum())
        if tracks < _LEAST_TRACKS:
            continue
        own = _density(flat[members])
        worth = own * own / everything
        first = np.unravel_index(worth.argmax(), worth.shape)
        yield _region(name, first, tracks, group)
        rows, columns = np.indices(worth.shape)
        if len(groups) < _FEW:
            continue
        far = np.hypot(rows - first[0], columns - first[1]) >= _APART
        second = np.unravel_index((worth * far).argmax(), worth.shape)
        if worth[second] * far[second] > _SECOND * worth[first]:
            yield _region(name, second, tracks, group)


def _region(name: str, cell: Sequence[np.intp], tracks: int, group: int) -> Region:
    y, x = (int((int(one) + 0.5) * SIDE / _CELLS) for one in cell)
    return Region(name, x, y, tracks, group)


def _density(flat: IntArray) -> npt.NDArray[np.float64]:
    """How many tracks lie in and around each cell, smoothed."""
    counts = np.bincount(flat, minlength=_CELLS * _CELLS).reshape(_CELLS, _CELLS).astype(float)
    for _ in range(_SMOOTHED):
        for axis in (0, 1):
            edge = [(1, 1) if one == axis else (0, 0) for one in (0, 1)]
            wide = np.pad(counts, edge)
            below, same, above = (
                np.take(wide, range(start, start + _CELLS), axis=axis) for start in (0, 1, 2)
            )
            counts = (below + 2 * same + above) / 4
    return counts


def _places(plane: FloatArray) -> npt.NDArray[np.uint16]:
    """Points of a plane, moved and scaled alike in both directions to fit into the map."""
    low, high = plane.min(axis=0), plane.max(axis=0)
    longer = max(float((high - low).max()), 1e-9)
    centred = (plane - (low + high) / 2) / longer + 0.5
    return np.clip(np.rint(centred * SIDE), 0, SIDE).astype(np.uint16)


def _genres(
    service: SimilarityService, index: TrackIndex, codes: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.uint8], tuple[str, ...]]:
    """The predicted genre of every track, and the genres' names, most frequent first."""
    found, firsts, counts = np.unique(codes, return_index=True, return_counts=True)
    tracks = service.catalog.present(index.ids[firsts].tolist())
    group_of: dict[int, int] = {}
    labels: list[str] = []
    for one in np.argsort(-counts, kind="stable").tolist():
        track = tracks.get(int(index.ids[firsts[one]]))
        if track is not None and track.predicted_genre and len(labels) < NO_GROUP:
            group_of[int(found[one])] = len(labels)
            labels.append(track.predicted_genre)
    groups = np.array([group_of.get(int(code), NO_GROUP) for code in found], dtype=np.uint8)
    return groups[np.searchsorted(found, codes)], tuple(labels)


def _years(service: SimilarityService, ids: IntArray) -> npt.NDArray[np.uint16]:
    years = np.zeros(len(ids), dtype=np.uint16)
    known = np.array(service.catalog.track_years(), dtype=np.int64).reshape(-1, 2)
    known = known[(known[:, 1] > 0) & (known[:, 1] < SIDE)]
    rows = np.minimum(np.searchsorted(ids, known[:, 0]), len(ids) - 1)
    there = ids[rows] == known[:, 0]
    years[rows[there]] = known[there, 1]
    return years


def _energies(service: SimilarityService, ids: IntArray) -> dict[str, Column]:
    """The energy of tracks by their musical descriptors; nothing where no track has one."""
    known = service.catalog.descriptor_columns(ids, ["energy"])[:, 0]
    if np.isnan(known).all():
        return {}
    scaled = np.clip(np.rint(known * (NO_GROUP - 1)), 0, NO_GROUP - 1)
    return {"energy": np.where(np.isnan(known), NO_GROUP, scaled).astype(np.uint8)}


def _clusters(grouped: Clusters, ids: IntArray) -> npt.NDArray[np.uint16]:
    rows = np.minimum(np.searchsorted(grouped.ids, ids), len(grouped.ids) - 1)
    labels = np.where(grouped.ids[rows] == ids, grouped.labels[rows], -1)
    found: npt.NDArray[np.uint16] = np.where(labels < 0, NO_CLUSTER, labels).astype(np.uint16)
    return found


def _little(values: Column) -> Column:
    return values.astype(values.dtype.newbyteorder("<"))


def _padded(data: bytes, filling: bytes) -> bytes:
    return data + filling * (-len(data) % 4)
