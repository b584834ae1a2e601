"""The errors that this package raises on purpose. Every message says what to do next.

    RecsysError
    ├── AudioError            a file that cannot be analysed; `kind`: unreadable
    │   ├── UnreadableAudio   damaged, or no audio
    │   ├── EmptyFile         empty
    │   ├── NoSound           no-sound
    │   ├── TooShort          too-short
    │   ├── Silent            silent
    │   ├── NotFinite         not-finite
    │   ├── PastEnd           past-end
    │   ├── FileVanished      vanished
    │   ├── NoPermission      no-permission
    │   ├── WorkerCrashed     crashed
    │   │   └── CrashedAlone  crashed-alone
    │   ├── WorkerTimedOut    timed-out
    │   └── TooMuchMemory     too-much-memory
    ├── WeightsError          weights missing, damaged, or not those of their card
    │   ├── WeightsNotShipped of an architecture that has to be trained first
    │   └── WeightsNotFetched that could not be downloaded
    ├── SpaceMismatch         vectors of two embedding spaces
    ├── CatalogError          the catalogue cannot be opened, read or written
    │   └── BackupFailed      it cannot be copied before an upgrade
    │   └── NothingAnalysed   it holds nothing that can be recommended
    ├── TrackNotFound         no track for a path, id or title
    ├── AmbiguousTrack        several tracks for one
    ├── IndexDamaged          the index file cannot be read
    │   └── IndexOutdated     written by another version
    ├── CueSheetError         a cue sheet that cannot be used
    ├── PlaylistError         a playlist that cannot be read, or not be made again
    │   └── PlaylistNotFound  no stored playlist has this name
    ├── HistoryError          a history of listening that cannot be read
    ├── PlayerError           a player that cannot be reached, or refuses
    ├── DatasetError          a data set that is not what it should be
    └── UsageError            arguments out of range, or that exclude each other

An argument of a wrong type raises `TypeError`, and a file that cannot be written `OSError`, as
everywhere in Python. Any other exception is a bug. The command line prints these errors as one line
on stderr.
"""

from typing import ClassVar


class RecsysError(Exception):
    """Base of all errors that a user can cause and fix."""


class AudioError(RecsysError):
    """A file that cannot be analysed; `kind` is stored with the failure in the catalogue."""

    kind: ClassVar[str] = "unreadable"


class UnreadableAudio(AudioError):
    """No decoder can read the file: it is damaged, or no audio."""


class EmptyFile(AudioError):
    """The file has no bytes."""

    kind = "empty"


class NoSound(AudioError):
    """A valid container, such as a video, without an audio stream."""

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


class PastEnd(AudioError):
    """A segment that begins where the file has ended already."""

    kind = "past-end"


class FileVanished(AudioError):
    """The file was there when its folder was scanned, and is not any more."""

    kind = "vanished"


class NoPermission(AudioError):
    """The operating system does not permit reading the file or folder."""

    kind = "no-permission"


class WorkerCrashed(AudioError):
    """The process that analysed the file died, perhaps through no fault of the file.

    Attributes:
        killed: whether it was ended from outside: by the system for want of memory, by a user.
    """

    kind = "crashed"
    killed: bool = False


class CrashedAlone(WorkerCrashed):
    """The process died again, by itself, when it was the only one."""

    kind = "crashed-alone"


class WorkerTimedOut(AudioError):
    """The process that analysed the file exceeded the time limit and was ended."""

    kind = "timed-out"


class TooMuchMemory(AudioError):
    """The process that read the file needed more memory than it may have."""

    kind = "too-much-memory"


class WeightsError(RecsysError):
    """Weights that are missing, damaged, or do not match their model card."""


class WeightsNotShipped(WeightsError):
    """The weights of a known architecture are not part of the package.

    Attributes:
        model: name of the architecture.
    """

    def __init__(self, message: str, model: str) -> None:
        """An error about `model`."""
        super().__init__(message)
        self.model = model


class WeightsNotFetched(WeightsError):
    """Weights of others that could not be downloaded; nothing was changed."""


class SpaceMismatch(RecsysError):
    """Vectors of different embedding spaces, which must not be compared."""


class CatalogError(RecsysError):
    """The catalogue cannot be opened, read or written, has another schema, or is in use."""


class NothingAnalysed(CatalogError):
    """The catalogue holds no track that can be recommended."""


class BackupFailed(CatalogError):
    """The database cannot be copied before it is upgraded; nothing was changed."""


class TrackNotFound(RecsysError):
    """No track of the catalogue has this path, id or title."""


class AmbiguousTrack(RecsysError):
    """Several tracks match; the message lists them."""


class IndexDamaged(RecsysError):
    """The index file cannot be read. It is a cache, and can be rebuilt."""


class IndexOutdated(IndexDamaged):
    """The index file was written by another version of this package, and is rebuilt."""


class CueSheetError(RecsysError):
    """A cue sheet that cannot be used."""

    def __init__(self, line: int | None, reason: str) -> None:
        """What is wrong with it and what to do; `line` counts from 1, None for all of it."""
        super().__init__(reason if line is None else f"line {line}: {reason}")


class PlaylistError(RecsysError):
    """A playlist that cannot be read or, from its recipe, not be made again."""


class PlaylistNotFound(PlaylistError):
    """The catalogue stores no playlist of this name or id."""


class HistoryError(RecsysError):
    """A history of listening that cannot be read."""


class PlayerError(RecsysError):
    """A player that cannot be reached, or that refuses what is asked of it."""


class DatasetError(RecsysError):
    """A data set's folder, archive or labels that are not what they should be."""


class UsageError(RecsysError):
    """Arguments out of range, or that exclude each other."""
