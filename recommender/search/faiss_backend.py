"""What is computed with FAISS: the cells of a large index, and exact search on a GPU.

The only module that imports faiss, and only when one of them is needed.
Shapes: n rows of d dimensions, q queries, k results for each.
"""

import threading
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, cast

import numpy as np

from recommender.errors import RecsysError, UsageError
from recommender.search.ranker import CoarseSearch
from recommender.utils.arrays import FloatArray, IntArray

Device = Literal["auto", "cpu", "cuda"]
"""Where FAISS searches: ``auto`` is a GPU when FAISS sees one, else the CPU."""

FAISS_BUILDS = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12", "faiss-gpu-cuvs")
"""Distributions on PyPI that all install the same module `faiss`, over one another's files."""


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
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"the device is auto, cpu or cuda, not {device!r}.")
    if device == "cpu" or (device == "auto" and not any(map(_is_installed, FAISS_BUILDS[1:]))):
        return None  # without loading FAISS, which takes longer than a search
    faiss = import_faiss()
    visible = faiss.get_num_gpus() > 0
    if device == "cuda" and not visible:
        raise UsageError(
            "FAISS sees no GPU. Choose the device cpu, or, on a machine with an NVIDIA GPU, run "
            "'pip uninstall -y faiss-cpu' and then 'pip install faiss-gpu'."
        )
    return faiss.StandardGpuResources() if visible else None


def device_search(parts: Iterable[FloatArray], width: int, gpu: Any) -> CoarseSearch:
    """An exact float32 search of rows of `width` components on a GPU; they come part by part.

    Several threads may search: one after another, because FAISS's GPU indexes are not safe for
    concurrent searches.
    """
    faiss = import_faiss()
    flat = faiss.GpuIndexFlatIP(gpu, width)
    for rows in parts:
        flat.add(np.ascontiguousarray(rows))
    one_at_a_time = threading.Lock()

    def search(query: FloatArray, k: int) -> tuple[FloatArray, IntArray]:
        with one_at_a_time:
            scores, found = flat.search(query[None], k)
        return cast(FloatArray, scores[0]), cast(IntArray, found[0])

    return search


def cell_centroids(rows: FloatArray, cells: int) -> FloatArray:
    """Centroids [cells, p] of rows [n, p], float32, by k-means; the same for the same rows."""
    faiss = import_faiss()
    kmeans = faiss.Kmeans(
        rows.shape[1], cells, niter=8, seed=0, max_points_per_centroid=64, min_points_per_centroid=1
    )
    kmeans.train(rows)
    return cast(FloatArray, kmeans.centroids)
