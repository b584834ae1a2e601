"""Genre labels for `recsys evaluate`, `compare` and `adapt`: options, loading, remarks."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.errors import UsageError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog.labels import TrackLabels
    from recommender.catalog.records import Track

NAMES_SHOWN = 3

NO_QUERY_WITH_FILTER = (
    "Artist filter on: no query can be judged, as no genre has tracks by two artists."
)
"""Printed in place of figures when the artist filter leaves no query with a relevant track."""


class GenreSource(StrEnum):
    """Where the genres of tracks are read from."""

    TAG = "tag"
    FOLDER = "folder"


GenreFrom = Annotated[
    GenreSource,
    typer.Option(
        metavar="tag|folder",
        help="A track's genre: its tag, or the name of the folder it lies in.",
    ),
]
LabelsFile = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV",
        help="Genres from a CSV file: columns path, filename or track_id; genre; artist.",
    ),
]


def labels_of(
    tracks: Sequence["Track"], genre_from: GenreSource, csv_file: Path | None
) -> "TrackLabels":
    """The tracks' labels; `UsageError` when none has one."""
    from recommender.catalog.labels import labels_from_csv, labels_from_folders, labels_from_tags

    if csv_file is not None and genre_from is GenreSource.FOLDER:
        raise UsageError("genres come from --labels or from --genre-from folder, not from both.")
    if csv_file is not None:
        labelled = labels_from_csv(tracks, csv_file)
        advice = "its rows must name files of the catalogue ('recsys list' shows them)."
    elif genre_from is GenreSource.FOLDER:
        labelled, advice = labels_from_folders(tracks), "ingest a folder of genre folders."
    else:
        labelled = labels_from_tags(tracks)
        advice = "try --genre-from folder, or --labels CSV."
    if labelled.unlabelled == len(tracks):
        raise UsageError(f"no track has a genre from {labelled.source}: {advice}")
    return labelled


def require_queries(queries: int, labelled: "TrackLabels") -> None:
    """Raise `UsageError` when no query can be judged, so that there is no figure to print."""
    if not queries:
        raise UsageError(
            f"no query can be judged: no two tracks have the same genre from {labelled.source}. "
            "Ingest more music, or name its genres by --genre-from folder or --labels CSV."
        )


def remarks_on_rows(labelled: "TrackLabels") -> list[str]:
    """Rows of a CSV file of labels that were not used."""
    remarks = []
    for names, what in (
        (labelled.unmatched, "name no track of the catalogue"),
        (labelled.ambiguous, "fit several tracks and were not used"),
    ):
        if names:
            some = ", ".join(one_line(name) for name in names[:NAMES_SHOWN])
            dots = ", …" if len(names) > NAMES_SHOWN else ""
            remarks.append(f"Rows of the CSV that {what}: {len(names)} ({some}{dots}).")
    return remarks


def labels_as_dict(labelled: "TrackLabels") -> dict[str, object]:
    """Source and unused rows, for JSON."""
    return {
        "source": labelled.source,
        "rows_without_track": list(labelled.unmatched),
        "rows_with_several_tracks": list(labelled.ambiguous),
    }
