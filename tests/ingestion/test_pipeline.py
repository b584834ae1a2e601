"""The life of a music folder: ingested, changed in every way, ingested again."""

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mutagen
import pytest
import sounds

from recommender.audio.windows import Windowing
from recommender.catalog import Catalog, FileStat, TrackState
from recommender.errors import CatalogError, UsageError, WeightsError
from recommender.ingestion import IngestReport, IngestSettings, Outcome, ingest
from recommender.ingestion.lock import ingest_lock
from recommender.ingestion.report import NoProgress

SETTINGS = IngestSettings(workers=1)
SPACE = SETTINGS.space()


@dataclass
class Recorder(NoProgress):
    """Records the progress of an ingest."""

    entries: int = 0
    again: int = 0
    files: int = 0
    started_files: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    indexed: int = 0
    roots_away: dict[Path, int] = field(default_factory=dict)

    def scanned(self, entries: int) -> None:
        self.entries = entries

    def reanalysing(self, tracks: int) -> None:
        self.again = tracks

    def planned(self, files: int) -> None:
        self.files = files

    def started(self, path: Path) -> None:
        self.started_files.append(path.name)

    def done(self, path: Path, outcome: Outcome, reason: str | None = None) -> None:
        assert path.name in self.started_files
        self.outcomes[path.name] = outcome
        if reason is not None:
            self.reasons[path.name] = reason

    def indexing(self, tracks: int) -> None:
        self.indexed = tracks

    def unavailable(self, root: Path, tracks: int) -> None:
        self.roots_away[root] = tracks


@dataclass
class Story:
    """A folder, its catalogue, and the report of each ingest so far."""

    folder: Path
    catalog: Catalog
    reports: dict[str, IngestReport] = field(default_factory=dict)
    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    progress: dict[str, Recorder] = field(default_factory=dict)

    def ingest(self, chapter: str) -> Recorder:
        recorder = self.progress[chapter] = Recorder()
        self.reports[chapter] = ingest(self.catalog, [self.folder], SETTINGS, recorder)
        self.ids[chapter] = {track.path: track.id for track in self.catalog.all_tracks(None)}
        return recorder


def accounted(report: IngestReport) -> int:
    return (
        report.analysed
        + report.retagged
        + report.moved
        + report.found_again
        + report.unchanged
        + report.failed
        + report.still_failing
        + report.skipped
        + report.not_reached
    )


def write_folder(folder: Path) -> None:
    (folder / "sub").mkdir(parents=True)
    for seed, name in enumerate(
        ("stays.wav", "retagged.mp3", "touched.flac", "replaced.ogg", "spoilt.wav", "sub/moved.ogg",
         "renamed.m4a", "deleted.au", "twin a.flac")
    ):  # fmt: skip
        sounds.write_sound(folder / name, sounds.music(2, 22_050, seed), 22_050)
    shutil.copy(folder / "twin a.flac", folder / "twin b.flac")
    sounds.write_sound(folder / "no ending", sounds.tone(2, 22_050), 22_050, format_name="flac")
    sounds.write_video(folder / "silent film.mp4")
    (folder / "notes.txt").write_text("not music")
    (folder / "Makefile").write_text("all:\n")
    (folder / "text.mp3").write_text("no music either")


def change_folder(folder: Path) -> None:
    """Everything that can happen between two ingests, to a file each."""
    audio = mutagen.File(folder / "retagged.mp3", easy=True)
    audio.add_tags()
    audio["title"] = "A new title"
    audio.save()
    os.utime(folder / "touched.flac", (1, 1))
    sounds.write_sound(folder / "replaced.ogg", sounds.music(3, 22_050, 99), 22_050)
    (folder / "spoilt.wav").write_bytes(b"RIFF, but no music any more")
    (folder / "deeper/down").mkdir(parents=True)
    (folder / "sub/moved.ogg").rename(folder / "deeper/down/moved.ogg")
    (folder / "renamed.m4a").rename(folder / "another name.m4a")
    (folder / "twin a.flac").rename(folder / "twin c.flac")
    (folder / "twin b.flac").rename(folder / "twin d.flac")
    (folder / "deleted.au").rename(folder.parent / "deleted.au")
    sounds.write_sound(folder / "added.wav", sounds.music(2, 22_050, 50), 22_050)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Four chapters; only the first two have anything to analyse."""
    folder = tmp_path_factory.mktemp("story")
    write_folder(folder / "music")
    with Catalog.open(str(folder / "catalog.db")) as catalog:
        story = Story(folder / "music", catalog)
        story.ingest("first")
        story.ingest("second")
        change_folder(story.folder)
        story.ingest("changed")
        (folder / "deleted.au").rename(story.folder / "deleted.au")
        story.ingest("back")
        yield story


def test_everything_is_analysed_or_reported(story: Story) -> None:
    report = story.reports["first"]
    assert (report.scanned, report.analysed, report.failed) == (15, 11, 1)
    assert report.skipped_by_ending == {".txt": 1, "(no ending)": 1, ".mp4": 1}
    assert (report.interrupted, report.missing, report.unreadable) == (False, 0, ())


def test_a_second_run_has_nothing_to_do(story: Story) -> None:
    report = story.reports["second"]
    assert (report.unchanged, report.still_failing) == (11, 1)
    assert report.skipped_by_ending == story.reports["first"].skipped_by_ending
    assert report.analysed == report.failed == 0


def test_every_change_is_recognised(story: Story) -> None:
    report = story.reports["changed"]
    assert report.retagged == 2  # retagged.mp3, touched.flac
    assert report.analysed == 2  # replaced.ogg, added.wav
    assert report.moved == 4  # to another folder, to another name, the twins
    assert report.failed == 1  # spoilt.wav
    assert report.missing == 1  # deleted.au
    assert (report.unchanged, report.still_failing) == (2, 1)


def test_tracks_keep_their_ids(story: Story) -> None:
    before, after = story.ids["second"], story.ids["changed"]
    for path in ("stays.wav", "retagged.mp3", "touched.flac", "replaced.ogg", "spoilt.wav"):
        assert after[path] == before[path]
    assert after["deeper/down/moved.ogg"] == before["sub/moved.ogg"]
    assert after["another name.m4a"] == before["renamed.m4a"]
    twins = {before["twin a.flac"], before["twin b.flac"]}
    assert {after["twin c.flac"], after["twin d.flac"]} == twins
    assert after["deleted.au"] == before["deleted.au"]


def test_states_and_tags_after_the_changes(story: Story) -> None:
    tracks = {track.path: track for track in story.catalog.all_tracks(None)}
    assert tracks["retagged.mp3"].tags.title == "A new title"
    assert tracks["spoilt.wav"].state is TrackState.FAILED
    assert tracks["replaced.ogg"].duration == pytest.approx(3, abs=0.01)
    analysed = {path for path, track in tracks.items() if track.state is TrackState.ANALYSED}
    assert analysed == set(tracks) - {"spoilt.wav"}
    ids, activations = story.catalog.activations(SPACE)
    assert len(ids) == len(activations) == len(analysed)


def test_missing_files_that_are_back_are_not_analysed_again(story: Story) -> None:
    report = story.reports["back"]
    assert (report.found_again, report.unchanged) == (1, 10)
    assert report.analysed == report.retagged == report.moved == 0
    assert story.ids["back"] == story.ids["changed"]


def test_every_file_has_one_outcome(story: Story) -> None:
    for report in story.reports.values():
        assert report.scanned == accounted(report)


def test_failures_say_why(story: Story) -> None:
    failures = {failure.path: failure for failure in story.catalog.failures()}
    assert set(failures) == {"text.mp3", "spoilt.wav", "silent film.mp4"}
    assert failures["silent film.mp4"].kind == "video-without-sound"
    assert failures["text.mp3"].kind == "unreadable"


def test_the_space_of_the_analysis_is_active(story: Story) -> None:
    assert story.catalog.active_space() == SPACE
    assert story.catalog.analysis_settings() == SETTINGS.analysis_settings()


def test_an_idle_run_opens_no_file_starts_no_process_and_loads_no_network(story: Story) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from recommender.catalog import Catalog
        from recommender.ingestion import IngestSettings, ingest

        opened = []
        def watch(event, arguments):
            if event == "open" and str(arguments[0]).startswith(sys.argv[2]):
                opened.append(arguments[0])

        with Catalog.open(sys.argv[1]) as catalog:
            before = catalog.state()
            sys.addaudithook(watch)
            ingest(catalog, [Path(sys.argv[2])], IngestSettings(model=sys.argv[3]))
            assert catalog.state() == before
        # Only files without an ending are opened, to see whether they are audio.
        assert [Path(path).name for path in opened] == ["Makefile"], opened
        loaded = {"torch", "onnxruntime", "soundfile", "av", "librosa", "faiss"} & set(sys.modules)
        assert not loaded, loaded
    """)
    arguments = [story.catalog.url, str(story.folder), SETTINGS.model]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True)


def test_a_part_of_the_folder_touches_nothing_else(story: Story) -> None:
    report = ingest(story.catalog, [story.folder / "deeper"], SETTINGS)
    assert (report.scanned, report.unchanged, report.missing) == (1, 1, 0)
    nested = ingest(story.catalog, [story.folder, story.folder / "deeper"], SETTINGS)
    assert nested.scanned == story.reports["back"].scanned


def test_other_analysis_settings_analyse_again(story: Story, tmp_path: Path) -> None:
    """Also what moves meanwhile; and what was analysed before stays."""
    music = tmp_path / "music"
    music.mkdir()
    for name in ("stays.wav", "another name.m4a"):
        shutil.copy(story.folder / name, music)
    with Catalog.open(str(tmp_path / "other.db")) as catalog:
        copy_analyses(story, catalog, music)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        shutil.copy(music / "stays.wav", elsewhere)
        copy_analyses(story, catalog, elsewhere)
        catalog.set_active(SPACE, SETTINGS.analysis_settings())
        (music / "stays.wav").rename(music / "went.wav")
        other = IngestSettings(workers=1, model=SETTINGS.model, windowing=Windowing(count=1))
        recorder = Recorder()
        report = ingest(catalog, [music], other, recorder)
        assert (report.analysed, report.moved, recorder.files) == (1, 1, 2)
        assert recorder.outcomes["went.wav"] is Outcome.MOVED
        assert report.not_analysed == 1
        assert catalog.active_space() == SPACE  # until all is analysed with the new settings
        assert ingest(catalog, [music, elsewhere], other).not_analysed == 0
        assert dict(catalog.spaces()) == {SPACE: 3, other.space(): 3}
        assert catalog.active_space() == other.space()


def copy_analyses(story: Story, catalog: Catalog, music: Path) -> None:
    """Make a catalogue of copied files as if they had been analysed there."""
    library, _ = catalog.scope_of(music)
    for file in sorted(music.iterdir()):
        track = story.catalog.track_at(story.folder / file.name)
        assert track is not None
        analysis = story.catalog.analysis_of(track.id, SPACE)
        assert analysis is not None
        stat = FileStat(file.name, file.stat().st_size, file.stat().st_mtime_ns)
        with catalog.writing() as write:
            write.analysed(library, stat, track.content_hash, track.tags, analysis, "test")


def test_folders_that_cannot_be_ingested_change_nothing(story: Story) -> None:
    before = story.catalog.libraries()
    os.mkfifo(story.folder.parent / "pipe")
    for path, message in (("absent", "mounted"), ("pipe", "neither a folder nor a regular file")):
        with pytest.raises(UsageError, match=message):
            ingest(story.catalog, [story.folder, story.folder.parent / path], SETTINGS)
    with pytest.raises(UsageError, match="no folder"):
        ingest(story.catalog, [], SETTINGS)
    with pytest.raises(UsageError, match="patterns to exclude"):
        ingest(story.catalog, [story.folder.parent], IngestSettings(workers=1, exclude=("!",)))
    assert story.catalog.libraries() == before


@pytest.mark.parametrize("leaves_mount_point", [False, True])
def test_an_unmounted_disk_makes_its_tracks_unavailable(
    story: Story, leaves_mount_point: bool
) -> None:
    counts = story.catalog.counts()
    away = story.folder.rename(story.folder.with_name("away"))
    if leaves_mount_point:
        story.folder.mkdir()
    for paths in (None, story.folder, [story.folder / "deeper"]):
        recorder = Recorder()
        report = ingest(story.catalog, paths, SETTINGS, recorder)
        ((root, tracks),) = report.unavailable
        assert (root, recorder.roots_away) == (story.folder, {story.folder: tracks})
        assert (report.scanned, report.missing) == (0, 0)
    states = {track.state for track in story.catalog.all_tracks(None)}
    assert states - {TrackState.FAILED} == {TrackState.UNAVAILABLE}
    if leaves_mount_point:
        story.folder.rmdir()
    away.rename(story.folder)
    back = ingest(story.catalog, None, SETTINGS)
    assert (back.unavailable, back.analysed, back.moved, back.retagged) == ((), 0, 0, 0)
    assert (back.found_again, back.still_failing) == (11, 2)
    assert story.catalog.counts() == counts


def test_an_empty_folder_that_had_no_tracks_is_just_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with Catalog.open(str(tmp_path / "catalog.db")) as catalog:
        for _ in range(2):
            report = ingest(catalog, tmp_path / "empty", SETTINGS)
            assert (report.scanned, report.unavailable) == (0, ())


def test_progress_and_reasons_of_failures(story: Story) -> None:
    first = story.progress["first"]
    assert first.files == len(first.outcomes) == len(first.started_files) == 13
    assert set(first.reasons) == {"text.mp3", "silent film.mp4"}
    assert "stays.wav" not in first.reasons


def test_the_index_is_up_to_date_at_the_end(story: Story) -> None:
    assert story.progress["first"].indexed == 11
    assert story.progress["second"].indexed == 0
    assert list(story.catalog.folder.glob("*.index"))  # type: ignore[union-attr]


def test_without_an_update_of_the_index_there_is_none(story: Story, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    shutil.copy(story.folder / "stays.wav", tmp_path / "music")
    with Catalog.open(str(tmp_path / "other.db")) as catalog:
        ingest(catalog, tmp_path / "music", IngestSettings(workers=1, update_index=False))
    assert not list(tmp_path.glob("*.index"))


def test_two_ingests_at_once(story: Story) -> None:
    with ingest_lock(story.catalog), pytest.raises(CatalogError, match="another ingest is running"):
        ingest(story.catalog, [story.folder], SETTINGS)
    ingest(story.catalog, [story.folder], SETTINGS)


def test_settings_out_of_range() -> None:
    for wrong in ({"workers": 0}, {"timeout_s": 0.0}):
        with pytest.raises(UsageError):
            IngestSettings(**wrong)
    with pytest.raises(WeightsError, match="shipped models"):
        IngestSettings(model="no such model").space()
