"""What computing a network costs in each engine: torch, ONNX Runtime, OpenVINO.

For each shipped model with networks, on five windows and one thread: processor milliseconds for a
track (least of `--runs`), and the largest difference from torch's activations. Before it, for each
engine, processor seconds to import it and to load the default model, and resident megabytes then,
each in a process of its own. OpenVINO is left out where it is not installed: `--with FOLDER` names
a folder of packages (`site-packages`) to look in, too.

    OMP_NUM_THREADS=1 python tests/bench/engines.py
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from recommender.embedding.inference import OnnxNetwork, TorchNetwork
from recommender.embedding.model_files import ModelFiles, find_model, shipped_models
from recommender.utils.arrays import FloatArray
from recommender.utils.malloc import reuse_memory_while_analysing

Engine = Callable[[FloatArray], FloatArray]

WINDOWS, N_MELS, FRAMES = 5, 128, 130

LOADING = """
import resource, sys, time
sys.path += sys.argv[2:]
before = time.process_time()
import numpy
from recommender.embedding.model_files import find_model
files = find_model()
base, began = time.process_time() - before, time.process_time()
if sys.argv[1] == "torch":
    import torch
    torch.set_num_threads(1)
    networks = files.networks()
elif sys.argv[1] == "ONNX Runtime":
    from recommender.embedding.inference import serving_networks
    networks = serving_networks(files)
elif sys.argv[1] == "OpenVINO":
    import openvino
    core = openvino.Core()
    networks = [core.compile_model(core.read_model(g), "CPU") for g in files.graphs()]
print(time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
"""


def of_torch(files: ModelFiles) -> list[Engine]:
    import torch

    torch.set_num_threads(1)
    return [TorchNetwork(network, "cpu").activations for network in files.networks()]


def of_onnx_runtime(files: ModelFiles) -> list[Engine]:
    return [OnnxNetwork(graph).activations for graph in files.graphs() or ()]


def of_openvino(files: ModelFiles) -> list[Engine]:
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}

    def engine(graph: bytes) -> Engine:
        model = core.read_model(graph)
        model.reshape([WINDOWS, N_MELS, files.card.network_frames or FRAMES])
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        return lambda clips: request.infer([clips])[0]

    return [engine(graph) for graph in files.graphs() or ()]


ENGINES: dict[str, Callable[[ModelFiles], list[Engine]]] = {
    "torch": of_torch,
    "ONNX Runtime": of_onnx_runtime,
    "OpenVINO": of_openvino,
}


def least_ms(work: Callable[[], object], runs: int) -> float:
    """Least processor milliseconds of several runs, after one to warm up."""
    work()
    spent = []
    for _ in range(runs):
        before = time.process_time()
        work()
        spent.append(1e3 * (time.process_time() - before))
    return min(spent)


def computed(networks: list[Engine], clips: FloatArray) -> list[FloatArray]:
    return [network(clips).copy() for network in networks]


def print_loading(folders: list[str]) -> None:
    print("| engine | import and load, CPU s | MB resident |\n|---|---:|---:|")
    for name in ("nothing", *ENGINES):
        command = [sys.executable, "-c", LOADING, name, *folders]
        found = [subprocess.run(command, capture_output=True, text=True) for _ in range(3)]
        if any(run.returncode for run in found):
            print(f"| {name} | skipped: {found[0].stderr.strip().splitlines()[-1][:80]} | |")
            continue
        seconds, megabytes = min(tuple(map(float, run.stdout.split())) for run in found)
        print(f"| {name} | {seconds:.2f} | {megabytes:.0f} |")


def print_models(runs: int) -> None:
    random = np.random.default_rng(0)
    whole = random.standard_normal((WINDOWS, N_MELS, FRAMES)).astype(np.float32)
    titles = " | ".join(f"{name}, ms | difference" for name in ENGINES)
    print(f"\n| model | {titles} |\n|---|{'---:|' * 2 * len(ENGINES)}")
    for model in shipped_models():
        files: Any = find_model(model)
        if not files.card.networks:
            continue
        clips = np.ascontiguousarray(whole[:, :, : files.card.network_frames or None])
        cells: list[str] = []
        expected: list[FloatArray] = []
        for load in ENGINES.values():
            try:
                networks = load(files)
            except ImportError:
                cells += ["–", "–"]
                continue
            found = computed(networks, clips)
            expected = expected or found
            gap = max(np.abs(one - other).max() for one, other in zip(found, expected, strict=True))
            ms = least_ms(partial(computed, networks, clips), runs)
            cells += [f"{ms:.1f}", f"{gap:.1e}"]
        print(f"| {model} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--with", dest="folders", nargs="*", default=[], metavar="FOLDER")
    options = parser.parse_args()
    sys.path += options.folders
    reuse_memory_while_analysing()
    print_loading(options.folders)
    print_models(options.runs)


if __name__ == "__main__":
    main()
