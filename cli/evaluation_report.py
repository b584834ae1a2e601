"""What `recsys evaluate` prints."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recommender.cli.figure_names import (
    ANTI_HUB_RATE,
    MEAN_AVERAGE_PRECISION,
    SKEWNESS,
    hit_at,
    precision_at,
)
from recommender.cli.label_options import (
    NO_QUERY_WITH_FILTER,
    labels_as_dict,
    remarks_on_rows,
)
from recommender.cli.output import (
    counted,
    figure,
    interval,
    print_table,
    say,
)
from recommender.cli.projection_status import adaptation_as_dict, remark_on_adaptation
from recommender.cli.table_layout import Column
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.catalog import StoredProjection
    from recommender.catalog.labels import TrackLabels
    from recommender.catalog.records import Track
    from recommender.evaluation.report import FilterScores, RetrievalReport


@dataclass(frozen=True)
class Evaluation:
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


def evaluation_as_dict(found: Evaluation) -> dict[str, Any]:
    """The figures as plain values for JSON."""
    hub = found.tracks[found.report.hubness.largest_index]
    return {
        "ranking": found.ranked,
        **found.report.as_dict(),
        "labels": labels_as_dict(found.labelled),
        "tracks_without_usable_embedding": found.unusable,
        "largest_hub": {"id": hub.id, "file": str(hub.file), "title": hub.title},
        "adapted": adaptation_as_dict(found.adapted),
    }


def print_evaluation(found: Evaluation) -> None:
    """Print the figures over all genres, by genre, and remarks on them."""
    report = found.report
    judged = counted(report.tracks - report.unlabelled, "track")
    say(
        f"{judged} with a genre from {found.labelled.source}, ranking: {found.ranked}, "
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


def _print_hubs(found: Evaluation) -> None:
    hubs = found.report.hubness
    hub = found.tracks[hubs.largest_index]
    title = one_line(f"{hub.artist} – {hub.title}" if hub.artist else hub.title)
    say(
        f"{SKEWNESS} of the {hubs.k}-occurrence over all "
        f"{counted(found.report.tracks, 'track')}: {hubs.skewness:.2f}"
    )
    say(f"{ANTI_HUB_RATE}, tracks in no list: {hubs.anti_hub_rate:.1%}")
    say(
        f"largest hub: in {hubs.largest} of {counted(hubs.lists, 'list')}, {title} (track {hub.id})"
    )


def _print_overall(report: "RetrievalReport") -> None:
    rows: list[tuple[object, ...]] = []
    for name, scores in _filters(report):
        overall = scores.overall
        for measure, rate in (
            (precision_at(report.k), overall.precision),
            (hit_at(report.k), overall.hit),
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
        Column(hit_at(k), number=True, drop=2),
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


def _remarks(found: Evaluation) -> list[str]:
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
