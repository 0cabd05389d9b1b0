"""Commands that are imported when they are asked for: to list them takes their names and their first sentences only.

Help is plain text: typer's own boxes import rich with its Markdown, which takes longer than all the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Commands", "Group", "LazyCommand", "commands", "group"]

_WHOLE_SENTENCE = 10_000


class Group(TyperGroup):
    """Commands below one word, listed with their whole first sentences."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands' names and sentences; typer would cut these off where the line ends."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(_WHOLE_SENTENCE)) for name, command in found if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_params(self, ctx: Any) -> Any:
        """The options; flags are False, not None, unless given: typer imports pydantic to convert a None."""
        options = super().get_params(ctx)
        for option in options:
            if getattr(option, "is_flag", False) and option.default is None:
                option.default = False
        return options


class LazyCommand(TyperCommand):
    """Stands for a command until one calls it, or asks for its help or its completion.

    Args:
        name: What it is called by.
        place: Its function, as "module:function"; the module one of openbell.cli.
        sentence: The first sentence of the function's docstring, to be listed by.
    """

    def __init__(self, name: str, place: str, sentence: str) -> None:
        super().__init__(name, help=sentence, rich_markup_mode=None)
        self._place = place

    def load(self) -> Any:
        """The command itself."""
        module, _, function = self._place.partition(":")
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        app.command(self.name, cls=_Command)(getattr(import_module(f"openbell.cli.{module}"), function))
        return get_command(app)

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """The context of the command itself: from here on, typer deals with that."""
        return self.load().make_context(info_name, args, parent, **extra)


class _Command(TyperCommand):
    """A command whose help tells options that belong together under a heading of their own."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            heading = "Arguments" if parameter.param_type_name == "argument" else "Options"
            if (row := parameter.get_help_record(ctx)) is not None:
                sections.setdefault(getattr(parameter, "rich_help_panel", None) or heading, []).append(row)
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


Commands: TypeAlias = "Mapping[str, tuple[str, str] | Group]"
"""What there is below a word: groups, and commands as their place and sentence."""


def commands(of: Commands) -> dict[str, Any]:
    """Commands, not imported yet, and groups, by name."""
    return {name: LazyCommand(name, *told) if isinstance(told, tuple) else told for name, told in of.items()}


def group(name: str, sentence: str, of: Commands) -> Group:
    """Commands below a word that does nothing itself but tell them."""
    return Group(name=name, help=sentence, commands=commands(of), no_args_is_help=True, rich_markup_mode=None)
