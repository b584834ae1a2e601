"""What `verify` finds in a catalogue damaged in each way, and what it repairs."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from recommender.catalog import Catalog, FileStat, Library, Tags, TrackState
from recommender.catalog.activation_blob import encode
from recommender.embedding.model_files import find_model
from recommender.embedding.space import Analysis
from recommender.ingestion import IngestSettings
from recommender.ingestion.content_hash import hash_content, hash_file
from recommender.ingestion.ignore_files import IGNORE_FILE
from recommender.ingestion.three_block_hash import hash_three_blocks
from recommender.ingestion.worker_limits import FileLimits
from recommender.search import mapped_file
from recommender.search.base import BaseFacts, Effort
from recommender.search.build import prepared, written
from recommender.search.catalog_index import CatalogIndex
from recommender.search.reranking import DEFAULT_SETTINGS, RerankingSettings
from recommender.search.staging import Staged
from recommender.verification import Finding, verify

SETTINGS = IngestSettings(workers=1)
SPACE = SETTINGS.space()
DIMENSION = len(find_model(SETTINGS.model).projection().mean)


def analysis(seed: int) -> Analysis:
    activations = np.random.default_rng(seed).normal(size=DIMENSION)
    activations = activations.astype(np.float16).astype(np.float32)
    return Analysis(activations, {"rock": 0.75, "folk": 0.25}, 60.0, ((0.0, 10.0),), SPACE)


@dataclass
class World:
    """Files that were never sound, and a catalogue that says they were analysed."""

    catalog: Catalog
    library: Library

    @property
    def root(self) -> Path:
        return self.library.root

    def stat(self, name: str) -> FileStat:
        found = (self.root / name).stat()
        return FileStat(name, found.st_size, found.st_mtime_ns)

    def add(self, name: str, seed: int) -> int:
        (self.root / name).write_bytes(name.encode())
        with self.catalog.writing() as write:
            return write.analysed(
                self.library,
                self.stat(name),
                hash_content(self.root / name),
                Tags(title=name),
                analysis(seed),
                "test",
            )

    def fail(self, name: str) -> None:
        with self.catalog.writing() as write:
            write.failed(self.library, self.stat(name), "unreadable", "no sound in it")

    def track_id(self, name: str) -> int:
        track = self.catalog.track_at(self.root / name)
        assert track is not None
        return track.id

    def state(self, name: str) -> TrackState:
        return self.catalog.track(self.track_id(name)).state

    def damage_vector(self, name: str, value: float) -> None:
        """Overwrite the stored activations behind the catalogue's back."""
        bad = Analysis(np.full(DIMENSION, value, np.float32), {}, 60.0, (), SPACE)
        with self.catalog.writing() as write:
            content_hash = hash_content(self.root / name)
            write.analysed(self.library, self.stat(name), content_hash, Tags(), bad, "test")

    def index_path(self) -> Path:
        """The file of an index that is up to date."""
        index = CatalogIndex.of_active_space(self.catalog, "cpu")
        index.update()
        return index.path(self.catalog.state())

    def check(self, **options: bool) -> list[Finding]:
        return verify(self.catalog, **options)

    def one(self, kind: str, where: str, **options: bool) -> Finding:
        """The only finding, which must be of this kind and file."""
        (finding,) = self.check(**options)
        assert (finding.kind, finding.where) == (kind, str(self.root / where))
        assert finding.detail
        assert finding.fix
        return finding

    def repair(self, kind: str, where: str) -> None:
        """Found without repair, repaired with it, and gone after."""
        assert not self.one(kind, where).repaired
        assert self.one(kind, where, repair=True).repaired
        assert self.check() == []


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty catalogue, made once."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    with Catalog.open(str(path)) as catalog:
        catalog.set_active(SPACE, SETTINGS.analysis_settings())
    return path


@pytest.fixture
def world(template: Path, tmp_path: Path) -> Iterator[World]:
    shutil.copy(template, tmp_path / "catalog.db")
    (tmp_path / "music").mkdir()
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:
        made = World(catalog, catalog.scope_of(tmp_path / "music")[0])
        for seed, name in enumerate(("a.wav", "b.wav", "c.wav")):
            made.add(name, seed)
        yield made


def test_nothing_is_off(world: World) -> None:
    counts: list[tuple[int, int]] = []
    assert verify(world.catalog, on_track=lambda *done: counts.append(done)) == []
    assert counts == [(1, 3), (2, 3), (3, 3)]
    assert world.check(content=True, repair=True) == []


def test_one_catalogue_is_opened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Catalog:
        raise AssertionError("a second catalogue")

    world.index_path()
    monkeypatch.setattr(Catalog, "open", refuse)
    assert world.check() == []


def test_an_empty_catalogue_is_true(tmp_path: Path) -> None:
    with Catalog.open(str(tmp_path / "new.db")) as catalog:
        assert verify(catalog, content=True, repair=True) == []


def test_vanished(world: World) -> None:
    (world.root / "b.wav").unlink()
    world.repair("vanished", "b.wav")
    assert world.state("b.wav") is TrackState.MISSING


def test_vanished_with_its_folder(world: World) -> None:
    (world.root / "sub").mkdir()
    world.add("sub/d.wav", 4)
    shutil.rmtree(world.root / "sub")
    (world.root / "sub").write_text("a file now")
    world.repair("vanished", "sub/d.wav")


def test_back(world: World) -> None:
    with world.catalog.writing() as write:
        write.missing([world.track_id("c.wav")])
    world.repair("back", "c.wav")
    assert world.state("c.wav") is TrackState.ANALYSED


def test_back_but_another_file_must_be_analysed(world: World) -> None:
    with world.catalog.writing() as write:
        write.missing([world.track_id("c.wav")])
    (world.root / "c.wav").write_bytes(b"something else")
    finding = world.one("back", "c.wav", repair=True)
    assert not finding.repaired
    assert "ingest" in finding.fix
    assert world.state("c.wav") is TrackState.MISSING


def test_what_patterns_exclude_since_is_not_back(world: World) -> None:
    """Nor is it restored: the next ingest would mark it missing again."""
    with world.catalog.writing() as write:
        write.missing([world.track_id(name) for name in ("b.wav", "c.wav")])
    (world.root / IGNORE_FILE).write_text("c.wav\n")
    assert world.one("back", "b.wav", repair=True).repaired
    assert world.check(repair=True) == []
    assert world.state("b.wav") is TrackState.ANALYSED
    assert world.state("c.wav") is TrackState.MISSING


def test_an_ignore_file_without_meaning_is_one_finding(world: World) -> None:
    with world.catalog.writing() as write:
        write.missing([world.track_id(name) for name in ("b.wav", "c.wav")])
    (world.root / IGNORE_FILE).write_text("!\n")
    finding = world.one("unreadable", "", repair=True)
    assert IGNORE_FILE in finding.detail
    assert not finding.repaired


def leave(world: World, how: str) -> None:
    """Take the music away, or only its folder's content."""
    shutil.move(world.root, world.root.with_name("away"))
    if how == "empty":
        world.root.mkdir()


@pytest.mark.parametrize("how", ["gone", "empty"])
def test_a_folder_that_is_not_there_is_one_finding_and_its_tracks_unavailable(
    world: World, how: str
) -> None:
    """An unmounted disk is not an empty library."""
    world.fail("a.wav")
    leave(world, how)
    assert not world.one(f"folder {how}", "").repaired
    assert world.state("b.wav") is TrackState.ANALYSED
    assert not world.one(f"folder {how}", "", repair=True).repaired
    assert world.state("b.wav") is TrackState.UNAVAILABLE
    assert world.state("a.wav") is TrackState.FAILED
    assert len(world.catalog.failures()) == 1
    assert world.catalog.prune(force=True) == 0


def test_tracks_of_a_folder_that_is_there_again(world: World) -> None:
    leave(world, "empty")
    world.check(repair=True)
    world.root.rmdir()
    shutil.move(world.root.with_name("away"), world.root)
    (world.root / "c.wav").unlink()
    findings = world.check(repair=True)
    assert [(f.kind, Path(f.where).name) for f in findings] == [
        ("back", "a.wav"),
        ("back", "b.wav"),
        ("vanished", "c.wav"),
    ]
    assert all(finding.repaired for finding in findings)
    assert world.state("a.wav") is TrackState.ANALYSED
    assert world.state("c.wav") is TrackState.MISSING
    assert world.check() == []


def test_an_empty_folder_that_never_held_music_is_no_finding(world: World) -> None:
    new = world.root.with_name("new")
    new.mkdir()
    world.catalog.scope_of(new)
    assert world.check(repair=True) == []


@pytest.mark.parametrize("how", ["size", "time"])
def test_changed(world: World, how: str) -> None:
    if how == "size":
        (world.root / "a.wav").write_bytes(b"longer than it was")
    else:
        os.utime(world.root / "a.wav", (1, 1))
    assert not world.one("changed", "a.wav", repair=True).repaired


def rewrite(file: Path, content: bytes) -> None:
    """Write a file and leave its time as it was."""
    before = file.stat()
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("checked_before", [False, True])
def test_content_altered_with_same_size_and_time(world: World, checked_before: bool) -> None:
    """Compared with what the ingest knew, also by the first check; which never makes it known."""
    file = world.root / "a.wav"
    if checked_before:
        assert world.check(content=True) == []
    rewrite(file, b"A.wav")
    assert world.check() == []
    for _ in range(2):
        assert not world.one("content", "a.wav", content=True, repair=True).repaired
    rewrite(file, b"a.wav")
    assert world.check(content=True) == []


def test_files_exchanged_for_each_other(world: World) -> None:
    rewrite(world.root / "a.wav", b"b.wav")
    rewrite(world.root / "b.wav", b"a.wav")
    findings = world.check(content=True)
    assert [(finding.kind, finding.where) for finding in findings] == [
        ("content", str(world.root / name)) for name in ("a.wav", "b.wav")
    ]


def test_a_file_that_takes_too_long_to_read_is_named(world: World) -> None:
    file = world.root / "large.wav"
    file.touch()
    os.truncate(file, 64 << 20)
    with world.catalog.writing() as write:
        content_hash = hash_content(file)
        stat = world.stat("large.wav")
        write.analysed(world.library, stat, content_hash, Tags(), analysis(9), "test")
    too_short = FileLimits(timeout_s=0.001)
    (finding,) = verify(world.catalog, content=True, limits=too_short)[-1:]
    assert (finding.kind, finding.where) == ("unreadable", str(file))
    assert "too long" in finding.detail
    assert world.check(content=True) == []


def wav(sound: bytes, tag: bytes) -> bytes:
    data = b"data" + len(sound).to_bytes(4, "little") + sound
    return b"RIFF" + bytes(4) + b"WAVE" + data + b"LIST" + len(tag).to_bytes(4, "little") + tag


@pytest.mark.parametrize("checked_before", [False, True])
def test_sound_and_tags_altered_with_same_size_and_time(world: World, checked_before: bool) -> None:
    """Sound that the content hash leaves out is for a second check to find."""
    file = world.root / "long.wav"
    sound = np.random.default_rng(0).integers(0, 256, 6 << 20, dtype=np.uint8).tobytes()
    between = sound[:30_000] + b"!!" + sound[30_002:]
    file.write_bytes(wav(sound, b"one"))
    with world.catalog.writing() as write:
        stat, content_hash = world.stat("long.wav"), hash_content(file)
        write.analysed(world.library, stat, content_hash, Tags(), analysis(9), "test")
    if checked_before:
        assert world.check(content=True) == []
        rewrite(file, wav(sound, b"two"))
        world.one("tags", "long.wav", content=True)
        rewrite(file, wav(between, b"one"))
        assert hash_content(file) == content_hash
        world.one("content", "long.wav", content=True)
    rewrite(file, wav(sound[::-1], b"one"))
    world.one("content", "long.wav", content=True)


def test_hashes_of_older_releases_are_compared_as_they_were_made(world: World) -> None:
    file = world.root / "a.wav"
    with world.catalog.writing() as write:
        content_hash = hash_three_blocks(file)
        write.analysed(world.library, world.stat("a.wav"), content_hash, Tags(), analysis(0), "1")
        write.set_file_hash(world.track_id("a.wav"), hash_file(file))
    rewrite(file, b"A.wav")
    world.one("content", "a.wav", content=True)
    rewrite(file, b"a.wav")
    assert world.check(content=True) == []


def test_what_the_system_does_not_show_has_not_vanished(world: World) -> None:
    """A folder without permission, say, or a link to itself."""
    track_id = world.track_id("b.wav")
    (world.root / "b.wav").unlink()
    (world.root / "b.wav").symlink_to("b.wav")
    assert not world.one("unreadable", "b.wav", repair=True).repaired
    assert world.catalog.track(track_id).state is TrackState.ANALYSED


def test_known_failures_are_no_finding(world: World) -> None:
    (world.root / "text.mp3").write_text("never was music")
    world.fail("text.mp3")
    (world.root / "a.wav").write_bytes(b"was music once")
    world.fail("a.wav")
    assert world.state("a.wav") is TrackState.FAILED
    assert world.check(content=True) == []


def test_failed_files_that_changed_are_to_be_tried(world: World) -> None:
    for name in ("text.mp3", "a.wav"):
        (world.root / name).write_text("no music")
        world.fail(name)
        (world.root / name).write_text("perhaps music")
        assert not world.one("changed", name, repair=True).repaired
        (world.root / name).write_text("no music")
        world.fail(name)


def test_failures_of_files_that_are_gone_are_dropped(world: World) -> None:
    (world.root / "text.mp3").write_text("no music")
    world.fail("text.mp3")
    (world.root / "text.mp3").unlink()
    world.repair("failure", "text.mp3")
    assert world.catalog.failures() == []


def test_a_failed_track_that_is_gone_is_missing_and_its_failure_dropped(world: World) -> None:
    world.fail("a.wav")
    (world.root / "a.wav").unlink()
    assert {finding.kind for finding in world.check(repair=True)} == {"vanished", "failure"}
    assert world.check() == []
    assert world.state("a.wav") is TrackState.MISSING


def test_a_failed_track_has_a_reason(world: World) -> None:
    world.fail("a.wav")
    with world.catalog.writing() as write:
        write.forget_failures(world.library, ["a.wav"])
    assert not world.one("failure", "a.wav", repair=True).repaired


def test_an_analysed_track_has_no_failure(world: World) -> None:
    world.fail("a.wav")
    with sqlite3.connect(world.root.parent / "catalog.db") as database:
        database.execute("UPDATE tracks SET state = 'analysed'")
    database.close()
    world.repair("failure", "a.wav")
    assert world.catalog.failures() == []


def test_not_analysed_in_the_active_space(world: World) -> None:
    world.catalog.forget_analyses([world.track_id("b.wav")])
    assert not world.one("not analysed", "b.wav", repair=True).repaired


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_bad_vectors_are_dropped_for_a_new_analysis(world: World, value: float) -> None:
    world.damage_vector("b.wav", value)
    assert "repair" in world.one("bad vector", "b.wav").fix
    assert "ingest" in world.one("bad vector", "b.wav", repair=True).fix
    known = world.catalog.known_files(world.library, SPACE)
    assert {name for name, file in known.items() if not file.analysed_in_space} == {"b.wav"}
    assert world.one("not analysed", "b.wav")
    world.add("b.wav", 7)
    assert world.check() == []


def test_a_playlist_that_cannot_be_made_again(world: World, tmp_path: Path) -> None:
    recipe = {"kind": "mix", "seeds": {"like": [1]}}
    world.catalog.save_playlist("good", [1], recipe=recipe, target=tmp_path / "p.m3u8")
    assert world.check() == []
    world.catalog.save_playlist("old", [1], recipe={**recipe, "mood": "sad"})
    world.catalog.save_playlist("away", [1], target=tmp_path / "gone" / "p.m3u8")
    found = [(finding.kind, finding.where) for finding in world.check()]
    assert found == [("playlist", "away"), ("recipe", "old")]


def test_index_file_damaged(world: World) -> None:
    path = world.index_path()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    world.repair("index", str(path))
    assert world.index_path() == path  # built again
    assert world.check() == []


def save_index(
    world: World,
    ids: list[int],
    seeds: list[int],
    settings: RerankingSettings = DEFAULT_SETTINGS,
) -> Path:
    """An index file of the catalogue's present state, of other tracks, vectors or settings."""
    path = world.index_path()
    index = CatalogIndex.of_active_space(world.catalog, "cpu")
    activations = np.stack([analysis(seed).activations for seed in seeds])
    columns = index.columns.columns(np.array(ids), activations)
    columns |= index.columns.related(columns, None)
    tracks = Staged(np.array(ids), index.projector.project(activations), columns)
    state = world.catalog.state()
    # Whatever it was built with, it says that it has the settings of today.
    facts = BaseFacts(index.space, state, DEFAULT_SETTINGS, Effort(), 0, index.columns.digest, "")
    written(path, prepared(tracks, settings), columns, facts)
    return path


def test_index_with_wrong_vectors_or_tracks(world: World) -> None:
    ids = [world.track_id(name) for name in ("a.wav", "b.wav", "c.wav")]
    save_index(world, ids, [0, 1, 2])
    assert world.check() == []
    for wrong, seeds in ((ids, [0, 2, 1]), (ids[:2], [0, 1]), ([*ids[:2], 99], [0, 1, 2])):
        world.repair("index", str(save_index(world, wrong, seeds)))


def test_index_that_is_reranked_otherwise(world: World) -> None:
    for seed in range(3, DEFAULT_SETTINGS.min_tracks + 20):
        world.add(f"{seed}.wav", seed)
    ids = world.catalog.activations(SPACE)[0].tolist()
    world.index_path()
    assert world.check() == []
    path = save_index(world, ids, list(range(len(ids))), RerankingSettings(alpha=0.4))
    (finding,) = world.check()
    assert (finding.kind, finding.repaired) == ("index", False)
    assert "reranking" in finding.detail
    world.repair("index", str(path))
    world.index_path()
    assert world.check() == []


def test_an_outdated_index_is_no_finding(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped_file, "FORMAT", "recsys-index-1")
    world.index_path()
    monkeypatch.undo()
    assert world.check() == []


def test_an_index_that_is_labelled_stale_is_no_finding(world: World) -> None:
    world.index_path()
    world.add("d.wav", 4)
    assert world.check() == []


def test_other_weights_than_those_installed(world: World) -> None:
    other = SPACE.__class__(SPACE.model, "000000000000", SPACE.analysis)
    world.catalog.set_active(other, SETTINGS.analysis_settings())
    kinds = [finding.kind for finding in world.check()]
    assert kinds == ["not analysed"] * 3 + ["space"]


def alter(world: World, statement: str, *values: object) -> None:
    """Change the database behind the catalogue's back."""
    assert world.catalog.file is not None
    with closing(sqlite3.connect(world.catalog.file)) as connection, connection:
        connection.execute(statement, values)


def closed_content(world: World) -> bytearray:
    """The bytes of the database, with nothing left in its journal."""
    assert world.catalog.file is not None
    with closing(sqlite3.connect(world.catalog.file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    world.catalog.close()
    return bytearray(world.catalog.file.read_bytes())


def test_a_flipped_bit_in_an_embedding(world: World) -> None:
    vector = bytearray(encode(analysis(1).activations))
    vector[100] ^= 1
    track_id = world.track_id("b.wav")
    alter(world, "UPDATE analyses SET activations = ? WHERE track_id = ?", bytes(vector), track_id)
    finding = world.one("damaged vector", "b.wav")
    assert "repair" in finding.fix
    world.one("damaged vector", "b.wav", repair=True)
    finding = world.one("not analysed", "b.wav")  # which the next ingest does
    assert "ingest" in finding.fix


def test_a_value_that_makes_no_sense(world: World) -> None:
    track_id = world.track_id("b.wav")
    alter(world, "UPDATE tracks SET state = 'analyfed' WHERE id = ?", track_id)
    (finding,) = world.check()
    assert (finding.kind, finding.where) == ("damaged row", f"track {track_id}")
    assert "state" in finding.detail
    repaired, *others = world.check(repair=True)
    assert repaired.repaired
    assert {other.kind for other in others} <= {"back"}
    assert world.track_id("b.wav") == track_id


def test_an_index_of_the_database_that_contradicts_it(world: World) -> None:
    assert world.catalog.file is not None
    with closing(sqlite3.connect(world.catalog.file)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_tracks_1'"
        ).fetchone()
    content = closed_content(world)
    start = (page - 1) * 4096
    at = content.rindex(b"b.wav", start, start + 4096)
    content[at : at + 5] = b"z.wav"
    world.catalog.file.write_bytes(content)
    (finding, *_) = world.check()
    assert finding.kind == "database"
    assert "index" in finding.detail
    (finding, *_) = world.check(repair=True)
    assert finding.repaired
    assert world.check() == []


def test_pages_that_are_lost(world: World) -> None:
    """The tracks that can be read stay; the damaged file is kept beside."""
    content = closed_content(world)
    assert world.catalog.file is not None
    blob = encode(analysis(1).activations)
    pieces = (content.find(blob[at : at + 64]) for at in range(2000, 7000, 64))
    page = next(at for at in pieces if at >= 0) // 4096 * 4096
    content[page : page + 4096] = bytes(4096)
    world.catalog.file.write_bytes(content)
    finding, *_ = world.check()
    assert (finding.kind, finding.repaired) == ("database", False)
    found = world.check(repair=True)
    assert (found[0].kind, found[0].repaired) == ("database", True)
    assert {finding.kind for finding in found[1:]} == {"not analysed"}
    assert [track.path for track in world.catalog.all_tracks()] == ["a.wav", "b.wav", "c.wav"]
    (kept,) = world.catalog.file.parent.glob("*.damaged.db")
    assert kept.read_bytes() == bytes(content)
    assert len(world.catalog.activations(SPACE)[0]) == 2


def test_a_damaged_projection(world: World) -> None:
    SETTINGS.projection().store(world.catalog, SPACE)
    assert world.check() == []
    alter(world, "UPDATE projections SET mean = zeroblob(length(mean))")
    (finding,) = world.check()
    assert (finding.kind, finding.repaired) == ("damaged projection", False)
    (finding,) = world.check(repair=True)
    assert finding.repaired
    assert world.check() == []
    SETTINGS.projection().store(world.catalog, SPACE)
    alter(world, "UPDATE projections SET matrix = x'00'")
    SETTINGS.projection().store(world.catalog, SPACE)  # as the next ingest does
    assert world.check() == []
