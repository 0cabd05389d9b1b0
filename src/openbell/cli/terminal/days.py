"""Options of the command line that take a day."""

from __future__ import annotations

from datetime import date
from typing import Any

import typer

__all__ = ["day_option"]


def day_option(name: str, meaning: str) -> Any:
    """Return an option that takes a day, with the help text ``meaning``."""
    return typer.Option(name, metavar="DATE", parser=_read_day, help=meaning)


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day. Write for example 2024-07-03.") from None
