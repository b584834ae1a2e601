"""`recsys like`, `skip`, `played` and `history`."""

import json
from pathlib import Path

import pytest
from command_line import recsys


def events(*words: object) -> list[tuple[str, str]]:
    found = recsys("history", "list", "--json", *words).json
    return [(one["kind"], one["title"]) for one in found["events"]]


def test_events_are_recorded_and_listed_last_first(catalog: Path) -> None:
    assert "no history yet" in recsys("history", "list").err
    assert recsys("played", "third", "--at", "2026-05-01T20:15").out == "played: Anna – Third\n"
    assert recsys("like", "third", "fourth").out == "liked: Anna – Third\nliked: Bela – Fourth\n"
    recsys("skip", "first light")
    recsys("like", "fourth", "--undo")
    assert events()[0] == ("unlike", "Fourth")
    assert sorted(events()) == [
        ("like", "Fourth"),
        ("like", "Third"),
        ("play", "Third"),
        ("skip", "First Light"),
        ("unlike", "Fourth"),
    ]
    assert events()[-1] == ("play", "Third")
    table = recsys("history", "list", "--limit", 2)
    assert len(table.out.splitlines()) == 3
    assert "the last 2 of 5 events" in table.err
    assert "2026-05-01 20:15" in recsys("history", "list").out


def test_one_unknown_track_records_nothing(catalog: Path) -> None:
    output = recsys("like", "third", "no such words")
    assert (output.status, output.out) == (1, "")
    assert events() == []


def test_histories_of_several_users(catalog: Path) -> None:
    recsys("like", "third", "--user", "Anna")
    assert events() == []
    assert events("--user", "Anna") == [("like", "Third")]
    recsys("history", "clear", "--yes")
    assert events("--user", "Anna") == [("like", "Third")]
    assert recsys("history", "clear", "--yes", "--user", "Anna").out == "1 event dropped.\n"


def test_a_history_goes_out_and_comes_in_again(catalog: Path) -> None:
    recsys("like", "third")
    recsys("played", "fourth", "--at", "2026-05-01T20:15")
    file = catalog.parent / "history.jsonl"
    assert recsys("history", "export", file).out == f"2 events written to {file}\n"
    assert recsys("history", "import", file, "--user", "Anna").status == 0
    assert events("--user", "Anna") == [("like", "Third"), ("play", "Fourth")]
    absent = recsys("history", "export", file.parent / "absent" / "h.jsonl")
    assert (absent.status, "no folder" in absent.err) == (1, True)


def test_clearing_is_asked_for(catalog: Path) -> None:
    recsys("like", "third")
    output = recsys("history", "clear")
    assert (output.status, "--yes" in output.err) == (1, True)
    assert events() == [("like", "Third")]


def test_an_export_of_listenbrainz(catalog: Path) -> None:
    file = catalog.parent / "listens.jsonl"
    listens = [("Third", "Anna", 1_700_000_000), ("Elsewhere", "No\x1bbody", 1_700_000_500)]
    file.write_text(
        "".join(
            json.dumps(
                {
                    "listened_at": at,
                    "track_metadata": {"track_name": title, "artist_name": artist},
                }
            )
            + "\n"
            for title, artist, at in listens
        )
    )
    shown = recsys("history", "import", file)
    assert shown.status == 0
    assert "of known tracks  1 (of 1 track)" in shown.out
    assert "Elsewhere" in shown.out
    assert "\x1b" not in shown.out
    again = recsys("history", "import", file, "--json").json
    assert (again["format"], again["matched"], again["added"]) == ("listenbrainz", 1, 0)
    assert again["unmatched"][0]["title"] == "Elsewhere"
    assert events() == [("play", "Third")]


@pytest.mark.parametrize("content", ["", "no history", "{}", "\x00\x01"])
def test_no_history(catalog: Path, content: str) -> None:
    file = catalog.parent / "file.json"
    file.write_text(content)
    output = recsys("history", "import", file)
    assert (output.status, output.out) == (1, "")
    assert output.err.startswith(f"recsys: {file}")
    assert output.err.count("\n") == 1
