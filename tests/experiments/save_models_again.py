"""Save the projection and the genre head of models again, in the present file format.

    python tests/experiments/save_models_again.py data/weights/*

The digests in the cards, and with them the embedding spaces, stay as they are.
"""

import sys
from pathlib import Path

from recommender.embedding.model_files import HEAD, PROJECTION, ModelFiles


def save_again(folder: Path) -> None:
    """Rewrite the two files of one model's folder."""
    model = ModelFiles(folder)
    head, projection = model.head(), model.projection()
    head.save(folder / HEAD)
    projection.save(folder / PROJECTION)
    assert ModelFiles(folder).projection().digest == projection.digest


if __name__ == "__main__":
    for name in sys.argv[1:]:
        save_again(Path(name))
