"""What the catalogue knows of the files of a scan, read beside the walk in the order of paths.

So the two are compared as they come, and only what differs is kept in memory.
"""

from array import array
from collections.abc import Container, Iterator, Mapping
from types import MappingProxyType

from recommender.catalog import FileStat, KnownFile, TrackState
from recommender.catalog.column_types import decode_path, encode_path
from recommender.catalog.scan_queries import KnownRow, with_failures

_ANALYSED = TrackState.ANALYSED.value


class KnownStream:
    """Tracks by path, of which those that a walk finds unchanged are left out.

    Where the walk comes to paths in another order than the stream, as behind a link to a folder,
    more rows are kept meanwhile, and all else is the same.

    Attributes:
        settled: ids of the tracks that were found unchanged.
    """

    def __init__(
        self,
        tracks: Iterator[KnownRow],
        failures: Mapping[str, tuple[FileStat, str]],
        divided: Mapping[str, KnownFile] = MappingProxyType({}),
        of_sheets: Container[str] = (),
        *,
        describes: bool = False,
    ) -> None:
        """Of one part of a library.

        Args:
            tracks: as `Catalog.known_tracks` gives them.
            failures: as `Catalog.known_failures` gives them.
            divided: as `Catalog.known_segments` gives them.
            of_sheets: files that cue sheets named, which are never settled: a sheet may be gone.
            describes: whether tracks without musical descriptors are not settled either.
        """
        self.settled = array("q")
        self._tracks = tracks
        self._failures = failures
        self._divided = divided
        self._of_sheets = of_sheets
        self._describes = describes
        self._kept: dict[str, KnownRow] = {}
        self._next = next(tracks, None)

    def settles(self, path: str, size: int, mtime_ns: int) -> bool:
        """Whether the file at `path` has an analysed track, no failure, and has not changed."""
        row = self._next
        if row is not None and row[0] == path and "\\" not in path:
            self._next = next(self._tracks, None)
        else:
            row = self._out_of_order(path)
            if row is None:
                return False
        _, known_size, known_time, track_id, state, _, analysed, described = row
        if (
            analysed
            and (described or not self._describes)
            and size == known_size
            and mtime_ns == known_time
            and state == _ANALYSED
            and path not in self._failures
            and path not in self._of_sheets
        ):
            self.settled.append(track_id)
            return True
        self._kept[path] = row
        return False

    def _out_of_order(self, path: str) -> KnownRow | None:
        """The row of a path that is not plainly the next one; rows before it are kept."""
        code = encode_path(path)
        row = self._next
        while row is not None and row[0] < code:
            self._kept[decode_path(row[0])] = row
            row = next(self._tracks, None)
        if row is not None and row[0] == code:
            self._next = next(self._tracks, None)
            return row
        self._next = row
        return self._kept.pop(path, None)

    def rest(self) -> dict[str, KnownFile]:
        """All that is known, save the tracks in `settled`; reads the stream to its end."""
        if self._next is not None:
            self._kept[decode_path(self._next[0])] = self._next
            self._next = None
        self._kept.update((decode_path(row[0]), row) for row in self._tracks)
        return with_failures(self._kept, self._divided, self._failures)
