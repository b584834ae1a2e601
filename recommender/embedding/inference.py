"""Networks that serve: on the CPU by ONNX Runtime, elsewhere by torch.

ONNX Runtime loads in a twentieth of torch's time and takes two thirds to three quarters of its time
for a track (`tests/bench/engines.py`). One thread each: parallelism is over tracks.
"""

import logging
from typing import TYPE_CHECKING, Protocol

from recommender.embedding.model_files import ModelFiles
from recommender.errors import WeightsError
from recommender.utils.arrays import FloatArray

if TYPE_CHECKING:
    from recommender.networks import GenreNetwork
    from recommender.networks.musicnn import Musicnn

_log = logging.getLogger(__name__)


class ServingNetwork(Protocol):
    """A network with its weights. Thread-safe."""

    def activations(self, clips: FloatArray) -> FloatArray:
        """[batch, n_mels, frames], each clip standardised → [batch, feature_dim], float32.

        Patches where the network takes those (`networks.graphs.takes_patches`).
        """


def serving_networks(files: ModelFiles, device: str = "cpu") -> list[ServingNetwork]:
    """The networks of a model.

    Args:
        files: the model.
        device: as torch names it. Torch computes on any but ``cpu``, and where an architecture has
            no graph.

    Raises:
        WeightsError: the weights are missing or damaged.
    """
    if device == "cpu":
        graphs = files.graphs()
        if graphs is not None:
            return [OnnxNetwork(graph) for graph in graphs]
        _log.debug("%s has a network without a graph: torch computes it", files.folder)
    return [TorchNetwork(network, device) for network in files.networks()]


class OnnxNetwork:
    """A network computed by ONNX Runtime, on one thread."""

    def __init__(self, model: bytes) -> None:
        """Of an ONNX model (`networks.graphs`). Raises `WeightsError` where it is none."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors are raised; nothing else concerns a listener
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's errors have no base class but this
            reason = " ".join(str(error).split())
            raise WeightsError(f"the weights do not fit their card ({reason}).") from error

    def activations(self, clips: FloatArray) -> FloatArray:
        """See `ServingNetwork.activations`."""
        (result,) = self._session.run(None, {"clips": clips})
        activations: FloatArray = result
        return activations


class TorchNetwork:
    """A network computed by torch."""

    def __init__(self, network: "GenreNetwork | Musicnn", device: str) -> None:
        """Move it to a device, as torch names it."""
        import torch

        # In this memory format two-dimensional convolutions take half the time.
        self._network = network.to(  # type: ignore[call-overload]
            device, memory_format=torch.channels_last
        )
        self._device = device

    def activations(self, clips: FloatArray) -> FloatArray:
        """See `ServingNetwork.activations`."""
        import torch

        with torch.no_grad():
            batch = torch.from_numpy(clips).to(self._device)
            activations: FloatArray = self._network.activations(batch).cpu().numpy()
        return activations
