"""The index follows the catalogue, and its file is only a cache."""

from dataclasses import replace

import numpy as np
import pytest
from toy_world import ToyEmbedder, same_sound

from recommender.catalog import FileStat
from recommender.embedding.space import SpaceId
from recommender.errors import (
    SpaceMismatch,
)
from recommender.recommendation.service import SimilarityService
from recommender.search import mapped_file
from recommender.search.build import merged, written
from recommender.search.index import TrackIndex
from recommender.search.live_tracks import LiveTracks, Segment
from recommender.search.mapped_file import MappedFile


class TestIndexFile:
    def test_it_is_written_once_and_used_by_the_next_service(self, world):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        assert world.names(seed) == ["b"]
        (path,) = world.folder.glob("toy.*.index")
        written = path.stat().st_mtime_ns

        class Refuses(ToyEmbedder):
            def project(self, activations: np.ndarray) -> np.ndarray:
                assert len(activations) == 1, "the index was built again"
                return super().project(activations)

        service = SimilarityService(world.catalog, Refuses(), ToyEmbedder, "cpu", same_sound)
        assert [n.track.path for n in service.similar(seed)] == ["b.ogg"]
        assert path.stat().st_mtime_ns == written

    def test_a_changed_catalogue_is_seen_at_once(self, world):
        seed = world.add("a.ogg", 0)
        far = world.add("far.ogg", 90)
        assert world.names(seed) == ["far"]
        near = world.add("near.ogg", 20)
        assert world.names(seed) == ["near", "far"]
        with world.catalog.writing() as write:
            write.missing([near])
        assert world.names(seed) == ["far"]
        with world.catalog.writing() as write:
            write.found_again([near])
            library, _ = world.catalog.scope_of(world.folder / "music")
            write.failed(library, FileStat("far.ogg", 2, 2), "unreadable", "no sound in it")
        assert world.names(seed) == ["near"]
        assert world.catalog.track(far).state == "failed"

    @pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other catalogue"])
    def test_a_bad_file_is_replaced(self, world, damage):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        assert world.names(seed) == ["b"]
        (path,) = world.folder.glob("toy.*.index")
        whole = path.read_bytes()
        if damage == "other catalogue":
            base = TrackIndex.open(path).tracks.base
            another = replace(base.facts, state=replace(base.facts.state, catalog="another"))
            columns = {name: values[:] for name, values in base.columns.items()}
            written(path, merged(LiveTracks(base, Segment.empty(base))), columns, another)
        else:
            flipped = whole[:-50] + bytes([whole[-50] ^ 4]) + whole[-49:]
            path.write_bytes({"truncated": whole[:-9], "flipped": flipped, "empty": b""}[damage])
        service = SimilarityService(world.catalog, ToyEmbedder(), ToyEmbedder, "cpu")
        assert [n.track.path for n in service.similar(seed)] == ["b.ogg"]
        assert TrackIndex.open(path).ids.tolist() == [1, 2]
        assert TrackIndex.open(path).state == world.catalog.state()

    def test_a_large_damaged_file_is_replaced_while_it_answers(self, world, caplog, monkeypatch):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        assert world.names(seed) == ["b"]
        (path,) = world.folder.glob("toy.*.index")
        content = bytearray(path.read_bytes())
        vectors = MappedFile.open(path).arrays["cosine_head"].tobytes()
        at = content.index(vectors)
        content[at : at + len(vectors)] = bytes(len(vectors))
        path.write_bytes(content)
        monkeypatch.setattr(mapped_file, "CHECKED_AT_OPENING", 0)
        parts = (world.catalog, ToyEmbedder(), ToyEmbedder, "cpu", same_sound)
        with SimilarityService(*parts) as service:
            service.similar(seed)
            service._snapshots.close()  # waits for what it does in the background
            (found,) = service.similar(seed)
        assert found.similarity == pytest.approx(np.cos(np.radians(20)))
        assert "was changed at byte" in caplog.text
        MappedFile.open(path).verify()

    def test_a_file_of_an_older_version_is_replaced_without_a_word(
        self, world, caplog, monkeypatch
    ):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        monkeypatch.setattr(mapped_file, "FORMAT", "recsys-index-1")
        assert world.names(seed) == ["b"]
        (path,) = world.folder.glob("toy.*.index")
        old = path.read_bytes()
        monkeypatch.undo()
        service = SimilarityService(world.catalog, ToyEmbedder(), ToyEmbedder, "cpu")
        assert [n.track.path for n in service.similar(seed)] == ["b.ogg"]
        assert path.read_bytes() != old
        assert TrackIndex.open(path).ids.tolist() == [1, 2]
        assert caplog.text == ""

    def test_a_folder_that_cannot_be_written_costs_only_time(self, world, caplog):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        state = world.catalog.state()
        world.service.catalog_index.path(state).mkdir()  # a folder where the file should be
        assert world.names(seed) == ["b"]
        assert "cannot be saved" in caplog.text

    def test_one_bad_vector_harms_no_other_track(self, world, caplog):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        world.add("bad.ogg", float("nan"))
        assert world.names(seed) == ["b"]
        assert "1 tracks have no usable embedding" in caplog.text

    def test_another_active_space_is_refused(self, world):
        seed = world.add("a.ogg", 0)
        world.add("b.ogg", 20)
        other = SpaceId("other", "w", "h")
        world.catalog.set_active(other, {})
        world.add("c.ogg", 30, space=other)
        with pytest.raises(SpaceMismatch):
            world.service.similar(seed)
