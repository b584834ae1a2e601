"""Figures of evaluation reports. matplotlib is imported when one is drawn."""

from pathlib import Path
from typing import Any

import numpy as np

from recommender.errors import RecsysError, UsageError
from recommender.evaluation.report import ALL_GENRES, FilterScores, GenreScores, RetrievalReport

MOST_GENRES = 30
"""Genres shown, those with the most queries; more would not be readable."""

BAR_HEIGHT = 0.36
UNFILTERED, FILTERED, CHANCE = "#b9c4d0", "#2a6f97", "#c1440e"


def plot_report(report: RetrievalReport, path: Path) -> None:
    """Draw precision@k by genre, with and without artist filter, with intervals and chance.

    The genres are sorted by the precision with artist filter, where artists are known.

    Args:
        report: from `evaluate_retrieval`.
        path: the picture; its ending names the format (png, svg, pdf).

    Raises:
        RecsysError: matplotlib is not installed.
        UsageError: the ending is not that of a picture, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RecsysError("plots need matplotlib: pip install 'recommender[study]'.") from error

    names = _genres_shown(report)
    figure = Figure(figsize=(8.0, 1.6 + 0.42 * len(names)), layout="constrained", dpi=150)
    axes = figure.add_subplot()
    if report.with_filter is None:
        _draw_bars(axes, names, report.without_filter, 0.0, FILTERED, "precision")
    else:
        _draw_bars(axes, names, report.without_filter, -0.5, UNFILTERED, "without artist filter")
        _draw_bars(axes, names, report.with_filter, 0.5, FILTERED, "with artist filter")
    _label(axes, report, names)
    try:
        figure.savefig(path)
    except (ValueError, OSError) as error:
        raise UsageError(f"the plot cannot be written to {path}: {error}.") from error


def _genres_shown(report: RetrievalReport) -> list[str]:
    """'all' on top, then the genres from best to worst."""
    ordered_by = report.with_filter or report.without_filter
    largest = sorted(report.without_filter.genres, key=lambda row: -row.queries)[:MOST_GENRES]
    shown = {row.genre for row in largest}

    def order(row: GenreScores) -> tuple[bool, float, str]:
        return row.queries == 0, -row.precision.value if row.queries else 0.0, row.genre

    return [
        ALL_GENRES,
        *(r.genre for r in sorted(ordered_by.genres, key=order) if r.genre in shown),
    ]


def _draw_bars(
    axes: Any, names: list[str], scores: FilterScores, offset: float, colour: str, label: str
) -> None:
    """One bar per genre, above (-0.5) or below (0.5) its centre, with whiskers and chance."""
    by_genre = {row.genre: row for row in scores.genres}
    rows = [scores.overall, *(by_genre[name] for name in names[1:])]
    positions = np.arange(len(names)) + offset * BAR_HEIGHT
    precision = np.array([row.precision.value for row in rows])
    low = np.array([row.precision.low for row in rows])
    high = np.array([row.precision.high for row in rows])
    chance = np.array([row.precision.chance for row in rows])
    axes.barh(positions, precision, BAR_HEIGHT, color=colour, label=label, zorder=2)
    # A percentile interval of a skewed resample may, if rarely, lie beside the mean.
    whiskers = np.maximum([precision - low, high - precision], 0)
    style = {"fmt": "none", "ecolor": "#333333", "elinewidth": 1, "capsize": 2, "zorder": 3}
    axes.errorbar(precision, positions, xerr=whiskers, **style)
    half = BAR_HEIGHT / 2
    first = "chance" if offset <= 0 else None
    axes.vlines(
        chance, positions - half, positions + half, color=CHANCE, lw=1.6, label=first, zorder=4
    )
    for position, row in zip(positions, rows, strict=True):
        if not row.queries:
            note = " no query has a relevant track left"
            axes.text(0, position, note, va="center", fontsize=7, color="#666666")


def _label(axes: Any, report: RetrievalReport, names: list[str]) -> None:
    """Names with their numbers of queries, axes, legend."""
    both = [scores for scores in (report.without_filter, report.with_filter) if scores]
    queries = [[scores.overall.queries] for scores in both]
    for counts, scores in zip(queries, both, strict=True):
        by_genre = {row.genre: row.queries for row in scores.genres}
        counts.extend(by_genre[name] for name in names[1:])
    shown = [
        # A dollar sign in a genre's name is no formula.
        f"{name} ({' / '.join(str(counts[row]) for counts in queries)})".replace("$", r"\$")
        for row, name in enumerate(["all genres", *names[1:]])
    ]
    axes.set_yticks(np.arange(len(names)), shown)
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.axhline(0.5, color="#999999", lw=0.8)
    axes.set_xlim(0, min(1.0, axes.get_xlim()[1]))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    hidden = len(report.without_filter.genres) - len(names) + 1
    axes.set_xlabel(
        f"precision@{report.k}: share of the {report.k} nearest tracks with the query's genre\n"
        "(whiskers: 95 % bootstrap interval; in brackets: queries)"
        + (f"\n{hidden} genres with fewer queries are not shown" if hidden else "")
    )
    axes.grid(axis="x", color="#e5e5e5", lw=0.8, zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.figure.legend(loc="outside upper center", ncols=3, frameon=False)
