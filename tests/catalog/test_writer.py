"""What a `Writer` records of files, and which transactions change the revision."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from catalogs import SPACE, analyse, analysis, hash_of, revision, stat

from recommender.audio.damage import Damage
from recommender.catalog import (
    Catalog,
    Library,
    Tags,
    TrackState,
    Writer,
)


def test_a_failure_is_stored_once_and_dropped_when_analysed(
    catalog: Catalog, library: Library
) -> None:
    with catalog.writing() as write:
        write.failed(library, stat("a.mp3", size=1), "unreadable", "first")
    with catalog.writing() as write:
        write.failed(library, stat("a.mp3", size=2), "too-short", "second")
    (failure,) = catalog.failures()
    assert (failure.path, failure.size, failure.kind, failure.reason) == (
        "a.mp3",
        2,
        "too-short",
        "second",
    )
    assert failure.failed_at.utcoffset() == timedelta(0)
    analyse(catalog, library, "a.mp3")
    assert catalog.failures() == []


def test_dropped_failures(catalog: Catalog, library: Library) -> None:
    with catalog.writing() as write:
        for path in ("a", "b", "c"):
            write.failed(library, stat(path), "unreadable", "no decoder")
        write.forget_failures(library, ["a", "c", "unknown"])
        write.forget_failures(library, [])
    assert [failure.path for failure in catalog.failures()] == ["b"]


def test_a_failed_track_comes_back_with_its_old_content(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "a.wav")
    with catalog.writing() as write:
        write.failed(library, stat("a.wav", size=3), "unreadable", "truncated")
    assert catalog.track(track_id).state is TrackState.FAILED
    with catalog.writing() as write:
        write.retagged(track_id, stat("a.wav", mtime_ns=9), Tags("t"), hash_of("a.wav"))
    track = catalog.track(track_id)
    assert (track.state, track.mtime_ns, track.tags.title) == (TrackState.ANALYSED, 9, "t")
    assert catalog.failures() == []
    assert catalog.activations(SPACE)[0].tolist() == [track_id]


def test_missing_tracks_are_found_again(catalog: Catalog, library: Library) -> None:
    a, b = (analyse(catalog, library, path) for path in ("a", "b"))
    with catalog.writing() as write:
        write.failed(library, stat("b"), "unreadable", "damaged")
        write.missing([a, b])
    assert catalog.counts().missing == 2
    with catalog.writing() as write:
        write.found_again([a, b])
    assert catalog.track(a).state is TrackState.ANALYSED
    assert catalog.track(b).state is TrackState.FAILED


def test_a_moved_file_keeps_its_row(catalog: Catalog, library: Library, tmp_path: Path) -> None:
    second, _ = catalog.scope_of(tmp_path / "second")
    track_id = analyse(catalog, library, "a.wav", tags=Tags("t"), analysed=analysis(4))
    with catalog.writing() as write:
        write.missing([track_id])
        write.failed(second, stat("b.wav"), "unreadable", "half copied")
        write.moved(track_id, second, stat("b.wav", mtime_ns=7), None)
    track = catalog.track(track_id)
    assert (track.library, track.path, track.mtime_ns) == (second, "b.wav", 7)
    assert (track.state, track.tags.title) == (TrackState.ANALYSED, "t")
    np.testing.assert_array_equal(catalog.activations(SPACE)[1], [analysis(4).activations])
    assert catalog.failures() == []


def test_a_file_moved_over_another_replaces_it(catalog: Catalog, library: Library) -> None:
    moved, replaced = (analyse(catalog, library, path) for path in ("a.wav", "b.wav"))
    with catalog.writing() as write:
        write.moved(moved, library, stat("b.wav"), Tags("new"))
    assert [track.id for track in catalog.all_tracks(None)] == [moved]
    assert catalog.track(moved).path == "b.wav"
    assert catalog.analysis_of(replaced, SPACE) is None


def test_file_hash(catalog: Catalog, library: Library) -> None:
    track_id = analyse(catalog, library, "a")
    assert catalog.file_hash_of(track_id) is None
    with catalog.writing() as write:
        write.set_file_hash(track_id, "abc")
    assert catalog.file_hash_of(track_id) == "abc"


def test_revision_counts_transactions_that_change_recommendations(
    catalog: Catalog, library: Library
) -> None:
    def bumps(change: str, *arguments: object) -> int:
        before = revision(catalog)
        with catalog.writing() as write:
            getattr(write, change)(*arguments)
        return revision(catalog) - before

    before = revision(catalog)
    with catalog.writing() as write:
        ids = [
            write.analysed(library, stat(f"{n}"), "d", Tags(), analysis(), "v") for n in range(3)
        ]
    assert revision(catalog) == before + 1
    touched = stat("0", mtime_ns=2)
    assert bumps("retagged", ids[0], touched, Tags(), "d") == 0
    assert bumps("retagged", ids[0], touched, Tags("new"), "d") == 1
    assert bumps("moved", ids[0], library, stat("moved"), None) == 1
    assert bumps("missing", ids[:1]) == 1
    assert bumps("missing", ids[:1]) == 0
    assert bumps("found_again", ids) == 1
    assert bumps("found_again", ids) == 0
    assert bumps("failed", library, stat("bad"), "empty", "") == 0
    assert bumps("failed", library, stat("1"), "empty", "") == 1
    assert bumps("failed", library, stat("1"), "empty", "") == 0
    assert bumps("forget_failures", library, ["bad"]) == 0
    assert bumps("set_file_hash", ids[0], "w") == 0


def test_nothing_of_a_broken_transaction_is_kept(catalog: Catalog, library: Library) -> None:
    before = catalog.state()

    def write_and_stop(write: Writer) -> None:
        write.analysed(library, stat("a"), "d", Tags(), analysis(), "v")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), catalog.writing() as write:
        write_and_stop(write)
    assert catalog.counts().analysed == 0
    assert catalog.state() == before


def test_artists_and_damage_come_back(catalog: Catalog, library: Library) -> None:
    tags = Tags("t", "A; B", artists=("A", "B"), album_artists=("C",))
    damaged = replace(analysis(), damage=Damage(120.0, 60.5, 3, 1))
    track_id = analyse(catalog, library, "a.wav", tags=tags, analysed=damaged)
    track = catalog.track(track_id)
    assert track.tags == tags
    assert track.damage == Damage(120.0, 60.5, 3, 1)
    analyse(catalog, library, "a.wav", tags=Tags("t"))
    track = catalog.track(track_id)
    assert track.tags == Tags("t")
    assert track.damage is None


@pytest.mark.parametrize("names", [(), ("disk",), ("disk", "[two]\n", os.fsdecode(b"\xff"))])
def test_the_mount_points_of_a_library(
    catalog: Catalog, library: Library, names: tuple[str, ...]
) -> None:
    assert catalog.libraries()[0].mount_points == ()
    points = tuple(Path("/media") / name for name in names)
    catalog.set_mount_points(library, points)
    assert catalog.libraries() == [library]
    assert catalog.libraries()[0].mount_points == points
