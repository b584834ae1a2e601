"""The text that a search looks for words in."""

from recommender.audio.tags import Tags
from recommender.utils.names import fold


def search_text(tags: Tags, path: str) -> str:
    """Title, artists, album and path of a track, folded (`utils.names.fold`), one a line."""
    fields = (tags.title, tags.artist, tags.album_artist, tags.album, path)
    return fold("\n".join(text for text in fields if text))
