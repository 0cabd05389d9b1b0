"""Display of a guess about files to import, and its confirmation by the user or by --yes."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

import typer

from openbell.cli.terminal.console import print_json, say, show
from openbell.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from rich.table import Table

    from openbell.importers.files.import_files import ImportSource
    from openbell.importers.sniffing.guess import Guess
    from openbell.model.json_object import JsonObject

__all__ = ["a_person_is_there", "confirm"]

_LONGEST_SYMBOL = 20
_CONFIDENCE = {
    "given": "given",
    "plain": "as usual",
    "certain": "sure",
    "likely": "likely",
    "assumed": "[bold red]assumed[/]",
    "unsure": "[bold red]not sure[/]",
}


def confirm(
    guess_of: Callable[[ImportSource], Guess], sources: Sequence[ImportSource], *, yes: bool, as_json: bool
) -> Guess:
    """Return the guess about the first readable file, once it is confirmed.

    No confirmation is needed if nothing had to be guessed.

    Raises:
        ConfigError: An option is needed for something that the file does not show.
        DataError: No file can be read.
        typer.Exit: The user said no (1), or there is no terminal and --yes was not given (2).
    """
    guess = _first_guess(guess_of, sources)
    _log(guess, len(sources))
    for warning in guess.warnings:
        say(f"warning: {warning}")
    if not guess.guessed or as_json:
        for detection in guess.assumed:
            say(f"note: {detection.what} {detection.value}: {detection.why}")
    if not guess.guessed:
        return guess
    if as_json and not yes:
        print_json({"guess": _as_json(guess)})
    elif not as_json:
        _show(guess, len(sources))
    if yes:
        return guess
    if as_json or not a_person_is_there():
        say("Nothing is imported yet. Add --yes to import it like this, or say by options what is different.")
        raise typer.Exit(2)
    if not typer.confirm("Import it like this?"):
        say("Nothing was imported. Say by options what is different.")
        raise typer.Exit(1)
    return guess


def _log(guess: Guess, files: int) -> None:
    from openbell.logs import get_logger

    log = get_logger(file=str(guess.source))
    found = {detection.what.replace(" ", "_"): detection.value for detection in guess.detections}
    log.info("how files are read", files=files, timezone=guess.reading.timezone, **found)
    for detection in guess.detections:
        log.debug("found", what=detection.what, value=detection.value, sure=detection.confidence, why=detection.why)


def a_person_is_there() -> bool:
    """Return whether stdin is a terminal, so that a user can answer a question."""
    return sys.stdin.isatty()


def _first_guess(guess_of: Callable[[ImportSource], Guess], sources: Sequence[ImportSource]) -> Guess:
    from openbell.importers.files.import_files import UNREADABLE

    failure: Exception | None = None
    for source in sources:
        try:
            return guess_of(source)
        except (*UNREADABLE, DataError) as exc:
            reason = (str(exc) or type(exc).__name__).splitlines()[0]
            named = reason.startswith(str(source))
            failure = failure or DataError(reason if named else f"{source} cannot be read: {reason}")
    raise failure or DataError("there is nothing to read")


def _as_json(guess: Guess) -> JsonObject:
    return {
        "file": str(guess.source),
        "findings": [
            {"what": f.what, "value": f.value, "sure": f.confidence, "why": f.why, "is_guess": f.is_guess}
            for f in guess.detections
        ],
        "first_bars": guess.preview.to_dicts(),
    }


def _show(guess: Guess, files: int) -> None:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    others = f" and {files - 1:,} more" if files > 1 else ""
    table = make_table(escape(f"{guess.source}{others}"), "", "found", "", "why")
    for what, value, sure, why in _lines(guess):
        table.add_row(what, escape(value), _CONFIDENCE[sure], escape(why.removeprefix("assumed: ")))
    show(table)
    show()
    show(_preview(guess))


def _lines(guess: Guess) -> list[tuple[str, str, str, str]]:
    """Return the detections as lines, with one line for columns that were detected in the same way."""
    lines: list[tuple[str, str, str, str]] = []
    for _, run in groupby(guess.detections, key=lambda f: (f.what.endswith(" column") or f.what, f.confidence, f.why)):
        same = list(run)
        if len(same) == 1:
            lines.append((same[0].what, same[0].value, same[0].confidence, same[0].why))
            continue
        values = [f.value if f.value == (role := f.what.split()[0]) else f"{role}={f.value}" for f in same]
        lines.append(("columns", ", ".join(values), same[0].confidence, same[0].why))
    return lines


def _preview(guess: Guess) -> Table:
    """Return a table of the first bars, transposed if the terminal is too narrow."""
    from openbell.cli.terminal.console import out
    from openbell.cli.terminal.tables import fits

    table = _table_of(guess, _columns_of(guess))
    if fits(table, out):
        return table
    columns = _columns_of(guess)
    fields = [[name.removesuffix(" >").removesuffix(" <"), *cells] for name, cells in columns.items()]
    for bars in range(guess.preview.height, 0, -1):
        turned = {" <" if n == 0 else f"bar {n} >": [row[n] for row in fields] for n in range(bars + 1)}
        table = _table_of(guess, turned)
        if fits(table, out):
            break
    return table


def _table_of(guess: Guess, columns: dict[str, list[str]]) -> Table:
    from openbell.cli.terminal.printable import escape
    from openbell.cli.terminal.tables import make_table

    symbols = guess.preview["symbol"].unique()
    whose = f" of {escape(_short(symbols[0]))}" if len(symbols) == 1 and symbols[0] else ""
    table = make_table(f"The first bars{whose} as they would be stored", *columns)
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    return table


def _columns_of(guess: Guess) -> dict[str, list[str]]:
    """Return the cells of the first bars, by column name."""
    from openbell.cli.terminal.printable import escape
    from openbell.model.bars import PRICE_COLUMNS

    preview, zone = guess.preview, guess.reading.timezone
    daily = not guess.reading.interval.is_intraday
    clock = "%H:%M:%S" if guess.reading.interval.unit == "s" else "%H:%M"
    times = preview["timestamp"].to_list()
    columns: dict[str, list[str]] = {}
    if daily:
        columns["session <"] = [f"{t:%a %Y-%m-%d}" if t else "-" for t in times]
    elif zone is None or zone == "UTC":
        columns["start, UTC <"] = [f"{t:%a %Y-%m-%d {clock}}" if t else "-" for t in times]
    else:
        # Users know their bars by local time; beside it, UTC needs no date of its own.
        city = zone.rsplit("/")[-1].replace("_", " ")
        columns[f"in {city} <"] = [f"{_in_zone(t, zone):%a %Y-%m-%d {clock}}" if t else "-" for t in times]
        columns["UTC <"] = [f"{t:{clock}}" if t else "-" for t in times]
    if preview["symbol"].n_unique() > 1:
        columns["symbol <"] = [escape(_short(symbol or "-")) for symbol in preview["symbol"]]
    return columns | {f"{name} >": [_number(value) for value in preview[name]] for name in PRICE_COLUMNS}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SYMBOL else f"{text[:_LONGEST_SYMBOL]}..."


def _number(value: float | None) -> str:
    """Return a price or volume as text, with up to ten significant digits."""
    if value is None:
        return "-"
    text = f"{value:,.10g}"
    return text if "e" not in text else f"{value:,.2f}".removesuffix(".00") if abs(value) > 1 else text


def _in_zone(time: datetime, zone: str | None) -> datetime:
    from zoneinfo import ZoneInfo

    return time.astimezone(ZoneInfo(zone or "UTC"))
