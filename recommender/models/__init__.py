"""Genre networks of Rush & Datta's comparative study, registered by name.

A network takes standardised log-Mel clips and gives genre logits; the activations before its
classifier are the embedding. This package knows nothing of files, audio or databases.
"""

from recommender.models.base import GenreNetwork, ModelEntry
from recommender.models.conv1d_encoder import Conv1dEncoder
from recommender.models.registry import create_model, model_names, register_model, registered

__all__ = [
    "Conv1dEncoder",
    "GenreNetwork",
    "ModelEntry",
    "create_model",
    "model_names",
    "register_model",
    "registered",
]
