"""The catalogue as a whole: failures, genres and numbers.

Every function works on a connection, inside the caller's transaction.
"""

from collections import Counter, defaultdict

from sqlalchemy import Connection, func, select

from recommender.catalog.libraries import all_libraries
from recommender.catalog.records import Counts, Failure, TrackState
from recommender.catalog.schema import FailureRow, LibraryRow, TrackRow
from recommender.utils.names import first_genre, label_key, most_frequent


def failures(connection: Connection) -> list[Failure]:
    """See `Catalog.failures`."""
    libraries = {library.id: library for library in all_libraries(connection)}
    rows = connection.execute(
        select(
            FailureRow.library_id,
            FailureRow.path,
            FailureRow.size,
            FailureRow.mtime_ns,
            FailureRow.kind,
            FailureRow.reason,
            FailureRow.failed_at,
        ).order_by(FailureRow.library_id, FailureRow.path)
    )
    return [
        Failure(
            library=libraries[row.library_id],
            path=row.path,
            size=row.size,
            mtime_ns=row.mtime_ns,
            kind=row.kind,
            reason=row.reason,
            failed_at=row.failed_at,
        )
        for row in rows
    ]


def counts(connection: Connection) -> Counts:
    """See `Catalog.counts`."""
    rows = connection.execute(
        select(TrackRow.state, func.count(), func.sum(TrackRow.duration)).group_by(TrackRow.state)
    )
    tracks = {state: (number, seconds) for state, number, seconds in rows}
    number = {state: tracks.get(state, (0, 0.0))[0] for state in TrackState}
    return Counts(
        libraries=connection.scalar(select(func.count()).select_from(LibraryRow)) or 0,
        analysed=number[TrackState.ANALYSED],
        missing=number[TrackState.MISSING],
        unavailable=number[TrackState.UNAVAILABLE],
        failed_tracks=number[TrackState.FAILED],
        failures=connection.scalar(select(func.count()).select_from(FailureRow)) or 0,
        seconds_of_music=float(tracks.get(TrackState.ANALYSED, (0, 0.0))[1]),
    )


def library_counts(connection: Connection) -> dict[int, dict[TrackState, int]]:
    """See `Catalog.library_counts`."""
    rows = connection.execute(
        select(TrackRow.library_id, TrackRow.state, func.count()).group_by(
            TrackRow.library_id, TrackRow.state
        )
    )
    found: dict[int, dict[TrackState, int]] = {}
    for library_id, state, number in rows:
        found.setdefault(library_id, {})[TrackState(state)] = number
    return found


def genres(connection: Connection) -> dict[str, int]:
    """See `Catalog.genres`."""
    rows = connection.execute(
        select(TrackRow.genre, func.count())
        .where(TrackRow.state == TrackState.ANALYSED, TrackRow.genre.is_not(None))
        .group_by(TrackRow.genre)
    )
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for tag, number in rows:
        genre = first_genre(tag)
        if genre is not None and label_key(genre):
            spellings[label_key(genre)][" ".join(genre.split())] += number
    found = {most_frequent(names): names.total() for names in spellings.values()}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
