"""What shipped models make of GTZAN's stored spectrograms, for the benchmarks beside this file."""

from collections.abc import Sequence

from recommender.embedding.model_files import ModelFiles, find_model, shipped_models
from recommender.research.model_building.results import SplitTracks, published_activations
from recommender.utils.arrays import FloatArray


def judged(names: Sequence[str] | None) -> list[str]:
    """The models to measure on GTZAN: those named, or the shipped ones not taught the test tracks.

    Raises:
        SystemExit: one of them was taught the test tracks.
    """
    for name in names or ():
        if not find_model(name).card.has_test_results:
            raise SystemExit(
                f"{name} was taught GTZAN's test tracks, so they measure nothing: name the folder "
                "of the same model taught the training tracks alone ('recsys train')."
            )
    shipped = [name for name in shipped_models() if find_model(name).card.has_test_results]
    return list(names or shipped)


def outputs(weights: ModelFiles, side: SplitTracks) -> tuple[FloatArray, FloatArray]:
    """Unit vectors [n, p] and genre probabilities [n, n_classes] of a side."""
    found = published_activations(weights, side).tracks
    return weights.projection().apply(found), weights.head().probabilities(found)
