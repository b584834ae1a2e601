"""The projections that `joint_whitening.py` compares."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from joint_worlds import WIDTH, World

from recommender.embedding.projection import Projection
from recommender.projections.lda import (
    SHRINKAGE,
    Scaling,
    concatenate,
    fit_lda,
    standard_scale,
)
from recommender.projections.nca import NcaSettings, fit_nca
from recommender.projections.wccn import WccnSettings, fit_wccn
from recommender.research.model_building.activations import ActivationLayout, Activations
from recommender.research.model_building.projection_search import part_scaling
from recommender.utils.arrays import FloatArray, unit_rows

LDA_WEIGHT = 0.15
MANY_COMPONENTS = WccnSettings(components=300)


@dataclass(frozen=True)
class Variant:
    """One row.

    Attributes:
        lda_weight: of the linear discriminants.
        wccn, shrinkage: settings of the two parts.
        network: factor of the networks' standardised activations; 0: descriptors alone.
        lda_network: the same in LDA; None: as `network`.
        columns: first and last of what is stored of a network: the last layer's means
            alone, or inner layers too.
        networks_low_passed: whether copies went through the network, too.
        centred: share of the gallery's own mean in the mean that is subtracted.
        nca: settings of the refinement; None: not refined.
        views: that are queries beside the tracks.
    """

    name: str
    lda_weight: float = LDA_WEIGHT
    wccn: WccnSettings = MANY_COMPONENTS
    shrinkage: float = SHRINKAGE
    network: float = 1.0
    lda_network: float | None = None
    columns: tuple[int, int | None] = (0, WIDTH)
    networks_low_passed: bool = True
    centred: float = 0.0
    nca: NcaSettings | None = None
    views: tuple[str, ...] = ("clips", "low-passed")

    @property
    def chance(self) -> bool:
        """Whether another seed of the network gives other vectors."""
        return bool(self.network or self.lda_network)

    def projection(self, training: Activations, labels: np.ndarray) -> Projection:
        factor = self.network if self.lda_network is None else self.lda_network
        parts = [self._wccn(training, rows_of(training, self.network))]
        weights = [1 - self.lda_weight]
        if self.lda_weight:
            own = rows_of(training, factor)
            scaling = scaling_of(training.layout, factor)
            lda = fit_lda(training.tracks[:, own], labels, self.shrinkage, scaling)
            parts.append(embedded(lda, training, own))
            weights.append(self.lda_weight)
        combined = concatenate(parts, weights, training.tracks)
        if self.nca is None:
            return combined
        assert training.low_passed is not None
        views = list(training.clips.transpose(1, 0, 2)) if "clips" in self.views else []
        if "low-passed" in self.views:
            views.append(training.low_passed)
        return fit_nca(combined, training.tracks, views, labels, training.artists, self.nca)

    def _wccn(self, training: Activations, own: slice) -> Projection:
        assert training.low_passed is not None
        low_passed = training.low_passed.copy()
        if not self.networks_low_passed:
            networks = training.layout.all_networks
            low_passed[:, networks] = training.tracks[:, networks]
        fitted = fit_wccn(
            training.tracks[:, own],
            training.clips[:, :, own],
            training.artists,
            low_passed[:, own],
            self.wccn,
            scaling_of(training.layout, self.network),
        )
        return embedded(fitted, training, own)

    def vectors(self, world: World) -> tuple[FloatArray, FloatArray]:
        training = world.training.activations(slice(*self.columns))
        gallery = world.gallery.activations(slice(*self.columns))
        projection = self.projection(training, world.labels)
        assert gallery.low_passed is not None
        tracks = projection.affine(gallery.tracks)
        mean = self.centred * tracks.mean(axis=0)
        return unit_rows(tracks - mean), unit_rows(projection.affine(gallery.low_passed) - mean)


def rows_of(training: Activations, factor: float) -> slice:
    """All activations, or the descriptors where the networks' factor is 0."""
    descriptors = training.layout.descriptors
    assert descriptors is not None
    return slice(0 if factor else descriptors.start, descriptors.stop)


def embedded(fitted: Projection, training: Activations, own: slice) -> Projection:
    """A projection of some activations as one of all."""
    matrix = np.zeros((training.tracks.shape[1], fitted.matrix.shape[1]), dtype=np.float32)
    matrix[own] = fitted.matrix
    return Projection(training.tracks.mean(axis=0), matrix)


def scaling_of(layout: ActivationLayout, factor: float) -> Scaling:
    return part_scaling(layout, factor) if factor else standard_scale


def variants() -> Iterator[Variant]:
    """All rows: those refined by NCA, linear ones, and combinations."""
    yield Variant("descriptors alone", network=0.0)
    yield Variant("joint whitening")
    yield from refined_variants()
    yield from linear_variants()
    yield from combined_variants()


def refined_variants() -> Iterator[Variant]:
    nca = NcaSettings(penalty=0.1)
    yield Variant("descriptors alone, NCA", network=0.0, nca=nca)
    yield Variant("joint whitening, NCA", nca=nca)
    for penalty in (0.01, 0.03, 0.3):
        settings = NcaSettings(penalty=penalty)
        yield Variant(f"joint whitening, NCA, penalty {penalty:g}", nca=settings)
    for temperature in (0.02, 0.05, 0.1):
        settings = NcaSettings(temperature=temperature, penalty=0.1)
        yield Variant(f"joint whitening, NCA, temperature {temperature:g}", nca=settings)
    for weight in (0.05, 0.1):
        yield Variant(f"joint whitening, NCA, LDA weight {weight:g}", lda_weight=weight, nca=nca)
    for factor in (0.5, 0.7, 1.5):
        yield Variant(f"joint whitening, NCA, network scale {factor:g}", network=factor, nca=nca)
    name = "descriptor WCCN, joint LDA, NCA"
    yield Variant(name, network=0.0, lda_network=1.0, nca=nca)
    for components in (150, 450):
        settings = WccnSettings(components=components)
        yield Variant(f"joint whitening, NCA, {components} components", wccn=settings, nca=nca)
    for views in (("low-passed",), ()):
        name = f"joint whitening, NCA, views {', '.join(views) or 'none'}"
        yield Variant(name, nca=nca, views=views)
    inner = (0, 2 * WIDTH)
    yield Variant("joint whitening, NCA, last layer's deviations too", columns=inner, nca=nca)


def combined_variants() -> Iterator[Variant]:
    """More than one setting changed, after the rows before."""
    for components in (100, 150, 200):
        wccn = WccnSettings(components=components)
        for penalty in (0.03, 0.1):
            for weight in (0.1, 0.15):
                for factor in (0.7, 1.0):
                    yield Variant(
                        f"{components} components, NCA {penalty:g}, LDA {weight:g}, "
                        f"network {factor:g}",
                        lda_weight=weight,
                        wccn=wccn,
                        network=factor,
                        nca=NcaSettings(penalty=penalty),
                    )
    for factor in (0.0, 1.0):
        name = f"150 components, network {factor:g}, not refined"
        yield Variant(name, wccn=WccnSettings(components=150), network=factor)
    for components in (150, 300):
        for penalty in (0.03, 0.1):
            yield Variant(
                f"{components} components, NCA {penalty:g}, LDA 0.15, descriptors alone",
                wccn=WccnSettings(components=components),
                network=0.0,
                nca=NcaSettings(penalty=penalty),
            )


def linear_variants() -> Iterator[Variant]:
    yield Variant("joint WCCN, descriptor LDA", lda_network=0.0)
    yield Variant("descriptor WCCN, joint LDA", network=0.0, lda_network=1.0)
    yield Variant("low-passed copies not through the network", networks_low_passed=False)
    for weight in (0.0, 0.05, 0.1, 0.2, 0.3):
        yield Variant(f"LDA weight {weight:g}", lda_weight=weight)
    for factor in (0.5, 1.5, 2.0, 3.0):
        yield Variant(f"network scale {factor:g}", network=factor)
    yield Variant("inner: last layer's deviations too", columns=(0, 2 * WIDTH))
    yield Variant("inner: last two layers", columns=(0, 4 * WIDTH))
    yield Variant("inner: all layers", columns=(0, None))
    yield Variant("inner: second layer", columns=(2 * WIDTH, 4 * WIDTH))
    for components in (150, 450):
        yield Variant(f"{components} components", wccn=WccnSettings(components=components))
    for shrinkage in (0.15, 0.6):
        yield Variant(
            f"WCCN shrinkage {shrinkage:g}", wccn=replace(MANY_COMPONENTS, shrinkage=shrinkage)
        )
    for shrinkage in (0.25, 0.75):
        yield Variant(f"LDA shrinkage {shrinkage:g}", shrinkage=shrinkage)
    for share in (0.5, 1.0):
        yield Variant(f"centred on the gallery {share:g}", centred=share)
        name = f"descriptors alone, centred on the gallery {share:g}"
        yield Variant(name, network=0.0, centred=share)
