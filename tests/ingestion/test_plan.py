"""Plans: what a scan found, compared with the catalogue."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.catalog import FileStat, KnownFile, Library, TrackState
from recommender.ingestion import Outcome
from recommender.ingestion.plan import Unchanged, make_plan
from recommender.ingestion.scan import Scan, Unreadable

PATHS = st.sampled_from([f"{folder}{name}.{ending}" for folder in ("", "a/", "a/b/", "c/")
                         for name in "xyz" for ending in ("mp3", "mp4")])  # fmt: skip


STATS = st.builds(FileStat, PATHS, st.integers(0, 1), st.integers(0, 1))


KNOWN = st.builds(
    KnownFile,
    stat=STATS,
    track_id=st.integers(1, 99),
    state=st.sampled_from(TrackState),
    content_hash=st.just("d"),
    analysed_in_space=st.booleans(),
    failure_kind=st.sampled_from([None, "unreadable", "no-permission", "video-without-sound"]),
)


@given(
    files=st.lists(STATS, unique_by=lambda stat: stat.path),
    entries=st.lists(KNOWN, unique_by=(lambda e: e.stat.path, lambda e: e.track_id)),
    closed=st.sets(st.sampled_from(["a", "a/b", "c", "a/x.mp3"])),
)
def test_plans_account_for_every_file_and_every_track(
    files: list[FileStat], entries: list[KnownFile], closed: set[str]
) -> None:
    scan = Scan(tuple(files), {}, 0, tuple(Unreadable(path, "denied") for path in closed))
    plan = make_plan(Library(1, Path("/music")), scan, {e.stat.path: e for e in entries})
    planned = len(plan.new) + len(plan.known)
    assert planned + sum(plan.settled.values()) + sum(plan.skipped.values()) == len(files)
    found = {file.path for file in files}
    for entry in entries:
        path, track_id = entry.stat.path, entry.track_id or 0
        hidden = any(path == folder or path.startswith(f"{folder}/") for folder in closed)
        gone = path not in found and not hidden
        assert (track_id in plan.present) == (path in found)
        assert (track_id in plan.vanished) == (gone and entry.state is not TrackState.MISSING)
        assert (path in plan.gone_failures) == (gone and entry.failure_kind is not None)


@pytest.mark.parametrize("retry", [False, True])
def test_unchanged_failures_are_tried_again_on_demand(retry: bool) -> None:
    stat = FileStat("a.mp3", 1, 1)
    entry = KnownFile(stat, None, None, None, False, "timed-out")
    scan = Scan((stat,), {}, 0, ())
    asked = Unchanged(retry_failed=retry)
    plan = make_plan(Library(1, Path("/m")), scan, {"a.mp3": entry}, asked)
    assert len(plan.known) == retry
    assert plan.settled[Outcome.STILL_FAILING] == (not retry)


@pytest.mark.parametrize("state", [TrackState.MISSING, TrackState.UNAVAILABLE])
@pytest.mark.parametrize("failure", [None, "unreadable", "no-permission"])
def test_absent_files_that_are_back(state: TrackState, failure: str | None) -> None:
    stat = FileStat("a.mp3", 1, 1)
    entry = KnownFile(stat, 7, state, "d", True, failure)
    plan = make_plan(Library(1, Path("/m")), Scan((stat,), {}, 0, ()), {"a.mp3": entry})
    assert plan.found_again == [7]
    assert plan.settled[Outcome.FOUND_AGAIN] == (failure is None)
    assert plan.settled[Outcome.STILL_FAILING] == (failure == "unreadable")
    assert len(plan.known) == (failure == "no-permission")
