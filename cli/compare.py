"""`recsys evaluate --compare`: the genre-hit rates of several models on the same tracks."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recommender.cli.label_options import (
    NO_QUERY_WITH_FILTER,
    GenreSource,
    labels_as_dict,
    labels_of,
    remarks_on_rows,
    require_queries,
)
from recommender.cli.output import (
    RankedBy,
    busy,
    counted,
    figure,
    interval,
    open_catalog,
    print_json,
    print_table,
    probability,
    say,
)

if TYPE_CHECKING:
    from recommender.catalog.labels import TrackLabels
    from recommender.evaluation.comparison import Comparison, ModelScores
    from recommender.evaluation.retrieval import Comparable
    from recommender.recommendation.model_vectors import SharedTracks


def compare_command(
    models: Sequence[str],
    k: int,
    genre_from: GenreSource,
    labels: Path | None,
    as_json: bool,
    db: str | None,
    ranking: RankedBy,
) -> None:
    """Compare `models` on the tracks that all of them have analysed, and print it."""
    from recommender.evaluation.comparison import compare_models
    from recommender.recommendation.model_vectors import shared_tracks
    from recommender.search.reranking import effective_method

    with busy("reading the catalogue"), open_catalog(db) as catalog:
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
        {"model": model, "space": str(space), "tracks_heard": shared.analysed[model]}
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
        f"{judged} with a genre from {labelled.source}, analysed by every model, ranked by {ranked}, "
        f"k = {comparison.k}"
    )
    say()
    _print_scores(comparison)
    say()
    say(f"Difference of P@{comparison.k} to {next(iter(shared.spaces))}, over the same queries:")
    _print_differences(comparison)
    say()
    _print_models(comparison, shared)
    say()
    for remark in _remarks(comparison, shared, labelled):
        say(remark)


def _print_scores(comparison: "Comparison") -> None:
    k = comparison.k
    rows: list[tuple[object, ...]] = []
    for name, side in _sides(comparison):
        for row in side:
            precision, hit = row.scores.precision, row.scores.hit
            values = (figure(precision.value), interval(precision.low, precision.high))
            hits = (figure(hit.value), interval(hit.low, hit.high))
            chance = figure(precision.chance)
            rows.append((row.model, name, *values, chance, *hits, row.scores.queries))
    rates = (f">P@{k}", "95 % interval", ">chance", f">hit in {k}", "95 % interval")
    print_table(("model", "filter", *rates, ">queries"), rows)


def _print_differences(comparison: "Comparison") -> None:
    rows = []
    for name, side in _sides(comparison):
        for row in side:
            found = row.difference
            if found is not None:
                value = "-" if math.isnan(found.value) else f"{found.value:+.3f}"
                ends = interval(found.low, found.high, "+.3f")
                rows.append((row.model, name, value, ends, probability(found.p)))
    print_table(("model", "filter", ">difference", "95 % interval", ">p"), rows)


def _print_models(comparison: "Comparison", shared: "SharedTracks") -> None:
    rows = []
    for model, space in shared.spaces.items():
        hubs = comparison.hubness[model]
        uneven = (f"{hubs.skewness:.2f}", f"{hubs.never:.1%}")
        rows.append((model, *uneven, f"{shared.analysed[model]:,}", space))
    headings = (">hubness skewness", ">never recommended", ">tracks analysed", "space")
    print_table(("model", *headings), rows)


def _sides(comparison: "Comparison") -> list[tuple[str, tuple["ModelScores", ...]]]:
    """The artist filters under which a query can be judged."""
    sides = [("off", comparison.without_filter)]
    filtered = comparison.with_filter
    return [*sides, ("on", filtered)] if filtered and filtered[0].scores.queries else sides


def _remarks(
    comparison: "Comparison", shared: "SharedTracks", labelled: "TrackLabels"
) -> list[str]:
    """What was left out of the figures, and what to bear in mind."""
    remarks = ["p: two-sided sign-flip test over queries; each is that of one comparison alone."]
    if comparison.with_filter is None:
        remarks.append("No artist is known, so there are no figures with the artist filter.")
    elif not comparison.with_filter[0].scores.queries:
        remarks.append(NO_QUERY_WITH_FILTER)
    for name, side in _sides(comparison):
        excluded = side[0].scores.excluded
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
