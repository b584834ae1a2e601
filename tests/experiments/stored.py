"""What shipped models make of GTZAN's stored spectrograms, for the benchmarks beside this file."""

from collections.abc import Sequence

from recommender.embedding.model_files import WeightsFiles, find, shipped_models
from recommender.evaluation.metrics import FloatArray
from recommender.research.model_building.results import Side, published_activations


def judged(names: Sequence[str] | None) -> list[str]:
    """The models to measure on GTZAN: those named, or the shipped ones not taught the test tracks.

    Raises:
        SystemExit: one of them was taught the test tracks.
    """
    for name in names or ():
        if not find(name).card.has_own_figures:
            raise SystemExit(
                f"{name} was taught GTZAN's test tracks, so they measure nothing: name the folder "
                "of the same model taught the training tracks alone ('recsys train')."
            )
    shipped = [name for name in shipped_models() if find(name).card.has_own_figures]
    return list(names or shipped)


def outputs(weights: WeightsFiles, side: Side) -> tuple[FloatArray, FloatArray]:
    """Unit vectors [n, p] and genre probabilities [n, n_classes] of a side."""
    found = published_activations(weights, side).tracks
    return weights.projection().apply(found), weights.head().probabilities(found)
