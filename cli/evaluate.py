"""`recsys evaluate`: how often recommendations have the genre of the query track."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.compare import compare_command
from recommender.cli.figure_names import (
    ANTI_HUB_RATE,
    MEAN_AVERAGE_PRECISION,
    SKEWNESS,
    hit_rate_at,
    precision_at,
)
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
from recommender.cli.options import ADVANCED, AsJson, Database, RankedBy, RankingChoice
from recommender.cli.output import (
    busy,
    counted,
    figure,
    interval,
    note,
    open_service,
    print_json,
    print_table,
    say,
    writing_file,
)
from recommender.cli.projection_status import adaptation_as_dict, remark_on_adaptation
from recommender.cli.table_layout import Column
from recommender.errors import UsageError
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import StoredProjection
    from recommender.catalog.labels import TrackLabels
    from recommender.catalog.records import Track
    from recommender.evaluation.report import FilterScores, RetrievalReport

ListLength = Annotated[
    int, typer.Option("-k", min=1, metavar="N", help="How many neighbours are judged.")
]
CsvFile = Annotated[
    Path | None,
    typer.Option(
        "--csv", metavar="FILE", help="Also write the table as CSV.", rich_help_panel=ADVANCED
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Also draw it (png, svg or pdf; needs matplotlib).",
        rich_help_panel=ADVANCED,
    ),
]
FormerCompare = Annotated[
    list[str] | None,
    typer.Option(
        "--compare", metavar="MODEL", hidden=True, help="Former form of 'recsys compare'."
    ),
]
FormerModels = Annotated[
    list[str] | None,
    typer.Argument(metavar="MODEL…", hidden=True, help="Former form of 'recsys compare'."),
]


@dataclass(frozen=True)
class _Evaluation:
    """A report and what is printed with it.

    Attributes:
        report: the figures.
        tracks: in the order of the report's indices.
        labelled: genres and artists of `tracks`.
        unusable: number of tracks without a usable embedding.
        ranked: the ranking that was used.
        adapted: the adapted projection, if there is one.
    """

    report: "RetrievalReport"
    tracks: Sequence["Track"]
    labelled: "TrackLabels"
    unusable: int
    ranked: str
    adapted: "StoredProjection | None"


def evaluate_command(
    models: FormerModels = None,
    k: ListLength = 10,
    genre_from: GenreFrom = GenreSource.TAG,
    labels: LabelsFile = None,
    as_json: AsJson = False,
    ranking: RankingChoice = RankedBy.RERANKED,
    csv_file: CsvFile = None,
    plot: Plot = None,
    compare: FormerCompare = None,
    db: Database = None,
) -> None:
    """Evaluate the recommendations in this catalogue by genre.

    Every track with a genre is a query for its k nearest others. With the artist filter, tracks by
    the query's own artist are left out. Chance is what a random order would give.
    """
    if compare or models:
        named = _models_named(compare or [], models or [], csv_file, plot)
        compare_command(named, k, genre_from, labels, as_json, ranking, db)
        return
    found = _evaluate(k, ranking, genre_from, labels, db)
    if csv_file is not None:
        _write_csv(csv_file, found.report)
    if plot is not None:
        from recommender.evaluation.plots import plot_report

        plot_report(found.report, plot)
        note(f"plot written: {plot}")
    if as_json:
        print_json(_as_dict(found))
    else:
        _print(found)


def _evaluate(
    k: int, ranking: RankedBy, genre_from: GenreSource, labels: Path | None, db: str | None
) -> _Evaluation:
    from recommender.catalog import ProjectionOrigin
    from recommender.evaluation.report import evaluate_retrieval
    from recommender.search.reranking import effective_method

    with busy("reading the catalogue"), open_service(db) as service:
        index = service.index()
        tracks = service.catalog.tracks(index.ids.tolist())
        compared = index.comparable(ranking.value)
        adapted = service.catalog.projection(service.projector.space, ProjectionOrigin.ADAPTED)
    labelled = labels_of(tracks, genre_from, labels)
    with busy("evaluating"):
        report = evaluate_retrieval(compared, labelled.genres, labelled.artists, k=k)
    require_queries(report.without_filter.overall.queries, labelled)
    ranked = effective_method(ranking.value, report.tracks)
    return _Evaluation(report, tracks, labelled, index.dropped, ranked, adapted)


def _models_named(
    compare: Sequence[str], more: Sequence[str], csv_file: Path | None, plot: Path | None
) -> list[str]:
    """The models after the former option `--compare`, in the order they were named in."""
    if not compare:
        raise UsageError(f"{more[0]!r} is not understood: 'recsys compare' compares models.")
    if csv_file is not None or plot is not None:
        raise UsageError("--csv and --plot show one model: with several, use --json.")
    return [*compare, *more]


def _write_csv(path: Path, report: "RetrievalReport") -> None:
    import csv

    rows = report.rows()
    with writing_file(path), path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    note(f"table written: {path}")


def _as_dict(found: _Evaluation) -> dict[str, Any]:
    hub = found.tracks[found.report.hubness.largest_index]
    return {
        "ranking": found.ranked,
        **found.report.as_dict(),
        "labels": labels_as_dict(found.labelled),
        "tracks_without_usable_embedding": found.unusable,
        "largest_hub": {"id": hub.id, "file": str(hub.file), "title": hub.title},
        "adapted": adaptation_as_dict(found.adapted),
    }


def _print(found: _Evaluation) -> None:
    report = found.report
    judged = counted(report.tracks - report.unlabelled, "track")
    say(
        f"{judged} with a genre from {found.labelled.source}, ranking {found.ranked}, "
        f"k = {report.k}"
    )
    say()
    _print_overall(report)
    say()
    for name, scores in _filters(report):
        say(f"By genre, artist filter {name}:")
        _print_genres(scores, report.k)
        say()
    _print_hubs(found)
    for remark in (*_remarks(found), *remark_on_adaptation(found.adapted)):
        say(remark)


def _print_hubs(found: _Evaluation) -> None:
    hubs = found.report.hubness
    hub = found.tracks[hubs.largest_index]
    title = one_line(f"{hub.artist} – {hub.title}" if hub.artist else hub.title)
    say(
        f"{SKEWNESS} of the {hubs.k}-occurrence over all "
        f"{counted(found.report.tracks, 'track')}: {hubs.skewness:.2f}"
    )
    say(f"{ANTI_HUB_RATE}, tracks in no list: {hubs.never:.1%}")
    say(
        f"largest hub: in {hubs.largest} of {counted(hubs.lists, 'list')}, {title} (track {hub.id})"
    )


def _print_overall(report: "RetrievalReport") -> None:
    rows: list[tuple[object, ...]] = []
    for name, scores in _filters(report):
        overall = scores.overall
        for measure, rate in (
            (precision_at(report.k), overall.precision),
            (hit_rate_at(report.k), overall.hit),
            (MEAN_AVERAGE_PRECISION, overall.average_precision),
        ):
            ratio = "" if math.isnan(rate.ratio) else f"{rate.ratio:.1f}x"
            values = (figure(rate.value), interval(rate.low, rate.high), figure(rate.chance), ratio)
            rows.append((measure, name, *values, overall.queries))
    columns = (
        Column("all genres", least=22),
        Column("filter", least=6),
        Column("value", number=True),
        Column("95 % interval", number=True, drop=1),
        Column("chance", number=True),
        Column("ratio", number=True, drop=3),
        Column("queries", number=True, drop=2),
    )
    print_table(columns, rows)


def _print_genres(scores: "FilterScores", k: int) -> None:
    columns = (
        Column("genre", least=12),
        Column(precision_at(k), number=True),
        Column("95 % interval", number=True, drop=3),
        Column("chance", number=True),
        Column(hit_rate_at(k), number=True, drop=2),
        Column("MAP", number=True, drop=1),
        Column("queries", number=True),
    )
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
    print_table(columns, rows)


def _filters(report: "RetrievalReport") -> list[tuple[str, "FilterScores"]]:
    """The artist filters under which a query can be judged."""
    filters = [("off", report.without_filter)]
    filtered = report.with_filter
    return [*filters, ("on", filtered)] if filtered and filtered.overall.queries else filters


def _remarks(found: _Evaluation) -> list[str]:
    """What was left out of the figures, and what to bear in mind."""
    report = found.report
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
        (found.unusable, "have no usable embedding and were left out"),
    )
    remarks += [f"Tracks that {what}: {count}." for count, what in counts if count]
    return remarks + remarks_on_rows(found.labelled)


def _remarks_on_queries(report: "RetrievalReport") -> list[str]:
    remarks = []
    filters = _filters(report)
    for name, scores in filters:
        overall = scores.overall
        if overall.excluded:
            remarks.append(
                f"Artist filter {name}: {counted(overall.excluded, 'query', 'queries')} excluded, "
                "as no other track of their genre is left to be found."
            )
        if overall.attainable < 1:
            remarks.append(
                f"Artist filter {name}: a perfect order would reach {precision_at(report.k)} = "
                f"{overall.attainable:.3f}; some genres have fewer than {report.k} other tracks."
            )
    if len({scores.overall.queries for _, scores in filters}) > 1:
        remarks.append("The figures with and without the filter are over different queries.")
    return remarks
