"""The linear head over a model's activations, fitted once its networks are trained.

A last layer trained together with the rest fits the few training tracks too closely. One fitted on
the activations of whole training tracks has the same form, softmax(Wx + b), and generalises better:
training representation and classifier apart is known from Kang et al., "Decoupling Representation
and Classifier" (2020).

Each part of the activations gets a layer of its own. Their logits, brought to one deviation, are
averaged, networks among each other alike. A network's layer is LDA with a covariance shrunk as
Ledoit & Wolf (2004) estimate. Descriptors, thousands of values, are whitened as for the projection,
by what varies within recordings and artists, of which there are many more than genres
(`steadiness`); in that space logistic regression tells genres apart. Such probabilities are too
sure of themselves, so a temperature (Guo et al. 2017) divides the logits. It and the weight of the
descriptors are those of least log loss on the validation tracks. All of it is affine, so it is one
`GenreHead`.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from recommender.embedding.genre_head import GenreHead
from recommender.projections.shrinkage import Doubles
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.projection_search import descriptor_wccn
from recommender.research.training.inference import log_loss
from recommender.utils.arrays import IntArray

INVERSE_TEMPERATURES = tuple(float(s) for s in np.geomspace(0.25, 16, 25))
"""Inverse temperatures that are tried, of logits of unit deviation."""

DESCRIPTOR_WEIGHTS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Tried where a model has networks and descriptors; the networks get the rest."""

COMPONENTS = 150
"""Components of the descriptors that the regression takes. All 300 of the projection are better yet
in cross-validation (`experiments/heads.py`: log loss .815 for .824), and worse on the validation
tracks (.888 for .860)."""

PRIOR_VARIANCE = 1.0
"""Of the regression's weights (scikit-learn's C), for vectors of unit mean squared length. Half and
twice as much give the same log loss within .011, there and there."""


@dataclass(frozen=True, eq=False)
class _Layer:
    """``x @ weight + bias``: weight [d, n_classes], bias [n_classes]."""

    weight: Doubles
    bias: Doubles

    def logits(self, activations: npt.NDArray[np.floating]) -> Doubles:
        """Logits [n, n_classes] of activations [n, d]."""
        return np.asarray(activations @ self.weight + self.bias)

    @property
    def even(self) -> "_Layer":
        """Less what is common to all classes: it moves no probability, and counts as deviation."""
        return _Layer(
            self.weight - self.weight.mean(axis=1, keepdims=True), self.bias - self.bias.mean()
        )

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
        inverse_temperature: inverse temperature, of logits of unit deviation.
    """

    descriptor_weight: float
    inverse_temperature: float


def fitted_head(
    known: Activations, known_labels: IntArray, asked: Activations, asked_labels: IntArray
) -> tuple[GenreHead, HeadChoice]:
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
        return log_loss(_softmax(choice.inverse_temperature * np.asarray(mixed)), asked_labels)

    alone = {"networks": 0.0, "descriptors": 1.0}
    weights = DESCRIPTOR_WEIGHTS if len(groups) > 1 else (alone[next(iter(groups))],)
    choice = min(itertools.starmap(HeadChoice, product(weights, INVERSE_TEMPERATURES)), key=loss)
    return _head(groups, choice), choice


def head_as_chosen(known: Activations, labels: IntArray, choice: HeadChoice) -> GenreHead:
    """A head for which nothing is left to choose.

    Args:
        known: activations of the n tracks the networks were trained on.
        labels: np.ndarray [shape=(n,)].
    """
    return _head(_group_layers(known, labels), choice)


def _head(groups: Mapping[str, _Layer], choice: HeadChoice) -> GenreHead:
    shares = [choice.inverse_temperature * _weights(choice)[name] for name in groups]
    layer = _sum(list(groups.values()), shares)
    return GenreHead(layer.weight.astype(np.float32), layer.bias.astype(np.float32))


def _weights(choice: HeadChoice) -> dict[str, float]:
    return {"networks": 1 - choice.descriptor_weight, "descriptors": choice.descriptor_weight}


def _group_layers(known: Activations, labels: IntArray) -> dict[str, _Layer]:
    """The layer of the networks, and of the descriptors, as far as there are any."""
    groups = {}
    if places := known.layout.networks:
        layers = [_discriminating(known, labels, where) for where in places]
        groups["networks"] = _sum(layers, [1.0] * len(layers))
    if known.layout.descriptors is not None:
        groups["descriptors"] = _regressed(known, labels)
    return {name: layer.scaled(known.tracks) for name, layer in groups.items()}


def _discriminating(known: Activations, labels: IntArray, where: slice) -> _Layer:
    """LDA of one network, its logits of unit deviation; the other activations have weight 0."""
    own = known.tracks[:, where]
    mean = own.mean(axis=0, dtype=np.float64)
    deviation = np.maximum(own.std(axis=0, dtype=np.float64), 1e-6)
    found = _estimated((own - mean) / deviation, labels).even
    scaled = _Layer(
        found.weight / deviation[:, None], found.bias - (mean / deviation) @ found.weight
    ).scaled(own)
    weight = np.zeros((known.tracks.shape[1], scaled.weight.shape[1]))
    weight[where] = scaled.weight
    return _Layer(weight, scaled.bias)


def _estimated(values: Doubles, labels: IntArray) -> _Layer:
    """LDA of standardised values [n, d], all classes equally likely."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    classes = len(np.unique(labels))
    lda = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes)
    )
    lda.fit(values, labels)
    return _Layer(lda.coef_.T, lda.intercept_)


def _regressed(known: Activations, labels: IntArray) -> _Layer:
    """Logistic regression on the whitened descriptors, all classes counting alike."""
    from sklearn.linear_model import LogisticRegression

    whitened = descriptor_wccn(known, labels, COMPONENTS)
    vectors = (known.tracks - whitened.mean) @ whitened.matrix
    length = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1).mean())
    regression = LogisticRegression(C=PRIOR_VARIANCE, class_weight="balanced", max_iter=1000)
    regression.fit(vectors / length, labels)
    weight = whitened.matrix.astype(np.float64) @ regression.coef_.T / length
    return _Layer(weight, regression.intercept_ - whitened.mean @ weight).even


def _softmax(logits: Doubles) -> npt.NDArray[np.float32]:
    from scipy.special import softmax

    shares: npt.NDArray[np.float32] = softmax(logits, axis=1).astype(np.float32)
    return shares
