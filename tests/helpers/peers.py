"""Programs of others that tests run, each by a Python of its own and imported by nothing here.

``tests/peers/make_environments.sh`` makes the environments; a variable such as
``RECSYS_SUPYSONIC_PYTHON`` names another Python that has the program.
"""

import os
from pathlib import Path

import pytest

_MADE = Path(__file__).parents[2] / ".peers"


def peer_python(name: str) -> Path:
    """The interpreter that has a program; without one the test is skipped."""
    variable = f"RECSYS_{name.upper()}_PYTHON"
    python = Path(os.environ.get(variable) or _MADE / name / "bin" / "python")
    if not python.is_file():
        pytest.skip(
            f"no Python that has {name}: run tests/peers/make_environments.sh, or set {variable}"
        )
    return python
