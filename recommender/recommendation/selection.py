"""The candidates of a list that is made entry by entry, and which of them may come next.

Rules that look at what is in the list already are kept for each candidate as numbers that change
with every entry, so that a step costs some operations on arrays and not one for each candidate.

Shapes: m candidates, by the place where they were added.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recommender.embedding.duplicates import DuplicateDetector, Recording
from recommender.embedding.stored_copies import MORE
from recommender.recommendation.copies import copies_of
from recommender.recommendation.mix_result import LIST_RULES
from recommender.recommendation.snapshot import Snapshot
from recommender.utils.arrays import BoolArray, IntArray, Scores
from recommender.utils.codes import NO_NAME

_NEVER = 2**40
"""A position that no list reaches."""


@dataclass(frozen=True)
class Gaps:
    """What `Selection` keeps apart.

    Attributes:
        artist, album: see `Rules.artist_gap`; 0 for none.
        per_artist: most entries of one artist; 0 for any number.
    """

    artist: int = 0
    album: int = 0
    per_artist: int = 0


class Selection:
    """Candidates, and what the entries of the list so far say of each.

    Attributes:
        rows: np.ndarray [shape=(m,)], int64: of the index.
        taken: np.ndarray [shape=(m,)], bool: which are in the list.
        position: that of the next entry, from 0.
        shortest: the shortest distances of two entries of one artist, and of one album.
    """

    def __init__(self, snapshot: Snapshot, detector: DuplicateDetector, gaps: Gaps) -> None:
        """Without candidates."""
        self._snapshot = snapshot
        self._detector = detector
        self._gaps = gaps
        self.rows: IntArray = np.empty(0, dtype=np.int64)
        self.taken: BoolArray = np.empty(0, dtype=np.bool_)
        self.position = 0
        self.shortest: dict[str, int] = {}
        self._copy: BoolArray = np.empty(0, dtype=np.bool_)
        self._full: BoolArray = np.empty(0, dtype=np.bool_)
        self._artist_from: IntArray = np.empty(0, dtype=np.int64)
        self._album_from: IntArray = np.empty(0, dtype=np.int64)
        self._reason = np.empty(0, dtype=np.int8)
        self._artists: list[list[int]] = []
        self._albums: list[int] = []
        self._of_artist: dict[int, list[int]] = defaultdict(list)
        self._of_album: dict[int, list[int]] = defaultdict(list)
        self._last_artist: dict[int, int] = {}
        self._last_album: dict[int, int] = {}
        self._counts: dict[int, int] = defaultdict(int)
        self._copies = _CopyTable(snapshot, detector)
        self._known: list[int] = []
        self._recordings: list[Recording] = []

    @property
    def has_gaps(self) -> bool:
        """Whether a candidate that may not come next may come later."""
        return self._gaps.artist > 1 or self._gaps.album > 1

    def count_artists(self, rows: Sequence[int], each: int = 1) -> None:
        """Let tracks count for the most entries of an artist as if they were in the list."""
        for own in self._snapshot.artists.at(np.array(rows, dtype=np.int64)):
            for artist in own:
                self._counts[artist] += each

    def before(self, rows: Sequence[int], first: int | None = None) -> None:
        """Entries in front of the list: their copies are left out, and they count for the gaps.

        Args:
            rows: of the index, the latest last.
            first: position of the first of them; ``-len(rows)`` unless given. Far in front, they
                count for no gap.
        """
        self._known += rows
        start = -len(rows) if first is None else first
        widest = max(self._gaps.artist, self._gaps.album)
        near = [(start + at, row) for at, row in enumerate(rows) if start + at >= -widest]
        places = np.array([row for _, row in near], dtype=np.int64)
        albums = self._snapshot.index.columns["album"][places].tolist()
        for (position, _), own, album in zip(
            near, self._snapshot.artists.at(places), albums, strict=True
        ):
            self._note(position, own, album)

    def sounds_before(self, recordings: Sequence[Recording]) -> None:
        """Sounds outside the index whose copies are left out."""
        self._recordings += recordings

    def add(self, rows: IntArray) -> None:
        """Further candidates, none of which was added before."""
        start, count = len(self.rows), len(rows)
        artists = self._snapshot.artists.at(rows)
        albums = self._snapshot.index.columns["album"][rows].tolist()
        self._copies.add(rows)
        self.rows = np.concatenate([self.rows, rows])
        for name, value in (
            ("taken", False),
            ("_copy", False),
            ("_full", False),
            ("_artist_from", -_NEVER),
            ("_album_from", -_NEVER),
            ("_reason", -1),
        ):
            old = getattr(self, name)
            setattr(self, name, np.concatenate([old, np.full(count, value, dtype=old.dtype)]))
        for place, (own, album) in enumerate(zip(artists, albums, strict=True), start=start):
            self._artists.append(own)
            self._albums.append(album)
            self._apply_past(place, own, album)
        known = [*self._known, *self.rows[:start][self.taken[:start]].tolist()]
        self._copy[self._copies.of_rows(known, start)] = True
        for recording in self._recordings:
            found = copies_of(recording, self._snapshot.index, rows, self._detector)
            self._copy[start:][found] = True

    def _apply_past(self, place: int, artists: list[int], album: int) -> None:
        """What the entries so far say of a new candidate."""
        gaps = self._gaps
        for artist in artists:
            if artist == NO_NAME:
                continue
            self._of_artist[artist].append(place)
            if gaps.artist and artist in self._last_artist:
                until = self._last_artist[artist] + gaps.artist
                self._artist_from[place] = max(self._artist_from[place], until)
            if gaps.per_artist and self._counts.get(artist, 0) >= gaps.per_artist:
                self._full[place] = True
        if album != NO_NAME:
            self._of_album[album].append(place)
            if gaps.album and album in self._last_album:
                self._album_from[place] = self._last_album[album] + gaps.album

    def take(self, place: int) -> None:
        """A candidate becomes the next entry."""
        self.taken[place] = True
        artists, album = self._artists[place], self._albums[place]
        self._note(self.position, artists, album)
        for artist in artists:
            if artist == NO_NAME:
                continue
            own = self._of_artist[artist]
            self._counts[artist] += 1
            if self._gaps.artist:
                self._artist_from[own] = self.position + self._gaps.artist
            if self._gaps.per_artist and self._counts[artist] >= self._gaps.per_artist:
                self._full[own] = True
        if album != NO_NAME and self._gaps.album:
            self._album_from[self._of_album[album]] = self.position + self._gaps.album
        self._copy[self._copies.of_rows([int(self.rows[place])], 0)] = True
        self.position += 1

    def _note(self, position: int, artists: list[int], album: int) -> None:
        for name, last, codes in (
            ("artist", self._last_artist, artists),
            ("album", self._last_album, [album]),
        ):
            for code in codes:
                if code == NO_NAME:
                    continue
                if code in last and position >= 0:
                    apart = position - last[code]
                    self.shortest[name] = min(apart, self.shortest.get(name, apart))
                last[code] = position

    def eligible(self) -> BoolArray:
        """Which candidates may be the next entry: np.ndarray [shape=(m,)], bool."""
        free: BoolArray = (self._artist_from <= self.position) & (self._album_from <= self.position)
        return free & self.possible()

    def possible(self) -> BoolArray:
        """Which candidates may be a later entry: those that only a gap keeps out, too."""
        found: BoolArray = ~(self.taken | self._copy | self._full)
        return found

    def waits(self) -> IntArray:
        """How many entries later the gaps would admit each candidate: np.ndarray [shape=(m,)]."""
        waits: IntArray = np.maximum(self._artist_from, self._album_from) - self.position
        return waits

    def pass_over(self, better: BoolArray) -> None:
        """Note why candidates that are better than the one taken were not taken.

        Call before `take`. Of candidates that may come the reason is none.
        """
        places = np.flatnonzero(better & ~self.taken)
        at = self.position
        reasons = np.select(
            [
                self._copy[places],
                self._full[places],
                self._artist_from[places] > at,
                self._album_from[places] > at,
            ],
            range(len(LIST_RULES)),
            -1,
        )
        blocked = reasons >= 0
        self._reason[places[blocked]] = reasons[blocked]

    def admits(self, place: int) -> bool:
        """Whether a candidate may be the next entry; if not, why is noted as by `pass_over`."""
        found = (
            self._copy[place],
            self._full[place],
            self._artist_from[place] > self.position,
            self._album_from[place] > self.position,
        )
        if any(found):
            self._reason[place] = found.index(True)
            return False
        return not self.taken[place]

    def left_out(self) -> dict[str, int]:
        """Rule → number of candidates that it left out, of those passed over and never taken."""
        reasons = self._reason[~self.taken]
        return {name: int((reasons == at).sum()) for at, name in enumerate(LIST_RULES)}

    @property
    def durations(self) -> Scores:
        """Seconds of each candidate: np.ndarray [shape=(m,)]."""
        found: Scores = self._snapshot.index.columns["duration"][self.rows]
        return found


class _CopyTable:
    """Finds the copies of a track among candidates, by what tracks keep of their copies.

    See `embedding.stored_copies`; only tracks that have more copies than they keep are compared.
    """

    def __init__(self, snapshot: Snapshot, detector: DuplicateDetector) -> None:
        self._snapshot = snapshot
        self._detector = detector
        self._rows: IntArray = np.empty(0, dtype=np.int64)
        self._places: dict[int, list[int]] = defaultdict(list)
        self._knowing: dict[int, list[int]] = defaultdict(list)
        self._with_more: list[int] = []

    def add(self, rows: IntArray) -> None:
        """Further candidates."""
        columns = self._snapshot.index.columns
        start = len(self._rows)
        copies = columns["copies"][rows]
        for place, signature in enumerate(columns["signature"][rows].tolist(), start=start):
            self._places[signature].append(place)
        for place in np.flatnonzero(copies[:, 0]).tolist():
            own = copies[place].tolist()
            for signature in own:
                if signature not in (0, MORE):
                    self._knowing[signature].append(start + place)
            if own[-1] == MORE:
                self._with_more.append(start + place)
        self._rows = np.concatenate([self._rows, rows])

    def of_rows(self, rows: Sequence[int], start: int) -> list[int]:
        """Places, from `start` on, of the copies of tracks of the index, themselves included."""
        columns = self._snapshot.index.columns
        each = np.array(rows, dtype=np.int64)
        signatures, copies = columns["signature"][each].tolist(), columns["copies"][each].tolist()
        found: list[int] = []
        for row, signature, own in zip(rows, signatures, copies, strict=True):
            found += self._places.get(signature, ())
            found += self._knowing.get(signature, ())
            if own[0]:
                for copy in own:
                    found += self._places.get(copy, ())
            if own[-1] == MORE:
                places = np.arange(start, len(self._rows))
                found += places[self._are_copies(row, self._rows[start:])].tolist()
        with_more = np.array([at for at in self._with_more if at >= start], dtype=np.int64)
        if len(with_more) and len(rows) == 1:
            found += with_more[self._are_copies(rows[0], self._rows[with_more])].tolist()
        elif len(with_more):
            found += [
                at for at in with_more.tolist() if self._are_copies(int(self._rows[at]), each).any()
            ]
        return [place for place in found if place >= start]

    def _are_copies(self, row: int, rows: IntArray) -> BoolArray:
        index = self._snapshot.index
        return copies_of(self._snapshot.recording(row), index, rows, self._detector)
