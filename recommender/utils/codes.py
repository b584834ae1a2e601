"""Numbers that stand for names, so that columns of names can be arrays without a table of names."""

from functools import lru_cache
from hashlib import blake2b

NO_NAME = 0
"""Stands for the empty name."""


@lru_cache(maxsize=50_000)
def name_code(key: str) -> int:
    """A number for what a name is compared by, in the range of int64; `NO_NAME` for an empty one.

    It is a hash of 64 bits: among a million names, two have the same by chance once in 37 million
    catalogues. 1 and -1 are never used.
    """
    if not key:
        return NO_NAME
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    code = int.from_bytes(digest, "little", signed=True)
    return code if abs(code) > 1 else code + 2
