"""Ids in numbers that one statement takes."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import TypeVar

_Id = TypeVar("_Id")

CHUNK = 500
"""Rows or ids in one statement; databases limit the number of parameters."""


def chunks(ids: Collection[_Id]) -> Iterator[list[_Id]]:
    """`ids` in lists that are short enough for one statement each."""
    rest = iter(ids)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
