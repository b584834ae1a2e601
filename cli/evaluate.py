"""`recsys evaluate`: how often do recommendations share the genre of what was asked for?"""

import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.output import (
    AsJson,
    Database,
    note,
    one_line,
    open_catalog,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from recommender.catalog import Catalog
    from recommender.catalog.records import Track
    from recommender.evaluation import FilterScores, GenreScores, Rate, RetrievalReport
    from recommender.labels import TrackLabels
    from recommender.space import FloatArray

NAMES_TOLD = 3


class GenreSource(StrEnum):
    """Where the tracks' genres are read."""

    TAG = "tag"
    FOLDER = "folder"


def evaluate_command(
    k: Annotated[int, typer.Option("-k", min=1, help="Length of the lists that are judged.")] = 10,
    genre_from: Annotated[
        GenreSource,
        typer.Option(help="The genre is the file's tag, or the name of the folder it lies in."),
    ] = GenreSource.TAG,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Genres from a CSV file: columns path, filename or track_id; genre; artist.",
        ),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write the table as CSV.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also draw it (png, svg or pdf; needs matplotlib)."),
    ] = None,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Measure the genre-hit rate of the recommendations in this catalogue.

    Every track with a genre is asked for its k nearest others, with and without those by its own
    artist; chance is what a random order would give. Duplicates and limits per artist are not
    considered here.
    """
    from recommender.evaluation import evaluate_retrieval

    with open_catalog(db) as catalog:
        tracks, vectors, unusable = _comparable_tracks(catalog)
    labelled = _labels(tracks, genre_from, labels)
    report = evaluate_retrieval(vectors, labelled.genres, labelled.artists, k=k)
    if csv_file is not None:
        _write_csv(csv_file, report)
    if plot is not None:
        from recommender.plots import plot_report

        plot_report(report, plot)
        note(f"plot written: {plot}")
    if as_json:
        print_json(_as_dict(report, tracks, labelled, unusable))
    else:
        _print(report, tracks, labelled, unusable)


def _comparable_tracks(catalog: "Catalog") -> tuple[list["Track"], "FloatArray", int]:
    """The tracks that can be recommended, their unit vectors, and how many have no usable one."""
    import numpy as np

    from recommender.errors import CatalogError
    from recommender.retrieval import is_unit
    from recommender.similarity import projector_for

    active, listening = catalog.active_space(), catalog.active_listening()
    if active is None or listening is None:
        raise CatalogError("nothing has been heard yet: run 'recsys ingest FOLDER' first.")
    ids, activations = catalog.activations(active)
    vectors = projector_for(active, listening["model"]).project(activations)
    usable = is_unit(vectors)
    tracks = catalog.tracks(ids[usable].tolist())
    return tracks, vectors[usable], int(np.sum(~usable))


def _labels(
    tracks: Sequence["Track"], genre_from: GenreSource, csv_file: Path | None
) -> "TrackLabels":
    """The tracks' labels; `UsageError` when none has one."""
    from recommender.errors import UsageError
    from recommender.labels import labels_from_csv, labels_from_folders, labels_from_tags

    if csv_file is not None:
        labelled = labels_from_csv(tracks, csv_file)
        cure = "its rows must name files of the catalogue ('recsys list' shows them)."
    elif genre_from is GenreSource.FOLDER:
        labelled, cure = labels_from_folders(tracks), "run 'recsys ingest FOLDER' first."
    else:
        labelled = labels_from_tags(tracks)
        cure = "try --genre-from folder, or --labels CSV."
    if labelled.unlabelled == len(tracks):
        raise UsageError(f"no track has a genre from {labelled.source}: {cure}")
    return labelled


def _write_csv(path: Path, report: "RetrievalReport") -> None:
    import csv

    from recommender.errors import UsageError

    rows = report.rows()
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise UsageError(f"the table cannot be written to {path}: {error}.") from error
    note(f"table written: {path}")


def _as_dict(
    report: "RetrievalReport", tracks: Sequence["Track"], labelled: "TrackLabels", unusable: int
) -> dict[str, Any]:
    hub = tracks[report.hubness.largest_index]
    return {
        **report.as_dict(),
        "labels": {
            "source": labelled.source,
            "rows_without_track": list(labelled.unmatched),
            "rows_with_several_tracks": list(labelled.ambiguous),
        },
        "tracks_without_usable_embedding": unusable,
        "largest_hub": {"id": hub.id, "file": str(hub.file), "title": hub.title},
    }


def _print(
    report: "RetrievalReport", tracks: Sequence["Track"], labelled: "TrackLabels", unusable: int
) -> None:
    judged = report.tracks - report.unlabelled
    say(f"{judged} tracks with a genre from {labelled.source}, k = {report.k}")
    say()
    _print_overall(report)
    say()
    _print_genres(report)
    say()
    hubs = report.hubness
    hub = tracks[hubs.largest_index]
    say(f"Hubness over all {report.tracks} tracks: skewness of the {hubs.k}-occurrence "
        f"{hubs.skewness:.2f}; {hubs.never:.1%} are never recommended;")  # fmt: skip
    title = one_line(f"{hub.artist} - {hub.title}" if hub.artist else hub.title)
    say(f"the largest hub is in {hubs.largest} of {hubs.lists} lists: {title} (track {hub.id}).")
    for remark in _remarks(report, labelled, unusable):
        say(remark)


def _print_overall(report: "RetrievalReport") -> None:
    k = report.k
    rows = []
    for name, scores in _sides(report):
        overall = scores.overall
        for measure, rate in (
            (f"precision@{k} (genre-hit rate)", overall.precision),
            (f"queries with a hit in {k}", overall.hit),
            ("mean average precision", overall.average_precision),
        ):
            ratio = "" if math.isnan(rate.ratio) else f"{rate.ratio:.1f}x"
            values = (_figure(rate.value), _interval(rate), _figure(rate.chance), ratio)
            rows.append((measure, name, *values, overall.queries))
    headings = ("measure", "artist filter", ">value", "95 % interval", ">chance", ">ratio")
    print_table((*headings, ">queries"), sorted(rows, key=lambda row: row[1]))


def _print_genres(report: "RetrievalReport") -> None:
    """A line per genre: precision@k, without and with the artist filter."""
    sides = _sides(report)
    headings = ["genre"]
    for name, _ in sides:
        headings += [f">P@{report.k}, filter {name}", "95 % interval", ">chance", ">queries"]
    rows = []
    for genres in zip(*(scores.genres for _, scores in sides), strict=True):
        rows.append([genres[0].genre, *(cell for row in genres for cell in _genre_cells(row))])
    print_table(headings, rows)


def _genre_cells(row: "GenreScores") -> tuple[object, ...]:
    rate = row.precision
    return _figure(rate.value), _interval(rate), _figure(rate.chance), row.queries


def _sides(report: "RetrievalReport") -> list[tuple[str, "FilterScores"]]:
    sides = [("off", report.without_filter)]
    return sides if report.with_filter is None else [*sides, ("on", report.with_filter)]


def _remarks(report: "RetrievalReport", labelled: "TrackLabels", unusable: int) -> list[str]:
    """What was left out of the figures, and what to bear in mind."""
    remarks = []
    for name, scores in _sides(report):
        if scores.overall.excluded:
            remarks.append(
                f"{scores.overall.excluded} queries excluded (artist filter {name}): "
                "no track of their genre is left to be found."
            )
        attainable = scores.overall.attainable
        if attainable < 1:
            remarks.append(
                f"A perfect order would reach {attainable:.3f} of precision@{report.k} (artist "
                f"filter {name}): some genres have fewer than {report.k} other tracks."
            )
    if report.with_filter is None:
        remarks.append("No artist is known, so there are no figures with the artist filter.")
    elif report.without_artist:
        remarks.append(f"{report.without_artist} of the tracks have no artist: each its own.")
    counts = (
        (report.unlabelled, "tracks have no genre and were not judged"),
        (unusable, "tracks have no usable embedding and were left out"),
    )
    remarks += [f"{count} {what}." for count, what in counts if count]
    for names, what in (
        (labelled.unmatched, "name no track of the catalogue"),
        (labelled.ambiguous, "fit several tracks and were not used"),
    ):
        if names:
            some = ", ".join(one_line(name) for name in names[:NAMES_TOLD])
            dots = ", …" if len(names) > NAMES_TOLD else ""
            remarks.append(f"{len(names)} rows of {labelled.source} {what}: {some}{dots}")
    return remarks


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(rate: "Rate") -> str:
    return "" if math.isnan(rate.low) else f"[{rate.low:.3f}, {rate.high:.3f}]"
