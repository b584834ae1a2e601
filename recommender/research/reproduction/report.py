"""The study's report: a page, a table and figures of the outcomes.

The same outcomes give the same report. Results of a split with clips of one recording in several
splits are marked everywhere, and come last.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recommender.research.reproduction.aggregation import (
    check,
    flat_row,
    results_of,
    sorted_outcomes,
)
from recommender.research.reproduction.conclusions import DEFINITIONS, conclusions_text
from recommender.research.reproduction.figures import draw_pictures
from recommender.research.reproduction.latency import Timings
from recommender.research.reproduction.outcomes import Outcome
from recommender.research.reproduction.splits import LEAKY, PROTOCOLS
from recommender.research.reproduction.tables import (
    filtered_table,
    leak_table,
    pairs_section,
    protocol_table,
    summary_table,
    timing_section,
)
from recommender.utils.csv_table import write_csv
from recommender.utils.files import replace_file

PAGE, ROWS, PICTURES = "report.md", "study.csv", "pictures"


def write_report(
    outcomes: Sequence[Outcome], folder: Path, timings: Timings | None = None
) -> list[Path]:
    """Write `PAGE`, `ROWS` and the pictures.

    Args:
        outcomes: at least one.
        folder: created if needed.
        timings: of the networks, where measured.

    Returns:
        What was written, the page first.

    Raises:
        UsageError: an outcome is of a smoke test.
        DatasetError: an outcome is of no declared run, or of other test tracks than the others.
        RecsysError: matplotlib or SciPy is not installed.
        OSError: a file cannot be written.
    """
    check(outcomes)
    pictures = draw_pictures(results_of(outcomes, "filtered"), folder / PICTURES)
    page = report_text(outcomes, timings, pictures)
    replace_file(folder / PAGE, page.encode())
    replace_file(folder / ROWS, csv_text(outcomes).encode())
    return [folder / PAGE, folder / ROWS, *(folder / PICTURES / name for name in pictures)]


def report_text(
    outcomes: Sequence[Outcome], timings: Timings | None = None, pictures: Sequence[str] = ()
) -> str:
    """The page, in Markdown.

    Args:
        outcomes: at least one.
        timings: of the networks, where measured.
        pictures: names of files in `PICTURES`.

    Raises:
        UsageError: an outcome is of a smoke test.
        DatasetError: an outcome is of no declared run, or of other test tracks than the others.
        RecsysError: SciPy is not installed.
    """
    check(outcomes)
    results = {protocol: results_of(outcomes, protocol) for protocol in PROTOCOLS}
    present = {p: r for p, r in results.items() if any(row.outcomes for row in r.values())}
    parts = [
        "# Rush & Datta's comparative study, repeated\n\n" + INTRODUCTION,
        summary_table(outcomes),
        "## The fault-filtered split\n\n" + FILTERED,
        filtered_table(results["filtered"]),
    ]
    if "stratified" in present:
        parts += ["## The stratified split\n\n" + STRATIFIED, protocol_table(present["stratified"])]
    for protocol in present:
        if protocol in LEAKY:
            parts += [f"## LEAKY: the {protocol}'s split\n\n" + PAPER]
            parts += [protocol_table(present[protocol])]
    parts += ["## Families compared", pairs_section(results["filtered"])]
    parts += ["## Latency", timing_section(timings)]
    parts += ["## The paper's conclusions\n\n" + DEFINITIONS, conclusions_text(present)]
    parts += ["## Effect of the leak", leak_table(results)]
    if pictures:
        parts += ["## Pictures\n\n" + CAPTION]
        parts += [f"![{Path(name).stem}]({PICTURES}/{name})" for name in pictures]
    return "\n\n".join(parts) + "\n"


def csv_text(outcomes: Sequence[Outcome]) -> str:
    """One line for each outcome, with a heading; an empty cell is no figure."""
    rows = flat_rows(outcomes)
    text = io.StringIO()
    write_csv(text, list(rows[0]) if rows else [], rows, "\n")
    return text.getvalue()


def flat_rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The outcomes as plain values, in the order of protocols, declared runs and seeds.

    Raises `UsageError` and `DatasetError` as `check` does.
    """
    check(outcomes)
    return [flat_row(outcome) for outcome in sorted_outcomes(outcomes)]


INTRODUCTION = """\
Made by `recsys study report` from the outcomes of `recsys study run`. Accuracies are in per cent,
mean ± standard deviation over the seeds where there are several; precision@10 is the part of the
ten nearest tracks with the genre of the query, artist filter on. The paper's figures are validation
accuracies. The main results are those of the fault-filtered split. Those marked LEAKY are measured
on clips of recordings that were partly trained on; they show what the paper's protocol gives, not
how well a network recognises a genre."""

FILTERED = """\
Whole tracks are split, without GTZAN's repeated and distorted recordings. "Artist-disjoint" are
the test tracks whose artist is in neither other split. Validation and test are by track (the mean
of its clips' probabilities) unless it says "by clip"."""

STRATIFIED = """\
Whole tracks are split at random, genre by genre; repeated recordings and artists are in several
splits."""

PAPER = """\
Clips are split at random, as the paper appears to have done: parts of one recording are in several
splits. Validation accuracy is the figure to compare with the paper."""

CAPTION = """\
All of the fault-filtered split. Learning curves: a colour a run, a line a seed; training by clip
dashed, validation by track solid, with a dot at the selected epoch. Confusion matrices: test
tracks, summed over the seeds, per cent of a row."""
