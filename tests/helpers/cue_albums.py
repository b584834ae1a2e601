"""Albums in one file, with the cue sheets that divide them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import sounds

from recommender.audio.cue_sheet import FRAMES, CueSheet, time_of

RATE = 44_100
SECONDS = (12, 14, 11)
"""Lengths of the tracks of an `Album`, as it is by default."""


def sheet_text(sheet: CueSheet) -> str:
    """A sheet as rippers write it: the text that `parse_cue_sheet` makes `sheet` of."""
    lines = [*_texts(sheet, "")]
    for file in sheet.files:
        lines.append(f'FILE "{file.name}" {file.kind}')
        for track in file.tracks:
            lines.append(f"  TRACK {track.number:02} {'AUDIO' if track.is_audio else 'MODE1/2352'}")
            lines += _texts(track, "    ")
            lines.append(f"    INDEX 01 {time_of(track.start)}")
    return "\r\n".join(lines) + "\r\n"


def _texts(said_of: object, indent: str) -> list[str]:
    commands = {
        "title": "TITLE",
        "performer": "PERFORMER",
        "genre": "REM GENRE",
        "date": "REM DATE",
    }
    values = {command: getattr(said_of, name) for name, command in commands.items()}
    return [f'{indent}{command} "{value}"' for command, value in values.items() if value]


@dataclass(frozen=True)
class Album:
    """An album in one file, and its sheet.

    Attributes:
        titles: one for each track.
        starts: seconds of each.
        name: what the sheet calls the file.
    """

    titles: tuple[str, ...] = ("Gavel", "Docket", "Verdict")
    starts: tuple[float, ...] = (0, 12, 26)
    name: str = "album.wav"

    def text(self) -> str:
        """The sheet."""
        lines = [
            'REM GENRE "Doom"',
            "REM DATE 1998",
            'PERFORMER "Iron Verdict"',
            'TITLE "Court of Ash"',
            f'FILE "{self.name}" WAVE',
        ]
        for number, (title, start) in enumerate(zip(self.titles, self.starts, strict=True), 1):
            lines += [
                f"  TRACK {number:02} AUDIO",
                f'    TITLE "{title}"',
                f"    INDEX 01 {time_of(round(start * FRAMES))}",
            ]
        return "\n".join(lines) + "\n"

    def write(self, path: Path) -> Path:
        """Write the sheet."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text(), encoding="utf-8")
        return path

    def titled(self, *titles: str) -> "Album":
        """With other titles."""
        return replace(self, titles=titles)


def track_samples(seconds: Sequence[float] = SECONDS, seed: int = 0) -> list[np.ndarray]:
    """The sound of each track of an album."""
    return [sounds.music(length, RATE, seed + i) for i, length in enumerate(seconds)]


def write_album_sound(path: Path, seconds: Sequence[float] = SECONDS, seed: int = 0) -> Path:
    """The sound of an album in one file; the format is that of the ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.concatenate(track_samples(seconds, seed))
    return sounds.write_sound(path, samples, RATE)
