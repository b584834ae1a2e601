"""Patterns of what to leave out, in gitignore syntax, matched in linear time.

pathspec reads the syntax and keeps git's rules of precedence. The regular expressions that it
makes try every way of sharing a name among several stars, which takes minutes for ``*a*a*a*a*b``.
Here each star, and each ``**``, takes the first place where what follows it fits and never comes
back to try another: for patterns of this kind the first place is as good as any later one.
"""

import re
import unicodedata
import warnings
from collections.abc import Sequence

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from recommender.errors import UsageError

_ANY_FOLDERS = re.compile(re.escape("(?:.+/)?") + "|" + re.escape("(?:/.+)?"))
_FIRST_FIT = {"(?:.+/)?": "(?:[^/]++/)*?", "(?:/.+)?": "(?:/[^/]++)*?"}
_ANY_NAME = "[^/]*"
_WHOLE_NAME = "[^/]+"
_END = "(?P<ps_d>/)|$)"


class IgnorePatterns:
    """Compiled patterns. Names match however their accents are composed (NFC or NFD)."""

    def __init__(self, lines: Sequence[str], origin: str) -> None:
        """Compile `lines`; `origin` names them in the `UsageError` for one that has no meaning."""
        try:
            with warnings.catch_warnings(action="ignore"):  # about brackets inside brackets
                self._spec = GitIgnoreSpec.from_lines(
                    map(_composed, lines), _LinearPattern, backend="simple"
                )
        except (ValueError, re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"a pattern of {origin} has no meaning: {error}") from error

    def __bool__(self) -> bool:
        """Whether there is any pattern."""
        return len(self._spec) > 0

    def decides(self, path: str) -> bool | None:
        """Whether `path` (folders end in a slash) is left out; None where no pattern matches."""
        return self._spec.check_file(_composed(path)).include


class _LinearPattern(GitIgnoreSpecPattern):
    """A pattern of pathspec whose regular expression does not backtrack."""

    @classmethod
    def pattern_to_regex(cls, pattern: str) -> tuple[str | None, bool | None]:  # type: ignore[override]
        """The expression, rewritten, and whether what matches it is left out."""
        regex, include = super().pattern_to_regex(pattern)
        return (None if regex is None else _linear(regex)), include


def _linear(regex: str) -> str:
    """An equal expression in which every wildcard takes the first fit.

    Where a pattern fits a folder as well as the path itself, the path counts, as by pathspec's
    greedy expressions; so that is tried first.
    """
    if _END in regex:
        ends = (regex.replace(_END, rf"{end})") for end in (r"\Z", "(?P<ps_d>/)"))
        return "|".join(f"(?:{_first_fit(one)})" for one in ends)
    return _first_fit(regex)


def _first_fit(regex: str) -> str:
    anchor = "^" if regex.startswith("^") else ""  # what has none is searched for
    regex = regex.removeprefix("^")
    gaps = _ANY_FOLDERS.findall(regex)
    *runs, last = _ANY_FOLDERS.split(regex)
    first, *others = [*(run and _linear_names(f"{run}(?=/)") for run in runs), _linear_names(last)]
    linear = first + "".join(
        f"(?>{_FIRST_FIT[gap]}{run})" for gap, run in zip(gaps, others, strict=True)
    )
    return f"(?s:{anchor}{linear})"


def _linear_names(run: str) -> str:
    """The same for the stars of a run of names without ``**``."""
    first, *parts = run.replace(_WHOLE_NAME, "[^/]++").split(_ANY_NAME)
    return first + "".join(f"(?>{_ANY_NAME}?{part})" for part in parts)


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)
