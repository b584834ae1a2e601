"""`recsys evaluate`: how often recommendations have the genre of the query track."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.compare import compare_command
from recommender.cli.evaluation_report import Evaluation, evaluation_as_dict, print_evaluation
from recommender.cli.label_options import (
    GenreFrom,
    GenreSource,
    LabelsFile,
    labels_of,
    require_queries,
)
from recommender.cli.options import ADVANCED, AsJson, Database, RankedBy, RankingChoice
from recommender.cli.output import (
    busy,
    note,
    open_service,
    print_json,
    writing_file,
)
from recommender.errors import UsageError
from recommender.utils.csv_table import write_csv

if TYPE_CHECKING:
    from recommender.evaluation.report import RetrievalReport

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
        print_json(evaluation_as_dict(found))
    else:
        print_evaluation(found)


def _evaluate(
    k: int, ranking: RankedBy, genre_from: GenreSource, labels: Path | None, db: str | None
) -> Evaluation:
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
    return Evaluation(report, tracks, labelled, index.dropped, ranked, adapted)


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
    rows = report.rows()
    with writing_file(path), path.open("w", encoding="utf-8", newline="") as file:
        write_csv(file, list(rows[0]), rows)
    note(f"table written: {path}")
