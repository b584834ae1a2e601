"""Runs `recsys` as the console script does, and keeps what it prints."""

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from recommender.cli import main

RECSYS = [sys.executable, "-c", "from recommender.cli import main; main()"]
"""The same in a process of its own."""


@dataclass(frozen=True)
class Output:
    """What a command left: its status, and the text on both streams."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON, which knows no NaN."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        return json.loads(self.out, parse_constant=refuse)


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def recsys(*words: object, stream: type[io.TextIOWrapper] = io.TextIOWrapper) -> Output:
    """Run `main`, as the console script does, with its streams in our hands."""
    out, err = (stream(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "argv", ["recsys", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    texts = [s.buffer.getvalue().decode() for s in (out, err)]  # type: ignore[attr-defined]
    return Output(status, *texts)
