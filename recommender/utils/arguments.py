"""Types of arguments, as callers of a public function give them."""


def require_type(value: object, kinds: type | tuple[type, ...], what: str, accepted: str) -> None:
    """Raise `TypeError` unless `value` is of one of `kinds`; a bool is no number.

    Args:
        value: an argument.
        kinds: classes, `bool` among them where it is meant.
        what: names the argument in the message.
        accepted: what the message says is accepted.
    """
    several = kinds if isinstance(kinds, tuple) else (kinds,)
    if not isinstance(value, several) or (isinstance(value, bool) and bool not in several):
        raise TypeError(f"{what} must be {accepted}, not {type(value).__name__}.")


def require_several(values: object, what: str) -> None:
    """Raise `TypeError` unless `values` is an iterable of several values, such as a list.

    A text is refused, for what comes of it is its letters, and a file object, whose lines come.

    Args:
        values: an argument.
        what: names the argument in the message.
    """
    single = isinstance(values, str | bytes) or hasattr(values, "read")
    if single or not hasattr(values, "__iter__"):
        raise TypeError(f"{what} must be several, as in a list, not one {type(values).__name__}.")
