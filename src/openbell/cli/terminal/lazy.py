"""Commands that are imported at their first use.

Listing commands needs only their names and first sentences. Help is plain text, because typer's own boxes import rich
with its Markdown, which takes longer than everything else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Commands", "Group", "LazyCommand", "commands", "default_group", "group"]

_WHOLE_SENTENCE = 10_000


class Group(TyperGroup):
    """A group of commands, listed with their whole first sentences."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the names and first sentences of the commands."""
        # typer would cut the sentences to one line.
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(_WHOLE_SENTENCE)) for name, command in found if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def get_params(self, ctx: Any) -> Any:
        """Return the options, with False as the default of flags."""
        # With a default of None, typer would import pydantic, which takes long.
        options = super().get_params(ctx)
        for option in options:
            if getattr(option, "is_flag", False) and option.default is None:
                option.default = False
        return options


class LazyCommand(TyperCommand):
    """A command that is imported when it is called, or its help or completion is requested.

    Args:
        name: The name of the command.
        place: Its function, as "module:function" with a module below openbell.cli.
        sentence: The first sentence of the function's docstring, to be shown in lists of commands.
    """

    def __init__(self, name: str, place: str, sentence: str) -> None:
        super().__init__(name, help=sentence, rich_markup_mode=None)
        self._place = place
        self._loaded: Any = None

    def load(self) -> Any:
        """Import the command at the first call, and return it."""
        self._loaded = self._loaded or self._imported()
        return self._loaded

    def _imported(self) -> Any:
        module, _, function = self._place.partition(":")
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        app.command(self.name, cls=_Command)(getattr(import_module(f"openbell.cli.{module}"), function))
        return get_command(app)

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Return the context of the imported command, with which typer continues."""
        return self.load().make_context(info_name, args, parent, **extra)


class _Command(TyperCommand):
    """A command whose help has a heading for each group of options."""

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
"""Groups and commands by name; a command is given as its place and its first sentence."""


def commands(of: Commands) -> dict[str, Any]:
    """Return lazy commands for places and sentences, and groups as they are."""
    return {name: LazyCommand(name, *item) if isinstance(item, tuple) else item for name, item in of.items()}


def group(name: str, sentence: str, of: Commands) -> Group:
    """Return a group that lists its commands when none is named."""
    return Group(name=name, help=sentence, commands=commands(of), no_args_is_help=True, rich_markup_mode=None)


class DefaultGroup(Group):
    """A group whose first command is run when none is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the name of the first command before arguments that name no command."""
        if args and args[0] not in (*self.commands, "--help"):
            args = [next(iter(self.commands)), *args]
        return super().parse_args(ctx, args)


def default_group(name: str, sentence: str, of: Commands) -> Group:
    """Return a group whose first command is run when none is named."""
    return DefaultGroup(name=name, help=sentence, commands=commands(of), no_args_is_help=True, rich_markup_mode=None)
