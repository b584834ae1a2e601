"""`recsys adapt`: fit the projection to one's own music, and keep it where it is better."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.label_options import (
    GenreFrom,
    GenreSource,
    LabelsFile,
    labels_as_dict,
    labels_of,
    remarks_on_rows,
)
from recommender.cli.output import (
    AsJson,
    Database,
    counted,
    counting,
    figure,
    open_catalog,
    print_json,
    print_table,
    probability,
    say,
)
from recommender.errors import UsageError

if TYPE_CHECKING:
    from recommender.adaptation import Adaptation
    from recommender.catalog.labels import TrackLabels
    from recommender.catalog.records import Track

MEASURES = {
    "genre": "precision@{k} with artist filter",
    "artist": "share of tracks with another by their artist among {k}",
    "hubs": "nothing but hubs",
}


def adapt_command(
    genre_from: GenreFrom = GenreSource.TAG,
    labels: LabelsFile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only measure; recommend as before.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Return to the model's own projection.")
    ] = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Fit the projection to the music of this catalogue, and keep it where it recommends better.

    Nothing is analysed again. Several projections are fitted to some of the artists and
    tried on the others; the model's own stays unless one is better beyond doubt.
    Measured by genres where at least two have ten artists, or else by artists.
    """
    if undo:
        if dry_run or labels is not None or genre_from is not GenreSource.TAG:
            raise UsageError("--undo takes no other option but --db and --json.")
        _undo(as_json, db)
        return
    from recommender.adaptation import adapt

    found_labels: list[TrackLabels] = []

    def label(tracks: Sequence["Track"]) -> "TrackLabels":
        found_labels.append(_labels(tracks, genre_from, labels))
        return found_labels[-1]

    with open_catalog(db) as catalog, counting("adapting") as told:
        found = adapt(catalog, label, dry_run=dry_run, progress=told)
    (labelled,) = found_labels
    if as_json:
        print_json({**found.as_dict(), "dry_run": dry_run, "labels": labels_as_dict(labelled)})
    else:
        _print(found, labelled, dry_run)


def _undo(as_json: bool, db: str | None) -> None:
    from recommender.adaptation import undo

    with open_catalog(db) as catalog:
        undone = undo(catalog)
    if as_json:
        print_json({"undone": undone})
    else:
        say(
            "the model's own projection is used again."
            if undone
            else "nothing was adapted: the model's own projection is in use."
        )


def _labels(
    tracks: Sequence["Track"], genre_from: GenreSource, csv_file: Path | None
) -> "TrackLabels":
    """As for `recsys evaluate`, but tags may lack genres: artists serve, too."""
    from recommender.catalog.labels import labels_from_tags

    if csv_file is None and genre_from is GenreSource.TAG:
        return labels_from_tags(tracks)
    return labels_of(tracks, genre_from, csv_file)


def _print(found: "Adaptation", labelled: "TrackLabels", dry_run: bool) -> None:
    measured = MEASURES[found.measure].format(k=found.k)
    by = counted(found.artists, "artist")
    say(f"{counted(found.tracks, 'track')} by {by} (or without one); measured: {measured}")
    if found.genres:
        say(f"genres learned, from {labelled.source}: {', '.join(found.genres)}")
    say()
    _print_candidates(found)
    say()
    _print_outcome(found, dry_run)
    for remark in remarks_on_rows(labelled):
        say(remark)


def _print_candidates(found: "Adaptation") -> None:
    rows = []
    for number, tried in enumerate(found.choice.tried):
        gained = "" if number == 0 or not found.judged else f"{tried.difference:+.3f}"
        uneven = (f"{tried.skewness:.2f}", f"{tried.never:.1%}")
        p = probability(tried.p) if number else ""
        rows.append((tried.name, figure(tried.value), gained, p, *uneven, f"{tried.common:.0%}"))
    hubs = (">hubness skewness", ">never recommended", ">lists in common")
    print_table(("on tracks held out", ">measured", ">difference", ">p", *hubs), rows)


def _print_outcome(found: "Adaptation", dry_run: bool) -> None:
    before, after = found.shipped, found.kept
    would = "would be kept" if dry_run else "kept"
    say(f"{would}: {after.name}. {found.choice.reason}")
    if after is not before:
        measured = f"{figure(before.value)} → {figure(after.value)}; " if found.judged else ""
        say(
            f"before → after, on tracks held out: {measured}hubness skewness "
            f"{before.skewness:.2f} → {after.skewness:.2f}; never recommended "
            f"{before.never:.1%} → {after.never:.1%}."
        )
