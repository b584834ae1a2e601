"""A music library with hostile tags that a server shows to a browser."""

from dataclasses import dataclass
from pathlib import Path

import mutagen
import sounds
from serving_process import Server

from recommender.catalog import Catalog
from recommender.ingestion import IngestSettings, ingest

SCRIPT = "<script>window.harm=1</script><img src=x onerror='window.harm=1'>"
MARKUP = "</bdi></a></li><h1>Big</h1><style>*{display:none}</style>&amp;&lt;"
BACKWARDS = "abc\u202e\u2067 gnihton \u200f\u202d xyz"
LONG = "Long " + "x" * 9_995
HOSTILE = (SCRIPT, MARKUP, BACKWARDS, LONG)

_ARTISTS = ("Anna", "Bela", "Chloë", "דנה")
_TRACKS = 28


@dataclass
class Library:
    """What is served.

    Attributes:
        folder: of the music.
        database: of the catalogue.
        address: of the server that runs.
        ids: title → id.
        hostile: id and title of the tracks with hostile titles.
        server: that runs.
    """

    folder: Path
    database: Path
    address: str
    ids: dict[str, int]
    hostile: list[tuple[int, str]]
    server: Server


def write_library(above: Path) -> tuple[Path, Path]:
    """A folder of short pieces by four artists, some with hostile tags, and its catalogue."""
    folder = above / "music"
    folder.mkdir()
    for number in range(_TRACKS):
        path = folder / f"{number:02}.flac"
        sounds.write_sound(path, sounds.music(3 + number / 4, 22_050, number), 22_050)
        tags = mutagen.File(path, easy=True)
        title = HOSTILE[number] if number < len(HOSTILE) else f"Piece {number}"
        artist = SCRIPT if number == 0 else _ARTISTS[number % 4]
        genre = ("Folk", "Rock", "Jazz")[number % 3]
        tags.update(title=title, artist=artist, album=f"Album {number // 7}", genre=genre)
        tags.save()
    (folder / "no music.mp3").write_bytes(b"nothing" * 50)
    database = above / "catalog.db"
    with Catalog.open(database) as catalog:
        ingest(catalog, folder, IngestSettings(workers=1))
    return folder, database
