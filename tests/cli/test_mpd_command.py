"""`recsys mpd`: what it passes on and prints; tests/recommendation/test_mpd.py runs a real MPD."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from command_line import recsys

from recommender.catalog import Track
from recommender.players import mpd
from recommender.players.mpd_connection import MpdSettings


class FakeQueue:
    """Adds the first two tracks of the catalogue."""

    settings: MpdSettings

    def __init__(self, service: Any, settings: MpdSettings) -> None:
        self.service = service
        FakeQueue.settings = settings

    def __enter__(self) -> "FakeQueue":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def fill(self) -> list[Track]:
        found: list[Track] = self.service.catalog.search("light")
        return found

    def follow(self, on_added: Callable[[Sequence[Track]], None]) -> None:
        on_added(self.fill()[:1])
        raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mpd, "MpdQueue", FakeQueue)


def test_the_queue_is_filled_once(catalog: Path, tmp_path: Path) -> None:
    output = recsys(
        "mpd", "--once", "--host", "box", "--port", 6601, "--ahead", 7, "--music-directory",
        tmp_path, "--record", "--user", "Anna", "--artist-gap", 3, "--genre", "folk",
    )  # fmt: skip
    assert output.out == "added: Anna – First Light\nadded: Anna – Second Light\n"
    settings = FakeQueue.settings
    assert (settings.host, settings.port, settings.ahead) == ("box", 6601, 7)
    assert (settings.music_directory, settings.record_as) == (tmp_path, "Anna")
    assert settings.rules is not None
    assert (settings.rules.artist_gap, settings.rules.genre) == (3, "folk")


def test_it_is_followed_until_ctrl_c(catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPD_HOST", "secret@/run/mpd/socket")
    output = recsys("mpd")
    assert (output.status, output.out) == (130, "added: Anna – First Light\n")
    assert FakeQueue.settings.host == "secret@/run/mpd/socket"
    assert FakeQueue.settings.record_as is None
