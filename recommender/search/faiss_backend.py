"""What is computed with FAISS: flat search on CPU or GPU, and nearest neighbours by cells.

The only module that imports faiss, and only when something is searched.
Shapes: n rows of d dimensions, q queries, k results for each.
"""

import threading
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, cast

import numpy as np

from recommender.errors import RecsysError, UsageError
from recommender.search.exact_search import ExactSearch
from recommender.search.ranker import without_self
from recommender.utils.arrays import FloatArray, IntArray

Device = Literal["auto", "cpu", "cuda"]
"""Where FAISS searches: ``auto`` is a GPU when FAISS sees one, else the CPU."""

FAISS_BUILDS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12", "faiss-gpu-cuvs")
"""Distributions on PyPI that all install the same module `faiss`, over one another's files."""

LARGEST_GPU_K = 2048
"""FAISS's limit on k for GPU indexes; a longer list is searched on the CPU."""


@dataclass(frozen=True)
class CellSettings:
    """How the neighbours of all tracks are found when an index is built.

    Attributes:
        exact_up_to: tracks of whose catalogue every neighbour is found; in a larger one cells
            (an inverted file) find nearly all, in less time.
        cells_per_root: with n tracks, ``cells_per_root * sqrt(n)`` cells divide the space.
        probed: cells that are searched for each track.
    """

    exact_up_to: int = 20_000
    cells_per_root: int = 2
    probed: int = 64


DEFAULT_CELLS = CellSettings()


def import_faiss() -> Any:
    """The module `faiss`; raises `RecsysError` where two builds of it overwrite each other."""
    installed = [name for name in FAISS_BUILDS if _is_installed(name)]
    if len(installed) > 1:
        every, others = " ".join(installed), [name for name in installed if name != "faiss-cpu"]
        raise RecsysError(
            f"{' and '.join(installed)} are installed together and break each other. "
            f"Run 'pip uninstall -y {every}' and then 'pip install {others[0]}' "
            "(or 'pip install faiss-cpu' on a machine without a GPU)."
        )
    import faiss

    return faiss


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def gpu_resources(device: Device) -> Any:
    """FAISS's resources on a GPU, or None where the search is to be on the CPU.

    Raises `UsageError` for an unknown device, and for ``cuda`` where FAISS sees no GPU.
    """
    faiss = import_faiss()
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"the device is auto, cpu or cuda, not {device!r}.")
    visible = device != "cpu" and faiss.get_num_gpus() > 0
    if device == "cuda" and not visible:
        raise UsageError(
            "FAISS sees no GPU. Choose the device cpu, or, on a machine with an NVIDIA GPU, run "
            "'pip uninstall -y faiss-cpu' and then 'pip install faiss-gpu'."
        )
    return faiss.StandardGpuResources() if visible else None


def flat_search(rows: FloatArray, gpu: Any) -> ExactSearch:
    """An exact search of `rows` [n, d], on a GPU where its resources are given.

    Several threads may search at once: on the CPU in parallel, on a GPU one after another.
    """
    faiss = import_faiss()
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(np.ascontiguousarray(rows))
    on_gpu = None if gpu is None else faiss.index_cpu_to_gpu(gpu, 0, flat)
    one_at_a_time = threading.Lock()  # FAISS's GPU indexes are not safe for concurrent searches

    def coarse(queries: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        if on_gpu is None or k > LARGEST_GPU_K:
            scores, found = flat.search(queries, k)
        else:
            with one_at_a_time:
                scores, found = on_gpu.search(queries, k)
        return cast(FloatArray, scores), cast(IntArray, found)

    # A view of FAISS's own memory, which lives as long as `coarse`, and so as the search.
    held = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d) if flat.ntotal else []
    return ExactSearch(np.asarray(held, dtype=np.float32).reshape(-1, flat.d), coarse)


def nearest_by_cells(
    vectors: FloatArray, k: int, settings: CellSettings = DEFAULT_CELLS
) -> tuple[IntArray, FloatArray]:
    """Nearly all of the nearest others of every row, in time that grows as n^1.5.

    Where fewer than k are found, FAISS fills up with cosines far below 0, which count as 0 in
    query expansion.

    Args:
        vectors: np.ndarray [shape=(n, d)], of length 1.
        k: neighbours of each.
        settings: of the cells.

    Returns:
        rows and cosines, np.ndarray [shape=(n, k)] each; see `reranking.Nearest`.
    """
    faiss = import_faiss()
    count, dimension = vectors.shape
    cells = int(settings.cells_per_root * np.sqrt(count))
    index = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(dimension), dimension, cells, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.seed, index.cp.max_points_per_centroid = 0, 64
    index.train(vectors)
    index.add(vectors)
    index.nprobe = settings.probed
    cosines, rows = index.search(vectors, k + 1)
    return without_self(rows, cosines, np.arange(count))
