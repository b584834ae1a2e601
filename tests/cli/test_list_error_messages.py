"""Errors of the commands for lists: one line that says what to do, and nothing is changed."""

from pathlib import Path

from command_line import Shop, recsys

from recommender.catalog import Catalog


def test_errors_are_one_line_and_change_nothing(shop: Shop, catalog: Path) -> None:
    folder = catalog.parent
    (folder / "text.db").write_text("no database")
    (folder / "folder.m3u8").mkdir()
    with Catalog.open(str(catalog)) as opened:
        before = opened.lists_revision()
    cases: list[tuple[tuple[object, ...], str]] = [
        (("mix", 1, "--not", 1), "both like and unlike"),
        (("mix", 99), "99"),
        (("mix", 1, "--genre", "flok"), "did you mean"),
        (("mix", 1, "--max-duration", 1), "length"),
        (("mix", 1, "--min-duration", 9, "--max-duration", 8), "at most 8 s"),
        (("mix", 1, "--to", folder / "a.m3u8"), "--save"),
        (("mix", 1, "--dry-run"), "--save"),
        (("mix", 1, "--with-seed"), "--m3u"),
        (("mix", 1, "--m3u", "-", "--json"), "choose one"),
        (("mix", 1, "--m3u", folder / "absent" / "a.xspf"), "no such folder"),
        (("mix", 1, "--save", "A", "--to", folder / "absent" / "a.xspf"), "no such folder"),
        (("mix", 1, "--save", " "), "needs a name"),
        (("mix", 1, "--previous", "nonesuch"), "recsys playlist list"),
        (("mix", 1, "--not-played", 1000000), "at most 36,500 days"),
        (("mix", 1, "--not-played", "inf"), "at most 36,500 days"),
        (("mix", 1, "--db", folder / "new.db"), "recsys ingest"),
        (("radio", 1, "--minutes", 0), "minutes"),
        (("radio", folder / "absent.m3u8"), "absent.m3u8"),
        (("path", 1, "no such words"), "no such words"),
        (("order", "nonesuch"), "recsys playlist list"),
        (("order", folder / "folder.m3u8"), "folder.m3u8"),
        (("grow", "nonesuch"), "recsys playlist list"),
        (("artists", "nonesuch"), "nonesuch"),
        (("artists", "Ana"), "did you mean 'Anna'?"),
        (("albums", 99), "99"),
        (("duplicates", "--minimum", 0.1), "minimum"),
        (("exclude", "add"), "--artist"),
        (("exclude", "add", "--artist", "Various Artists"), "names no artist"),
        (("exclude", "add", "--track", 99), "99"),
        (("exclude", "remove"), "recsys exclude list"),
        (("exclude", "remove", 7), "recsys exclude list"),
        (("exclude", "list", "--db", folder / "new.db"), "recsys ingest"),
        (("like", 99), "99"),
        (("played", shop.music / "text.mp3"), "could not be analysed"),
        (("history", "import", folder / "absent.json"), "absent.json"),
        (("history", "import", folder / "text.db"), "text.db"),
        (("history", "clear"), "--yes"),
        (("playlist", "show", "nonesuch"), "recsys playlist list"),
        (("playlist", "run", "nonesuch"), "recsys playlist list"),
        (("playlist", "run"), "--all"),
        (("playlist", "run", "A", "--all"), "--all"),
        (("playlist", "remove", "nonesuch", "--yes"), "nonesuch"),
        (("playlist", "export", "nonesuch", folder / "a.m3u8"), "nonesuch"),
        (("playlist", "import", folder / "absent.xspf"), "absent.xspf"),
        (("playlist", "import", folder / "text.db"), ".xspf"),
        (("playlist", "save", "A", 99), "99"),
        (("mpd", "--once", "--host", folder / "no.socket"), "no.socket"),
    ]
    for words, fragment in cases:
        output = recsys(*words)
        assert (output.status, output.out) == (1, ""), words
        assert output.err.startswith("recsys: "), words
        assert output.err.count("\n") == 1, words
        assert fragment in output.err, words
    with Catalog.open(str(catalog)) as opened:
        assert opened.lists_revision() == before
        assert opened.history() == []
