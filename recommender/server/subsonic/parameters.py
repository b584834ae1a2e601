"""Parameters of a call, from its address and its form."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import Request

from recommender.server.subsonic.answers import ErrorCode, SubsonicError

_MOST = 20_000
_FORM = "application/x-www-form-urlencoded"


class Parameters:
    """Names with one value or several."""

    def __init__(self, values: Mapping[str, list[str]]) -> None:
        """Of each name the values in their order."""
        self._values = values

    def pairs(self) -> list[tuple[str, str]]:
        """Every name with each of its values."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def get(self, name: str, default: str = "") -> str:
        """The first value of a name."""
        return next(iter(self._values.get(name, ())), default)

    def has(self, name: str) -> bool:
        """Whether there is a value of this name, be it empty."""
        return name in self._values

    def all(self, name: str) -> list[str]:
        """Every value of a name."""
        return list(self._values.get(name, ()))

    def required(self, name: str) -> str:
        """The first value of a name. Raises `SubsonicError` for none, or an empty one."""
        value = self.get(name)
        if not value:
            raise SubsonicError(ErrorCode.MISSING_PARAMETER, f"The parameter {name} is missing.")
        return value

    def number(self, name: str, default: int, least: int = 0, most: int = 2**31 - 1) -> int:
        """A whole number, brought into range. Raises `SubsonicError` for what is none."""
        text = self.get(name)
        if not text:
            return default
        return min(max(_whole(name, text), least), most)

    def numbers(self, name: str) -> list[int]:
        """Every value of a name, as whole numbers. Raises `SubsonicError`."""
        return [_whole(name, text) for text in self.all(name)]

    def flag(self, name: str, default: bool) -> bool:
        """A truth value."""
        return self.get(name, str(default)).lower() in ("true", "1")


def _whole(name: str, text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise SubsonicError(ErrorCode.GENERIC, f"{name} must be a whole number.")
    return int(text)


def has_form(request: Request) -> bool:
    """Whether the body is a form of names and values."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return request.method == "POST" and kind == _FORM


async def read_parameters(request: Request) -> Parameters:
    """Those of the address, then those of a form that was posted. Raises `SubsonicError`."""
    form = await request.body() if has_form(request) else b""
    return parameters_of(request.url.query, form)


def parameters_of(query: str, form: bytes = b"") -> Parameters:
    """Of the query of an address and the body of a form. Raises `SubsonicError` for too many."""
    values: dict[str, list[str]] = {}
    for text in (query, form.decode("utf-8", "replace")):
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST)
        except ValueError:
            raise SubsonicError(ErrorCode.GENERIC, "There are too many parameters.") from None
        for name, value in pairs:
            values.setdefault(name, []).append(value)
    return Parameters(values)
