"""Round projections and genre heads of models to float16; save them in the present format.

    python tests/experiments/save_models_again.py data/weights/*

For models saved by version 0.1, which wrote float32. The weights stay as they are, so no track must
be analysed again: the next `recsys ingest` of a catalogue adopts the rounded projection and head.
"""

import dataclasses
import sys
from pathlib import Path

from recommender.embedding.model_files import CARD, HEAD, PROJECTION, ModelFiles


def save_again(folder: Path) -> None:
    """Rewrite the head, the projection and their digests in the card of one model's folder."""
    model = ModelFiles(folder)
    head, projection = model.head().rounded(), model.projection().rounded()
    card = dataclasses.replace(
        model.card, head_digest=head.digest, projection_digest=projection.digest
    )
    head.save(folder / HEAD)
    projection.save(folder / PROJECTION)
    card.write(folder / CARD)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        save_again(Path(name))
