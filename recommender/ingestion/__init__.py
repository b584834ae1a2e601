"""Keep a catalogue in step with folders of music: scan, compare, analyse what is new, store it.

Damaged files, crashing decoders, moved folders, interruptions: each costs at most the file that it
concerns, and is reported.

The names below are resolved on first use, so that a process that only opens files stays small.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recommender.audio.tags import read_tags
    from recommender.ingestion.content_hash import hash_content, hash_file
    from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND
    from recommender.ingestion.ignore_files import IGNORE_FILE
    from recommender.ingestion.pipeline import ingest
    from recommender.ingestion.report import IngestReport, Outcome, ProgressReporter
    from recommender.ingestion.settings import IngestSettings

_HOMES = {
    "IGNORE_FILE": "recommender.ingestion.ignore_files",
    "VIDEO_WITHOUT_SOUND": "recommender.ingestion.file_types",
    "IngestReport": "recommender.ingestion.report",
    "IngestSettings": "recommender.ingestion.settings",
    "Outcome": "recommender.ingestion.report",
    "ProgressReporter": "recommender.ingestion.report",
    "hash_content": "recommender.ingestion.content_hash",
    "hash_file": "recommender.ingestion.content_hash",
    "ingest": "recommender.ingestion.pipeline",
    "read_tags": "recommender.audio.tags",
}

__all__ = [
    "IGNORE_FILE",
    "VIDEO_WITHOUT_SOUND",
    "IngestReport",
    "IngestSettings",
    "Outcome",
    "ProgressReporter",
    "hash_content",
    "hash_file",
    "ingest",
    "read_tags",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
