"""Genre networks of Rush & Datta's comparative study, registered by name.

A network takes standardised log-Mel clips and gives genre logits; the activations before its
classifier are the embedding. This package knows nothing of files, audio or databases.

The names in ``__all__`` import torch on first use, for training. `graphs` does without: it makes
ONNX models of the weights, which serve.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recommender.networks.architectures import (
        Conv1dEncoder,
        Conv1dNetwork,
        Conv2dEncoder,
        Conv2dNetwork,
        GenreNetwork,
        Lstm,
        ModelEntry,
        ResNet50,
        ResNet50V2,
        ResNet101,
        Transformer,
        create_model,
        model_names,
        register_model,
        registered,
    )

__all__ = [
    "Conv1dEncoder",
    "Conv1dNetwork",
    "Conv2dEncoder",
    "Conv2dNetwork",
    "GenreNetwork",
    "Lstm",
    "ModelEntry",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "Transformer",
    "create_model",
    "model_names",
    "register_model",
    "registered",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("recommender.networks.architectures"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
