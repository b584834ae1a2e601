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
    busy,
    note,
    one_line,
    print_json,
    print_table,
    say,
    writing_file,
)

if TYPE_CHECKING:
    from recommender.catalog.records import Track
    from recommender.evaluation import FilterScores, Rate, RetrievalReport
    from recommender.labels import TrackLabels
    from recommender.similarity import SimilarityService
    from recommender.space import FloatArray

NAMES_TOLD = 3


class GenreSource(StrEnum):
    """Where the tracks' genres are read."""

    TAG = "tag"
    FOLDER = "folder"


def evaluate_command(
    k: Annotated[int, typer.Option("-k", min=1, help="How many neighbours are judged.")] = 10,
    genre_from: Annotated[
        GenreSource,
        typer.Option(help="A track's genre: its tag, or the name of the folder it lies in."),
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

    Every track with a genre is asked for its k nearest others.
    With the artist filter, those by its own artist are left out.
    Chance is what a random order would give.
    """
    from recommender.evaluation import evaluate_retrieval
    from recommender.similarity import SimilarityService

    with busy("reading the catalogue"), SimilarityService.open(db) as service:
        tracks, vectors, unusable = _comparable_tracks(service)
    labelled = _labels(tracks, genre_from, labels)
    with busy("evaluating"):
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


def _comparable_tracks(
    service: "SimilarityService",
) -> tuple[list["Track"], "FloatArray", int]:
    """The tracks that can be recommended, their unit vectors, and how many have no usable one."""
    from recommender.retrieval import is_unit

    ids, activations = service.catalog.activations(service.projector.space.unprojected)
    vectors = service.projector.project(activations)
    usable = is_unit(vectors)
    tracks = service.catalog.tracks(ids[usable].tolist())
    return tracks, vectors[usable], len(ids) - len(tracks)


def _labels(
    tracks: Sequence["Track"], genre_from: GenreSource, csv_file: Path | None
) -> "TrackLabels":
    """The tracks' labels; `UsageError` when none has one."""
    from recommender.errors import UsageError
    from recommender.labels import labels_from_csv, labels_from_folders, labels_from_tags

    if csv_file is not None and genre_from is GenreSource.FOLDER:
        raise UsageError("genres come from --labels or from --genre-from folder, not from both.")
    if csv_file is not None:
        labelled = labels_from_csv(tracks, csv_file)
        cure = "its rows must name files of the catalogue ('recsys list' shows them)."
    elif genre_from is GenreSource.FOLDER:
        labelled, cure = labels_from_folders(tracks), "ingest a folder of genre folders."
    else:
        labelled = labels_from_tags(tracks)
        cure = "try --genre-from folder, or --labels CSV."
    if labelled.unlabelled == len(tracks):
        raise UsageError(f"no track has a genre from {labelled.source}: {cure}")
    return labelled


def _write_csv(path: Path, report: "RetrievalReport") -> None:
    import csv

    rows = report.rows()
    with writing_file(path), path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
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
    for name, scores in _sides(report):
        say(f"By genre, artist filter {name}:")
        _print_genres(scores, report.k)
        say()
    hubs = report.hubness
    hub = tracks[hubs.largest_index]
    say(
        f"Hubness over all {report.tracks} tracks: skewness of the {hubs.k}-occurrence "
        f"{hubs.skewness:.2f}; {hubs.never:.1%} of them are never recommended;"
    )
    title = one_line(f"{hub.artist} - {hub.title}" if hub.artist else hub.title)
    say(f"the largest hub is in {hubs.largest} of {hubs.lists} lists: {title} (track {hub.id}).")
    for remark in _remarks(report, labelled, unusable):
        say(remark)


def _print_overall(report: "RetrievalReport") -> None:
    rows: list[tuple[object, ...]] = []
    for name, scores in _sides(report):
        overall = scores.overall
        for measure, rate in (
            (f"genre-hit rate (P@{report.k})", overall.precision),
            (f"queries with a hit in {report.k}", overall.hit),
            ("mean average precision", overall.average_precision),
        ):
            ratio = "" if math.isnan(rate.ratio) else f"{rate.ratio:.1f}x"
            values = (_figure(rate.value), _interval(rate), _figure(rate.chance), ratio)
            rows.append((measure, name, *values, overall.queries))
    headings = ("all genres", "filter", ">value", "95 % interval", ">chance", ">ratio", ">queries")
    print_table(headings, rows)


def _print_genres(scores: "FilterScores", k: int) -> None:
    headings = ("genre", f">P@{k}", "95 % interval", ">chance", ">hit", ">MAP", ">queries")
    rows = [
        (
            row.genre,
            _figure(row.precision.value),
            _interval(row.precision),
            _figure(row.precision.chance),
            _figure(row.hit.value),
            _figure(row.average_precision.value),
            row.queries,
        )
        for row in scores.genres
    ]
    print_table(headings, rows)


def _sides(report: "RetrievalReport") -> list[tuple[str, "FilterScores"]]:
    sides = [("off", report.without_filter)]
    return sides if report.with_filter is None else [*sides, ("on", report.with_filter)]


def _remarks(report: "RetrievalReport", labelled: "TrackLabels", unusable: int) -> list[str]:
    """What was left out of the figures, and what to bear in mind."""
    remarks = _remarks_on_queries(report)
    if report.with_filter is None:
        remarks.append("No artist is known, so there are no figures with the artist filter.")
    counts = (
        (
            report.without_artist if report.with_filter else 0,
            "have no artist, so that the filter drops none for them",
        ),
        (report.unlabelled, "have no genre and were not judged"),
        (unusable, "have no usable embedding and were left out"),
    )
    remarks += [f"Tracks that {what}: {count}." for count, what in counts if count]
    for names, what in (
        (labelled.unmatched, "name no track of the catalogue"),
        (labelled.ambiguous, "fit several tracks and were not used"),
    ):
        if names:
            some = ", ".join(one_line(name) for name in names[:NAMES_TOLD])
            dots = ", …" if len(names) > NAMES_TOLD else ""
            remarks.append(f"Rows of the CSV that {what}: {len(names)} ({some}{dots}).")
    return remarks


def _remarks_on_queries(report: "RetrievalReport") -> list[str]:
    remarks = []
    sides = _sides(report)
    for name, scores in sides:
        overall = scores.overall
        if overall.excluded:
            remarks.append(
                f"Artist filter {name}: {overall.excluded} queries excluded, as no other track of "
                "their genre is left to be found."
            )
        if overall.attainable < 1:
            remarks.append(
                f"Artist filter {name}: a perfect order would reach P@{report.k} "
                f"{overall.attainable:.3f}; some genres have fewer than {report.k} other tracks."
            )
    if len({scores.overall.queries for _, scores in sides}) > 1:
        remarks.append("The figures with and without the filter are over different queries.")
    return remarks


def _figure(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _interval(rate: "Rate") -> str:
    return "" if math.isnan(rate.low) else f"[{rate.low:.3f}, {rate.high:.3f}]"
