"""What tables say of tracks that are not close: a mark, and the line that explains it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from recommender.embedding.similarity_scale import SimilarityCalibration


class Listed(Protocol):
    """A track, an artist or an album in a list."""

    @property
    def similarity(self) -> float:
        """Cosine with what the list is to be like."""

    @property
    def close(self) -> bool | None:
        """Whether that is close; None where it cannot be said."""


def marked(listed: Listed) -> str:
    """The similarity, with a mark where it is not close."""
    return f"{listed.similarity:.3f}" + ("*" if listed.close is False else " ")


def explanation(
    listed: Sequence[Listed],
    calibration: "SimilarityCalibration | None",
    nothing: str = "Nothing in the catalogue is close",
) -> str | None:
    """What the marks of a table mean; None where it has none.

    Args:
        listed: the rows.
        calibration: what similarities mean.
        nothing: what is said where every row is marked.
    """
    far = [one for one in listed if one.close is False]
    if not far or calibration is None:
        return None
    return (
        f"* {nothing if len(far) == len(listed) else 'Not close'}: below a similarity of "
        f"{calibration.midpoint:.3f}, two tracks are more likely of different genres than of one."
    )
