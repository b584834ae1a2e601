"""A picture of a map. matplotlib is imported when one is drawn."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recommender.errors import RecsysError, UsageError
from recommender.library_map.clusters import Clusters
from recommender.library_map.coordinates import MapCoordinates
from recommender.utils.arrays import IntArray

MOST_COLOURS = 10
"""Genres with a colour of their own, the most frequent ones."""

OTHERS = "#b0b0b0"


def plot_map(
    coordinates: MapCoordinates,
    genres: Sequence[str | None],
    path: Path,
    clusters: Clusters | None = None,
) -> None:
    """Draw a map: a point a track in the colour of its genre, names of clusters in their middle.

    Args:
        coordinates: of n tracks.
        genres: of the same tracks; None for an unknown one.
        path: the picture; its ending names the format (png, svg, pdf).
        clusters: to write the names of.

    Raises:
        RecsysError: matplotlib is not installed.
        UsageError: the ending is not that of a picture, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RecsysError("plots need matplotlib: pip install 'recommender[map]'.") from error
    figure = Figure(figsize=(10, 8), layout="constrained", dpi=150)
    axes = figure.add_subplot()
    size = float(np.clip(40_000 / max(1, len(coordinates.ids)), 1, 40))
    for name, rows, colour in _coloured(genres):
        xy = coordinates.xy[rows]
        shown = f"{name} ({len(rows):,})".replace("$", r"\$")
        axes.scatter(xy[:, 0], xy[:, 1], s=size, color=colour, linewidths=0, alpha=0.8, label=shown)
    if clusters is not None:
        for name, (x, y) in _middles(coordinates, clusters):
            style = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1}
            axes.text(x, y, name, fontsize=8, ha="center", va="center", bbox=style)
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.set_title(_title(coordinates), fontsize=9)
    figure.legend(loc="outside right upper", frameon=False, title="predicted genre", fontsize=8)
    try:
        figure.savefig(path)
    except (ValueError, OSError) as error:
        raise UsageError(f"the plot cannot be written to {path}: {error}.") from error


def _title(coordinates: MapCoordinates) -> str:
    by = "t-SNE" if coordinates.source == "tsne" else "the first two principal components"
    return f"{len(coordinates.ids):,} tracks by {by}: what is near sounds alike"


def _coloured(genres: Sequence[str | None]) -> list[tuple[str, IntArray, object]]:
    """Name, rows and colour of each genre that has a colour, and of the others together."""
    from matplotlib import colormaps

    names, counts = np.unique([genre or "" for genre in genres], return_counts=True)
    frequent = [str(name) for name in names[np.argsort(-counts, kind="stable")] if name]
    palette = colormaps["tab10"](np.arange(MOST_COLOURS))
    rows = {name: place for place, name in enumerate(sorted(frequent[:MOST_COLOURS]))}
    place_of = np.array([rows.get(genre or "", -1) for genre in genres], dtype=np.int64)
    found: list[tuple[str, IntArray, object]] = []
    if (place_of < 0).any():
        found.append(("others", np.flatnonzero(place_of < 0), OTHERS))
    for name, place in rows.items():
        found.append((name, np.flatnonzero(place_of == place), palette[place]))
    return found


def _middles(
    coordinates: MapCoordinates, clusters: Clusters
) -> list[tuple[str, tuple[float, float]]]:
    """The name of each cluster, and the median position of its tracks."""
    places = {track_id: row for row, track_id in enumerate(coordinates.ids.tolist())}
    rows = np.array([places.get(track_id, -1) for track_id in clusters.ids.tolist()], np.int64)
    found = []
    for number, name in enumerate(clusters.names):
        own = rows[(clusters.labels == number) & (rows >= 0)]
        if len(own):
            x, y = np.median(coordinates.xy[own], axis=0).tolist()
            found.append((name, (x, y)))
    return found
