"""Ingest on a Ray cluster of two nodes: the same catalogue as one machine makes, whatever dies."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sounds
from command_line import RECSYS
from ray_nodes import ray_nodes
from test_pipeline import accounted, write_folder
from test_shared_catalogue import content

from recommender.catalog import Catalog
from recommender.errors import RecsysError, UsageError
from recommender.ingestion import IngestSettings, Outcome, ingest
from recommender.ingestion.report import NoProgress

ALONE = IngestSettings(workers=1, update_index=False)


@pytest.mark.parametrize(
    ("address", "kind", "words"),
    [
        ("nowhere", UsageError, "no address of a Ray cluster"),
        ("127.0.0.1:1", RecsysError, "nothing answers at 127.0.0.1:1"),
        ("no-such-host.invalid:6379", RecsysError, "nothing answers"),
    ],
)
def test_an_address_that_does_not_answer_is_one_line(
    tmp_path: Path, address: str, kind: type[Exception], words: str
) -> None:
    pytest.importorskip("ray")
    sounds.write_sound(tmp_path / "a.wav", sounds.music(2, 22_050), 22_050)
    with Catalog.open(tmp_path / "c.db") as catalog:
        with pytest.raises(kind, match=words) as caught:
            ingest(catalog, [tmp_path], IngestSettings(ray=address))
        assert "\n" not in str(caught.value)
        assert ingest(catalog, [tmp_path], ALONE).analysed == 1


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    pytest.importorskip("ray")
    with ray_nodes(nodes=2, cpus=1) as cluster:
        yield cluster


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    write_folder(folder)
    for seed in range(100, 140):
        sounds.write_sound(folder / f"{seed}.wav", sounds.music(4, 22_050, seed), 22_050)
    return folder


def require_as_alone(catalog: Catalog, music: Path, tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "alone.db") as alone:
        ingest(alone, [music], ALONE)
        assert content(catalog) == content(alone)


@pytest.mark.slow
@pytest.mark.ray
def test_two_nodes_make_the_catalogue_of_one_machine(
    cluster: Any, tmp_path: Path, music: Path
) -> None:
    settings = IngestSettings(ray=cluster.address, workers=8, update_index=False)
    with Catalog.open(tmp_path / "ray.db") as catalog:
        report = ingest(catalog, [music], settings)
        assert accounted(report) == report.scanned
        require_as_alone(catalog, music, tmp_path)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.postgres
def test_a_node_that_dies_costs_its_files_in_flight(
    cluster: Any, tmp_path: Path, music: Path, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    node = next(iter(cluster.worker_nodes))

    class Kills(NoProgress):
        seen = 0

        def done(self, path: Path, outcome: Outcome, reason: str | None = None) -> None:
            self.seen += 1
            if self.seen == 5:
                cluster.remove_node(node, allow_graceful=False)

    settings = IngestSettings(
        ray=cluster.address, workers=8, update_index=False, files_per_transaction=1
    )
    with Catalog.open(postgres_url) as catalog:
        report = ingest(catalog, [music], settings, Kills())
        assert (report.not_reached, report.interrupted) == (0, False)
        assert accounted(report) == report.scanned
        require_as_alone(catalog, music, tmp_path)
    assert "a node of the Ray cluster was lost" in caplog.text
    cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)


@pytest.mark.slow
@pytest.mark.ray
def test_what_answers_and_is_no_ray_is_one_line(tmp_path: Path, music: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        words = ["ingest", str(music), "--ray", address, "--db", str(tmp_path / "x.db")]
        done = subprocess.run([*RECSYS, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"recsys: what answers at {address} is no Ray cluster")
