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
from scipy.special import softmax

from recommender.models import GenreNetwork
from recommender.space import FloatArray
from recommender.training import IntArray, log_loss

TEMPERATURES = tuple(float(t) for t in np.geomspace(1, 64, 25))
"""What is tried; the logits of shrinkage LDA on hundreds of activations are far too large."""


def refitted(
    network: GenreNetwork,
    known: FloatArray,
    known_labels: IntArray,
    asked: FloatArray,
    asked_labels: IntArray,
) -> GenreNetwork:
    """A copy of the network whose classifier is the shrinkage LDA of its own activations.

    Args:
        network: trained; only its `classifier` differs in the copy.
        known: np.ndarray [shape=(n, clips, d)], its activations of the tracks it was trained on;
            the discriminants are fitted on each track's mean.
        known_labels: np.ndarray [shape=(n,)].
        asked: np.ndarray [shape=(m, clips, d)], its activations of the validation tracks; the
            temperature with the least log loss of whole tracks is chosen.
        asked_labels: np.ndarray [shape=(m,)].
    """
    weight, bias = _linear_discriminants(known.mean(axis=1), known_labels)
    logits = asked @ weight.T + bias
    losses = [
        log_loss(softmax(logits / temperature, axis=2).mean(axis=1), asked_labels)
        for temperature in TEMPERATURES
    ]
    temperature = TEMPERATURES[int(np.argmin(losses))]
    fitted = copy.deepcopy(network).eval()
    with torch.no_grad():
        fitted.classifier.weight.copy_(torch.from_numpy(weight / temperature))
        fitted.classifier.bias.copy_(torch.from_numpy(bias / temperature))
    return fitted


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
