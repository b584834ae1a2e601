"""What shipped models make of GTZAN's stored spectrograms, for the benchmarks beside this file."""

from recommender.features import FrontEnd
from recommender.metrics import FloatArray
from recommender.results import Side, model_activations
from recommender.weights import WeightsFiles


def outputs(weights: WeightsFiles, side: Side) -> tuple[FloatArray, FloatArray]:
    """Unit vectors [n, p] and genre probabilities [n, n_classes] of a side."""
    card, networks = weights.card, weights.networks()
    frames = FrontEnd(**card.front_end).frames(card.windowing["seconds"])
    found = model_activations(networks, [frames] * len(networks), side, card.descriptors).tracks
    return weights.projection().apply(found), weights.head().probabilities(found)
