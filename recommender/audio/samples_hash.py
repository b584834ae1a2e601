"""A hash of the samples of a track's windows: of just what its embedding was computed from.

Two hashes can be compared where the same decoders made the samples: another version of a decoder,
or another kind of processor, may round the samples of a lossy file in another way.
"""

import hashlib
import platform
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommender.audio.reader import AudioClip

_READER = 1
"""To be counted up when the reader positions, mixes or resamples windows in another way."""

_DIGEST_BYTES = 16


def hash_samples(clips: "Sequence[AudioClip]") -> str:
    """The hash of clips, in their order: decoders and samples, both in hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for clip in clips:
        digest.update(len(clip.samples).to_bytes(8, "little"))
        digest.update(clip.samples.astype("<f4", copy=False).tobytes())
    return f"{_decoders()}:{digest.hexdigest()}"


def same_samples(stored: str | None, found: str) -> bool | None:
    """Whether two hashes are of equal samples; None where they cannot be compared."""
    if stored is None or stored.partition(":")[0] != found.partition(":")[0]:
        return None
    return stored == found


@cache
def _decoders() -> str:
    """A hash of what the samples depend on besides the file."""
    import av
    import soundfile
    import soxr

    versions = (
        _READER,
        soundfile.__libsndfile_version__,
        sorted(av.library_versions.items()),
        soxr.__libsoxr_version__,
        platform.machine(),
    )
    return hashlib.blake2b(repr(versions).encode(), digest_size=4).hexdigest()
