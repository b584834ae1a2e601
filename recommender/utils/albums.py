"""What two tracks' albums are compared by."""

import re
from collections.abc import Sequence

from recommender.utils.artists import artist_key
from recommender.utils.names import label_key, name_key

_UNKNOWN = """
unknown album|no album|album unknown|unbekanntes album|album inconnu
álbum desconocido|album sconosciuto|onbekend album|okänt album|ukendt album|ukjent album
tuntematon albumi|nieznany album|neznámé album|ismeretlen album|неизвестный альбом
不明なアルバム|未知专辑|未知專輯|알 수 없는 앨범
"""
_NO_ALBUM = frozenset(
    label_key(name) for line in _UNKNOWN.split("\n") for name in line.split("|") if name
)
"""Keys of what programs write where they do not know the album: it is none."""

_DISC = re.compile(r"[\s,:-]*[(\[]?\s*\b(?:cd|disc|disk|disque|disco)\s*\d{1,2}\s*[)\]]?\s*$")
"""At the end of an album's name, or as the name of a folder: the discs of one album are one."""


def album_key(album: str | None, album_artists: Sequence[str], folder: str) -> str:
    """Equal for tracks of one album; empty for a track whose album is not tagged, or not known.

    An album is its name with the artist that is tagged as the album's. Where none is, or one that
    names nobody ("Various Artists"), the folder tells two albums of one name apart.

    Args:
        album: as tagged.
        album_artists: as tagged.
        folder: of the file, with its library.
    """
    name = name_key(album)
    name = _DISC.sub("", name) or name
    if not name or label_key(name.strip("[](){}<>")) in _NO_ALBUM:
        return ""
    artists = sorted(key for key in map(artist_key, album_artists) if key)
    if artists:
        return "\0".join([name, *artists])
    parts = folder.split("/")
    if len(parts) > 1 and not _DISC.sub("", name_key(parts[-1])):
        parts.pop()
    return "\0".join([name, "", "/".join(parts)])
