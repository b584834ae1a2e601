"""Tables: which column gives way first, and that no cell is broken."""

import pytest

from recommender.cli.table_layout import (
    Column,
    Cut,
    columns_of,
    fact_lines,
    shortened,
    table_lines,
    text_width,
)

COLUMNS = (
    Column("id", number=True),
    Column("title", least=8),
    Column("length", number=True, drop=1),
    Column("album", least=6, drop=2),
    Column("path", least=10, drop=3, cut=Cut.START),
)
ROW = (17, "A rather long title", "3:05", "An album", "folder/below/it/song.ogg")


def headings(width: int | None) -> list[str]:
    return table_lines(COLUMNS, [ROW], width)[0].split()


def test_everything_is_shown_where_there_is_room() -> None:
    assert headings(None) == headings(200) == ["id", "title", "length", "album", "path"]
    assert "folder/below/it/song.ogg" in table_lines(COLUMNS, [ROW], 200)[1]


def test_columns_are_left_out_in_the_stated_order() -> None:
    orders = [headings(width) for width in range(80, 0, -1)]
    shown = list(dict.fromkeys(map(tuple, orders)))
    assert shown[:4] == [
        ("id", "title", "length", "album", "path"),
        ("id", "title", "length", "album"),
        ("id", "title", "length"),
        ("id", "title"),
    ]


@pytest.mark.parametrize("width", [1, 5, 12, 20, 33, 40, 60, 80, 200])
def test_no_line_is_wider_and_every_row_is_one_line(width: int) -> None:
    rows = [
        ROW,
        (1, "漢字の題名" * 5, "0:01", None, "x"),
        (2, "e\u0301" * 40, "9:59", "a", "line\nbreak"),
    ]
    lines = table_lines(COLUMNS, rows, width)
    assert len(lines) == 4
    assert max(map(text_width, lines)) <= width


@pytest.mark.parametrize("width", [30, 40, 50, 60, 80])
def test_a_cell_is_whole_or_ends_in_an_ellipsis(width: int) -> None:
    line = table_lines(COLUMNS, [ROW], width)[1]
    for cell in (cell for cell in line.split("  ") if cell):
        text = cell.strip()
        whole = text in map(str, ROW)
        cut = any(
            str(value).startswith(text.rstrip("…")) or str(value).endswith(text.lstrip("…"))
            for value in ROW
        )
        assert whole or ("…" in text and cut)


def test_numbers_are_never_shortened() -> None:
    columns = columns_of([">count", "name"])
    for width in range(6, 40):
        assert table_lines(columns, [(123456, "a name")], width)[1].startswith("123456")


def test_the_widest_text_gives_way_first() -> None:
    columns = (Column("a", least=4), Column("b", least=4))
    assert table_lines(columns, [("x" * 30, "y" * 6)], 20)[1] == "x" * 11 + "…  " + "y" * 6


def test_the_end_of_a_path_stays() -> None:
    assert shortened("folder/song.ogg", 9, Cut.START) == "…song.ogg"
    assert shortened("A long title", 8) == "A long…"
    assert shortened("漢字漢字", 5) == "漢字…"


def test_wide_characters_are_aligned() -> None:
    lines = table_lines(columns_of(["title", ">n"]), [("漢字", 1), ("abcd", 22)], 80)
    assert [text_width(line) for line in lines] == [9, 9, 9]


def test_plain_headings_are_left_out_from_the_right() -> None:
    columns = columns_of(["model", ">value", "remark"])
    row = ("a-model", "0.123", "a remark of some length")
    assert table_lines(columns, [row], 24)[0].split() == ["model", "value"]


def test_facts_continue_in_their_column() -> None:
    lines = fact_lines([("title", "one"), ("note", "some words that go on for a while")], 30)
    assert lines == ["title  one", "note   some words that go on", "       for a while"]


def test_sentences_go_on_in_the_next_line_and_lose_nothing() -> None:
    columns = (Column("path", least=6), Column("to do", least=12, wraps=True))
    advice = "mount its disk; or say where it is now with 'recsys library move'"
    lines = table_lines(columns, [("a.ogg", advice), ("b.ogg", "nothing")], 40)
    assert max(map(text_width, lines)) <= 40
    assert "…" not in "".join(lines)
    assert " ".join(line[7:].strip() for line in lines[1:-1]) == advice
    assert lines[-1] == "b.ogg  nothing"
