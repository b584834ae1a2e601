"""Tables as lines of plain text that fit a given width.

Cells do not wrap, but for whole sentences (`Column.wraps`), which go on in the next line between
words. Where the natural widths do not fit,

1. text columns are shortened with an ellipsis, the widest first, down to their least width;
2. if that is not enough, the column with the highest `Column.drop` is left out, and so on, always
   with as little shortening as the columns that remain allow.

Columns of numbers are left out whole but never shortened. The layout formats strings itself,
because rich takes about 1 ms a row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import zip_longest

from recommender.utils.terminal_text import one_line

GAP = "  "
ELLIPSIS = "…"


class Cut(Enum):
    """Which end of a cell is lost when it is shortened."""

    END = "end"
    START = "start"  # of paths, the file name matters most


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: its first line.
        number: right-justified and never shortened.
        least: narrowest width in terminal cells that a text column is shortened to.
        drop: the column with the highest value is left out first; those with 0 stay.
        cut: which end is lost when a cell is shortened.
        wraps: nothing is lost: what does not fit goes on in the next line.
    """

    heading: str
    number: bool = False
    least: int = 12
    drop: int = 0
    cut: Cut = Cut.END
    wraps: bool = False


def columns_of(headings: Iterable[str | Column]) -> list[Column]:
    """Headings as columns: ``>`` marks numbers; the last columns are left out first."""
    return [
        heading
        if isinstance(heading, Column)
        else Column(heading.removeprefix(">"), number=heading.startswith(">"), drop=position)
        for position, heading in enumerate(headings)
    ]


def table_lines(
    columns: Sequence[Column], rows: Iterable[Sequence[object]], width: int | None
) -> list[str]:
    """The lines of a table, the headings first.

    Args:
        columns: one for each cell of a row.
        rows: cells; None is an empty one. Line breaks and control characters are escaped.
        width: of the terminal in cells; None for lines of any length.
    """
    cells = [[_text(cell) for cell in row] for row in rows]
    natural = [
        max([text_width(column.heading), *(text_width(row[i]) for row in cells)])
        for i, column in enumerate(columns)
    ]
    shown, widths = _fit(columns, natural, width)
    headings = _line([columns[i].heading for i in shown], [columns[i] for i in shown], widths)
    chosen = [columns[i] for i in shown]
    lines = [headings]
    for row in cells:
        lines += _row_lines([row[i] for i in shown], chosen, widths)
    return lines if width is None else [shortened(line, width) for line in lines]


def fact_lines(facts: Iterable[tuple[str, object]], width: int | None) -> list[str]:
    """Names and values, one a line; a value that does not fit goes on in the same column."""
    pairs = [(name, _text(value)) for name, value in facts]
    indent = max((text_width(name) for name, _ in pairs), default=0) + len(GAP)
    lines = []
    for name, value in pairs:
        room = None if width is None else max(width - indent, 20)
        for number, part in enumerate(_wrapped(value, room)):
            lines.append((_padded(name if number == 0 else "", indent) + part).rstrip())
    return lines


def text_width(text: str) -> int:
    """Terminal cells that `text` takes: two for each wide character, none for a combining one."""
    return len(text) if text.isascii() else _cells(text)


def shortened(text: str, width: int, cut: Cut = Cut.END) -> str:
    """`text` in at most `width` cells, an ellipsis in place of what does not fit."""
    if text_width(text) <= width:
        return text
    room = width - 1
    if cut is Cut.START:
        return (ELLIPSIS + _head(text[::-1], room)[::-1])[: max(width, 0)]
    return (_head(text, room).rstrip() + ELLIPSIS)[: max(width, 0)]


def _text(cell: object) -> str:
    return "" if cell is None else one_line(str(cell))


@lru_cache(maxsize=100_000)
def _cells(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _head(text: str, width: int) -> str:
    """As much of the beginning of `text` as fits `width` cells."""
    if text.isascii():
        return text[: max(width, 0)]
    used = 0
    for position, char in enumerate(text):
        used += _cells(char)
        if used > width:
            return text[:position]
    return text


def _fit(
    columns: Sequence[Column], natural: Sequence[int], width: int | None
) -> tuple[list[int], list[int]]:
    """Indices of the columns to show, and their widths."""
    shown = list(range(len(columns)))
    if width is None:
        return shown, list(natural)
    while True:
        widths = _shrunk([columns[i] for i in shown], [natural[i] for i in shown], width)
        candidates = [i for i in shown if columns[i].drop > 0]
        if _total(widths) <= width or not candidates:
            return shown, widths
        shown.remove(max(candidates, key=lambda i: columns[i].drop))


def _shrunk(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """Widths after the widest text columns gave way; more than `width` when that is not enough."""
    widths = list(natural)
    least = [
        size if column.number else min(size, max(column.least, text_width(column.heading)))
        for column, size in zip(columns, natural, strict=True)
    ]
    while _total(widths) > width:
        wider = [i for i in range(len(widths)) if widths[i] > least[i]]
        if not wider:
            break
        widths[max(wider, key=lambda i: widths[i])] -= 1
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _row_lines(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> list[str]:
    """One line, or several where a column wraps."""
    if not any(column.wraps for column in columns):
        return [_line(cells, columns, widths)]
    parts = [
        _wrapped(cell, width) if column.wraps else [cell]
        for cell, column, width in zip(cells, columns, widths, strict=True)
    ]
    return [_line(line, columns, widths) for line in zip_longest(*parts, fillvalue="")]


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    parts = []
    for cell, column, width in zip(cells, columns, widths, strict=True):
        text = cell if column.number else shortened(cell, width, column.cut)
        parts.append(_padded(text, width, right=column.number))
    return GAP.join(parts).rstrip()


def _padded(text: str, width: int, *, right: bool = False) -> str:
    blanks = " " * (width - text_width(text))
    return blanks + text if right else text + blanks


def _wrapped(text: str, width: int | None) -> list[str]:
    """`text` broken at blanks; a word that is longer than a line is broken where the line ends."""
    if width is None or text_width(text) <= width:
        return [text]
    lines, rest = [], text
    while text_width(rest) > width:
        head = _head(rest, width)
        if " " in head.strip() and not rest[len(head)].isspace():
            head = head[: head.rindex(" ")]
        lines.append(head.rstrip())
        rest = rest[len(head) :].lstrip()
    return [*lines, rest] if rest else lines
