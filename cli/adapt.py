"""`recsys adapt`: fit the projection to the music of a catalogue, and adopt it if it is better."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.figure_names import ANTI_HUB_RATE, SKEWNESS, hit_at, precision_at
from recommender.cli.label_options import (
    GenreFrom,
    GenreSource,
    LabelsFile,
    labels_as_dict,
    labels_of,
    remarks_on_rows,
)
from recommender.cli.options import AsJson, Database
from recommender.cli.output import (
    counted,
    counting,
    figure,
    open_catalog,
    print_json,
    print_table,
    probability,
    say,
)
from recommender.cli.table_layout import Column
from recommender.errors import UsageError

if TYPE_CHECKING:
    from recommender.adaptation import Adaptation
    from recommender.catalog.labels import TrackLabels
    from recommender.catalog.records import Track


def adapt_command(
    genre_from: GenreFrom = GenreSource.TAG,
    labels: LabelsFile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only evaluate; recommend as before.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Return to the model's own projection.")
    ] = False,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Fit the projection to the music of this catalogue, and use it if it recommends better.

    Nothing is analysed again. Candidates are cross-validated over artist folds; the model's own
    projection stays unless one is significantly better. The criterion is precision by genre where
    at least two genres have ten artists, or else the hit rate by artist.
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

    with open_catalog(db) as catalog, counting("adapting") as progress:
        found = adapt(catalog, label, dry_run=dry_run, progress=progress)
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
    by = counted(found.artists, "artist")
    say(f"{counted(found.tracks, 'track')} by {by} (or without one); criterion: {found.measured}")
    say(
        f"Held-out tracks are ranked by {found.ranking} among themselves; 'recsys evaluate' ranks "
        "all tracks of the catalogue: the same figures, over other tracks."
    )
    if found.genres:
        say(f"genres that LDA was fitted to, from {labelled.source}: {', '.join(found.genres)}")
    say()
    _print_candidates(found)
    say()
    _print_outcome(found, dry_run)
    for remark in remarks_on_rows(labelled):
        say(remark)


def _figure_name(found: "Adaptation") -> str:
    return hit_at(found.k) if found.measure == "artist" else precision_at(found.k)


def _print_candidates(found: "Adaptation") -> None:
    columns = (
        Column("held-out tracks", least=20),
        Column(_figure_name(found), number=True),
        Column("difference", number=True, drop=2),
        Column("p", number=True),
        Column(SKEWNESS, number=True),
        Column(ANTI_HUB_RATE, number=True, drop=1),
        Column("lists in common", number=True, drop=3),
    )
    rows = []
    for number, tried in enumerate(found.choice.tried):
        difference = "" if number == 0 or not found.judged else f"{tried.difference:+.3f}"
        hubness = (f"{tried.skewness:.2f}", f"{tried.anti_hub_rate:.1%}")
        p = probability(tried.p) if number else ""
        common = f"{tried.common:.0%}"
        rows.append((tried.name, figure(tried.value), difference, p, *hubness, common))
    print_table(columns, rows)


def _print_outcome(found: "Adaptation", dry_run: bool) -> None:
    before, after = found.shipped, found.kept
    would = "would be adopted" if dry_run else "adopted"
    say(f"{would}: {after.name}. {found.choice.reason}")
    if after is not before:
        name = _figure_name(found)
        judged = f"{name} {figure(before.value)} → {figure(after.value)}; " if found.judged else ""
        say(
            f"before → after, held-out tracks: {judged}{SKEWNESS} {before.skewness:.2f} → "
            f"{after.skewness:.2f}; {ANTI_HUB_RATE} {before.anti_hub_rate:.1%} → "
            f"{after.anti_hub_rate:.1%}."
        )
