"""An index that was changed on the disk is never searched."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalog.records import CatalogState
from recommender.embedding.space import SpaceId
from recommender.errors import IndexDamaged
from recommender.search import mapped_file
from recommender.search.index import TrackIndex
from recommender.search.mapped_file import BLOCK, MappedFile, block_sums
from recommender.search.reranking import RerankingSettings


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bits") / "toy.index"
    vectors = np.random.default_rng(0).normal(size=(1500, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    TrackIndex.build(
        np.arange(1, 1501),
        vectors,
        SpaceId("m", "w", "a", "p"),
        CatalogState("c", 1),
        path=path,
        columns={"view": vectors[:, :3].copy()},
        settings=RerankingSettings(k=3),
    )
    return path


def changed(index: Path, folder: Path, at: int, value: bytes) -> Path:
    content = bytearray(index.read_bytes())
    content[at : at + len(value)] = value
    path = folder / "changed.index"
    path.write_bytes(content)
    return path


@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_found_at_opening(
    index: Path, tmp_path_factory: pytest.TempPathFactory, share: float, bit: int
) -> None:
    content = index.read_bytes()
    at = int(share * len(content))
    flipped = bytes([content[at] ^ (1 << bit)])
    with pytest.raises(IndexDamaged):
        TrackIndex.open(changed(index, tmp_path_factory.getbasetemp(), at, flipped))


def test_zeros_and_blocks_in_other_places_are_found(index: Path, tmp_path: Path) -> None:
    content = index.read_bytes()
    one, other = content[BLOCK : 2 * BLOCK], content[2 * BLOCK : 3 * BLOCK]
    assert one != other
    for value in (other + one, bytes(4096)):
        with pytest.raises(IndexDamaged, match="at byte 65,536 or after it"):
            TrackIndex.open(changed(index, tmp_path, BLOCK, value))


def test_a_large_file_is_checked_when_it_is_asked_for(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped_file, "CHECKED_AT_OPENING", 0)
    whole = MappedFile.open(index)
    assert not whole.is_checked
    whole.verify()
    assert whole.is_checked
    damaged = MappedFile.open(changed(index, tmp_path, 3 * BLOCK, b"\1\2\3\4"))
    with pytest.raises(IndexDamaged, match="the next query builds it again"):
        damaged.verify()


@given(st.binary(max_size=200_000))
def test_sums_are_those_of_the_blocks(content: bytes) -> None:
    content = content[: len(content) // 8 * 8]
    words = np.frombuffer(content, dtype="<u8").astype(object)
    step = BLOCK // 8
    expected = [sum(words[at : at + step]) % 2**64 for at in range(0, len(words), step)]
    assert block_sums(np.frombuffer(content, np.uint8)).tolist() == expected
