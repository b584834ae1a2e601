"""Read the sound of a file without the page numbers of ogg, which change with the tags."""

from typing import BinaryIO

from recommender.ingestion.containers import OGG, OGG_HEADER, read

_RENUMBERED = slice(18, 26)  # page sequence number and checksum


def read_masked(file: BinaryIO, start: int, end: int, is_ogg: bool) -> bytes:
    """The bytes of a block; in ogg with zeros for the numbers of pages and their checksums."""
    before = min(start, OGG_HEADER) if is_ogg else 0
    block = bytearray(read(file, start - before, end - start + before))
    if is_ogg:
        page = block.find(OGG)
        while page >= 0:
            renumbered = block[page : page + OGG_HEADER][_RENUMBERED]
            numbers = page + _RENUMBERED.start
            block[numbers : numbers + len(renumbered)] = bytes(len(renumbered))
            page = block.find(OGG, page + 1)
    return bytes(block[before:])
