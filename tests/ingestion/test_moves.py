"""Which sound a track has: files exchanged, rewritten, retagged, moved, in folders that move."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import sounds
from mutagen.id3 import ID3, TSRC
from test_payload import write

from recommender.audio.tags import Tags
from recommender.catalog import Catalog, Track, TrackState
from recommender.embedding.embedder import Embedder
from recommender.ingestion import IngestReport, IngestSettings, ingest, scan
from recommender.ingestion.content_hash import hash_content
from recommender.ingestion.three_block_hash import hash_three_blocks
from recommender.playlists.m3u import with_existing_files
from recommender.verification import verify

SETTINGS = IngestSettings(workers=1, update_index=False)
SPACE = SETTINGS.space()
FORMATS = (
    *("wav", "flac", "mp3", "m4a"),
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("aiff", "ogg", "opus", "caf", "mka")),
)


@dataclass
class World:
    """A folder, and a catalogue."""

    folder: Path
    catalog: Catalog

    def ingest(self, *paths: Path, **settings: bool) -> IngestReport:
        asked = IngestSettings(workers=1, update_index=False, **settings)
        return ingest(self.catalog, list(paths) or [self.folder], asked)

    def track(self, file: Path) -> Track:
        track = self.catalog.track_at(file)
        assert track is not None
        return track

    def embedding(self, file: Path) -> np.ndarray:
        analysis = self.catalog.analysis_of(self.track(file).id, SPACE)
        assert analysis is not None
        return np.asarray(analysis.activations)

    def sql(self, statement: str, *values: object) -> None:
        database = self.catalog.folder
        assert database is not None
        with closing(sqlite3.connect(database / "catalog.db")) as connection, connection:
            connection.execute(statement, values)

    def as_an_older_release_left_it(self) -> None:
        """With hashes of three blocks, and none of samples."""
        for track in list(self.catalog.all_tracks(None)):
            older = hash_three_blocks(track.file)
            self.sql("UPDATE tracks SET content_hash = ? WHERE id = ?", older, track.id)
        self.sql("UPDATE analyses SET samples_hash = NULL")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "music").mkdir()
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:
        yield World(tmp_path / "music", catalog)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load()


def done(report: IngestReport) -> dict[str, int]:
    """What a run did, without what it did not do."""
    names = ("analysed", "retagged", "moved", "found_again", "unchanged", "missing", "failed")
    return {name: getattr(report, name) for name in names if getattr(report, name)}


def nearly(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two embeddings differ by rounding at most: when stored, and by other threads."""
    return bool(np.allclose(one, other, rtol=1e-3, atol=1e-4))


def keep_time(file: Path, write_it: Callable[[], object]) -> None:
    before = file.stat()
    write_it()
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def exchanged(seconds: float = 60.0) -> tuple[sounds.FloatArray, sounds.FloatArray]:
    """Two sounds that agree in the three blocks of the older hash: in a fifth of all."""
    first, second = sounds.noise(seconds), sounds.sweep(seconds)
    kept = np.zeros(len(first), bool)
    for centre in (0.25, 0.5, 0.75):
        middle = int(centre * len(first))
        kept[middle - 88_000 : middle + 88_000] = True
    return first, np.where(kept, first, second)


def test_four_fifths_of_the_sound_exchanged(world: World, embedder: Embedder) -> None:
    file = world.folder / "a.wav"
    first, second = exchanged()
    sounds.write_sound(file, first)
    world.ingest()
    before, older = world.embedding(file), hash_three_blocks(file)
    keep_time(file, lambda: sounds.write_sound(file, second))
    assert hash_three_blocks(file) == older
    os.utime(file, (1, 1))
    assert done(world.ingest()) == {"analysed": 1}
    assert nearly(world.embedding(file), embedder.analyse(file).activations)
    assert not np.allclose(world.embedding(file), before)


def jingle(seed: int, seconds: float = 60.0) -> sounds.FloatArray:
    """A tenth of a second of sound in silence."""
    samples = np.zeros(round(seconds * 48_000), np.float32)
    at = round((0.1 + 0.07 * seed) * len(samples))
    samples[at : at + 4_800] = sounds.noise(0.1, 48_000, seed)
    return samples


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("make", [lambda seed: sounds.noise(12, 48_000, seed), jingle])
def test_a_new_file_does_not_inherit_from_a_deleted_one(
    world: World,
    embedder: Embedder,
    format_name: str,
    make: Callable[[int], sounds.FloatArray],
) -> None:
    """Of the same length, and even of the same time."""
    one, two = (world.folder / f"fx{number}.{format_name}" for number in (1, 2))
    for file, seed in ((one, 1), (two, 2)):
        write(file, format_name, make(seed), "title")
        os.utime(file, (10**9, 10**9))
    shutil.move(two, world.folder.parent)
    world.ingest()
    one.unlink()
    shutil.move(world.folder.parent / two.name, two)
    assert done(world.ingest()) == {"analysed": 1, "missing": 1}
    assert nearly(world.embedding(two), embedder.analyse(two).activations)


def test_a_change_that_the_blocks_miss_is_heard_in_the_windows(
    world: World, embedder: Embedder
) -> None:
    """A third of a second in the middle window, between two blocks."""
    first = sounds.noise(60)
    second = first.copy()
    middle = len(first) // 2
    second[middle + 3_000 : middle + 9_000] = 0
    file = sounds.write_sound(world.folder / "a.wav", first)
    world.ingest()
    before = hash_content(file)
    sounds.write_sound(file, second)
    os.utime(file, (1, 1))
    assert hash_content(file) == before
    assert done(world.ingest()) == {"analysed": 1}
    assert nearly(world.embedding(file), embedder.analyse(file).activations)
    # And in a file of another name.
    sounds.write_sound(world.folder / "b.wav", first)
    file.unlink()
    assert done(world.ingest()) == {"analysed": 1, "missing": 1}


@pytest.mark.parametrize("older", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("format_name", FORMATS)
def test_a_file_whose_tags_alone_changed_keeps_its_embedding(
    world: World, format_name: str, older: bool
) -> None:
    music = sounds.music(6, 48_000)
    file = write(world.folder / f"a.{format_name}", format_name, music, "first title")
    world.ingest()
    if older:
        world.as_an_older_release_left_it()
        if format_name in ("caf", "mka"):
            pytest.skip("the older hash took all of such a file, with its tags")
    assert done(world.ingest()) == {"unchanged": 1}
    before, analysed_at = world.embedding(file), world.track(file).analysed_at
    write(file, format_name, music, "a title that is somewhat longer than the first one")
    assert done(world.ingest()) == {"retagged": 1}
    assert np.array_equal(world.embedding(file), before)
    assert world.track(file).analysed_at == analysed_at
    assert world.track(file).content_hash == hash_content(file)
    # Moved and retagged at once.
    track_id = world.track(file).id
    other = write(world.folder / f"b.{format_name}", format_name, music, "third title")
    file.unlink()
    assert done(world.ingest()) == {"moved": 1}
    assert (world.track(other).id, world.track(other).analysed_at) == (track_id, analysed_at)
    assert done(world.ingest()) == {"unchanged": 1}


def test_an_older_catalogue_loses_no_move_and_analyses_nothing(world: World) -> None:
    for seed in range(3):
        sounds.write_sound(world.folder / f"{seed}.flac", sounds.music(3, seed=seed))
    world.ingest()
    world.as_an_older_release_left_it()
    before = {track.id: world.embedding(track.file) for track in world.catalog.all_tracks()}
    analysed_at = {track.id: track.analysed_at for track in world.catalog.all_tracks()}
    assert done(world.ingest()) == {"unchanged": 3}
    (world.folder / "sub").mkdir()
    for seed in range(3):
        (world.folder / f"{seed}.flac").rename(world.folder / f"sub/new {seed}.flac")
    assert done(world.ingest()) == {"moved": 3}
    for track in world.catalog.all_tracks():
        assert np.array_equal(world.embedding(track.file), before[track.id])
        assert track.analysed_at == analysed_at[track.id]
        assert track.content_hash == hash_content(track.file)


def test_an_older_hash_alone_does_not_decide(world: World, embedder: Embedder) -> None:
    """Where a file was written anew, the analysis tells."""
    file = world.folder / "a.wav"
    first, second = exchanged()
    sounds.write_sound(file, first)
    world.ingest()
    world.as_an_older_release_left_it()
    sounds.write_sound(file, second)
    os.utime(file, (1, 1))
    assert hash_three_blocks(file) == world.track(file).content_hash
    assert done(world.ingest()) == {"analysed": 1}
    world.as_an_older_release_left_it()
    file.unlink()
    other = sounds.write_sound(world.folder / "b.wav", first)
    assert hash_three_blocks(other) == world.track(file).content_hash
    assert done(world.ingest()) == {"analysed": 1, "missing": 1}
    assert nearly(world.embedding(other), embedder.analyse(other).activations)


def test_reanalysing_and_rereading(world: World) -> None:
    file = sounds.write_sound(world.folder / "a.mp3", sounds.music(3))
    other = sounds.write_sound(world.folder / "b.mp3", sounds.music(3, seed=1))
    tags = ID3()
    tags.add(TSRC(text="US-RC1-76-07839"))
    tags.save(file)
    (world.folder / "text.mp3").write_text("no music")
    world.ingest()
    analysed_at = world.track(file).analysed_at
    world.sql("UPDATE tracks SET title = 'wrong', isrcs = NULL")
    assert done(world.ingest()) == {"unchanged": 2}
    assert done(world.ingest(file, reread_tags=True)) == {"retagged": 1}
    assert world.track(file).tags == Tags(isrcs=("USRC17607839",))
    assert world.track(other).tags.title == "wrong"
    assert world.track(file).analysed_at == analysed_at
    report = world.ingest(file, reanalyze=True)
    assert done(report) == {"analysed": 1}
    assert world.track(file).analysed_at != analysed_at
    report = world.ingest(reanalyze=True)
    assert (report.analysed, report.still_failing) == (2, 1)


@pytest.mark.parametrize("option", ["reread_tags", "reanalyze"])
def test_files_exchanged_for_each_other(world: World, embedder: Embedder, option: str) -> None:
    """Of one size and one time: no scan can notice that, on demand each is analysed as it is."""
    files = [
        sounds.write_sound(world.folder / f"{seed}.wav", sounds.noise(20, seed=seed))
        for seed in (1, 2)
    ]
    for file in files:
        os.utime(file, (10**9, 10**9))
    world.ingest()
    away = world.folder.parent / "away"
    files[0].rename(away)
    files[1].rename(files[0])
    away.rename(files[1])
    assert done(world.ingest()) == {"unchanged": 2}
    assert done(world.ingest(**{option: True})) == {"analysed": 2}
    for file in files:
        assert nearly(world.embedding(file), embedder.analyse(file).activations)


# Roots


def fill(folder: Path, count: int = 3, first: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    for seed in range(first, first + count):
        sounds.write_sound(folder / f"{seed}.wav", sounds.music(2, 22_050, seed), 22_050)


def states(catalog: Catalog) -> dict[str, TrackState]:
    return {str(track.file): track.state for track in catalog.all_tracks(None)}


def test_a_folder_renamed_behind_a_link(world: World, tmp_path: Path) -> None:
    fill(tmp_path / "v1")
    link = tmp_path / "link"
    link.symlink_to("v1")
    assert done(world.ingest(link)) == {"analysed": 3}
    ids = set(world.catalog.content_hashes())
    (tmp_path / "v1").rename(tmp_path / "v2")
    link.unlink()
    link.symlink_to("v2")
    assert done(world.ingest(link)) == {"moved": 3}
    assert set(world.catalog.content_hashes()) == ids
    assert [library.root for library in world.catalog.libraries()] == [tmp_path / "v2"]
    assert set(states(world.catalog).values()) == {TrackState.ANALYSED}
    report = world.ingest(link)
    assert (done(report), report.unavailable) == ({"unchanged": 3}, ())


@pytest.mark.parametrize("order", ["new", "old then new", "both", "all"])
def test_a_renamed_root_in_any_order(world: World, tmp_path: Path, order: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    fill(old)
    world.ingest(old)
    old.rename(new)
    if order == "old then new":
        report = world.ingest(old)
        assert report.unavailable == ((old, 3),)
    elif order == "all":
        world.catalog.scope_of(new)
    given = {"both": [old, new], "all": [old, new]}.get(order, [new])
    assert done(world.ingest(*given)) == {"moved": 3}
    assert [library.root for library in world.catalog.libraries()] == [new]


@pytest.mark.parametrize("new_first", [False, True])
def test_files_moved_from_root_to_root(world: World, tmp_path: Path, new_first: bool) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fill(one)
    fill(two, first=3)
    world.ingest(one, two)
    (one / "0.wav").rename(two / "zero.wav")
    if new_first:
        assert done(world.ingest(two)) == {"moved": 1, "unchanged": 3}
        assert done(world.ingest(one)) == {"unchanged": 2}
    else:
        assert done(world.ingest(one)) == {"unchanged": 2, "missing": 1}
        assert done(world.ingest(two)) == {"moved": 1, "unchanged": 3}
    assert set(states(world.catalog).values()) == {TrackState.ANALYSED}


def test_a_copy_of_a_file_that_is_there_is_a_track_of_its_own(world: World, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    fill(one, 1)
    world.ingest(one)
    two.mkdir()
    shutil.copy2(one / "0.wav", two)
    os.link(one / "0.wav", two / "linked.wav")
    assert done(world.ingest(two)) == {"analysed": 2}
    assert done(world.ingest(one, two)) == {"unchanged": 3}


def test_a_move_of_the_library_after_its_folder_was_ingested_anew(
    world: World, tmp_path: Path
) -> None:
    """What verify names is not refused; as an older release left it, each file has two tracks."""
    old, new = tmp_path / "old", tmp_path / "new"
    fill(old)
    fill(new)
    world.ingest(old, new)
    shutil.rmtree(old)
    assert world.catalog.move_library(old, new).root == new
    assert len(states(world.catalog)) == 3
    assert done(world.ingest()) == {}
    assert done(world.ingest(new)) == {"unchanged": 3}


def test_playlists_name_copies_that_are_there(world: World, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    fill(old)
    fill(new, 2)
    world.ingest(old, new)
    tracks = [world.track(old / f"{seed}.wav") for seed in range(3)]
    assert with_existing_files(world.catalog, tracks) == tracks
    shutil.rmtree(old)
    listed = [track.file for track in with_existing_files(world.catalog, tracks)]
    assert listed == [new / "0.wav", new / "1.wav", old / "2.wav"]


def test_likes_and_playlists_follow_files(world: World, tmp_path: Path) -> None:
    """Moved within a library, into another one, and with its library; then to a copy."""
    old, new = tmp_path / "old", tmp_path / "new"
    fill(old)
    new.mkdir()
    world.ingest(old, new)
    tracks = [world.track(old / f"{seed}.wav").id for seed in range(3)]
    catalog = world.catalog
    catalog.save_playlist("mine", tracks)
    catalog.record("", "like", tracks[0], datetime.now(UTC))
    catalog.add_exclusion("track", tracks[1])

    (old / "sub").mkdir()
    (old / "0.wav").rename(old / "sub" / "renamed.wav")
    (old / "1.wav").rename(new / "1.wav")
    world.ingest(old, new)
    assert world.track(old / "sub" / "renamed.wav").id == tracks[0]
    assert world.track(new / "1.wav").id == tracks[1]
    old.rename(tmp_path / "other")
    catalog.move_library(old, tmp_path / "other")
    world.ingest(tmp_path / "other")
    assert catalog.playlist("mine").track_ids == tuple(tracks)
    assert catalog.likes() == tracks[:1]
    assert catalog.excluded_tracks().tolist() == tracks[1:2]

    shutil.copy(tmp_path / "other" / "sub" / "renamed.wav", new / "copy.wav")
    world.ingest(new)
    copy = world.track(new / "copy.wav").id
    (tmp_path / "other" / "sub" / "renamed.wav").unlink()
    world.ingest(tmp_path / "other")
    (listed, *_) = with_existing_files(catalog, catalog.tracks(tracks))
    assert listed.file == new / "copy.wav"
    catalog.prune()
    assert catalog.playlist("mine").track_ids == (copy, *tracks[1:])
    assert catalog.likes() == [copy]
    catalog.remove_library(tmp_path / "other")
    assert catalog.playlist("mine").track_ids == (copy, tracks[1])


# Disks that are not mounted


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """What is mounted, besides the root of the file system."""
    points: set[Path] = set()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) in {Path("/"), *points})
    return points


@pytest.mark.parametrize("below", [".", "deeper/music"])
def test_a_disk_that_is_not_mounted_over_a_folder_that_is_not_empty(
    world: World, tmp_path: Path, mounted: set[Path], below: str
) -> None:
    disk, other = tmp_path / "disk", tmp_path / "other"
    root = disk / below
    root.mkdir(parents=True)
    fill(root)
    fill(other, 5, first=10)
    mounted |= {disk, tmp_path}
    world.ingest(root, other)
    assert {library.root: library.mount_points for library in world.catalog.libraries()} == {
        root: (disk,),
        other: (tmp_path,),
    }
    disk.rename(tmp_path / "away")
    root.mkdir(parents=True)
    (root / "left behind.txt").write_text("as the disk was not there")
    mounted.remove(disk)
    for _ in range(2):
        report = world.ingest(root, other)
        assert (report.missing, report.unavailable) == (0, ((root, 3),))
        assert world.catalog.prune() == 0
    assert states(world.catalog)[str(root / "0.wav")] is TrackState.UNAVAILABLE
    shutil.rmtree(disk)
    (tmp_path / "away").rename(disk)
    mounted.add(disk)
    assert done(world.ingest(root, other)) == {"found_again": 3, "unchanged": 5}


def test_a_few_files_deleted_from_what_was_a_disk_once(
    world: World, tmp_path: Path, mounted: set[Path]
) -> None:
    """Copied from it to the same place: less than half is gone, so they were deleted."""
    fill(tmp_path / "disk", 5)
    mounted.add(tmp_path / "disk")
    world.ingest(tmp_path / "disk")
    mounted.clear()
    (tmp_path / "disk/0.wav").unlink()
    report = world.ingest(tmp_path / "disk")
    assert (done(report), report.unavailable) == ({"unchanged": 4, "missing": 1}, ())
    assert world.catalog.libraries()[0].mount_points == ()


@pytest.mark.parametrize("remains", [False, True])
def test_a_disk_below_a_root_that_is_not_mounted(
    world: World,
    tmp_path: Path,
    mounted: set[Path],
    monkeypatch: pytest.MonkeyPatch,
    remains: bool,
) -> None:
    """Its tracks become unavailable, those beside it that were deleted missing."""
    root, disk = tmp_path / "music", tmp_path / "music" / "disk2"
    fill(root)
    disk.mkdir()
    fill(disk / "deep", first=10)
    inode = disk.stat().st_ino
    in_disk = {inode, (disk / "deep").stat().st_ino}
    monkeypatch.setattr(
        scan, "_folder_id", lambda found: (int(found.st_ino in in_disk), found.st_ino)
    )
    mounted.add(disk)
    world.ingest(root)
    assert world.catalog.libraries()[0].mount_points == (disk,)
    disk.rename(tmp_path / "away")
    if remains:
        disk.mkdir()
    mounted.clear()
    (root / "0.wav").unlink()
    for number in range(2):
        report = world.ingest(root)
        assert (report.missing, report.unavailable) == (int(number == 0), ((disk, 3),))
    assert world.catalog.prune(force=True) == 1
    assert {finding.kind for finding in verify(world.catalog, repair=True)} == {"vanished"}
    assert states(world.catalog)[str(disk / "deep/10.wav")] is TrackState.UNAVAILABLE
    if remains:
        disk.rmdir()
    (tmp_path / "away").rename(disk)
    mounted.add(disk)
    assert done(world.ingest(disk)) == {"found_again": 3}
    assert world.catalog.libraries()[0].mount_points == (disk,)
    assert done(world.ingest(root)) == {"unchanged": 5}


@pytest.mark.parametrize(
    "time_ns", [-1, -5 * 10**9, -(2**31) * 10**9, 2**33 * 10**9, 2**63 - 1, 15 * 10**18]
)
def test_times_out_of_range_are_no_change(world: World, time_ns: int) -> None:
    fill(world.folder, 1)
    (world.folder / "text.mp3").write_text("no music")
    for name in ("0.wav", "text.mp3"):
        os.utime(world.folder / name, ns=(time_ns, time_ns))
    world.ingest()
    for _ in range(2):
        report = world.ingest()
        assert (report.unchanged, report.still_failing, report.retagged) == (1, 1, 0)
    away = world.folder / "0.wav"
    away.rename(world.folder / "new.wav")
    assert done(world.ingest()) == {"moved": 1}
