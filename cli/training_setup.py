"""What the commands that train have in common: the device, the extra they need, GTZAN."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.cli.options import Device
from recommender.cli.output import counting, note
from recommender.utils.terminal_text import one_line

if TYPE_CHECKING:
    from recommender.research.datasets.gtzan import Gtzan
    from recommender.research.datasets.labelled_tracks import LabelledTracks

STUDY_MODULES = ("sklearn", "scipy")
"""Of the extra 'study', what fitting heads and projections needs."""

TrainingDevice = Annotated[
    Device, typer.Option(help="Where to train; auto: on a GPU when there is one.")
]


def require_study_extra(*modules: str) -> None:
    """Check that modules of the extra 'study' are installed, before hours of work need them.

    Raises:
        UsageError: some are not; the message says how to install them.
    """
    from importlib.util import find_spec

    from recommender.errors import UsageError

    def installed(module: str) -> bool:
        try:
            return find_spec(module) is not None
        except ValueError:  # what `sys.modules` has under this name is no module
            return False

    absent = [module for module in modules if not installed(module)]
    if absent:
        raise UsageError(
            f"this needs {' and '.join(absent)}, of the extra 'study': "
            "pip install 'recommender[study]'."
        )


def load_data_set(name: str, path: Path, cache: Path, threads: int | None) -> "LabelledTracks":
    """Read another data set with progress; as `load_gtzan`."""
    from recommender.research.datasets import labelled_tracks
    from recommender.research.datasets.manifests import DATA_SETS

    _set_threads(threads)
    with counting("analysing tracks") as progress:
        data = labelled_tracks.load(DATA_SETS[name], path, cache, progress)
    for file, reason in data.missing:
        note(f"skipped {one_line(file)}: {reason}")
    return data


def load_gtzan(path: Path, cache: Path, threads: int | None) -> "Gtzan":
    """Read GTZAN with progress, and note what was skipped; `threads` is for all that follows."""
    from recommender.research.datasets import gtzan

    _set_threads(threads)
    with counting("analysing GTZAN") as progress:
        data = gtzan.load(path, progress=progress, cache=cache)
    for track_id, reason in data.missing:
        note(f"skipped {track_id}: {reason}")
    return data


def _set_threads(threads: int | None) -> None:
    if threads:
        import torch

        torch.set_num_threads(threads)
