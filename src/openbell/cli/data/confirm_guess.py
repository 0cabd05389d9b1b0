"""The display of a guess about files, and its confirmation by a person or by --yes."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

import typer

from openbell.cli.terminal.console import print_json, say, show
from openbell.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openbell.importers.sniffing.table import Guess
    from openbell.importers.sources import Source

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


def confirm(guess_of: Callable[[Source], Guess], sources: Sequence[Source], *, yes: bool, as_json: bool) -> Guess:
    """Return the guess about the first readable file once it is confirmed.

    Nothing is asked when nothing is guessed.

    Raises:
        ConfigError: Something must be given that the file does not show.
        DataError: No file can be read.
        typer.Exit: The person said no (1), or there is none and --yes was not given (2).
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
    """Return whether someone can answer a question."""
    return sys.stdin.isatty()


def _first_guess(guess_of: Callable[[Source], Guess], sources: Sequence[Source]) -> Guess:
    from openbell.importers.tables import UNREADABLE

    failure: Exception | None = None
    for source in sources:
        try:
            return guess_of(source)
        except (*UNREADABLE, DataError) as exc:
            reason = (str(exc) or type(exc).__name__).splitlines()[0]
            named = reason.startswith(str(source))
            failure = failure or DataError(reason if named else f"{source} cannot be read: {reason}")
    raise failure or DataError("there is nothing to read")


def _as_json(guess: Guess) -> dict[str, Any]:
    return {
        "file": str(guess.source),
        "findings": [
            {"what": f.what, "value": f.value, "sure": f.confidence, "why": f.why, "is_guess": f.is_guess}
            for f in guess.detections
        ],
        "first_bars": guess.preview.to_dicts(),
    }


def _show(guess: Guess, files: int) -> None:
    from rich.markup import escape

    from openbell.cli.terminal.tables import make_table

    others = f" and {files - 1:,} more" if files > 1 else ""
    table = make_table(escape(f"{guess.source}{others}"), "", "found", "", "why")
    for what, value, sure, why in _lines(guess):
        table.add_row(what, escape(value), _CONFIDENCE[sure], escape(why.removeprefix("assumed: ")))
    show(table)
    show()
    show(_preview(guess))


def _lines(guess: Guess) -> list[tuple[str, str, str, str]]:
    """List the detections, with columns that were found in the same way in one line."""
    lines: list[tuple[str, str, str, str]] = []
    for _, run in groupby(guess.detections, key=lambda f: (f.what.endswith(" column") or f.what, f.confidence, f.why)):
        same = list(run)
        if len(same) == 1:
            lines.append((same[0].what, same[0].value, same[0].confidence, same[0].why))
            continue
        values = [f.value if f.value == (role := f.what.split()[0]) else f"{role}={f.value}" for f in same]
        lines.append(("columns", ", ".join(values), same[0].confidence, same[0].why))
    return lines


def _preview(guess: Guess) -> Any:
    """Make a table of the first bars that fits a terminal of 80 columns."""
    from rich.markup import escape

    from openbell.cli.terminal.tables import make_table
    from openbell.model.bars import PRICE_COLUMNS

    zone = guess.reading.timezone
    daily = not guess.reading.interval.is_intraday
    local = zone is not None and not daily and zone != "UTC"
    seconds = ":%S" if guess.reading.interval.unit == "s" else ""
    city = (zone or "").rsplit("/")[-1].replace("_", " ")
    symbols = guess.preview["symbol"].unique()
    several = len(symbols) > 1
    # The local time is how a person knows the bars; beside it, UTC needs no date of its own.
    names = ["session <" if daily else f"in {city} <" if local else "start, UTC <", *(["UTC <"] if local else [])]
    names += [*(["symbol"] if several else []), *(f"{name} >" for name in PRICE_COLUMNS)]
    whose = "" if several or not len(symbols) or not symbols[0] else f" of {escape(_short(symbols[0]))}"
    table = make_table(f"The first bars{whose} as they would be stored", *names)
    for symbol, time, *values in guess.preview.iter_rows():
        there = _in_zone(time, zone) if local and time is not None else time
        times = ["-" if time is None else f"{there:%Y-%m-%d}" if daily else f"{there:%a %Y-%m-%d %H:%M{seconds}}"]
        if local:
            times.append("-" if time is None else f"{time:%H:%M{seconds}}")
        of_row = [escape(_short(symbol or "-"))] if several else []
        table.add_row(*times, *of_row, *map(_number, values))
    return table


def _number(value: float | None) -> str:
    """Write a price or volume with all its digits, as far as a person can use them."""
    if value is None:
        return "-"
    text = f"{value:,.8g}"
    return text if "e" not in text else f"{value:,.2f}".removesuffix(".00") if abs(value) > 1 else text


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SYMBOL else f"{text[:_LONGEST_SYMBOL]}..."


def _in_zone(time: Any, zone: str | None) -> Any:
    from zoneinfo import ZoneInfo

    return time.astimezone(ZoneInfo(zone or "UTC"))
