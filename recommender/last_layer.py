"""The linear head over a model's activations, fitted once its networks are trained.

A last layer trained together with the rest fits the few training tracks too closely. Shrinkage LDA
on the activations of whole training tracks gives another layer of the same form, softmax(Wx + b),
that generalises better: training representation and classifier apart is known from Kang et al.,
"Decoupling Representation and Classifier" (2020), LDA with a shrunk covariance from Ledoit & Wolf
(2004).

Each part of the activations (a network's, the descriptors') gets a layer of its own: one covariance
of them all would be shrunk as its largest part needs. That of a network is shrunk as Ledoit & Wolf
estimate, that of the descriptors, thousands of values, by `DESCRIPTOR_SHRINKAGE`. Their logits,
brought to one deviation, are averaged, networks among each other alike. LDA's probabilities are too
sure of themselves, so a temperature (Guo et al. 2017) divides the logits. It and the weight of the
descriptors are those of least log loss on the validation tracks. All of it is affine, so it is one
`Head`.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from recommender.head import Head
from recommender.measuring import IntArray, log_loss
from recommender.parts import Activations
from recommender.shrinkage import Doubles, class_statistics

SHARPNESSES = tuple(float(s) for s in np.geomspace(0.25, 16, 25))
"""Inverse temperatures that are tried, of logits of unit deviation."""

DESCRIPTOR_WEIGHTS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Tried where a model has networks and descriptors; the networks get the rest."""

DESCRIPTOR_SHRINKAGE = 0.9
"""Share of the identity in the descriptors' covariance. In cross-validation
(`tests/bench/ablation.py`) it gives a log loss of .91, .5 gives .96, Ledoit & Wolf's own estimate
(.11) 1.00."""


@dataclass(frozen=True, eq=False)
class _Layer:
    """``x @ weight + bias``: weight [d, n_classes], bias [n_classes]."""

    weight: Doubles
    bias: Doubles

    def logits(self, activations: npt.NDArray[np.floating]) -> Doubles:
        """Logits [n, n_classes] of activations [n, d]."""
        return np.asarray(activations @ self.weight + self.bias)

    def scaled(self, activations: npt.NDArray[np.floating]) -> "_Layer":
        """The layer whose logits of `activations` [n, d] have unit deviation."""
        return _sum([self], [1 / max(float(self.logits(activations).std()), 1e-12)])


def _sum(layers: Sequence[_Layer], weights: Sequence[float]) -> _Layer:
    """The layer whose logits are the weighted sum of these layers' logits."""
    return _Layer(
        np.tensordot(weights, [layer.weight for layer in layers], axes=1),
        np.tensordot(weights, [layer.bias for layer in layers], axes=1),
    )


@dataclass(frozen=True)
class HeadChoice:
    """What the validation tracks choose of a head.

    Attributes:
        descriptor_weight: of the descriptors; the networks get the rest. 0 or 1 where a model has
            the one or the other.
        sharpness: inverse temperature, of logits of unit deviation.
    """

    descriptor_weight: float
    sharpness: float


def fitted_head(
    known: Activations, known_labels: IntArray, asked: Activations, asked_labels: IntArray
) -> tuple[Head, HeadChoice]:
    """The head of a model, and what was chosen of it.

    Args:
        known: activations of the n tracks the networks were trained on.
        known_labels: np.ndarray [shape=(n,)].
        asked: activations of the m validation tracks, which choose temperature and weights.
        asked_labels: np.ndarray [shape=(m,)].
    """
    groups = _group_layers(known, known_labels)
    logits = {name: group.logits(asked.tracks) for name, group in groups.items()}

    def loss(choice: HeadChoice) -> float:
        mixed = sum(_weights(choice)[name] * found for name, found in logits.items())
        return log_loss(_softmax(choice.sharpness * np.asarray(mixed)), asked_labels)

    alone = {"networks": 0.0, "descriptors": 1.0}
    weights = DESCRIPTOR_WEIGHTS if len(groups) > 1 else (alone[next(iter(groups))],)
    choice = min(itertools.starmap(HeadChoice, product(weights, SHARPNESSES)), key=loss)
    return _head(groups, choice), choice


def head_as_chosen(known: Activations, labels: IntArray, choice: HeadChoice) -> Head:
    """A head for which nothing is left to choose.

    Args:
        known: activations of the n tracks the networks were trained on.
        labels: np.ndarray [shape=(n,)].
    """
    return _head(_group_layers(known, labels), choice)


def _head(groups: Mapping[str, _Layer], choice: HeadChoice) -> Head:
    shares = [choice.sharpness * _weights(choice)[name] for name in groups]
    layer = _sum(list(groups.values()), shares)
    return Head(layer.weight.astype(np.float32), layer.bias.astype(np.float32))


def _weights(choice: HeadChoice) -> dict[str, float]:
    return {"networks": 1 - choice.descriptor_weight, "descriptors": choice.descriptor_weight}


def _group_layers(known: Activations, labels: IntArray) -> dict[str, _Layer]:
    """The layer of the networks, and of the descriptors, as far as there are any."""
    described = known.parts.descriptors
    groups = {
        "networks": (known.parts.networks, _estimated),
        "descriptors": (() if described is None else (described,), _shrunk),
    }
    return {
        name: _group_layer(known, labels, places, fit)
        for name, (places, fit) in groups.items()
        if places
    }


def _group_layer(
    known: Activations, labels: IntArray, places: Sequence[slice], fit: "_Fit"
) -> _Layer:
    """The mean of the places' layers, its logits of unit deviation."""
    layers = [_part_layer(known, labels, where, fit) for where in places]
    return _sum(layers, [1.0] * len(layers)).scaled(known.tracks)


def _part_layer(known: Activations, labels: IntArray, where: slice, fit: "_Fit") -> _Layer:
    """LDA of one part, its logits of unit deviation; the other activations have weight 0."""
    own = known.tracks[:, where]
    mean = own.mean(axis=0, dtype=np.float64)
    deviation = np.maximum(own.std(axis=0, dtype=np.float64), 1e-6)
    standardised = fit((own - mean) / deviation, labels)
    # What is common to all classes moves no probability, and would count as deviation.
    even = standardised.weight - standardised.weight.mean(axis=1, keepdims=True)
    bias = standardised.bias - standardised.bias.mean()
    scaled = _Layer(even / deviation[:, None], bias - (mean / deviation) @ even).scaled(own)
    weight = np.zeros((known.tracks.shape[1], scaled.weight.shape[1]))
    weight[where] = scaled.weight
    return _Layer(weight, scaled.bias)


_Fit = Callable[[Doubles, IntArray], _Layer]
"""LDA of standardised values [n, d] and labels [n], all classes equally likely."""


def _estimated(values: Doubles, labels: IntArray) -> _Layer:
    """With the shrinkage that Ledoit & Wolf estimate, class by class."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    classes = len(np.unique(labels))
    lda = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes)
    )
    lda.fit(values, labels)
    return _Layer(lda.coef_.T, lda.intercept_)


def _shrunk(values: Doubles, labels: IntArray) -> _Layer:
    """With `DESCRIPTOR_SHRINKAGE`."""
    found = class_statistics(values, labels, DESCRIPTOR_SHRINKAGE)
    inside = np.linalg.solve(found.within, found.means.T)  # [r, n_classes]
    weight = found.axes @ inside
    return _Layer(weight, -(found.means.T * inside).sum(axis=0) / 2 - found.centre @ weight)


def _softmax(logits: Doubles) -> npt.NDArray[np.float32]:
    from scipy.special import softmax

    shares: npt.NDArray[np.float32] = softmax(logits, axis=1).astype(np.float32)
    return shares
