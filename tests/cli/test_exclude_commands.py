"""`recsys exclude`: what is never in mixes."""

from pathlib import Path

from command_line import Shop, recsys


def listed() -> list[tuple[str, str]]:
    found = recsys("exclude", "list", "--json").json
    assert found["schema_version"] == 1
    return [(one["kind"], one["name"]) for one in found["exclusions"]]


def test_exclusions_are_added_listed_and_removed(shop: Shop, catalog: Path) -> None:
    empty = recsys("exclude", "list")
    assert (empty.status, empty.out) == (0, "")
    assert "recsys exclude add" in empty.err
    added = recsys(
        "exclude", "add", "--artist", "anna", "--genre", "Rock", "--folder", shop.music,
        "--track", "fourth",
    )  # fmt: skip
    assert added.out.splitlines() == [
        "excluded: artist anna (3 tracks)",
        "excluded: genre Rock (2 tracks)",
        f"excluded: folder {shop.music} (8 tracks)",
        f"excluded: track Bela – Fourth (track {_id('fourth')}) (0 tracks)",
    ]
    assert [kind for kind, _ in listed()] == ["artist", "genre", "folder", "track"]
    table = recsys("exclude", "list").out
    assert table.splitlines()[0].split() == ["id", "kind", "what", "since", "(UTC)"]
    assert "excluded already" in recsys("exclude", "add", "--artist", "ANNA").out
    removed = recsys("exclude", "remove", 2, "--artist", "Änna", "--folder", shop.music)
    assert [line.split()[3] for line in removed.out.splitlines()] == ["genre", "artist", "folder"]
    assert listed() == [("track", f"Bela – Fourth (track {_id('fourth')})")]


def _id(words: str) -> int:
    found: int = recsys("show", words, "--json").json["id"]
    return found


def test_what_means_nothing_so_far_is_said(catalog: Path) -> None:
    added = recsys("exclude", "add", "--artist", "Nobody\x1b Known")
    assert "(0 tracks)" in added.out
    assert "so far" in added.err
    assert "\x1b" not in added.out + added.err


def test_nothing_is_removed_where_one_is_not_there(catalog: Path) -> None:
    recsys("exclude", "add", "--artist", "Anna")
    output = recsys("exclude", "remove", 1, 77)
    assert (output.status, output.out) == (1, "")
    assert "77" in output.err
    assert listed() == [("artist", "Anna")]


def test_nothing_is_added_where_one_is_not_known(catalog: Path) -> None:
    output = recsys("exclude", "add", "--artist", "Anna", "--track", "no such words")
    assert (output.status, output.out) == (1, "")
    assert listed() == []
