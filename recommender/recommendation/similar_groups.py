"""Artists and albums that sound alike, by the mean of the vectors of their tracks.

Shapes: n tracks of an index, p pairs of a track and a group it belongs to, g groups, d dimensions.
"""

import difflib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.errors import TrackNotFound, UsageError
from recommender.recommendation.mix_result import SimilarAlbum, SimilarArtist, SimilarGroupList
from recommender.recommendation.mix_seeds import unit_of
from recommender.recommendation.result_list import Neighbour
from recommender.recommendation.seeds import SearchSeed
from recommender.recommendation.snapshot import Snapshot
from recommender.recommendation.track_rules import Candidates
from recommender.search.score_space import ScoreSpace
from recommender.utils.arrays import BoolArray, FloatArray, IntArray, unit_rows
from recommender.utils.artists import names_nobody
from recommender.utils.codes import NO_NAME
from recommender.utils.names import most_frequent, name_key

ENTRY_POINTS = 3
"""Tracks of an artist or an album that are named, at most."""

_Group = TypeVar("_Group", SimilarArtist, SimilarAlbum)

_NAMED_TRACKS = 20
"""Tracks that the spelling of an artist's name is taken from, at most."""


@dataclass(frozen=True, eq=False)
class TrackGroups:
    """Groups of tracks with their mean vectors.

    Attributes:
        codes: np.ndarray [shape=(g,)], int64, ascending.
        starts: np.ndarray [shape=(g + 1,)]: where in `rows` the tracks of each begin.
        rows: np.ndarray [shape=(p,)], int64: of the tracks, group by group.
        means: np.ndarray [shape=(g, d)], float32, of length 1, in the axes of the index.
    """

    codes: IntArray
    starts: IntArray
    rows: IntArray
    means: FloatArray

    @classmethod
    def of(cls, space: ScoreSpace, rows: IntArray, codes: IntArray) -> "TrackGroups":
        """Of pairs of a track's row and its group's code [p]."""
        order = np.argsort(codes, kind="stable")
        rows = rows[order]
        found, starts = np.unique(codes[order], return_index=True)
        ends = np.append(starts, len(rows))
        if not len(found):
            return cls(found, ends, rows, space.units(rows))
        sums = np.add.reduceat(space.units(rows), starts, axis=0)
        return cls(found, ends, rows, unit_rows(sums))

    def place(self, code: int) -> int | None:
        """The place of a group among all; None for one that is not there."""
        at = int(np.searchsorted(self.codes, code))
        return at if at < len(self.codes) and self.codes[at] == code else None

    def tracks(self, place: int) -> IntArray:
        """The rows of its tracks."""
        return self.rows[self.starts[place] : self.starts[place + 1]]

    def nearest(
        self, unit: FloatArray, k: int, without: Sequence[int], allowed: BoolArray
    ) -> list[tuple[int, float]]:
        """The places of the k groups nearest to a unit vector [d], with their cosines.

        Args:
            without: places that are not wanted.
            allowed: np.ndarray [shape=(n,)], bool: a group has one of these tracks at least.
        """
        cosines = np.clip(self.means @ unit, -1, 1)
        cosines[list(without)] = -np.inf
        if len(self.codes):
            cosines[~np.logical_or.reduceat(allowed[self.rows], self.starts[:-1])] = -np.inf
        order = np.argsort(-cosines, kind="stable")[:k]
        return [(int(at), float(cosines[at])) for at in order if np.isfinite(cosines[at])]


class SimilarGroups:
    """Similar artists and albums of a snapshot."""

    def __init__(
        self,
        catalog: Catalog,
        snapshot: Snapshot,
        space: ScoreSpace,
        calibration: SimilarityCalibration | None,
    ) -> None:
        """Nothing is computed yet; the means of all artists, of all albums once."""
        self._catalog = catalog
        self._snapshot = snapshot
        self._space = space
        self._calibration = calibration
        self._computing = threading.Lock()
        self._of_artists: TrackGroups | None = None
        self._of_albums: TrackGroups | None = None

    @property
    def _artists(self) -> TrackGroups:
        with self._computing:
            if self._of_artists is None:
                self._of_artists = TrackGroups.of(self._space, *self._snapshot.artists.pairs)
            return self._of_artists

    @property
    def _albums(self) -> TrackGroups:
        with self._computing:
            if self._of_albums is None:
                column = self._snapshot.index.columns["album"].whole()
                rows = np.flatnonzero(column != NO_NAME)
                self._of_albums = TrackGroups.of(self._space, rows, column[rows])
            return self._of_albums

    def is_of(self, snapshot: Snapshot) -> bool:
        """Whether it answers for a snapshot."""
        return self._snapshot is snapshot

    def artists(
        self, artist: str, k: int, near: SearchSeed | None, allowed: Candidates
    ) -> SimilarGroupList[SimilarArtist]:
        """See `SimilarityService.similar_artists`.

        Args:
            allowed: what may be begun with.
        """
        groups = self._artists
        codes = self._snapshot.artists.codes_of([artist])
        places = [at for code in codes if (at := groups.place(code)) is not None]
        if not places:
            raise TrackNotFound(self._unknown_artist(artist))
        own = groups.means[places].mean(axis=0)
        unit = unit_rows(own[None])[0]
        target = unit if near is None else unit_of(near, self._space)
        found = groups.nearest(unit, k, places, allowed.allowed)
        points = self._points(groups, found, target, allowed.allowed)
        tracks = self._read(groups, points)
        entries = [
            SimilarArtist(
                self._artist_name(int(groups.codes[at]), groups.tracks(at), tracks),
                cosine,
                len(groups.tracks(at)),
                self._neighbours(points[at], tracks),
                self._is_close(cosine),
            )
            for at, cosine in found
        ]
        return self._list(entries, groups, allowed, "no artist")

    def albums(
        self, seed: SearchSeed, k: int, allowed: Candidates
    ) -> SimilarGroupList[SimilarAlbum]:
        """See `SimilarityService.similar_albums`; `allowed` as of `artists`."""
        groups = self._albums
        if not len(groups.codes):
            raise UsageError("no track has an album tag: tag the files and ingest them again.")
        album = NO_NAME
        if seed.row is not None:
            album = int(self._snapshot.index.columns["album"][seed.row])
        own = groups.place(album)
        unit = unit_of(seed, self._space) if own is None else groups.means[own]
        found = groups.nearest(unit, k, [] if own is None else [own], allowed.allowed)
        points = self._points(groups, found, unit, allowed.allowed)
        tracks = self._read(groups, points)
        albums = []
        for at, cosine in found:
            every = [tracks[id] for id in self._ids(groups.tracks(at)) if id in tracks]
            neighbours = self._neighbours(points[at], tracks)
            if every:
                name = every[0].tags.album or ""
                count, close = len(groups.tracks(at)), self._is_close(cosine)
                artist = _album_artist(every)
                albums.append(SimilarAlbum(name, artist, cosine, count, neighbours, close))
        return self._list(albums, groups, allowed, "no album")

    def _list(
        self, entries: list[_Group], groups: TrackGroups, found: Candidates, nameless: str
    ) -> SimilarGroupList[_Group]:
        alone = found.allowed.copy()
        alone[groups.rows] = False
        left_out = {**found.left_out, nameless: int(np.count_nonzero(alone))}
        catalogue = int(np.count_nonzero(self._snapshot.present()))
        return SimilarGroupList(entries, left_out, catalogue)

    def _points(
        self,
        groups: TrackGroups,
        found: Iterable[tuple[int, float]],
        unit: FloatArray,
        allowed: BoolArray,
    ) -> dict[int, list[tuple[int, float]]]:
        """The tracks of each group to begin with, of those that are allowed."""
        points = {}
        for at, _ in found:
            rows = groups.tracks(at)
            points[at] = self._entry_points(rows[allowed[rows]], unit)
        return points

    def _entry_points(self, rows: IntArray, unit: FloatArray) -> list[tuple[int, float]]:
        cosines = np.clip(self._space.units(rows) @ unit, -1, 1)
        order = np.argsort(-cosines, kind="stable")[:ENTRY_POINTS]
        ids = self._ids(rows)
        return [(ids[at], float(cosines[at])) for at in order.tolist()]

    def _ids(self, rows: IntArray) -> list[int]:
        ids: list[int] = self._snapshot.index.ids[rows].tolist()
        return ids

    def _read(
        self, groups: TrackGroups, points: Mapping[int, list[tuple[int, float]]]
    ) -> dict[int, Track]:
        """The entry points, and some tracks of each group to name it by."""
        ids = {track_id for found in points.values() for track_id, _ in found}
        for at in points:
            ids |= set(self._ids(groups.tracks(at)[:_NAMED_TRACKS]))
        return self._catalog.present(ids)

    def _neighbours(
        self, points: Iterable[tuple[int, float]], tracks: Mapping[int, Track]
    ) -> list[Neighbour]:
        there = [(tracks[id], cosine) for id, cosine in points if id in tracks]
        return [
            Neighbour(track, cosine, rank, cosine, self._is_close(cosine))
            for rank, (track, cosine) in enumerate(there, start=1)
        ]

    def _artist_name(self, code: int, rows: IntArray, tracks: Mapping[int, Track]) -> str:
        spellings: dict[str, int] = {}
        for track_id in self._ids(rows):
            track = tracks.get(track_id)
            name = None if track is None else self._snapshot.artists.name_of(code, track.artists)
            if name is not None:
                spellings[name] = spellings.get(name, 0) + 1
        return most_frequent(spellings) if spellings else ""

    def _is_close(self, cosine: float) -> bool | None:
        return None if self._calibration is None else self._calibration.is_close(cosine)

    def _unknown_artist(self, artist: str) -> str:
        if names_nobody(artist):
            return f"{artist!r} names no artist: give the name of one of the catalogue."
        known = {
            name_key(name): name
            for track in self._catalog.all_tracks()
            for name in track.artists
            if not names_nobody(name)
        }
        near = difflib.get_close_matches(name_key(artist), known, n=3)
        hint = ", ".join(repr(known[key]) for key in near)
        advice = f"did you mean {hint}?" if hint else "look names up with 'recsys list WORDS'."
        return f"no track is by {artist!r}; {advice}"


def _album_artist(tracks: list[Track]) -> str | None:
    """The artist of an album, or the one that all of its tracks have."""
    for track in tracks:
        name = track.tags.album_artist
        if name and not names_nobody(name):
            return name
    names = {name_key(track.artist): track.artist for track in tracks}
    return next(iter(names.values())) if len(names) == 1 else None
