"""`recsys compare`: several models on the same tracks, each against the first."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recommender.cli.figure_names import ANTI_HUB_RATE, SKEWNESS, hit_at, precision_at
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
from recommender.cli.options import AsJson, Database, RankedBy, RankingChoice
from recommender.cli.output import (
    busy,
    counted,
    figure,
    hint,
    interval,
    open_catalog,
    print_json,
    print_table,
    probability,
    say,
)
from recommender.cli.table_layout import Column, Cut
from recommender.errors import CatalogError

if TYPE_CHECKING:
    from recommender.catalog.labels import TrackLabels
    from recommender.evaluation.comparison import Comparison, ModelScores
    from recommender.evaluation.labelled_vectors import Comparable
    from recommender.recommendation.model_vectors import SharedTracks

HINT = "(recsys ingest FOLDER --model MODEL)"

FEW_QUERIES = 100
"""Below this, a comparison says that it is of few."""

Models = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL…",
        help="Two or more models, named as for 'recsys ingest --model'; the first is the one that "
        "the others are compared with.",
    ),
]
ListLength = Annotated[
    int, typer.Option("-k", min=1, metavar="N", help="How many neighbours are judged.")
]


def compare_command(
    models: Models,
    k: ListLength = 10,
    genre_from: GenreFrom = GenreSource.TAG,
    labels: LabelsFile = None,
    as_json: AsJson = False,
    ranking: RankingChoice = RankedBy.RERANKED,
    db: Database = None,
) -> None:
    """Compare models on the tracks that all of them have analysed.

    The figures are those of 'recsys evaluate'; each model's precision is compared with that of the
    first one, query by query.
    """
    from recommender.evaluation.comparison import compare_models
    from recommender.recommendation.model_vectors import shared_tracks
    from recommender.search.reranking import effective_method

    with busy("reading the catalogue"), open_catalog(db) as catalog, hint(CatalogError, HINT):
        shared = shared_tracks(catalog, models)
    labelled = labels_of(shared.tracks, genre_from, labels)
    with busy("evaluating"):
        compared = _compared(shared, ranking)
        comparison = compare_models(compared, labelled.genres, labelled.artists, k=k)
    ranked = effective_method(ranking.value, comparison.tracks)
    require_queries(comparison.without_filter[0].scores.queries, labelled)
    if as_json:
        print_json({"ranking": ranked, **_as_dict(comparison, shared, labelled)})
    else:
        _print(comparison, shared, labelled, ranked)


def _compared(shared: "SharedTracks", by: RankedBy) -> "Mapping[str, Comparable]":
    """What ranks the tracks with each model."""
    from recommender.search.reranking import ranking

    if by is RankedBy.COSINE:
        return shared.vectors
    return {model: ranking(vectors) for model, vectors in shared.vectors.items()}


def _as_dict(
    comparison: "Comparison", shared: "SharedTracks", labelled: "TrackLabels"
) -> dict[str, Any]:
    models = [
        {"model": model, "space": str(space), "tracks_analysed": shared.analysed[model]}
        for model, space in shared.spaces.items()
    ]
    return {
        **comparison.as_dict(),
        "models": models,
        "tracks_left_out": shared.left_out,
        "labels": labels_as_dict(labelled),
    }


def _print(
    comparison: "Comparison", shared: "SharedTracks", labelled: "TrackLabels", ranked: str
) -> None:
    judged = counted(comparison.tracks - comparison.unlabelled, "track")
    say(
        f"{judged} with a genre from {labelled.source}, analysed by every model, ranked by "
        f"{ranked}, k = {comparison.k}"
    )
    say()
    _print_scores(comparison)
    say()
    say(
        f"Difference of {precision_at(comparison.k)} to {next(iter(shared.spaces))}, over the same "
        "queries:"
    )
    _print_differences(comparison)
    say()
    _print_models(comparison, shared)
    say()
    for remark in _remarks(comparison, shared, labelled):
        say(remark)


def _print_scores(comparison: "Comparison") -> None:
    k = comparison.k
    rows: list[tuple[object, ...]] = []
    for name, models in _filters(comparison):
        for row in models:
            precision, hit = row.scores.precision, row.scores.hit
            values = (figure(precision.value), interval(precision.low, precision.high))
            hits = (figure(hit.value), interval(hit.low, hit.high))
            chance = figure(precision.chance)
            rows.append((row.model, name, *values, chance, *hits, row.scores.queries))
    columns = (
        Column("model", least=16, cut=Cut.START),
        Column("filter", least=6),
        Column(precision_at(k), number=True),
        Column("95 % interval", number=True, drop=2),
        Column("chance", number=True, drop=1),
        Column(hit_at(k), number=True),
        Column("95 % interval", number=True, drop=4),
        Column("queries", number=True, drop=3),
    )
    print_table(columns, rows)


def _print_differences(comparison: "Comparison") -> None:
    rows = []
    for name, models in _filters(comparison):
        for row in models:
            found = row.difference
            if found is not None:
                value = "-" if math.isnan(found.value) else f"{found.value:+.3f}"
                ends = interval(found.low, found.high, "+.3f")
                rows.append((row.model, name, value, ends, probability(found.p)))
    columns = (
        Column("model", least=16, cut=Cut.START),
        Column("filter", least=6),
        Column("difference", number=True),
        Column("95 % interval", number=True, drop=1),
        Column("p", number=True),
    )
    print_table(columns, rows)


def _print_models(comparison: "Comparison", shared: "SharedTracks") -> None:
    rows = []
    for model, space in shared.spaces.items():
        hubs = comparison.hubness[model]
        hubness = (f"{hubs.skewness:.2f}", f"{hubs.anti_hub_rate:.1%}")
        rows.append((model, *hubness, f"{shared.analysed[model]:,}", space))
    columns = (
        Column("model", least=16, cut=Cut.START),
        Column(SKEWNESS, number=True),
        Column(ANTI_HUB_RATE, number=True),
        Column("tracks", number=True, drop=1),
        Column("space", drop=2),
    )
    print_table(columns, rows)


def _filters(comparison: "Comparison") -> list[tuple[str, tuple["ModelScores", ...]]]:
    """The artist filters under which a query can be judged."""
    filters = [("off", comparison.without_filter)]
    filtered = comparison.with_filter
    return [*filters, ("on", filtered)] if filtered and filtered[0].scores.queries else filters


def _remarks(
    comparison: "Comparison", shared: "SharedTracks", labelled: "TrackLabels"
) -> list[str]:
    """What was left out of the figures, and what to bear in mind."""
    remarks = ["p: two-sided sign-flip test over queries; each is that of one comparison alone."]
    queries = comparison.without_filter[0].scores.queries
    if queries < FEW_QUERIES:
        remarks.append(
            f"{counted(queries, 'query', 'queries')} are few: on so small a set a model can lead "
            "for what happens to be in it, which neither the intervals nor p show."
        )
    if comparison.with_filter is None:
        remarks.append("No track has an artist, so there are no figures with the artist filter.")
    elif not comparison.with_filter[0].scores.queries:
        remarks.append(NO_QUERY_WITH_FILTER)
    for name, models in _filters(comparison):
        excluded = models[0].scores.excluded
        if excluded:
            remarks.append(
                f"Artist filter {name}: {counted(excluded, 'query', 'queries')} excluded, as no "
                "other track of their genre is left to be found."
            )
    counts = (
        (shared.left_out, "some of the models have not analysed, and that were left out"),
        (comparison.unlabelled, "have no genre and were not judged"),
    )
    remarks += [f"Tracks that {what}: {count:,}." for count, what in counts if count]
    return remarks + remarks_on_rows(labelled)
