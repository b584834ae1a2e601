"""The dense softmax layer fitted anew once the network is trained.

A last layer trained together with the rest fits the few training tracks too closely. Shrinkage LDA
on the activations of whole training tracks gives another layer of the same form, softmax(Wx + b),
that generalises better: training representation and classifier apart is known from Kang et al.,
"Decoupling Representation and Classifier" (2020), LDA with a shrunk covariance from Ledoit & Wolf
(2004). Its probabilities are too sure of themselves, so one temperature (Guo et al. 2017), chosen
on the validation tracks, divides the logits.
"""

import copy

import numpy as np
import torch

from recommender.models import GenreNetwork
from recommender.space import FloatArray
from recommender.training import IntArray, TrackSet, log_loss, track_outputs

TEMPERATURES = tuple(float(t) for t in np.geomspace(1, 64, 25))
"""What is tried; the logits of shrinkage LDA on hundreds of activations are far too large."""


def refitted(
    network: GenreNetwork, training: TrackSet, validation: TrackSet, clip_frames: int
) -> GenreNetwork:
    """A copy of the network whose classifier is the shrinkage LDA of its own activations.

    Args:
        network: trained; only its `classifier` differs in the copy.
        training: the tracks it was trained on; the discriminants are fitted on them.
        validation: the temperature is chosen on them, by the log loss of whole tracks.
        clip_frames: length of the clips a track is heard through.
    """
    activations, _ = track_outputs(network, training, clip_frames)
    weight, bias = _linear_discriminants(activations, training.labels)
    best, best_loss = network, float("inf")
    for temperature in TEMPERATURES:
        candidate = copy.deepcopy(network)
        with torch.no_grad():
            candidate.classifier.weight.copy_(torch.from_numpy(weight / temperature))
            candidate.classifier.bias.copy_(torch.from_numpy(bias / temperature))
        _, probabilities = track_outputs(candidate, validation, clip_frames)
        loss = log_loss(probabilities.mean(axis=1), validation.labels)
        if loss < best_loss:
            best, best_loss = candidate, loss
    return best.eval()


def _linear_discriminants(
    activations: FloatArray, labels: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Weight [n_classes, d] and bias [n_classes] of LDA on standardised activations [n, d]."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    mean = activations.mean(axis=0, dtype=np.float64)
    deviation = np.maximum(activations.std(axis=0, dtype=np.float64), 1e-6)
    classes = len(np.unique(labels))
    lda = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes)
    )
    lda.fit((activations - mean) / deviation, labels)
    weight = lda.coef_ / deviation
    bias = lda.intercept_ - weight @ mean
    return weight.astype(np.float32), bias.astype(np.float32)
