"""The paired permutation test.

Were two systems equal, the sign of each query's difference would be a coin's toss. p is the share
of such tosses whose mean is as far from 0 as that found, on either side (Fisher, "The Design of
Experiments", 1935, section 21; for retrieval: Smucker, Allan & Carterette, "A comparison of
statistical significance tests for information retrieval evaluation", CIKM 2007).
"""

import numpy as np

from recommender.errors import RecsysError
from recommender.utils.arrays import Scores

TOSS_CELLS = 2**21
"""Signs tossed at a time, whatever the number of queries: about 30 MB of work space."""


def sign_flip_p(differences: Scores, tosses: int = 9_999, seed: int = 0) -> float:
    """p of the two-sided test that paired differences have no direction.

    Args:
        differences: np.ndarray [shape=(n,)], finite.
        tosses: of the signs of all; all 2^n patterns are tried where that is no more.
        seed: of the tosses.

    Raises:
        RecsysError: SciPy is not installed.
    """
    try:
        from scipy.stats import permutation_test
    except ImportError as error:
        raise RecsysError("this test needs SciPy: pip install 'recommender[study]'.") from error
    unequal = differences[differences != 0]  # flipping a zero changes nothing
    if len(unequal) < 2:
        return 1.0  # of one, either sign is as likely; SciPy wants two
    # With one sample, this kind of permutation flips the sign of each observation.
    outcome = permutation_test(
        (unequal,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=tosses,
        batch=max(1, TOSS_CELLS // len(unequal)),
        random_state=np.random.default_rng(seed),
    )
    return float(outcome.pvalue)
