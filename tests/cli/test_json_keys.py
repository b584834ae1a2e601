"""`cli/JSON.md` names every key that the listings print."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from command_line import recsys

PAGE = Path(__file__).parents[2] / "cli" / "JSON.md"
FREE = {"left_out", "lacking", "request", "recipe", "list", "terms", "unlikely"}
"""Keys whose values have keys of their own: names of rules, stored requests, words, lists."""


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            if key not in FREE:
                yield from keys(one)
    elif isinstance(value, list):
        for one in value:
            yield from keys(one)


def test_every_key_is_explained(catalog: Path) -> None:
    recsys("playlist", "save", "Hand", "third", "fourth")
    recsys("like", "third")
    recsys("exclude", "add", "--artist", "Nobody")
    file = catalog.parent / "list.m3u8"
    recsys("playlist", "export", "Hand", file)
    file.write_text(file.read_text() + "absent.mp3\n")
    explained = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    for words in (
        "similar 1",
        "search rock",
        "mix 1 --not 2 --save Recipe",
        "radio 1",
        "artists Anna",
        "duplicates",
        "playlist list",
        "playlist show Hand",
        "playlist run --all",
        f"playlist import {file} --name In",
        "exclude list",
        "history list",
    ):
        found = recsys(*words.split(), "--json").json
        assert found["schema_version"] == 1
        assert set(keys(found)) <= explained, words
