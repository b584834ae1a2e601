"""Keep a catalogue in step with folders of music: scan, compare, hear what is new, write it down.

Damaged files, crashing decoders, moved folders, interruptions: each costs at most the file it is
about, and is told.
"""

from recommender.ingest.digest import content_digest, whole_digest
from recommender.ingest.kinds import VIDEO_WITHOUT_SOUND
from recommender.ingest.report import IngestReport, Outcome, ProgressListener
from recommender.ingest.run import ingest
from recommender.ingest.scan import IGNORE_FILE
from recommender.ingest.settings import IngestSettings
from recommender.ingest.tags import read_tags

__all__ = [
    "IGNORE_FILE",
    "VIDEO_WITHOUT_SOUND",
    "IngestReport",
    "IngestSettings",
    "Outcome",
    "ProgressListener",
    "content_digest",
    "ingest",
    "read_tags",
    "whole_digest",
]
