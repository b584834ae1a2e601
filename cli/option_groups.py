"""Groups of options that several commands share, as one argument of each.

A group is a dataclass whose fields are annotated as the parameters of a Typer command are. A
command that takes groups is decorated with `grouped`:

    @grouped
    def radio_command(seeds: Seeds, rules: RuleOptions, length: LengthOptions) -> None: ...

Typer then sees the fields in place of the groups, and the command gets the groups.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with a keyword argument for each field of its groups."""
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for name, own in inspect.signature(command).parameters.items():
        if is_dataclass(hints[name]):
            groups[name] = hints[name]
            parameters += _of_group(hints[name])
        else:
            parameters.append(_keyword(name, hints[name], own.default))

    @wraps(command)
    def call(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{one.name: given.pop(one.name) for one in fields(group)})
        command(**given)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    del call.__wrapped__  # its signature is another one
    return call


def _of_group(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_keyword(one.name, hints[one.name], one.default) for one in fields(group)]


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default
    )
