"""Tempo and key in the files' own tags: every format, nothing else touched, undone, crashes."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mutagen
import pytest
import sounds
from mutagen import id3

from recommender.catalog import Catalog
from recommender.errors import UsageError
from recommender.ingestion import IngestSettings, ingest
from recommender.ingestion.content_hash import hash_content
from recommender.musical_descriptors import MusicalDescriptors
from recommender.tagging import TagChange, TagSettings, undo_tags, write_tags, writing
from recommender.tagging.file_fields import read_values, write_values

SURE = MusicalDescriptors(
    tempo=123.6, tempo_confidence=0.9, key=9, mode="minor", key_confidence=0.9
)
LONG_AGO = 1_000_000_000_123_456_789


@dataclass
class World:
    folder: Path
    catalog: Catalog

    def add(self, name: str, form: str | None = None) -> Path:
        file = self.folder / name
        rate = sounds.native_rate(form or file.suffix[1:])
        sounds.write_sound(file, sounds.music(2, rate), rate, format_name=form or file.suffix[1:])
        return file

    def ingest(self) -> None:
        settings = IngestSettings(workers=1, update_index=False)
        self.report = ingest(self.catalog, [self.folder], settings)
        with self.catalog.writing() as write:
            for track in self.catalog.all_tracks():
                write.described(track.id, SURE)

    def write(self, **settings: object) -> dict[str, TagChange]:
        tracks = list(self.catalog.all_tracks())
        found = write_tags(self.catalog, tracks, TagSettings(**settings))  # type: ignore[arg-type]
        return {change.path.name: change for change in found}

    def undo(self, **settings: bool) -> dict[str, TagChange]:
        return {change.path.name: change for change in undo_tags(self.catalog, **settings)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "music"
    folder.mkdir()
    with Catalog.open(tmp_path / "c.db") as catalog:
        yield World(folder, catalog)


def tag(file: Path) -> None:
    """A title, an artist, a comment and, where the format has them, odd fields."""
    audio = mutagen.File(file, easy=True)
    if audio.tags is None:
        audio.add_tags()
    names = (("title", "Näme"), ("artist", "Søme"))
    for name, text in names:
        if isinstance(audio.tags, id3.ID3):
            kind = {"title": id3.TIT2, "artist": id3.TPE1}[name]
            audio.tags.add(kind(encoding=3, text=[text]))
        else:
            audio[name] = [text]
    audio.save()


FORMATS = ("wav", "aiff", "flac", "mp3", "ogg", "opus", "m4a", "wma")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_takes_both_fields_and_gives_them_back(form: str, tmp_path: Path) -> None:
    file = tmp_path / f"sound.{form}"
    rate = sounds.native_rate(form)
    sounds.write_sound(file, sounds.music(2, rate), rate, format_name=form)
    tag(file)
    before, title = hash_content(file), str(mutagen.File(file, easy=True).tags)
    write_values(file, {"bpm": ("124",), "key": ("Am",)})
    assert read_values(file) == {"bpm": ("124",), "key": ("Am",)}
    assert hash_content(file) == before
    write_values(file, {"bpm": (), "key": ()})
    assert read_values(file) == {"bpm": (), "key": ()}
    assert hash_content(file) == before
    assert str(mutagen.File(file, easy=True).tags) == title


def test_id3_keeps_its_version_and_every_other_frame(tmp_path: Path) -> None:
    file = tmp_path / "old.mp3"
    sounds.write_sound(file, sounds.music(2), format_name="mp3")
    tags = id3.ID3()
    tags.add(id3.TIT2(encoding=1, text=["Title"]))
    tags.add(id3.TYER(encoding=0, text=["1999"]))
    tags.add(id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=b"\x89PNG" * 50))
    tags.add(id3.PRIV(owner="someone", data=b"\0\1\2"))
    tags.save(file, v2_version=3)
    write_values(file, {"bpm": ("90",)})
    found = id3.ID3(file, translate=False)
    assert found.version == (2, 3, 0)
    assert {"TIT2", "TYER", "PRIV:someone:\0\1\2", "APIC:"} <= set(found)
    assert str(found["TBPM"]) == "90"


def test_files_are_written_and_the_next_ingest_leaves_them_alone(world: World) -> None:
    files = [world.add("a.mp3"), world.add("b.flac"), world.add("c.ogg")]
    for file in files:
        tag(file)
        os.utime(file, ns=(LONG_AGO, LONG_AGO))
        file.chmod(0o640)
    world.ingest()
    changes = world.write()
    assert {name: change.reason for name, change in changes.items()} == dict.fromkeys(changes)
    for file in files:
        assert read_values(file) == {"bpm": ("124",), "key": ("Am",)}
        assert file.stat().st_mtime_ns == LONG_AGO
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in world.folder.iterdir()) == ["a.mp3", "b.flac", "c.ogg"]
    world.ingest()
    assert (world.report.unchanged, world.report.analysed) == (3, 0)
    assert all(track.title == "Näme" for track in world.catalog.all_tracks())


def test_a_dry_run_touches_nothing(world: World) -> None:
    file = world.add("a.flac")
    world.ingest()
    before = file.read_bytes()
    (change,) = world.write(dry_run=True).values()
    assert change.after == {"bpm": ("124",), "key": ("Am",)}
    assert file.read_bytes() == before
    assert world.undo() == {}


@pytest.mark.slow
def test_what_a_file_has_already_is_kept_unless_asked(world: World) -> None:
    file = world.add("a.flac")
    write_values(file, {"bpm": ("99",)})
    world.ingest()
    (change,) = world.write().values()
    assert change.after == {"key": ("Am",)}
    (change,) = world.write(overwrite=True).values()
    assert (change.before, change.after) == ({"bpm": ("99",)}, {"bpm": ("124",)})
    (change,) = world.write(overwrite=True).values()
    assert change.reason == "it has them already"


def test_what_is_not_sure_is_not_written(world: World) -> None:
    world.add("a.flac")
    world.ingest()
    (track,) = world.catalog.all_tracks()
    with world.catalog.writing() as write:
        unsure = MusicalDescriptors(tempo=100.0, tempo_confidence=0.2, key=0, mode="major")
        write.described(track.id, unsure)
    (change,) = world.write().values()
    assert change.reason == "nothing is known surely enough"
    (change,) = world.write(least_confidence=0.1).values()
    assert change.after == {"bpm": ("100",)}


@pytest.mark.slow
def test_undo_puts_back_what_the_last_run_replaced(world: World) -> None:
    first, second = world.add("a.flac"), world.add("b.mp3")
    write_values(first, {"bpm": ("99",)})
    world.ingest()
    world.write(fields=("key",))
    world.write(fields=("bpm",), overwrite=True)
    assert all(change.reason is None for change in world.undo(dry_run=True).values())
    assert all(change.reason is None for change in world.undo().values())
    assert read_values(first) == {"bpm": ("99",), "key": ("Am",)}
    assert read_values(second) == {"bpm": (), "key": ("Am",)}
    world.undo()
    assert read_values(first) == {"bpm": ("99",), "key": ()}
    assert world.undo() == {}
    world.ingest()
    assert world.report.unchanged == 2


@pytest.mark.slow
def test_undo_leaves_alone_what_was_changed_since(world: World) -> None:
    file = world.add("a.flac")
    world.ingest()
    world.write()
    write_values(file, {"bpm": ("77",)})
    (change,) = world.undo().values()
    assert change.reason == "its tags were changed since"
    assert read_values(file)["bpm"] == ("77",)


def test_files_that_cannot_be_written_are_named_with_the_reason(world: World) -> None:
    linked, locked, gone = world.add("a.flac"), world.add("b.flac"), world.add("c.flac")
    (world.folder.parent / "link.flac").hardlink_to(linked)
    locked.chmod(0o444)
    world.ingest()
    gone.unlink()
    before = linked.read_bytes(), locked.read_bytes()
    reasons = {name: change.reason for name, change in world.write().items()}
    assert "2 hard links" in (reasons["a.flac"] or "")
    assert reasons["b.flac"] == "it is read-only"
    assert reasons["c.flac"] == "No such file or directory"
    assert (linked.read_bytes(), locked.read_bytes()) == before


def test_a_crash_leaves_the_file_whole_and_the_journal_true(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = world.add("a.flac")
    world.ingest()
    before = file.read_bytes()

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "_take_over", crash)
    with pytest.raises(KeyboardInterrupt):
        world.write()
    assert file.read_bytes() == before
    assert [path.name for path in world.folder.iterdir()] == ["a.flac"]
    monkeypatch.undo()
    journal = world.folder.parent / "c.db.tags.jsonl"
    world.write()
    with journal.open("ab") as half:  # as a crash while writing leaves it
        half.write(b'{"run": "2026')
    assert [change.reason for change in world.undo().values()] == [None]
    assert read_values(file) == {"bpm": (), "key": ()}


@pytest.mark.parametrize("fields", [("genre",), (), ("bpm", "title")])
def test_other_fields_are_refused(fields: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="cannot be written into tags"):
        TagSettings(fields=fields)
