"""Help in panels, as plain text.

typer's own panels need rich, which doubles the time of ``recsys --help``, and leave 18 of 80
columns to the descriptions of a command with long option names. These classes print the same
`rich_help_panel` groups as sections of a plain help text, with descriptions that are wrapped and
never cut off.
"""

import re
from collections import defaultdict
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from recommender.cli.options import ADVANCED

ARGUMENTS, OPTIONS, COMMANDS = "Arguments", "Options", "Commands"
WIDEST = 100
"""Longer lines are tiring to read, however wide the terminal is."""

_TYPE = re.compile(r"<(?:list\[)?(.+?)\]?>")
_METAVARS = {"int": "N", "int range": "N", "float": "X", "float range": "X", "str": "TEXT"}
"""What stands for a value of a type where the option names no `metavar`."""

FORMER_NAMES = ("--heard",)
"""Names that options had in version 0.1: accepted for this version, without being listed."""

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": WIDEST}
"""Context settings of every command."""


class PanelCommand(TyperCommand):
    """A command whose options are grouped by `rich_help_panel`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """``[OPTIONS] FOLDER…``, optional arguments in brackets."""
        return [self.options_metavar or "", *_argument_names(self, ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each panel."""
        _write_parameters(self, ctx, formatter)


class PanelGroup(TyperGroup):
    """A group whose commands are grouped by `rich_help_panel`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each panel of options, then of commands."""
        _write_parameters(self, ctx, formatter)
        panels: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                panel = getattr(command, "rich_help_panel", None)
                panels[panel or COMMANDS].append((name, command.get_short_help_str(limit=1000)))
        _write_panels(formatter, panels)


def _argument_names(command: Any, ctx: Any) -> list[str]:
    return [
        _display_name(parameter) if parameter.required else f"[{_display_name(parameter)}]"
        for parameter in command.get_params(ctx)
        if parameter.param_type_name == "argument" and not parameter.hidden
    ]


def _display_name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _readable(names: str) -> str:
    """Option names without former ones, and with a plain word for typer's ``<type>``."""
    for former in FORMER_NAMES:
        names = names.replace(f", {former}", "")
    return _TYPE.sub(lambda match: _METAVARS.get(match[1], match[1]), names)


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    panels: dict[str, list[tuple[str, str]]] = {ARGUMENTS: [], OPTIONS: []}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is None:
            continue
        if parameter.param_type_name == "argument":
            record, default = (_display_name(parameter), parameter.help), ARGUMENTS
        else:
            record, default = (_readable(record[0]), record[1]), OPTIONS
        panel = getattr(parameter, "rich_help_panel", None) or default
        panels.setdefault(panel, []).append(record)
    advanced = {ADVANCED: panels.pop(ADVANCED, [])}
    _write_panels(formatter, panels | advanced)


def _write_panels(formatter: Any, panels: dict[str, list[tuple[str, str]]]) -> None:
    for heading, rows in panels.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows)


def with_panels(app: typer.Typer) -> None:
    """Let every command and group below `app` print its help in panels."""
    for command in app.registered_commands:
        command.cls = PanelCommand
        command.context_settings = CONTEXT
    for group in app.registered_groups:
        if group.typer_instance is not None:
            if not (isinstance(group.cls, type) and issubclass(group.cls, PanelGroup)):
                group.cls = PanelGroup
            group.context_settings = CONTEXT
            with_panels(group.typer_instance)
