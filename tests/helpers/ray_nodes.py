"""A Ray cluster on loopback whose nodes are processes that can be killed."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def ray_nodes(nodes: int, cpus: int) -> Iterator[Any]:
    """A `ray.cluster_utils.Cluster` whose head has no CPU, and so many other nodes."""
    import ray
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=cpus, object_store_memory=80 * 2**20)
        yield cluster
    finally:
        with suppress(Exception):
            ray.shutdown()
        cluster.shutdown()
