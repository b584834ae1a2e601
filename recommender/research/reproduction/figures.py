"""The study's figures: learning curves like the paper's figures 8 to 16, and confusion matrices.

matplotlib is imported when one is drawn.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np

from recommender.errors import RecsysError
from recommender.research.datasets import gtzan
from recommender.research.reproduction.aggregation import Results, RunResults
from recommender.research.reproduction.experiments import RUNS
from recommender.research.reproduction.paired_tests import representatives
from recommender.utils.files import replace_file

COLOURS = ("#2a6f97", "#c1440e", "#5a8f3c", "#8a5a9c", "#b58900", "#444444")
"""One for each run of a family."""
DPI = 90
COLOURS_KEPT = 64


def draw_pictures(results: Results, folder: Path) -> list[str]:
    """Draw learning curves by family, and confusion matrices of the main runs.

    The same outcomes give the same bytes.

    Args:
        results: of one protocol; families and runs without outcomes get no picture.
        folder: where the PNG files go.

    Returns:
        Names of the files, curves first.

    Raises:
        RecsysError: matplotlib is not installed.
        OSError: a file cannot be written.
    """
    figures = {}
    for family in dict.fromkeys(run.family for run in RUNS):
        rows = [row for row in results.values() if row.run.family == family and row.outcomes]
        if rows:
            figures[f"learning-{_slug(family)}.png"] = learning_curves(family, rows)
    representing = {row.run.name for row in representatives(results)}
    for row in results.values():
        if row.outcomes and (row.run.main or row.run.name in representing):
            figures[f"confusion-{row.run.name}.png"] = confusion_matrix(row)
    for name, figure in figures.items():
        replace_file(folder / name, png(figure))
    return list(figures)


def png(figure: Any) -> bytes:
    """A figure as a PNG of few colours, a third as large, without date or name of a program."""
    from PIL import Image  # comes with matplotlib

    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    drawn.seek(0)
    with Image.open(drawn) as picture:
        picture.convert("RGB").quantize(COLOURS_KEPT).save(small, format="png", optimize=True)
    return small.getvalue()


def learning_curves(family: str, rows: list[RunResults]) -> Any:
    """A figure: accuracy and loss by epoch, a colour a run, a line a seed.

    Training is dashed, validation solid; a dot is the selected epoch.

    Args:
        rows: runs of the family, each with outcomes.

    Raises:
        RecsysError: matplotlib is not installed.
    """
    figure = _figure(8.4, 3.6)
    accuracy, loss = figure.subplots(1, 2)
    for number, row in enumerate(rows):
        for outcome in row.outcomes:
            _draw_curve(accuracy, outcome, "accuracy", COLOURS[number % len(COLOURS)])
            _draw_curve(loss, outcome, "loss", COLOURS[number % len(COLOURS)])
        seeds = len(row.outcomes)
        label = f"{row.run.name} ({seeds} seeds)" if seeds > 1 else row.run.name
        label += ", not at full length" if row.capped else ""
        accuracy.plot([], [], color=COLOURS[number % len(COLOURS)], label=label)
    accuracy.plot([], [], color="#999999", ls="--", lw=1, label="training")
    accuracy.plot([], [], color="#999999", marker="o", ms=3, label="validation, selected epoch")
    accuracy.set_ylim(0, 1)
    accuracy.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    loss.set_ylim(0, _highest_loss(rows))
    for axes, name in ((accuracy, "accuracy"), (loss, "loss")):
        axes.set_xlabel("epoch")
        axes.set_title(f"{family}: {name}", fontsize=10)
        axes.grid(color="#e5e5e5", lw=0.8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def confusion_matrix(row: RunResults) -> Any:
    """A figure: predicted genres of the test tracks of each genre, over the seeds, % of a row.

    Raises:
        RecsysError: matplotlib is not installed.
    """
    counts = confusions(row)
    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = _figure(5.6, 5.2)
    axes = figure.add_subplot()
    axes.imshow(rates, cmap="Blues", vmin=0, vmax=1)
    for (true, predicted), value in np.ndenumerate(rates):
        if counts[true, predicted]:
            colour = "white" if value > 0.5 else "#333333"
            style = {"ha": "center", "va": "center", "fontsize": 8, "color": colour}
            axes.text(predicted, true, f"{100 * value:.0f}", **style)
    positions = np.arange(len(gtzan.GENRES))
    axes.set_xticks(positions, gtzan.GENRES, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(positions, gtzan.GENRES)
    axes.set_xlabel("predicted genre")
    axes.set_ylabel("genre of the test track")
    seeds = len(row.outcomes)
    axes.set_title(
        f"{row.run.name}, {row.protocol}: % of a genre's tracks"
        + (f", {seeds} seeds" if seeds > 1 else "")
        + ("\nnot run at full length" if row.capped else ""),
        fontsize=10,
    )
    return figure


def confusions(row: RunResults) -> np.ndarray:
    """Test tracks by genre and predicted genre, summed over seeds: [10, 10], int64."""
    counts = np.zeros((len(gtzan.GENRES),) * 2, dtype=np.int64)
    for outcome in row.outcomes:
        np.add.at(counts, (np.array(outcome.labels), np.array(outcome.predicted)), 1)
    return counts


def _draw_curve(axes: Any, outcome: Any, name: str, colour: str) -> None:
    epochs = [epoch.epoch for epoch in outcome.history]
    train = [getattr(epoch, f"train_{name}") for epoch in outcome.history]
    valid = [getattr(epoch, f"valid_{name}") for epoch in outcome.history]
    axes.plot(epochs, train, color=colour, ls="--", lw=0.9, alpha=0.7)
    axes.plot(epochs, valid, color=colour, lw=1.3)
    selected = epochs.index(outcome.best_epoch)
    axes.plot(epochs[selected], valid[selected], "o", color=colour, ms=3.5)


def _highest_loss(rows: list[RunResults]) -> float:
    """End of the axis: at most twice the loss of guessing, so that one outlier hides no other."""
    epochs = [epoch for row in rows for outcome in row.outcomes for epoch in outcome.history]
    highest = max(max(epoch.train_loss, epoch.valid_loss) for epoch in epochs)
    return float(min(1.05 * highest, 2 * np.log(len(gtzan.GENRES))))


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RecsysError("figures need matplotlib: pip install 'recommender[study]'.") from error
    return Figure(figsize=(width, height), layout="constrained", dpi=DPI)


def _slug(family: str) -> str:
    return family.lower().replace(" ", "-")
