"""What an ingest did, in numbers, and the callbacks by which it reports its progress."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Outcome(StrEnum):
    """What became of one file of the folders scanned; each file has exactly one."""

    ANALYSED = "analysed"  # new, changed, or not yet analysed by this model
    RETAGGED = "retagged"  # only its tags or its time had changed
    DESCRIBED = "described"  # analysed before; got its musical descriptors
    MOVED = "moved"  # known under another path before
    FOUND_AGAIN = "found again"  # was missing or unavailable, is back unchanged
    UNCHANGED = "unchanged"
    FAILED = "failed"
    STILL_FAILING = "still failing"  # failed before and has not changed
    SKIPPED = "skipped"  # no audio, by its ending or its first bytes
    NOT_REACHED = "not reached"  # left to the next run by an interruption


class ProgressReporter(Protocol):
    """Callbacks by which an ingest reports its progress.

    Every method is called from the thread that runs the ingest, in this order: `unavailable`,
    `scanned` repeatedly, `reanalysing`, `planned` once, `started` and `done` for each planned file,
    `indexing`. With the time since `planned`, files done of files planned give rate and time left.
    """

    def unavailable(self, root: Path, tracks: int) -> None:
        """The library's disk is not there; so many tracks are not recommended until it is."""

    def scanned(self, entries: int) -> None:
        """So many files and folders have been looked at up to now."""

    def reanalysing(self, tracks: int) -> None:
        """The model's weights have changed: so many known tracks will be analysed again."""

    def planned(self, files: int) -> None:
        """So many files will be opened."""

    def started(self, path: Path) -> None:
        """One of the planned files is next for a worker; it may wait a moment for a free one."""

    def done(self, path: Path, outcome: Outcome, reason: str | None = None) -> None:
        """One of the planned files is done; `reason` says why it could not be analysed."""

    def indexing(self, tracks: int) -> None:
        """The index of so many tracks is being built."""


class NoProgress:
    """No-op progress reporter; a base for those that need a few of its methods."""

    def unavailable(self, root: Path, tracks: int) -> None:
        """Ignore it."""

    def scanned(self, entries: int) -> None:
        """Ignore it."""

    def reanalysing(self, tracks: int) -> None:
        """Ignore it."""

    def planned(self, files: int) -> None:
        """Ignore it."""

    def started(self, path: Path) -> None:
        """Ignore it."""

    def done(self, path: Path, outcome: Outcome, reason: str | None = None) -> None:
        """Ignore it."""

    def indexing(self, tracks: int) -> None:
        """Ignore it."""


@dataclass(frozen=True)
class IngestReport:
    """What an ingest found and did. Every file scanned is counted in exactly one outcome.

    Attributes:
        scanned: regular files, broken links and special files found.
        analysed: new or changed files, and files this model had not analysed yet.
        retagged: files of which only the tags (or the time) had changed.
        described: files analysed before that got their musical descriptors.
        moved: files known under another path before; they keep their track.
        found_again: files that were missing or unavailable and are back.
        unchanged: files that were not opened.
        failed: files that could not be analysed; the catalogue has the reasons.
        still_failing: files that failed before and have not changed; not opened.
        skipped_by_ending: files without sound, by ending.
        not_reached: files that an interruption left to the next run.
        not_analysed: tracks elsewhere in the catalogue that were not analysed with this run's
            model and windows; until there are none, recommendations are made as before.
        switched: whether recommendations were made in another space before this run.
        adaptation_left: whether those were made with an adapted projection, which the new space
            does not have.
        missing: tracks whose file was there before and is not now.
        excluded: files and folders left out by patterns.
        unreadable: folders and files that could not be read, and why; tracks there are left as
            they are.
        cue_sheets: cue sheets that cannot be used, and files with parts that could not be analysed,
            as far as this run read them; with the reason.
        unavailable: libraries whose root is absent or empty, or whose disk is not mounted, and
            folders in them that lay on such a disk; with the number of their tracks that are not
            recommended until the files are there again.
        seconds: how long it took.
        interrupted: whether it was stopped before its end.
    """

    scanned: int
    analysed: int
    retagged: int
    described: int
    moved: int
    found_again: int
    unchanged: int
    failed: int
    still_failing: int
    skipped_by_ending: Mapping[str, int]
    not_reached: int
    not_analysed: int
    switched: bool
    adaptation_left: bool
    missing: int
    excluded: int
    unreadable: tuple[tuple[Path, str], ...]
    cue_sheets: tuple[tuple[Path, str], ...]
    unavailable: tuple[tuple[Path, int], ...]
    seconds: float
    interrupted: bool

    @property
    def skipped(self) -> int:
        """Files without sound."""
        return sum(self.skipped_by_ending.values())


class Counters:
    """Counts towards an `IngestReport`."""

    def __init__(self) -> None:
        """Start at zero."""
        self.outcomes: Counter[Outcome] = Counter()
        self.skipped_by_ending: Counter[str] = Counter()
        self.scanned = self.not_analysed = self.missing = self.excluded = 0
        self.switched = self.adaptation_left = False
        self.unreadable: list[tuple[Path, str]] = []
        self.cue_sheets: list[tuple[Path, str]] = []
        self.unavailable: list[tuple[Path, int]] = []

    def report(self, seconds: float, interrupted: bool) -> IngestReport:
        """The counts so far."""
        count = self.outcomes
        return IngestReport(
            scanned=self.scanned,
            analysed=count[Outcome.ANALYSED],
            retagged=count[Outcome.RETAGGED],
            described=count[Outcome.DESCRIBED],
            moved=count[Outcome.MOVED],
            found_again=count[Outcome.FOUND_AGAIN],
            unchanged=count[Outcome.UNCHANGED],
            failed=count[Outcome.FAILED],
            still_failing=count[Outcome.STILL_FAILING],
            skipped_by_ending=dict(sorted(self.skipped_by_ending.items())),
            not_reached=count[Outcome.NOT_REACHED],
            not_analysed=self.not_analysed,
            switched=self.switched,
            adaptation_left=self.adaptation_left,
            missing=self.missing,
            excluded=self.excluded,
            unreadable=tuple(self.unreadable),
            cue_sheets=tuple(self.cue_sheets),
            unavailable=tuple(self.unavailable),
            seconds=seconds,
            interrupted=interrupted,
        )
