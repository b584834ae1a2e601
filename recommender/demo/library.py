"""The demo library on disk: who plays what, in which format, with which tags."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import soundfile
from mutagen import id3

from recommender.demo.score import Mix, Score
from recommender.demo.styles import STYLES

EDITION = 1
"""To be raised when the pieces change, so that existing libraries are rendered again."""

# Style, artist, album, year, titles. Nobody here exists.
ALBUMS: tuple[tuple[str, str, str, int, tuple[str, ...]], ...] = (
    ("Nocturne", "Odile Marchetti", "Rooms after Midnight", 2009, ("Lamp Left On", "Slow Snow")),
    ("Nocturne", "Henrik Aalto", "Lake Pieces", 2016, ("Boathouse",)),
    ("Nocturne", "Ines Caldeira", "Nine Small Hours", 2021, ("Third Hour",)),
    (
        "Waltz",
        "Kammerorchester Wiesengrund",
        "Ballroom in Winter",
        1998,
        ("Chandelier", "Promenade"),
    ),
    ("Waltz", "The Larkspur Strings", "Summer Circle", 2004, ("Carousel",)),
    ("Waltz", "Ines Caldeira", "Nine Small Hours", 2021, ("Ninth Hour",)),
    ("Drum and Bass", "Subfloor", "Concrete Weather", 2001, ("Night Bus", "Overpass")),
    ("Drum and Bass", "Kinetik 9", "Pressure Lines", 2012, ("Signal Lost",)),
    ("Drum and Bass", "Halogen", "Blue Shift", 2018, ("Afterburn",)),
    ("Metal", "Iron Verdict", "Court of Ash", 1991, ("Gavel", "Black Docket")),
    ("Metal", "Grimhollow", "The Deep Forge", 2007, ("Anvil Choir",)),
    ("Metal", "Saints of Rust", "Furnace Hymns", 2015, ("Slag",)),
    ("Reggae", "Tamarind Roots", "Harbour Road", 1978, ("Easy Tide", "Mango Rain")),
    ("Reggae", "Brother Cassius", "Hill and Gully", 1983, ("Gully Walk",)),
    ("Reggae", "Subfloor", "Dub Annex", 2003, ("Slow Freight",)),
    ("Chiptune", "Pixel Haven", "Continue?", 2011, ("World One", "Boss Door")),
    ("Chiptune", "8 Bit Brigade", "High Score", 2014, ("Coin Run",)),
    ("Chiptune", "Kilobyte Kid", "Saved Games", 2019, ("Ladder Level",)),
    ("Ambient", "Stillwater Array", "Tidal Memory", 2005, ("Low Horizon", "Salt Flats")),
    ("Ambient", "Mira Fensalir", "Northern Rooms", 2013, ("White Hour",)),
    ("Ambient", "Halogen", "Red Shift", 2020, ("Dark Matter",)),
    (
        "Blues",
        "Leroy Pickett Trio",
        "Back Porch Arithmetic",
        1964,
        ("Two Dollar Shoes", "Rail Yard"),
    ),
    ("Blues", "Delta Marlowe", "Levee Street", 1971, ("Levee Shuffle",)),
    ("Blues", "Big Tom Calloway", "Live at the Feed Store", 1969, ("Feed Store Stomp",)),
)

FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
}
ENDINGS = (".wav", ".mp3", ".flac", ".ogg", ".flac", ".wav")
ID3_FRAMES: dict[str, Any] = {
    "title": id3.TIT2,
    "artist": id3.TPE1,
    "album": id3.TALB,
    "genre": id3.TCON,
    "tracknumber": id3.TRCK,
    "date": id3.TDRC,
    "comment": id3.COMM,
}
BLOCK = 65_536  # frames written at a time: the Vorbis encoder keeps a whole block on its stack


@dataclass(frozen=True)
class DemoPiece:
    """One piece of the library.

    Attributes:
        path: its file.
        style: what the genre tag says.
        number: of all pieces of the library, from 0.
        track_number: on its album, from 1.
        sample_rate: Hz.
        channels: 1 or 2.
    """

    path: Path
    style: str
    artist: str
    album: str
    title: str
    year: int
    number: int
    track_number: int
    sample_rate: int
    channels: int


def plan(folder: Path) -> list[DemoPiece]:
    """The pieces of the library, with their paths in `folder`: Artist/Album/NN Title.ending."""
    pieces: list[DemoPiece] = []
    for style, artist, album, year, titles in ALBUMS:
        for title in titles:
            number = len(pieces)
            track = 1 + sum((artist, album) == (p.artist, p.album) for p in pieces)
            # Format, rate and channels go round with the number, so that none belongs to a style.
            name = f"{track:02} {_file_name(title)}{ENDINGS[number % 6]}"
            pieces.append(
                DemoPiece(
                    folder / _file_name(artist) / _file_name(album) / name,
                    style,
                    artist,
                    album,
                    title,
                    year,
                    number,
                    track,
                    sample_rate=44_100 if number % 8 == 2 else 22_050,
                    channels=1 if number % 3 == 1 else 2,
                )
            )
    return pieces


def render(piece: DemoPiece, seed: int = 0) -> Mix:
    """The sound of a piece: np.ndarray [shape=(n, channels)], float32; fixed by its seed."""
    rng = np.random.default_rng([seed, piece.number])
    score = Score(rng, piece.sample_rate, float(rng.uniform(30, 36)))
    stereo = STYLES[piece.style](score)
    return stereo.T if piece.channels == 2 else stereo.mean(axis=0)[:, None]


def render_library(
    folder: Path, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> list[DemoPiece]:
    """Write the demo library; existing pieces are not rendered again.

    Args:
        folder: created if needed. Files that are not the library's own are left alone.
        seed: another seed gives other pieces by the same artists.
        progress: called with (pieces done, total) after every piece.
    """
    pieces = plan(folder)
    for done, piece in enumerate(pieces, start=1):
        if not _is_complete(piece, seed):
            _write(piece, seed)
        if progress is not None:
            progress(done, len(pieces))
    return pieces


def _file_name(text: str) -> str:
    return "".join(c for c in text if c not in '<>:"/\\|?*')


def _mark(seed: int) -> str:
    return f"recsys demo library, edition {EDITION}, seed {seed}"


def _is_complete(piece: DemoPiece, seed: int) -> bool:
    """Whether the file is this piece: it gets its name, with all its tags, only when finished."""
    try:
        file: Any = mutagen.File(piece.path)
    except (OSError, mutagen.MutagenError):
        return False
    tags: Any = getattr(file, "tags", None) or {}
    comments = tags.getall("COMM") if hasattr(tags, "getall") else tags.get("comment", [])
    return _mark(seed) in map(str, comments)


def _write(piece: DemoPiece, seed: int) -> None:
    samples = render(piece, seed)
    piece.path.parent.mkdir(parents=True, exist_ok=True)
    partial = piece.path.with_name(piece.path.name + ".partial")
    container, subtype = FORMATS[piece.path.suffix]
    with soundfile.SoundFile(
        partial, "w", piece.sample_rate, piece.channels, subtype, format=container
    ) as file:
        for start in range(0, len(samples), BLOCK):
            file.write(samples[start : start + BLOCK])
    _tag(partial, piece, seed)
    partial.replace(piece.path)


def _tag(path: Path, piece: DemoPiece, seed: int) -> None:
    file: Any = mutagen.File(path)
    tags = {
        "title": piece.title,
        "artist": piece.artist,
        "album": piece.album,
        "genre": piece.style,
        "tracknumber": str(piece.track_number),
        "date": str(piece.year),
        "comment": _mark(seed),
    }
    if file.tags is None:
        file.add_tags()
    if piece.path.suffix in (".wav", ".mp3"):
        for name, text in tags.items():
            file.tags.add(ID3_FRAMES[name](encoding=3, lang="eng", text=[text]))
    else:
        file.tags.update(tags)
    file.save()
