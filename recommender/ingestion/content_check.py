"""Compare every byte of a file with what the catalogue knows of it.

What an ingest stored is compared first: the content hash, which takes a part of the sound. Only
where that agrees is a hash of every byte stored, which later checks compare. So a file that was
exchanged or damaged before its first check is not taken for what it was, unless all that changed
lies between the blocks of the content hash.
"""

from enum import StrEnum

from recommender.catalog import Catalog, Track
from recommender.ingestion.content_hash import (
    has_content,
    hash_content,
    hash_file,
    hash_payload,
    of_file,
)
from recommender.ingestion.file_reader import FileReader

_SEPARATOR = "/"  # between the hashes of the payload and of the whole file


class Difference(StrEnum):
    """What of a file is not as the catalogue has it."""

    SOUND = "content"
    TAGS = "tags"  # anything but the sound


def find_difference(catalog: Catalog, track: Track, reader: FileReader) -> Difference | None:
    """What of a track's file has changed; None where all is the same, or nothing tells.

    Args:
        catalog: gets the hashes of a file that is checked for the first time.
        track: its file is read whole.
        reader: reads it, within its limits.

    Raises:
        OSError: the file cannot be read.
        AudioError: it takes more than the limits permit, or reading it fails; see
            `FileReader.call`.
    """
    whole = reader.call(hash_file, track.file)
    stored_payload, _, stored_whole = (catalog.file_hash_of(track.id) or "").rpartition(_SEPARATOR)
    if stored_whole == whole and stored_payload:
        return None
    payload = reader.call(hash_payload, track.file)
    if stored_payload:
        return Difference.SOUND if payload != stored_payload else Difference.TAGS
    content_hash = reader.call(hash_content, track.file)
    if not reader.call(has_content, track.file, content_hash, of_file(track.content_hash)):
        return Difference.SOUND
    if stored_whole not in ("", whole):  # an older release stored no hash of the payload
        return Difference.SOUND
    with catalog.writing() as write:
        write.set_file_hash(track.id, f"{payload}{_SEPARATOR}{whole}")
    return None
