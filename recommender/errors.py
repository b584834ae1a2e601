"""The tree of errors this package raises on purpose. Every message says what to do next.

Anything else that escapes is a bug; the command line shows these as one line on stderr.
"""

from typing import ClassVar


class RecsysError(Exception):
    """Root of every error a user can cause and cure."""


class AudioError(RecsysError):
    """A file that cannot be analysed. `kind` is stored with the failure in the catalogue."""

    kind: ClassVar[str] = "unreadable"


class UnreadableAudio(AudioError):
    """No decoder makes sound of this file (damaged, or not sound at all)."""


class EmptyFile(AudioError):
    """The file has no bytes."""

    kind = "empty"


class NoSound(AudioError):
    """A valid container (a video, say) that holds no audio stream."""

    kind = "no-sound"


class TooShort(AudioError):
    """Less than one second of sound."""

    kind = "too-short"


class Silent(AudioError):
    """Digital silence in every window analysed."""

    kind = "silent"


class NotFinite(AudioError):
    """The decoded samples hold NaN or infinity."""

    kind = "not-finite"


class FileVanished(AudioError):
    """The file was there when the folder was read and is gone now."""

    kind = "vanished"


class NoPermission(AudioError):
    """The operating system does not let us read the file or folder."""

    kind = "no-permission"


class WorkerCrashed(AudioError):
    """The process that analysed this file died."""

    kind = "crashed"


class WorkerTimedOut(AudioError):
    """The process that analysed this file did not finish in time and was ended."""

    kind = "timed-out"


class WeightsError(RecsysError):
    """Weights that are missing, damaged, or do not match their card."""


class SpaceMismatch(RecsysError):
    """Two vectors of different embedding spaces were about to be compared."""


class CatalogError(RecsysError):
    """The catalogue cannot be opened, is of another version, or is in use."""


class TrackNotFound(RecsysError):
    """No track of the catalogue answers to this path, id or title."""


class AmbiguousTrack(RecsysError):
    """Several tracks answer; the message lists them."""


class IndexDamaged(RecsysError):
    """The index file cannot be read; it is a cache and can be rebuilt."""


class IndexOutdated(IndexDamaged):
    """The index file was written by another version of this package; it is built anew."""


class DatasetError(RecsysError):
    """A data set folder or archive that is not what it should be."""


class UsageError(RecsysError):
    """Options that contradict each other or values out of range."""
