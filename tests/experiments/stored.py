"""Outputs of shipped models for GTZAN's stored spectrograms, for the benchmarks in this folder."""

from collections.abc import Sequence

from recommender.embedding.model_files import ModelFiles, find_model, shipped_models
from recommender.features.log_mel import FrontEnd
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.split_tracks import SplitTracks
from recommender.research.model_building.trained_model import model_activations
from recommender.utils.arrays import FloatArray


def judged(names: Sequence[str] | None) -> list[str]:
    """The models to evaluate: those named, or the shipped ones not trained on the test tracks.

    Raises:
        SystemExit: one of them was trained on the test tracks.
    """
    for name in names or ():
        if not find_model(name).card.has_test_results:
            raise SystemExit(
                f"{name} was trained on GTZAN's test tracks: name the folder of the same model "
                "trained on the training tracks alone ('recsys train')."
            )
    shipped = [name for name in shipped_models() if find_model(name).card.has_test_results]
    return list(names or shipped)


def published_activations(weights: ModelFiles, split: SplitTracks) -> Activations:
    """Activations of a split; clips are as long as the windows of a user's track."""
    card, networks = weights.card, weights.networks()
    frames = FrontEnd(**card.front_end).frames(card.windowing["seconds"])
    return model_activations(
        networks, [frames] * len(networks), split, card.descriptors, card.network_frames
    )


def outputs(weights: ModelFiles, split: SplitTracks) -> tuple[FloatArray, FloatArray]:
    """Unit vectors [n, p] and genre probabilities [n, n_classes] of a split."""
    found = published_activations(weights, split).tracks
    return weights.projection().apply(found), weights.head().probabilities(found)
