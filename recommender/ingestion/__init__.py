"""Keep a catalogue in step with folders of music: scan, compare, analyse what is new, store it.

Damaged files, crashing decoders, moved folders, interruptions: each costs at most the file that it
concerns, and is reported.

The names below are resolved on first use, so that a process that only opens files stays small.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recommender.ingestion.pipeline import ingest
    from recommender.ingestion.report import IngestReport, Outcome, ProgressReporter
    from recommender.ingestion.settings import IngestSettings

_HOMES = {
    "IngestReport": "recommender.ingestion.report",
    "IngestSettings": "recommender.ingestion.settings",
    "Outcome": "recommender.ingestion.report",
    "ProgressReporter": "recommender.ingestion.report",
    "ingest": "recommender.ingestion.pipeline",
}

__all__ = [
    "IngestReport",
    "IngestSettings",
    "Outcome",
    "ProgressReporter",
    "ingest",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
