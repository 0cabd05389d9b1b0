"""What all commands share: results on stdout, messages for people on stderr, and errors as text and an exit code."""

from __future__ import annotations

import json
import math
import sys
import traceback
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, redirect_stdout
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from openbell.errors import ComponentError, ConfigError, NotAStoreError, OpenbellError, ProvisioningError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["err", "errors_for_people", "fail", "only_json", "out", "print_json", "say", "show", "warn"]

if TYPE_CHECKING:
    out: Console
    """Where results go: stdout."""

    err: Console
    """Where messages and progress go: stderr."""
else:

    def __getattr__(name: str) -> Console:
        """`out` and `err`, made when they are first asked for: a help text and JSON take no rich."""
        if name not in ("out", "err"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _console(name)


@cache
def _console(name: str) -> Console:
    from rich.console import Console

    return Console(stderr=name == "err", highlight=False)


_EXIT_CODES = ((ConfigError, 2), (NotAStoreError, 2), (ProvisioningError, 3), (OpenbellError, 1))


def show(*what: Any, **style: Any) -> None:
    """Print results on stdout: tables, and text with rich's markup; ``style`` is what `Console.print` takes.

    A line of text stays one line, however long, unless ``style`` says otherwise: a command in it can be copied.
    """
    is_text = all(isinstance(item, str) for item in what)
    _console("out").print(*what, **{"soft_wrap": is_text, **style})


def say(message: str) -> None:
    """Tell the person something on stderr; the text is printed as it is, square brackets included."""
    _tell(message)


def warn(message: str) -> None:
    """Tell the person on stderr what is odd, but stops nothing."""
    _tell(("warning: ", "bold yellow"), message)


def _tell(*parts: str | tuple[str, str]) -> None:
    from rich.text import Text

    _console("err").print(Text.assemble(*parts), soft_wrap=True)


def fail(error: OpenbellError) -> NoReturn:
    """Print an error on stderr and end the command: 2 for bad config or usage, 3 for nothing provisioned, else 1.

    An error in a user's scanner or strategy is preceded by the traceback of what they raised.

    Raises:
        typer.Exit: Always.
    """
    if isinstance(error, ComponentError) and error.__cause__ is not None:
        say("".join(traceback.format_exception(error.__cause__)).rstrip())
    _tell(("error: ", "bold red"), str(error))
    raise typer.Exit(next(code for kind, code in _EXIT_CODES if isinstance(error, kind))) from error


@contextmanager
def errors_for_people() -> Iterator[None]:
    """Within it, what openbell raises on purpose ends the command through `fail`; serves as a decorator, too."""
    try:
        yield
    except OpenbellError as error:
        fail(error)


@contextmanager
def only_json(as_json: bool) -> Iterator[None]:
    """Within it, if ``as_json``, what anybody prints goes to stderr: a user's ``print`` must not get into the JSON."""
    if not as_json:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def print_json(value: Any) -> None:
    """Print a value on stdout as JSON; dates and times as ISO text, numbers that are not finite as null."""
    json.dump(_plain(value), sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
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
