"""The life of an album in one file: its cue sheet appears, changes, moves with it, and goes."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mutagen.flac
import numpy as np
import pytest
import sounds
from cue_albums import RATE, SECONDS, Album, track_samples, write_album_sound

from recommender.catalog import Catalog, Track, TrackState
from recommender.ingestion import IngestReport, IngestSettings, ingest
from recommender.playlists.m3u import m3u_text
from recommender.verification import verify

SETTINGS = IngestSettings(workers=1, update_index=False)
SPACE = SETTINGS.space()


@dataclass
class World:
    """A music folder and its catalogue."""

    folder: Path
    catalog: Catalog

    def ingest(self, *paths: Path, **settings: object) -> IngestReport:
        chosen = IngestSettings(workers=1, update_index=False, **settings)
        return ingest(self.catalog, paths or [self.folder], chosen)

    def tracks(self) -> list[Track]:
        return self.catalog.search("")

    def ids(self) -> dict[str, int]:
        return {track.location: track.id for track in self.tracks()}

    def analysed_at(self) -> dict[str, object]:
        return {track.location: track.analysed_at for track in self.tracks()}

    def vector(self, location: str) -> np.ndarray:
        found = self.catalog.analysis_of(self.ids()[location], SPACE)
        assert found is not None
        return found.activations


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "music"
    folder.mkdir()
    with Catalog.open(tmp_path / "c.db") as catalog:
        yield World(folder, catalog)


@pytest.mark.slow
def test_segments_have_the_embeddings_of_files_cut_there(world: World) -> None:
    write_album_sound(world.folder / "album.flac")
    Album().write(world.folder / "album.cue")
    for number, samples in enumerate(track_samples(), start=1):
        sounds.write_sound(world.folder / f"cut{number}.flac", samples, RATE)
    report = world.ingest()
    assert report.analysed == 4
    assert not report.cue_sheets
    for number, seconds in enumerate(SECONDS, start=1):
        album, alone = f"album.flac#{number}", f"cut{number}.flac"
        assert np.array_equal(world.vector(album), world.vector(alone))
        one, other = (world.catalog.track(world.ids()[name]) for name in (album, alone))
        assert one.windows == other.windows
        assert one.duration == other.duration == seconds
        assert one.genre_probabilities == other.genre_probabilities
    first, second, last = world.tracks()[:3]
    assert [(t.start, t.end) for t in (first, second, last)] == [(0, 12), (12, 26), (26, 37)]
    assert (second.title, second.artist, second.tags.album) == (
        "Docket",
        "Iron Verdict",
        "Court of Ash",
    )
    assert (second.tags.year, second.tags.genre, second.tags.track_number) == (1998, "Doom", 2)
    assert "#EXTVLCOPT:start-time=12.000\n#EXTVLCOPT:stop-time=26.000\n" in m3u_text(
        [second], world.folder
    )
    assert len({track.content_hash for track in world.tracks()}) == 6
    again = world.ingest()
    assert (again.unchanged, again.analysed, again.retagged) == (4, 0, 0)
    assert not verify(world.catalog, content=True)


@pytest.mark.slow
def test_a_sheet_that_appears_changes_and_goes(world: World) -> None:
    write_album_sound(world.folder / "album.flac")
    sounds.write_sound(world.folder / "other.flac", sounds.music(11), RATE)
    world.ingest()
    whole = world.ids()["album.flac"]

    Album().write(world.folder / "album.cue")
    assert world.ingest().analysed == 1
    divided, analysed = world.ids(), world.analysed_at()
    assert list(divided) == ["album.flac#1", "album.flac#2", "album.flac#3", "other.flac"]
    assert whole not in divided.values()

    Album().titled("A", "B", "C").write(world.folder / "album.cue")
    report = world.ingest()
    assert (report.retagged, report.analysed) == (1, 0)
    assert world.analysed_at() == analysed
    assert [track.title for track in world.tracks()] == ["A", "B", "C", "other"]

    # A track is put in at the front of the second, and the third begins later.
    Album(("A", "new", "B", "C"), (0, 6, 12, 27)).write(world.folder / "album.cue")
    world.ingest()
    now, later = world.ids(), world.analysed_at()
    assert now["album.flac#1"] == divided["album.flac#1"]
    assert later["album.flac#1"] != analysed["album.flac#1"]
    assert later["other.flac"] == analysed["other.flac"]
    Album(("A", "new", "B"), (0, 6, 12)).write(world.folder / "album.cue")
    world.ingest()
    assert world.analysed_at()["album.flac#2"] == later["album.flac#2"]

    (world.folder / "album.cue").unlink()
    report = world.ingest()
    assert (report.analysed, report.missing) == (1, 0)
    assert list(world.ids()) == ["album.flac", "other.flac"]
    assert world.ingest().unchanged == 2


def test_tracks_with_the_same_bounds_keep_ids_whatever_their_number(world: World) -> None:
    write_album_sound(world.folder / "album.wav")
    Album(("B", "C"), (12, 26)).write(world.folder / "album.cue")
    world.ingest()
    before, analysed = world.ids(), world.analysed_at()
    Album().write(world.folder / "album.cue")
    world.ingest()
    after = world.ids()
    assert after["album.wav#2"] == before["album.wav#1"]
    assert after["album.wav#3"] == before["album.wav#2"]
    assert world.analysed_at()["album.wav#3"] == analysed["album.wav#2"]


@pytest.mark.slow
@pytest.mark.parametrize("rewritten", [False, True], ids=["as it was", "tagged anew"])
def test_file_and_sheet_renamed_and_moved_keep_their_tracks(world: World, rewritten: bool) -> None:
    album = write_album_sound(world.folder / "album.flac")
    Album().write(world.folder / "album.cue")
    world.ingest()
    before, analysed = list(world.ids().values()), list(world.analysed_at().values())
    (world.folder / "x").mkdir()
    moved = album.rename(world.folder / "x/court.flac")
    (world.folder / "album.cue").rename(world.folder / "x/court.cue")
    if rewritten:
        tags = mutagen.flac.FLAC(moved)
        tags["comment"] = "moved"
        tags.save()
    report = world.ingest()
    assert (report.moved, report.analysed, report.missing) == (1, 0, 0)
    assert list(world.ids()) == [f"x/court.flac#{number}" for number in (1, 2, 3)]
    assert list(world.ids().values()) == before
    assert list(world.analysed_at().values()) == analysed
    assert {track.state for track in world.tracks()} == {TrackState.ANALYSED}
    assert world.ingest().unchanged == 1


@pytest.mark.slow
def test_all_tracks_of_a_file_go_missing_come_back_and_fail_together(world: World) -> None:
    album = write_album_sound(world.folder / "album.flac")
    Album().write(world.folder / "album.cue")
    world.ingest()
    ids = world.ids()
    kept = shutil.copy2(album, world.folder.parent)
    album.unlink()
    assert world.ingest().missing == 3
    assert {track.state for track in world.tracks()} == {TrackState.MISSING}
    shutil.copy2(kept, album)
    report = world.ingest()
    assert report.analysed == 0
    assert world.ids() == ids
    assert {track.state for track in world.tracks()} == {TrackState.ANALYSED}
    album.write_bytes(b"no sound" * 1000)
    assert world.ingest().failed == 1
    assert {track.state for track in world.tracks()} == {TrackState.FAILED}
    assert world.ingest().still_failing == 1
    album.unlink()
    world.ingest()
    assert world.catalog.prune(force=True) == 3


def test_sheets_that_do_not_fit_leave_the_file_whole_and_are_told(world: World) -> None:
    write_album_sound(world.folder / "album.flac")
    sheet = Album(starts=(0, 12, 300)).write(world.folder / "album.cue")
    report = world.ingest()
    ((path, reason),) = report.cue_sheets
    assert path == sheet
    assert reason.startswith("line 14: ")
    assert list(world.ids()) == ["album.flac"]
    assert [failure.kind for failure in world.catalog.failures()] == ["cue-sheet"]
    again = world.ingest()
    assert (again.unchanged, again.cue_sheets) == (1, ())
    assert not verify(world.catalog)
    Album().write(sheet)
    world.ingest()
    assert len(world.ids()) == 3
    assert not world.catalog.failures()
    sheet.write_text("FILE x\nTRACK 01 AUDIO\nINDEX 01 00:99:00\n")
    ((_, reason),) = world.ingest().cue_sheets
    assert reason.startswith("line 3: ")
    assert list(world.ids()) == ["album.flac"]


@pytest.mark.parametrize("kind", ["comment", "block"])
def test_embedded_sheets_divide_where_there_is_none_beside_the_file(
    world: World, kind: str
) -> None:
    path = write_album_sound(world.folder / "album.flac")
    tags = mutagen.flac.FLAC(path)
    tags["album"], tags["title"] = "Of the file", "Side one"
    if kind == "comment":
        tags["CUESHEET"] = Album().text()
    else:
        tags.metadata_blocks.append(_block((0, 12, 26)))
    tags.save()
    world.ingest()
    tracks = world.tracks()
    assert [(track.start, track.end) for track in tracks] == [(0, 12), (12, 26), (26, 37)]
    titles = ["Gavel", "Docket", "Verdict"] if kind == "comment" else None
    assert [track.title for track in tracks] == (titles or [f"album #{n}" for n in (1, 2, 3)])
    assert {track.tags.album for track in tracks} == {"Court of Ash" if titles else "Of the file"}
    assert world.ingest().unchanged == 1
    Album(("one", "two"), (0, 20)).write(world.folder / "album.cue")
    world.ingest()
    assert [track.title for track in world.tracks()] == ["one", "two"]


def _block(starts: tuple[int, ...]) -> mutagen.flac.CueSheet:
    sheet = mutagen.flac.CueSheet(None)
    for number, start in enumerate(starts, start=1):
        track = mutagen.flac.CueSheetTrack(number, start * RATE)
        track.indexes.append(mutagen.flac.CueSheetTrackIndex(1, 0))
        sheet.tracks.append(track)
    sheet.tracks.append(mutagen.flac.CueSheetTrack(170, sum(SECONDS) * RATE))
    return sheet


def test_silent_tracks_are_left_out_and_told(world: World) -> None:
    samples = np.concatenate(track_samples())
    samples[12 * RATE : 26 * RATE] = 0
    sounds.write_sound(world.folder / "album.wav", samples, RATE)
    Album().write(world.folder / "album.cue")
    ((_, reason),) = world.ingest().cue_sheets
    assert reason.startswith("track 2 of its cue sheet is left out: All 14.0 s")
    assert list(world.ids()) == ["album.wav#1", "album.wav#3"]
    assert world.ingest().unchanged == 1


@pytest.mark.slow
def test_forced_and_other_windows_analyse_every_segment_again(world: World) -> None:
    write_album_sound(world.folder / "album.flac")
    Album().write(world.folder / "album.cue")
    world.ingest()
    ids, analysed = world.ids(), world.analysed_at()
    assert world.ingest(reanalyze=True).analysed == 1
    assert world.ids() == ids
    assert not set(world.analysed_at().values()) & set(analysed.values())
    later = world.analysed_at()
    assert world.ingest(world.folder / "album.flac", reread_tags=True).retagged == 1
    assert (world.ids(), world.analysed_at()) == (ids, later)
