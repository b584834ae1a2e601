"""Options that several commands share, and the conversion of their values."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from recommender.ingestion.worker_limits import FileLimits

ADVANCED = "Advanced"
"""Help panel of the options that few runs need."""

Database = Annotated[
    str | None,
    typer.Option(
        "--db",
        envvar="RECSYS_DB",
        metavar="FILE|URL",
        help="The catalogue: a SQLite file or an SQLAlchemy URL. Default: catalog.db in the "
        "user's data folder.",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]

User = Annotated[
    str,
    typer.Option(
        envvar="RECSYS_USER",
        metavar="NAME",
        help="Whose history and playlists, where several people use the catalogue.",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

GtzanPath = Annotated[
    Path,
    typer.Option(
        "--gtzan",
        metavar="PATH",
        help="GTZAN: a folder of ten genre folders, or a log-Mel archive.",
    ),
]


def parse_limits(text: str) -> "FileLimits":
    """Limits such as ``1024MB,60s``; either part may be left out."""
    from recommender.errors import UsageError
    from recommender.ingestion.worker_limits import FileLimits

    units = {"MB": 1, "GB": 1024, "s": 1, "min": 60}
    given: dict[str, float] = {}
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(MB|GB|s|min)\s*", part)
        if match is None:
            raise typer.BadParameter(f"{text!r} is no limit; write, for example, 2GB,120s.")
        name = "memory_mb" if match[2].endswith("B") else "timeout_s"
        given[name] = float(match[1]) * units[match[2]]
    try:
        return FileLimits(
            int(given.get("memory_mb", FileLimits.memory_mb)),
            given.get("timeout_s", FileLimits.timeout_s),
        )
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error


Limits = Annotated[
    Any,  # FileLimits | None
    typer.Option(
        "--limits",
        envvar="RECSYS_LIMITS",
        parser=parse_limits,
        metavar="MB,SECONDS",
        help="What opening one file may cost: memory, and time (more, in proportion, for a file of "
        "more than 100 MB). A file that takes more fails. Default: 1024MB,60s.",
        show_default=False,
        rich_help_panel=ADVANCED,
    ),
]

Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Processor threads. Default: torch's choice.",
        rich_help_panel=ADVANCED,
    ),
]


class Device(StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class RankedBy(StrEnum):
    """What orders recommendations."""

    RERANKED = "reranked"
    COSINE = "cosine"


_FORMER_RANKINGS = {"neighbourhood": RankedBy.RERANKED}
"""Values of `--ranking` in version 0.1, accepted for this version without being listed."""


def parse_ranking(text: str) -> RankedBy:
    """The ranking called `text`, under its present or its former name."""
    try:
        return _FORMER_RANKINGS.get(text) or RankedBy(text)
    except ValueError:
        names = " or ".join(repr(str(choice)) for choice in RankedBy)
        raise typer.BadParameter(f"{text!r} is no ranking; choose {names}.") from None


RankingChoice = Annotated[
    RankedBy,
    typer.Option(
        parser=parse_ranking,
        metavar="reranked|cosine",
        help="What orders tracks: reranking with database-side augmentation and hubness reduction "
        "(from 100 tracks on), or the plain cosine of embeddings.",
        rich_help_panel=ADVANCED,
    ),
]

_CLOCK = re.compile(r"(?:(?P<hours>\d+):)?(?P<minutes>\d+):(?P<seconds>[0-5]?\d(?:\.\d+)?)")
_UNITS = re.compile(
    r"(?:(?P<hours>\d+(?:\.\d+)?)\s*h)?\s*(?:(?P<minutes>\d+(?:\.\d+)?)\s*m(?:in)?)?"
    r"\s*(?:(?P<seconds>\d+(?:\.\d+)?)\s*s?)?"
)


def parse_duration(text: str) -> float:
    """Seconds of ``180``, ``3:00``, ``1:02:03``, ``3m``, ``2m30s`` or ``1h``."""
    text = text.strip().lower()
    match = _CLOCK.fullmatch(text) or (_UNITS.fullmatch(text) if text else None)
    if match is None:
        raise typer.BadParameter(
            f"{text!r} is no duration; write seconds (180), m:ss (3:00), h:mm:ss (1:02:03) or "
            "units (3m, 2m30s)."
        )
    hours, minutes, seconds = (float(match[unit] or 0) for unit in ("hours", "minutes", "seconds"))
    return 3600 * hours + 60 * minutes + seconds


def torch_device(device: Device) -> str:
    """torch's name of `device`. Raises `UsageError` when a GPU is wanted and torch finds none."""
    import torch

    from recommender.errors import UsageError

    visible = device is not Device.CPU and torch.cuda.is_available()
    if device is Device.CUDA and not visible:
        raise UsageError("torch finds no GPU: use --device cpu.")
    return "cuda" if visible else "cpu"
