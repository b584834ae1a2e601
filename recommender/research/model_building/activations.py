"""What a model's activations consist of: those of its networks, then descriptors. numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass

from recommender.features.descriptors import DIMENSION
from recommender.utils.arrays import FloatArray


@dataclass(frozen=True)
class ActivationLayout:
    """Where the parts lie in a vector of activations.

    Attributes:
        networks: of each network, in their order; they come first.
        descriptors: of the handcrafted descriptors (`descriptors.describe`), the last; or None.
    """

    networks: tuple[slice, ...]
    descriptors: slice | None

    @classmethod
    def of(cls, networks: Sequence[int], descriptors: bool) -> "ActivationLayout":
        """ActivationLayout of a model.

        Args:
            networks: number of activations of each network; may be empty.
            descriptors: whether descriptors follow them.
        """
        ends = [sum(networks[: i + 1]) for i in range(len(networks))]
        places = (slice(end - size, end) for end, size in zip(ends, networks, strict=True))
        total = sum(networks)
        return cls(tuple(places), slice(total, total + DIMENSION) if descriptors else None)

    @property
    def all_networks(self) -> slice:
        """The activations of all networks together; empty where there is none."""
        return slice(0, self.networks[-1].stop if self.networks else 0)


@dataclass(frozen=True, eq=False)
class Activations:
    """What a model makes of n tracks.

    Attributes:
        tracks: np.ndarray [shape=(n, d)], float32, of each whole track.
        clips: np.ndarray [shape=(n, c, d)], float32, of c clips of each.
        parts: what lies where in the d values.
        low_passed: np.ndarray [shape=(n, DIMENSION)], float32, descriptors of the tracks with their
            treble cut off (`results.SplitTracks.low_passed`); None where it is not known.
        artists: of each track, blank where unknown; empty where none is.
    """

    tracks: FloatArray
    clips: FloatArray
    layout: ActivationLayout
    low_passed: FloatArray | None = None
    artists: Sequence[str] = ()

    @property
    def without_descriptors(self) -> "Activations":
        """Those of the networks alone."""
        networks = self.layout.all_networks
        parts = ActivationLayout(self.layout.networks, None)
        return Activations(self.tracks[:, networks], self.clips[:, :, networks], parts)
