"""Keep a catalogue in step with folders of music: scan, compare, analyse what is new, store it.

Damaged files, crashing decoders, moved folders, interruptions: each costs at most the file that it
concerns, and is reported.
"""

from recommender.ingestion.pipeline import ingest
from recommender.ingestion.report import IngestReport, Outcome, ProgressReporter
from recommender.ingestion.settings import IngestSettings

__all__ = [
    "IngestReport",
    "IngestSettings",
    "Outcome",
    "ProgressReporter",
    "ingest",
]
