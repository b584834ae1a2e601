"""`recsys evaluate`: how often do recommendations share the genre of what was asked for?"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.compare import compare_command
from recommender.cli.label_options import (
    NO_QUERY_WITH_FILTER,
    GenreFrom,
    GenreSource,
    LabelsFile,
    labels_as_dict,
    labels_of,
    remarks_on_rows,
    require_queries,
)
from recommender.cli.output import (
    AsJson,
    Database,
    RankedBy,
    RankingChoice,
    busy,
    counted,
    figure,
    interval,
    note,
    print_json,
    print_table,
    say,
    writing_file,
)
from recommender.cli.projection_status import adaptation_as_dict, remark_on_adaptation
from recommender.errors import UsageError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog.labels import TrackLabels
    from recommender.catalog.records import Track
    from recommender.evaluation.report import FilterScores, RetrievalReport
    from recommender.evaluation.retrieval import Comparable
    from recommender.recommendation.service import SimilarityService


def evaluate_command(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODELS", help="With --compare: more models to compare.", show_default=False
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many neighbours are judged.")] = 10,
    ranking: RankingChoice = RankedBy.NEIGHBOURHOOD,
    genre_from: GenreFrom = GenreSource.TAG,
    labels: LabelsFile = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write the table as CSV.")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also draw it (png, svg or pdf; needs matplotlib)."),
    ] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="Put models side by side, each against the first, on the tracks that all have "
            "analysed: --compare MODEL MODEL. A model is named as for 'recsys ingest --model'.",
        ),
    ] = None,
    as_json: AsJson = False,
    db: Database = None,
) -> None:
    """Measure the genre-hit rate of the recommendations in this catalogue.

    Every track with a genre is asked for its k nearest others.
    With the artist filter, those by its own artist are left out.
    Chance is what a random order would give.
    """
    if compare or models:
        named = _models_named(compare or [], models or [], csv_file, plot)
        compare_command(named, k, genre_from, labels, as_json, db, ranking)
        return
    from recommender.catalog import ProjectionOrigin
    from recommender.evaluation.report import evaluate_retrieval
    from recommender.recommendation.service import SimilarityService
    from recommender.search.reranking import effective_method

    with busy("reading the catalogue"), SimilarityService.open(db) as service:
        tracks, compared, unusable = _comparable_tracks(service, ranking)
        adapted = service.catalog.projection(service.projector.space, ProjectionOrigin.ADAPTED)
    labelled = labels_of(tracks, genre_from, labels)
    with busy("evaluating"):
        report = evaluate_retrieval(compared, labelled.genres, labelled.artists, k=k)
    require_queries(report.without_filter.overall.queries, labelled)
    ranked = effective_method(ranking.value, report.tracks)
    if csv_file is not None:
        _write_csv(csv_file, report)
    if plot is not None:
        from recommender.evaluation.plots import plot_report

        plot_report(report, plot)
        note(f"plot written: {plot}")
    if as_json:
        found = _as_dict(report, tracks, labelled, unusable)
        print_json({"ranking": ranked, **found, "adapted": adaptation_as_dict(adapted)})
    else:
        judged = counted(report.tracks - report.unlabelled, "track")
        say(f"{judged} with a genre from {labelled.source}, ranked by {ranked}, k = {report.k}")
        say()
        _print(report, tracks, labelled, unusable)
        for remark in remark_on_adaptation(adapted):
            say(remark)


def _models_named(
    compare: Sequence[str], more: Sequence[str], csv_file: Path | None, plot: Path | None
) -> list[str]:
    """The models to compare, in the order they were named in."""
    if not compare:
        raise UsageError(f"{more[0]!r} is not understood: name models after --compare.")
    if csv_file is not None or plot is not None:
        raise UsageError("--csv and --plot show one model: with --compare, use --json.")
    return [*compare, *more]


def _comparable_tracks(
    service: "SimilarityService", ranking: RankedBy
) -> tuple[list["Track"], "Comparable", int]:
    """The tracks that are recommended, what ranks them, and how many have no usable embedding."""
    index = service.index()
    tracks = service.catalog.tracks(index.ids.tolist())
    return tracks, index.comparable(ranking.value), index.dropped


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
        "labels": labels_as_dict(labelled),
        "tracks_without_usable_embedding": unusable,
        "largest_hub": {"id": hub.id, "file": str(hub.file), "title": hub.title},
    }


def _print(
    report: "RetrievalReport", tracks: Sequence["Track"], labelled: "TrackLabels", unusable: int
) -> None:
    _print_overall(report)
    say()
    for name, scores in _sides(report):
        say(f"By genre, artist filter {name}:")
        _print_genres(scores, report.k)
        say()
    hubs = report.hubness
    hub = tracks[hubs.largest_index]
    say(
        f"Hubness over all {counted(report.tracks, 'track')}: skewness of the {hubs.k}-occurrence "
        f"{hubs.skewness:.2f}; {hubs.never:.1%} of them are never recommended;"
    )
    title = one_line(f"{hub.artist} - {hub.title}" if hub.artist else hub.title)
    lists = counted(hubs.lists, "list")
    say(f"the largest hub is in {hubs.largest} of {lists}: {title} (track {hub.id}).")
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
            values = (figure(rate.value), interval(rate.low, rate.high), figure(rate.chance), ratio)
            rows.append((measure, name, *values, overall.queries))
    headings = ("all genres", "filter", ">value", "95 % interval", ">chance", ">ratio", ">queries")
    print_table(headings, rows)


def _print_genres(scores: "FilterScores", k: int) -> None:
    headings = ("genre", f">P@{k}", "95 % interval", ">chance", ">hit", ">MAP", ">queries")
    rows = [
        (
            row.genre,
            figure(row.precision.value),
            interval(row.precision.low, row.precision.high),
            figure(row.precision.chance),
            figure(row.hit.value),
            figure(row.average_precision.value),
            row.queries,
        )
        for row in scores.genres
    ]
    print_table(headings, rows)


def _sides(report: "RetrievalReport") -> list[tuple[str, "FilterScores"]]:
    """The artist filters under which a query can be judged."""
    sides = [("off", report.without_filter)]
    filtered = report.with_filter
    return [*sides, ("on", filtered)] if filtered and filtered.overall.queries else sides


def _remarks(report: "RetrievalReport", labelled: "TrackLabels", unusable: int) -> list[str]:
    """What was left out of the figures, and what to bear in mind."""
    remarks = _remarks_on_queries(report)
    if report.with_filter is None:
        remarks.append("No artist is known, so there are no figures with the artist filter.")
    elif not report.with_filter.overall.queries:
        remarks.append(NO_QUERY_WITH_FILTER)
    counts = (
        (
            report.without_artist if report.with_filter else 0,
            "have no artist, so that the filter drops none for them",
        ),
        (report.unlabelled, "have no genre and were not judged"),
        (unusable, "have no usable embedding and were left out"),
    )
    remarks += [f"Tracks that {what}: {count}." for count, what in counts if count]
    return remarks + remarks_on_rows(labelled)


def _remarks_on_queries(report: "RetrievalReport") -> list[str]:
    remarks = []
    sides = _sides(report)
    for name, scores in sides:
        overall = scores.overall
        if overall.excluded:
            remarks.append(
                f"Artist filter {name}: {counted(overall.excluded, 'query', 'queries')} excluded, "
                "as no other track of their genre is left to be found."
            )
        if overall.attainable < 1:
            remarks.append(
                f"Artist filter {name}: a perfect order would reach P@{report.k} "
                f"{overall.attainable:.3f}; some genres have fewer than {report.k} other tracks."
            )
    if len({scores.overall.queries for _, scores in sides}) > 1:
        remarks.append("The figures with and without the filter are over different queries.")
    return remarks
