"""Similarity calibration: what a cosine similarity in one embedding space means. numpy only.

A cosine means nothing by itself, as every projection has its own scale. `SimilarityCalibration`
(Platt scaling: Platt, "Probabilistic outputs for support vector machines", 1999) gives the
probability that two tracks so similar, of different artists, are of one genre. Below one half they
are not called close.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SimilarityCalibration:
    """``p = 1 / (1 + exp(-slope * (similarity - midpoint)))`` of similarities in one space.

    Attributes:
        midpoint: the similarity at which p is one half.
        slope: how fast p grows, above 0.
    """

    midpoint: float
    slope: float

    def probability(self, similarity: float) -> float:
        """Probability that two neighbours of this cosine similarity are of one genre."""
        return float(1 / (1 + np.exp(-self.slope * (similarity - self.midpoint))))

    def is_close(self, similarity: float) -> bool:
        """Whether two tracks of this cosine similarity are more likely of one genre than not."""
        return similarity >= self.midpoint
