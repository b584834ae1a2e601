"""Interrupted and repeated builds, on a toy GTZAN."""

import pytest
from toy_building import FILES, NETWORK, SEEDS, contents

from recommender.embedding.model_files import CARD
from recommender.research.model_building.build import build_model

pytestmark = pytest.mark.usefixtures("small_split")


class TestResuming:
    def test_again_from_the_checkpoints_is_byte_equal(self, network_alone, data) -> None:
        files = (*FILES, CARD, "results.csv")
        before = contents(network_alone.folder, *files)
        epochs = []
        build_model(
            "net",
            NETWORK,
            data,
            network_alone.folder,
            SEEDS,
            command="recsys train net",
            on_epoch=lambda seed, network, report: epochs.append(seed),
        )
        assert contents(network_alone.folder, *files) == before
        assert epochs == []

    def test_interrupted_between_epochs_ends_the_same(self, network_alone, data, tmp_path) -> None:
        def stop(seed: int, network: int, report: object) -> None:
            raise KeyboardInterrupt

        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                build_model("net", NETWORK, data, tmp_path, SEEDS, on_epoch=stop)
            assert not (tmp_path / CARD).exists()
        build_model("net", NETWORK, data, tmp_path, SEEDS)
        assert contents(tmp_path, *FILES) == contents(network_alone.folder, *FILES)
