"""Tables and figures as text: Markdown that is readable unrendered, too."""

from collections.abc import Iterable, Sequence

NONE = "–"
"""Written where there is no figure."""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, without a line break at its end.

    Args:
        headings: one that begins with ``>`` is that of a column of numbers.
        rows: as many cells each; an upright bar in one is written as the sign it is.
    """
    marks = ["---:" if heading.startswith(">") else "---" for heading in headings]
    lines = [[heading.removeprefix(">") for heading in headings], marks, *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines
    )


def percent(mean: float | None, deviation: float | None = None) -> str:
    """A rate between 0 and 1 as per cent with one digit: ``59.7 ± 0.9``, ``59.7``, or `NONE`."""
    if mean is None:
        return NONE
    return f"{100 * mean:.1f}" + ("" if deviation is None else f" ± {100 * deviation:.1f}")


def rate(mean: float | None, deviation: float | None = None) -> str:
    """A precision between 0 and 1 with three digits: ``.519 ± .009``, ``.519``, or `NONE`."""
    if mean is None:
        return NONE
    return _without_zero(mean) + ("" if deviation is None else f" ± {_without_zero(deviation)}")


def points(difference: float) -> str:
    """A difference of rates as points with its sign: ``+6.6``, ``−0.3``."""
    text = f"{100 * difference:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def p_value(p: float) -> str:
    """``p = .031``, ``p < .001`` or ``p = 1``."""
    if p < 0.001:
        return "p < .001"
    return "p = 1" if p > 0.9995 else f"p = {_without_zero(p)}"


def span(values: Sequence[int]) -> str:
    """``8``, or ``8–12`` where they differ."""
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}–{high}"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "none"


def _without_zero(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if 0 <= value < 0.9995 else f"{value:.3f}"
