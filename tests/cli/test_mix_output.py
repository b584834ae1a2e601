"""What lists look like at 80 columns, of results that were made by hand."""

from pathlib import Path

import pytest

from recommender.catalog import Catalog, Track
from recommender.cli.mix_output import print_left_out, print_mix
from recommender.embedding.similarity_scale import SimilarityCalibration
from recommender.embedding.space import SpaceId
from recommender.recommendation.mix_request import Kind, MixRequest, SeedSet
from recommender.recommendation.mix_result import Mix, MixEntry
from recommender.recommendation.seeds import Seed

MIDPOINT = 0.4


@pytest.fixture
def tracks(catalog: Path) -> dict[str, Track]:
    with Catalog.open(str(catalog)) as opened:
        return {track.title or "": track for track in opened.all_tracks()}


def mix(
    tracks: dict[str, Track], kind: Kind, seeds: list[str], unlike: list[str], **entries: float
) -> Mix:
    def seed(title: str) -> Seed:
        track = tracks[title]
        return Seed(track, track.title, track.artist, track.file, track.duration, track.artists)

    listed = [(title.replace("_", " "), value) for title, value in entries.items()]
    return Mix(
        [
            MixEntry(tracks[title], position, value, value >= MIDPOINT)
            for position, (title, value) in enumerate(listed, 1)
        ],
        MixRequest(kind, SeedSet(("a", "b"), ("c",) if unlike else ())),
        {"seed": 2, "speech": 0, "artist gap": 1_234},
        [],
        [seed(title) for title in seeds],
        [seed(title) for title in unlike],
        40_000,
        SpaceId("default", "w", "a"),
        SimilarityCalibration(MIDPOINT, 0.1),
    )


def test_a_mix(
    tracks: dict[str, Track], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = mix(
        tracks, "mix", ["First Light", "Third"], ["plain"], Fourth=0.51234, Second_Light=0.3
    )
    print_mix(found)
    text = capsys.readouterr().out
    print_left_out(found)
    assert [line.split("  id")[0].rstrip() for line in text.splitlines()[:3]] == [
        "like: Anna – First Light; Anna – Third",
        "not:  plain",
        "no.  similarity  title         artist  length  album",
    ]
    rows = text.splitlines()[3:5]
    assert rows[0].startswith("  1      0.512   Fourth        Bela      0:03")
    assert rows[1].startswith("  2      0.300*  Second Light  Anna      0:02")
    assert text.splitlines()[5:] == [
        "2 tracks, 0:05. Similarity is that with the seeds; where they sound different,",
        "with the nearest.",
        "* Not close: below a similarity of 0.400, two tracks are more likely of",
        "different genres than of one.",
    ]
    assert capsys.readouterr().out == (
        "\nleft out of 40,000 by  tracks\nseed                        2\n"
        "artist gap              1,234\n"
    )


def test_a_path_and_an_order(tracks: dict[str, Track], capsys: pytest.CaptureFixture[str]) -> None:
    print_mix(mix(tracks, "path", ["First Light", "Fourth"], [], First_Light=1, Fourth=0.2))
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].split()[:3] == ["1", "First", "Light"]  # nothing is before it
    assert lines[:2] == ["from: Anna – First Light", "to:   Bela – Fourth"]
    assert lines[-2].endswith("Similarity is that with the track before.")
    found = mix(tracks, "mix", ["Third"] * 5, [], Fourth=0.6)
    print_mix(found)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "like: Anna – Third; Anna – Third; Anna – Third; 2 more"
    assert not lines[-1].startswith("*")  # nothing is marked


def test_nothing_is_close_is_said_once(
    tracks: dict[str, Track], capsys: pytest.CaptureFixture[str]
) -> None:
    print_mix(mix(tracks, "grow", ["Third", "plain"], [], Fourth=0.1, First_Light=0.2))
    assert capsys.readouterr().out.count("close") == 1
