"""CSV that a spreadsheet opens without computing anything."""

import csv
import io

import pytest

from recommender.utils.csv_table import safe_cell, write_csv


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://example.com","x")',
        *("=1+1", "+1+1", "-1-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1", "-", "+A"),
        "-1_000",
    ],
)
def test_what_a_spreadsheet_would_compute_becomes_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", ["Rock", "R&B", "a=b", "", "-0.12", "+3", "-1e-5", "1999", -0.5, 3, None, True]
)
def test_other_text_and_numbers_stay(value: object) -> None:
    assert safe_cell(value) is value


def test_a_table() -> None:
    text = io.StringIO(newline="")
    write_csv(text, ["genre", "=n"], [{"genre": "=1", "=n": -0.5}, {"genre": "Hip, Hop"}])
    rows = list(csv.reader(io.StringIO(text.getvalue(), newline="")))
    assert rows == [["genre", "'=n"], ["'=1", "-0.5"], ["Hip, Hop", ""]]
    with pytest.raises(ValueError, match="other"):
        write_csv(io.StringIO(), ["genre"], [{"other": 1}])
