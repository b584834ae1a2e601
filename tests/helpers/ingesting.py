"""Ingests in processes of their own, as different hosts run them, with short leases."""

import os
import subprocess
import sys
from pathlib import Path

INGESTS = """
import sys
from pathlib import Path
from recommender.catalog import Catalog, leases
from recommender.ingestion import IngestSettings, ingest
from recommender.ingestion.report import NoProgress

leases.LEASE_SECONDS = 4.0

class Spoken(NoProgress):
    def done(self, path, outcome, reason=None):
        print(outcome, path.name, flush=True)

if __name__ == "__main__":
    settings = IngestSettings(workers=1, update_index=False, files_per_transaction=2)
    with Catalog.open(sys.argv[1]) as catalog:
        print(ingest(catalog, [sys.argv[2]], settings, Spoken()).not_reached, flush=True)
"""


def start_ingest(url: str, folder: Path, host: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", INGESTS, url, str(folder)],
        env={**os.environ, "RECSYS_HOST": host},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
