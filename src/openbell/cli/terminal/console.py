"""Results on stdout, messages on stderr, and errors as text with an exit code."""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from openbell.errors import ComponentError, ConfigError, NotAStoreError, OpenbellError, ProvisioningError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

__all__ = [
    "err",
    "errors_for_people",
    "fail",
    "only_json",
    "out",
    "print_json",
    "printable_usage_errors",
    "say",
    "show",
    "warn",
]

if TYPE_CHECKING:
    out: Console
    """Console of results, on stdout."""

    err: Console
    """Console of messages and progress, on stderr."""
else:

    def __getattr__(name: str) -> Console:
        """Make `out` and `err` at first use."""
        # Help texts and JSON do not need rich, which takes long to import.
        if name not in ("out", "err"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _console(name)


def _console(name: str) -> Console:
    # One console per width, because a console reads COLUMNS only when it is made.
    return _console_of_width(name, os.environ.get("COLUMNS"), _is_coloured_file(name))


def _is_coloured_file(name: str) -> bool:
    """Return whether colours are wanted without a terminal, as in Jupyter."""
    stream = sys.stderr if name == "err" else sys.stdout
    return bool(os.environ.get("FORCE_COLOR")) and not stream.isatty()


@cache
def _console_of_width(name: str, _columns: str | None, is_coloured_file: bool) -> Console:
    from rich.console import Console

    from openbell.cli.terminal.printable import PrintableOnly

    stderr = name == "err"
    if is_coloured_file:
        # Else rich would take the file or notebook cell for a terminal, and draw progress bars into it.
        console = Console(stderr=stderr, highlight=False, emoji=False, force_terminal=False, color_system="standard")
    else:
        console = Console(stderr=stderr, highlight=False, emoji=False)
    console.push_render_hook(PrintableOnly())
    return console


_json_printed: ContextVar[bool] = ContextVar("json_printed", default=False)

_MOST_OF_A_MESSAGE = 100_000
_EXIT_CODES = ((ConfigError, 2), (NotAStoreError, 2), (ProvisioningError, 3), (OpenbellError, 1))


def show(*items: RenderableType, **style: Any) -> None:
    """Print tables and text with rich's markup on stdout.

    ``style`` has arguments of `Console.print`. By default, a line of text is not wrapped, so that a command in it can
    be copied.
    """
    is_text = all(isinstance(item, str) for item in items)
    _console("out").print(*items, **{"soft_wrap": is_text, **style})


def say(message: str) -> None:
    """Print a message on stderr as it is, square brackets included."""
    _print_message(message)


def warn(message: str) -> None:
    """Print a warning on stderr."""
    _print_message(("warning: ", "bold yellow"), message)


def _print_message(*parts: str | tuple[str, str]) -> None:
    from rich.text import Text

    shown = [p if isinstance(p, tuple) else printable(p, _MOST_OF_A_MESSAGE, lines=True) for p in parts]
    _console("err").print(Text.assemble(*shown), soft_wrap=True)


def fail(error: OpenbellError, *, as_json: bool = False) -> NoReturn:
    """Print an error on stderr, as JSON on stdout as well if so asked, and end the command.

    The exit code is 2 for bad config or usage, 3 when nothing could be provisioned, else 1. An error in a user's
    scanner or strategy is preceded by its traceback.

    Raises:
        typer.Exit: Always.
    """
    if as_json:
        print_json({"error": str(error)})
    if isinstance(error, ComponentError) and error.__cause__ is not None:
        say("".join(traceback.format_exception(error.__cause__)).rstrip())
    _print_message(("error: ", "bold red"), str(error))
    raise typer.Exit(next(code for kind, code in _EXIT_CODES if isinstance(error, kind))) from error


@contextmanager
def errors_for_people(*, as_json: bool = False) -> Iterator[None]:
    """End the command through `fail` when openbell raises one of its errors, or the system one about a file.

    Args:
        as_json: Whether the command is to print JSON, which an error is then unless there was some before it.
    """
    _json_printed.set(False)
    try:
        yield
    except OpenbellError as error:
        fail(error, as_json=as_json and not _json_printed.get())
    except BrokenPipeError:
        # The reader of the output has closed it, which is no error of the command.
        raise
    except OSError as error:
        what = f"{error.filename}: " if error.filename is not None else ""
        told = OpenbellError(f"{what}{error.strerror or error}")
        fail(told, as_json=as_json and not _json_printed.get())


@contextmanager
def printable_usage_errors() -> Iterator[None]:
    """Escape terminal codes in errors about the command line, which typer prints itself."""
    try:
        yield
    except Exception as error:
        if hasattr(error, "format_message"):
            error.message = printable(str(error.message), _MOST_OF_A_MESSAGE, lines=True)  # type: ignore[attr-defined]
        raise


@contextmanager
def only_json(as_json: bool) -> Iterator[None]:
    """Redirect stdout to stderr within a ``with`` block if ``as_json``, so that stdout gets nothing but JSON."""
    if not as_json:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def print_json(value: object) -> None:
    """Print a value on stdout as JSON.

    Dates and times become ISO text, and numbers that are not finite become null.
    """
    _json_printed.set(True)
    json.dump(_plain(value), sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars
        return _plain(value.tolist())
    return [_plain(item) for item in value] if isinstance(value, Iterable) else str(value)
