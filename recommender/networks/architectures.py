"""All architectures, which register themselves as they are imported; imports torch."""

from recommender.networks.base import GenreNetwork, ModelEntry
from recommender.networks.conv1d import Conv1dNetwork
from recommender.networks.conv1d_encoder import Conv1dEncoder
from recommender.networks.conv2d import Conv2dNetwork
from recommender.networks.conv2d_encoder import Conv2dEncoder
from recommender.networks.lstm import Lstm
from recommender.networks.registry import create_model, model_names, register_model, registered
from recommender.networks.resnet import ResNet50, ResNet50V2, ResNet101
from recommender.networks.transformer import Transformer

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
