"""The track that is least like a seed."""

import numpy as np

from recommender.catalog import Catalog
from recommender.catalog.records import Track
from recommender.errors import NothingAnalysed
from recommender.recommendation.mix_seeds import unit_of
from recommender.recommendation.seeds import SearchSeed
from recommender.recommendation.snapshot import Snapshot
from recommender.search.score_space import ScoreSpace

_ROWS = 8192
_CANDIDATES = 16


def farthest_track(catalog: Catalog, snapshot: Snapshot, seed: SearchSeed) -> tuple[Track, float]:
    """The track with the lowest cosine to a seed, and that cosine.

    Raises `NothingAnalysed` where there is no track but the seed.
    """
    space = ScoreSpace(snapshot.index)
    unit = unit_of(seed, space)
    rows = np.flatnonzero(snapshot.present())
    rows = rows[rows != seed.row] if seed.row is not None else rows
    parts = [space.units(rows[at : at + _ROWS]) @ unit for at in range(0, len(rows), _ROWS)]
    cosines = np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)
    order = np.argsort(cosines, kind="stable")
    for at in range(0, len(order), _CANDIDATES):  # the first few may be gone since
        chosen = order[at : at + _CANDIDATES]
        ids = snapshot.index.ids[rows[chosen]].tolist()
        there = catalog.present(ids)
        for track_id, cosine in zip(ids, cosines[chosen].tolist(), strict=True):
            if track_id in there:
                return there[track_id], float(np.clip(cosine, -1, 1))
    raise NothingAnalysed("there is no other track to compare with.")
