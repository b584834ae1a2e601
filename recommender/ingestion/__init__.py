"""Keep a catalogue in step with folders of music: scan, compare, analyse what is new, store it.

Damaged files, crashing decoders, moved folders, interruptions: each costs at most the file that it
concerns, and is reported.
"""

from recommender.audio.tags import read_tags
from recommender.ingestion.content_hash import hash_content, hash_file
from recommender.ingestion.file_types import VIDEO_WITHOUT_SOUND
from recommender.ingestion.ignore_files import IGNORE_FILE
from recommender.ingestion.pipeline import ingest
from recommender.ingestion.report import IngestReport, Outcome, ProgressReporter
from recommender.ingestion.settings import IngestSettings

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
