"""CSV that spreadsheets read as text and numbers, whatever the tags say."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

_FORMULA = tuple("=+-@＝＋－＠\t\r\n")
"""First characters of cells that Excel, LibreOffice or Google Sheets may take for a formula."""


def write_csv(
    file: TextIO,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    line_end: str = "\r\n",
) -> None:
    """Write a heading and a line for each row, every cell as `safe_cell` makes it.

    Args:
        file: opened with ``newline=""``.
        columns: keys of the rows, in the order of the columns.
        rows: values; None, and a key that is absent, is an empty cell.
        line_end: after each line.
    """
    writer = csv.DictWriter(file, columns, lineterminator=line_end)
    for row in ({column: column for column in columns}, *rows):
        writer.writerow({column: safe_cell(value) for column, value in row.items()})


def safe_cell(value: Any) -> Any:
    """`value`, with an apostrophe before text that a spreadsheet would compute.

    Numbers stay numbers, also where they are text ("-0.12").
    """
    if not isinstance(value, str) or _is_number(value):
        return value
    begins = any(text.startswith(_FORMULA) for text in (value, value.lstrip()))
    return f"'{value}" if begins else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text == text.strip() and "_" not in text
