"""`recsys search` over genres and descriptors, without another model."""

from pathlib import Path

import pytest
from command_line import Shop, recsys


def test_a_search_prints_scores_and_names_what_it_left_out(shop: Shop, catalog: Path) -> None:
    found = recsys("search", "rock", "zither", "-k", 3)
    assert found.status == 0
    assert "left out, as nothing here tells of them: zither" in found.err
    lines = found.out.splitlines()
    assert lines[0].split()[:3] == ["rank", "score", "rock"]
    assert lines[1].split()[0] == "1"
    as_json = recsys("search", "rock", "-k", 3, "--json").json
    assert len(as_json["matches"]) == 3
    assert as_json["terms"] == ["rock"]
    scores = [match["score"] for match in as_json["matches"]]
    assert scores == sorted(scores, reverse=True)
    negated = recsys("search", "--json", "-k", 1, "--", "-rock").json
    assert negated["terms"] == ["no rock"]


@pytest.mark.parametrize("words", [["zither"], ["tempo:x"], ["colour:red"], [""]])
def test_what_cannot_be_searched_for_is_one_line(shop: Shop, catalog: Path, words) -> None:
    found = recsys("search", *words)
    assert (found.status, found.out) == (1, "")
    assert found.err.count("\n") == 1


def test_a_search_makes_a_playlist(shop: Shop, catalog: Path) -> None:
    found = recsys("search", "rock", "-k", 2, "--m3u", "-")
    assert found.status == 0
    assert found.out.startswith("#EXTM3U")
