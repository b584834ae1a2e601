"""Runs `recsys` as the console script does, and a small music folder to run it on."""

import contextlib
import io
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import pytest
import sounds

from recommender.cli import main

RECSYS = [sys.executable, "-c", "from recommender.cli import main; main()"]
"""The same in a process of its own."""

BAD = os.fsdecode(b"bad\xff.wav")
"""A file name that is not UTF-8."""


@dataclass(frozen=True)
class Output:
    """What a command left: its status, and the text on both streams."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON, in which there is no NaN."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        return json.loads(self.out, parse_constant=refuse)


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def recsys(*words: object, stream: type[io.TextIOWrapper] = io.TextIOWrapper) -> Output:
    """Run `main`, as the console script does, and return what it printed."""
    out, err = (stream(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["recsys", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    texts = [s.buffer.getvalue().decode(errors="surrogateescape") for s in (out, err)]  # type: ignore[attr-defined]
    return Output(status, *texts)


def neighbours(*words: object) -> list[dict[str, Any]]:
    """The list that `recsys similar` gives, with everything that JSON has of the tracks."""
    found: list[dict[str, Any]] = recsys("similar", *words, "--json", "--full").json["neighbours"]
    assert [track["rank"] for track in found] == list(range(1, len(found) + 1))
    return found


@dataclass(frozen=True)
class Shop:
    """A music folder, the catalogue that `recsys demo` made of it, and what it printed."""

    music: Path
    database: Path
    demo: Output


def write_music(folder: Path) -> None:
    """Seven recordings of different lengths, so none is taken for a duplicate, and a duplicate."""
    folder.mkdir()
    tagged = {
        "one.flac": ("First Light", "Anna", "Folk"),
        "two.flac": ("Second Light", "Anna", "Folk"),
        "three.ogg": ("Third", "Anna", "Rock"),
        "four.ogg": ("Fourth", "Bela", "Rock"),
        "plain.wav": None,
        "line\nbreak.wav": None,
        BAD: None,
    }
    for seed, (name, tags) in enumerate(tagged.items()):
        path = folder / name
        sounds.write_sound(path, sounds.music(2 + seed / 5, 22_050, seed), 22_050)
        if tags is not None:
            file = mutagen.File(path, easy=True)
            file.update(dict(zip(("title", "artist", "genre"), tags, strict=True)))
            file.save()
    shutil.copy(folder / "plain.wav", folder / "copy.wav")
    (folder / "text.mp3").write_text("no music")
    (folder / "notes.txt").write_text("not music either")
    sounds.write_video(folder / "silent film.mp4")
