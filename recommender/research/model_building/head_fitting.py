"""The linear genre head over a model's activations, fitted once its networks are trained.

A classification layer trained together with the network overfits the few training tracks. One
fitted on the activations of whole training tracks has the same form, softmax(Wx + b), and
generalises better: decoupling representation and classifier is known from Kang et al. (2020).

Each part of the activations gets a layer of its own. Their logits, scaled to one deviation, are
averaged; networks count alike. A network's layer is LDA with a covariance shrunk as Ledoit & Wolf
(2004) estimate. Descriptors, thousands of values, are whitened as for the projection, by WCCN over
recordings and artists, of which there are many more than genres; in that space logistic regression
separates the genres. Such probabilities are overconfident, so a temperature (Guo et al. 2017)
divides the logits. It and the weight of the descriptors are those of least log loss on the
validation tracks. All of it is affine, so it is one `GenreHead`.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.embedding.genre_head import GenreHead
from recommender.embedding.projection import Projection
from recommender.projections.lda import Doubles
from recommender.projections.wccn import WccnSettings
from recommender.research.model_building.activations import Activations
from recommender.research.model_building.projection_search import descriptor_wccn
from recommender.research.training.inference import log_loss
from recommender.utils.arrays import IntArray

INVERSE_TEMPERATURES = tuple(float(value) for value in np.geomspace(0.25, 16, 25))
"""Candidates, for logits of unit deviation."""

DESCRIPTOR_WEIGHTS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Candidates where a model has networks and descriptors; the networks get the rest."""


@dataclass(frozen=True, eq=False)
class LinearLayer:
    """``x @ weight + bias``: weight [d, n_classes], bias [n_classes]."""

    weight: Doubles
    bias: Doubles

    def logits(self, activations: npt.NDArray[np.floating]) -> Doubles:
        """Logits [n, n_classes] of activations [n, d]."""
        return np.asarray(activations @ self.weight + self.bias)

    @property
    def centred(self) -> "LinearLayer":
        """Without what all classes share: it changes no probability but adds to the deviation."""
        return LinearLayer(
            self.weight - self.weight.mean(axis=1, keepdims=True), self.bias - self.bias.mean()
        )

    def scaled(self, activations: npt.NDArray[np.floating]) -> "LinearLayer":
        """The layer whose logits of `activations` [n, d] have unit deviation."""
        return _weighted_sum([self], [1 / max(float(self.logits(activations).std()), 1e-12)])


def _weighted_sum(layers: Sequence[LinearLayer], weights: Sequence[float]) -> LinearLayer:
    """The layer whose logits are the weighted sum of these layers' logits."""
    return LinearLayer(
        np.tensordot(weights, [layer.weight for layer in layers], axes=1),
        np.tensordot(weights, [layer.bias for layer in layers], axes=1),
    )


def fit_logistic_regression(
    train: Activations, labels: IntArray, settings: "HeadSettings"
) -> LinearLayer:
    """Logistic regression on the projected descriptors, with balanced class weights."""
    from sklearn.linear_model import LogisticRegression

    projection: Projection = settings.project_descriptors(train, labels, settings.wccn)
    vectors = (train.tracks - projection.mean) @ projection.matrix
    length = np.sqrt(np.square(vectors, dtype=np.float64).sum(axis=1).mean())
    regression = LogisticRegression(
        C=settings.prior_variance, class_weight="balanced", max_iter=1000
    )
    regression.fit(vectors / length, labels)
    coefficients, intercepts = _of_each_class(regression.coef_, regression.intercept_)
    weight = projection.matrix.astype(np.float64) @ coefficients / length
    return LinearLayer(weight, intercepts - projection.mean @ weight).centred


HEAD_WCCN = WccnSettings()


@dataclass(frozen=True)
class HeadSettings:
    """How a head is fitted, apart from what validation tracks choose.

    Attributes:
        project_descriptors: the space in which descriptors are classified.
        wccn: settings of that space.
        prior_variance: of the regression's weights (scikit-learn's C), for vectors of unit mean
            squared length.
        fit_descriptors: the layer of the descriptors.
    """

    project_descriptors: Callable[[Activations, IntArray, WccnSettings], Projection] = (
        descriptor_wccn
    )
    wccn: WccnSettings = HEAD_WCCN
    prior_variance: float = 1.0
    fit_descriptors: Callable[[Activations, IntArray, "HeadSettings"], LinearLayer] = (
        fit_logistic_regression
    )


DEFAULT_SETTINGS = HeadSettings()


@dataclass(frozen=True)
class HeadChoice:
    """What is chosen of a head on the validation tracks.

    Attributes:
        descriptor_weight: of the descriptors; the networks get the rest. 0 or 1 where a model has
            the one or the other.
        inverse_temperature: of logits of unit deviation.
    """

    descriptor_weight: float
    inverse_temperature: float


def fit_head(
    train: Activations,
    train_labels: IntArray,
    valid: Activations,
    valid_labels: IntArray,
    settings: HeadSettings = DEFAULT_SETTINGS,
) -> tuple[GenreHead, HeadChoice]:
    """The head of a model, and what was chosen of it.

    Args:
        train: activations of the n tracks the networks were trained on.
        train_labels: np.ndarray [shape=(n,)].
        valid: activations of the m validation tracks, which choose temperature and weights.
        valid_labels: np.ndarray [shape=(m,)].
        settings: how.
    """
    groups = _group_layers(train, train_labels, settings)
    logits = {name: group.logits(valid.tracks) for name, group in groups.items()}

    def loss(choice: HeadChoice) -> float:
        mixed = sum(_weights(choice)[name] * found for name, found in logits.items())
        return log_loss(_softmax(choice.inverse_temperature * np.asarray(mixed)), valid_labels)

    alone = {"networks": 0.0, "descriptors": 1.0}
    weights = DESCRIPTOR_WEIGHTS if len(groups) > 1 else (alone[next(iter(groups))],)
    grid = itertools.product(weights, INVERSE_TEMPERATURES)
    choice = min(itertools.starmap(HeadChoice, grid), key=loss)
    return _head(groups, choice), choice


def refit_head(
    train: Activations,
    labels: IntArray,
    choice: HeadChoice,
    settings: HeadSettings = DEFAULT_SETTINGS,
) -> GenreHead:
    """A head for which nothing is left to choose.

    Args:
        train: activations of the n tracks the networks were trained on.
        labels: np.ndarray [shape=(n,)].
        choice: weight and temperature.
        settings: how.
    """
    return _head(_group_layers(train, labels, settings), choice)


def _head(groups: Mapping[str, LinearLayer], choice: HeadChoice) -> GenreHead:
    weights = [choice.inverse_temperature * _weights(choice)[name] for name in groups]
    layer = _weighted_sum(list(groups.values()), weights)
    return GenreHead(layer.weight.astype(np.float32), layer.bias.astype(np.float32))


def _weights(choice: HeadChoice) -> dict[str, float]:
    return {"networks": 1 - choice.descriptor_weight, "descriptors": choice.descriptor_weight}


def _group_layers(
    train: Activations, labels: IntArray, settings: HeadSettings
) -> dict[str, LinearLayer]:
    """The layer of the networks, and of the descriptors, where a model has them."""
    groups = {}
    if networks := train.layout.networks:
        layers = [_network_layer(train, labels, values) for values in networks]
        groups["networks"] = _weighted_sum(layers, [1.0] * len(layers))
    if train.layout.descriptors is not None:
        groups["descriptors"] = settings.fit_descriptors(train, labels, settings)
    return {name: layer.scaled(train.tracks) for name, layer in groups.items()}


def _network_layer(train: Activations, labels: IntArray, values: slice) -> LinearLayer:
    """LDA of one network, its logits of unit deviation; the other activations have weight 0."""
    own = train.tracks[:, values]
    mean = own.mean(axis=0, dtype=np.float64)
    deviation = np.maximum(own.std(axis=0, dtype=np.float64), 1e-6)
    found = _lda_layer((own - mean) / deviation, labels).centred
    scaled = LinearLayer(
        found.weight / deviation[:, None], found.bias - (mean / deviation) @ found.weight
    ).scaled(own)
    weight = np.zeros((train.tracks.shape[1], scaled.weight.shape[1]))
    weight[values] = scaled.weight
    return LinearLayer(weight, scaled.bias)


def _lda_layer(values: Doubles, labels: IntArray) -> LinearLayer:
    """LDA of standardised values [n, d], all classes equally likely."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    classes = len(np.unique(labels))
    lda = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto", priors=np.full(classes, 1 / classes)
    )
    lda.fit(values, labels)
    return LinearLayer(*_of_each_class(lda.coef_, lda.intercept_))


def _of_each_class(coefficients: Doubles, intercepts: Doubles) -> tuple[Doubles, Doubles]:
    """Weights [d, n_classes] and biases [n_classes] of a classifier of scikit-learn.

    For two classes it gives only the difference of their logits.
    """
    if len(coefficients) == 1:
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    return coefficients.T, intercepts


def _softmax(logits: Doubles) -> npt.NDArray[np.float32]:
    from scipy.special import softmax

    probabilities: npt.NDArray[np.float32] = softmax(logits, axis=1).astype(np.float32)
    return probabilities
