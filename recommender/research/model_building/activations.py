"""Activations of a model: those of its networks, followed by descriptors. numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.features.descriptors import DIMENSION
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True)
class ActivationLayout:
    """Which values of a vector of activations come from which part of the model.

    Attributes:
        networks: of each network, in their order; they come first.
        descriptors: of the handcrafted descriptors (`features.descriptors`), the last; or None.
    """

    networks: tuple[slice, ...]
    descriptors: slice | None

    @classmethod
    def of(cls, networks: Sequence[int], descriptors: bool) -> "ActivationLayout":
        """Layout of a model.

        Args:
            networks: number of activations of each network; may be empty.
            descriptors: whether descriptors follow them.
        """
        ends = [sum(networks[: i + 1]) for i in range(len(networks))]
        slices = (slice(end - size, end) for end, size in zip(ends, networks, strict=True))
        total = sum(networks)
        return cls(tuple(slices), slice(total, total + DIMENSION) if descriptors else None)

    @property
    def all_networks(self) -> slice:
        """The activations of all networks together; empty where there is none."""
        return slice(0, self.networks[-1].stop if self.networks else 0)


@dataclass(frozen=True, eq=False)
class Activations:
    """Activations of n tracks.

    Attributes:
        tracks: np.ndarray [shape=(n, d)], float32, of each whole track.
        clips: np.ndarray [shape=(n, c, d)], float32, of c clips of each.
        layout: of the d values.
        low_passed: np.ndarray [shape=(n, d)], float32, of the tracks, low-pass filtered; None where
            there are no descriptors.
        artists: of each track, blank where unknown; empty where none is known.
    """

    tracks: FloatArray
    clips: FloatArray
    layout: ActivationLayout
    low_passed: FloatArray | None = None
    artists: Sequence[str] = ()
