"""Groups of options that several commands share, as one argument of each.

A group is a dataclass whose fields are annotated as the parameters of a Typer command are. A
command that takes groups is decorated with `grouped`:

    @grouped
    def radio_command(seeds: Seeds, *, rules: RuleOptions, length: LengthOptions) -> None: ...

Typer then sees the fields in place of the groups, and the command gets the groups. What follows the
first group are keyword arguments, too (``*``).
"""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with a keyword argument in place of each field of its groups."""
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for name, own in inspect.signature(command).parameters.items():
        if is_dataclass(hints[name]):
            groups[name] = hints[name]
            parameters += _of_group(hints[name])
        else:
            parameters.append(own.replace(annotation=hints[name]))
    signature = inspect.Signature(parameters)

    @wraps(command)
    def call(*arguments: Any, **options: Any) -> None:
        bound = signature.bind(*arguments, **options)
        bound.apply_defaults()
        given = bound.arguments
        for name, group in groups.items():
            given[name] = group(**{one.name: given.pop(one.name) for one in fields(group)})
        command(**given)

    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    del call.__wrapped__  # its signature is another one
    return call


def _of_group(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[one.name],
            default=one.default,
        )
        for one in fields(group)
    ]
