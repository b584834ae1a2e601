"""What a cosine similarity in one embedding space means. numpy only.

A cosine means nothing by itself, as every projection has its own scale. `SimilarityCalibration`
says how probable it is that two tracks so similar, of different artists, are of one genre. Where
that is under one half, nothing is really close.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SimilarityCalibration:
    """What a similarity in one space means: ``p = 1 / (1 + exp(-slope * (similarity - midpoint)))``.

    Attributes:
        midpoint: the similarity at which p is one half.
        slope: how fast p grows, above 0.
    """

    midpoint: float
    slope: float

    def probability(self, similarity: float) -> float:
        """That two neighbours of this cosine similarity are of one genre."""
        return float(1 / (1 + np.exp(-self.slope * (similarity - self.midpoint))))

    def is_close(self, similarity: float) -> bool:
        """Whether they rather are of one genre than not."""
        return similarity >= self.midpoint
