"""Musical descriptors at ingest: for new files, and for those analysed before, whose embeddings
stay."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import soundfile
from cue_albums import Album, write_album_sound
from synthetic_music import RATE, cadence, clicks

from recommender.catalog import Catalog
from recommender.errors import CatalogError
from recommender.ingestion import IngestReport, IngestSettings, ingest
from recommender.musical_descriptors import MusicalDescriptors, record
from recommender.verification import verify


@dataclass
class World:
    folder: Path
    catalog: Catalog
    file: Path

    def ingest(self, **settings: object) -> IngestReport:
        chosen = IngestSettings(workers=1, update_index=False, **settings)
        return ingest(self.catalog, [self.folder], chosen)

    def described(self) -> dict[str, MusicalDescriptors]:
        ids = {track.id: track.location for track in self.catalog.all_tracks(None)}
        found = self.catalog.musical_descriptors(ids)
        return {ids[id]: one for id, one in found.items()}

    def analyses(self) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute("SELECT * FROM analyses ORDER BY track_id").fetchall()

    def sql(self, statement: str) -> None:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute(statement)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "music"
    folder.mkdir()
    soundfile.write(folder / "clicks.wav", clicks(120), RATE)
    soundfile.write(folder / "chords.flac", cadence(9, True, "organ"), RATE)
    with Catalog.open(tmp_path / "c.db") as catalog:
        yield World(folder, catalog, tmp_path / "c.db")


def test_new_files_are_described(world: World) -> None:
    report = world.ingest()
    assert (report.analysed, report.described) == (2, 0)
    found = world.described()
    assert found["clicks.wav"].tempo == pytest.approx(120, rel=0.01)
    assert found["chords.flac"].key_name == "A minor"
    assert world.ingest().unchanged == 2


def test_files_analysed_without_get_them_and_keep_their_embeddings(world: World) -> None:
    assert world.ingest(descriptors=False).analysed == 2
    assert world.described() == {}
    assert world.ingest(descriptors=False).unchanged == 2
    before = world.analyses()
    state = world.catalog.state()
    report = world.ingest()
    assert (report.described, report.analysed, report.unchanged) == (2, 0, 0)
    assert world.described()["chords.flac"].camelot == "8A"
    assert world.analyses() == before
    assert world.catalog.state() != state  # running services follow
    assert world.ingest().unchanged == 2


def test_those_of_an_older_version_are_computed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ingest()
    first = world.described()
    world.sql("UPDATE musical_descriptors SET version = version - 1, tempo = 1")
    before = world.analyses()
    assert world.ingest().described == 2
    assert world.described() == first
    assert world.analyses() == before
    assert first["clicks.wav"].version == record.VERSION


def test_a_file_with_other_content_loses_those_of_the_former(world: World) -> None:
    world.ingest()
    soundfile.write(world.folder / "clicks.wav", clicks(90, 8), RATE)
    assert world.ingest(descriptors=False).analysed == 1
    assert set(world.described()) == {"chords.flac"}
    assert world.ingest().described == 1
    assert world.described()["clicks.wav"].tempo == pytest.approx(90, rel=0.01)


def test_a_moved_file_keeps_them(world: World) -> None:
    world.ingest()
    first = world.described()["clicks.wav"]
    shutil.move(world.folder / "clicks.wav", world.folder / "moved.wav")
    assert world.ingest().moved == 1
    assert world.described()["moved.wav"] == first


def test_parts_of_a_file_have_their_own(world: World) -> None:
    write_album_sound(world.folder / "album.flac")
    Album().write(world.folder / "album.cue")
    world.ingest(descriptors=False)
    before = world.analyses()
    report = world.ingest()
    assert report.described == 3
    assert world.analyses() == before
    parts = [name for name in world.described() if "#" in name]
    assert len(parts) > 1
    assert world.ingest().described == 0


def test_damaged_rows_are_found_dropped_and_made_again(world: World) -> None:
    world.ingest()
    first = world.described()
    world.sql("UPDATE musical_descriptors SET tempo = 'fast' WHERE track_id = 1")
    with pytest.raises(CatalogError, match="recsys verify"):
        world.catalog.descriptor_columns(world.catalog.analysed_ids(), ["tempo"])
    (finding,) = (one for one in verify(world.catalog, repair=True) if "row" in one.kind)
    assert "tempo" in finding.detail
    assert finding.repaired
    assert len(world.described()) == 1
    assert world.ingest().described == 1
    assert world.described() == first


def test_those_of_a_dropped_track_go_with_it(world: World) -> None:
    world.ingest()
    (world.folder / "clicks.wav").unlink()
    world.ingest()
    world.catalog.prune()
    assert set(world.described()) == {"chords.flac"}
    one = replace(world.described()["chords.flac"], tempo=100.0)
    (track,) = world.catalog.all_tracks()
    with world.catalog.writing() as write:
        write.described(track.id, one)
    assert world.described()["chords.flac"] == one
