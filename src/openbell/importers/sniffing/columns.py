"""Detection of the column of each role, by its name or by its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import ConfigError
from openbell.importers.sniffing.column_names import ADJUSTED, CLOCK_NAMES, DATE_NAMES, NAMES, plain_name
from openbell.importers.sniffing.column_values import (
    CLOCK,
    DATE,
    ENOUGH,
    TIME_LIKE,
    bare_clock,
    numbers,
    share_of_good_bars,
    share_that_fits,
)
from openbell.importers.sniffing.detection import Detection
from openbell.importers.sniffing.volume import find_volume
from openbell.importers.tables.bar_rows import PRICES, volume_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openbell.importers.sniffing.detection import Confidence

__all__ = ["sniff_columns"]

_USUAL = {"time": {"timestamp", "time", "datetime", "date"}, **{n: {n} for n in (*PRICES, "volume")}}
_ORDERS = (PRICES, ("open", "close", "high", "low"), ("low", "high", "open", "close"))
"""The orders in which APIs write prices without names."""

_MINUTES = {"minute", "minutes", "min", "mins", "mm"}
_NOT_PRICES = {"time", "interest", "prev", "previous", "change", "adj", "adjusted", "bid", "ask"}


@dataclass
class _Found:
    column: str
    confidence: Confidence
    why: str = ""


def sniff_columns(
    sample: pl.DataFrame, given: Mapping[str, str | None], where: str, *, decimal_comma: bool = False
) -> tuple[dict[str, str], list[Detection]]:
    """Find the column of each role.

    Args:
        sample: The first rows, under the names of the columns.
        given: The column of each role that the user names, None for others; ``volume`` may be "none".
        where: The file, for messages.
        decimal_comma: Whether numbers in text have a decimal comma.

    Returns:
        The column of each role (for volume "none" when there is none), and a detection for each.

    Raises:
        ConfigError: There is no column for a role.
    """
    found = _given(sample.columns, given, where)
    for role in ("symbol", *PRICES, "time"):
        if role not in found and (column := _by_name(role, sample.columns, {f.column for f in found.values()})):
            usual = plain_name(column) in _USUAL.get(role, ()) and column == column.strip()
            found[role] = _Found(column, "plain" if usual else "likely")
    _find_times(sample, found)
    if not all(role in found for role in PRICES):
        _find_prices_by_values(sample, found, decimal_comma=decimal_comma)
    _require(found, sample.columns, where)
    if "volume" not in found:
        taken = {f.column for f in found.values()}
        volume = find_volume(sample, taken, found["close"].column, decimal_comma=decimal_comma)
        found["volume"] = _Found(*volume) if volume else _Found("none", "likely")
    _judge_prices(sample, found, decimal_comma=decimal_comma)
    ordered = {role: found[role] for role in ("symbol", *PRICES, "volume", "time", "clock") if role in found}
    return {role: f.column for role, f in ordered.items()}, [_detection(role, f) for role, f in ordered.items()]


def _given(columns: Sequence[str], given: Mapping[str, str | None], where: str) -> dict[str, _Found]:
    """Return the columns that the user names.

    Raises:
        ConfigError: The file does not have one of them.
    """
    known = {role: name for role, name in given.items() if name is not None}
    plain = {c.strip().casefold() for c in columns}
    for role, name in known.items():
        parts = volume_columns(name.replace("+", " + ").replace("  ", " ")) if role == "volume" else (name,)
        if name.casefold() in plain or name in columns or all(p.strip().casefold() in plain for p in parts):
            continue
        if role == "volume" and name == "none":
            continue
        raise ConfigError(f"{where}: there is no column {name} for the {role}. The file has {', '.join(columns[:50])}.")
    return {role: _Found(_as_in_file(name, columns), "given") for role, name in known.items()}


def _require(found: Mapping[str, _Found], columns: Sequence[str], where: str) -> None:
    """Refuse a file without a time column or a price column.

    Raises:
        ConfigError: A column is missing.
    """
    missing = [role for role in ("time", *PRICES) if role not in found]
    if missing:
        flags = " ".join(f"--{role}-column NAME" for role in missing)
        raise ConfigError(
            f"{where}: no column looks like the {' or '.join(missing)}. It has {', '.join(columns[:50])}; "
            f"name the right one with {flags}."
        )


def _detection(role: str, found: _Found) -> Detection:
    texts = {"given": "given", "plain": "by its name", "likely": "by its name"}
    why = found.why or texts.get(found.confidence, "")
    if role == "volume" and found.column == "none":
        why = why if found.confidence == "given" else "no column looks like one; volumes will be 0"
    return Detection(f"{role} column", found.column, why, found.confidence)


def _as_in_file(name: str, columns: Sequence[str]) -> str:
    return next((c for c in columns if c.strip().casefold() == name.casefold()), name)


def _by_name(role: str, columns: Sequence[str], taken: set[str]) -> str | None:
    """Return the column of a role by its name, or None.

    Without a known name, it is the only column with the role as a word in its name.
    """
    free = {column: plain_name(column) for column in columns if column not in taken}
    for name in NAMES[role]:
        for column, plain in free.items():
            if plain == name:
                return column
    if role in ("symbol", "time"):
        return None
    words = [c for c, plain in free.items() if role in plain.split("_") and not _NOT_PRICES & set(plain.split("_"))]
    return words[0] if len(words) == 1 else None


def _find_times(sample: pl.DataFrame, found: dict[str, _Found]) -> None:
    """Find the time column by its values, and a clock beside dates.

    A clock is a column of times of day.
    """
    taken = {f.column for f in found.values()}
    free = [c for c in sample.columns if c not in taken or (found.get("time") and c == found["time"].column)]
    if "time" not in found:
        like = [c for c in free if sample[c].dtype.is_temporal() or share_that_fits(sample[c], TIME_LIKE) >= ENOUGH]
        if not like:
            return
        found["time"] = _Found(like[0], "likely", "by its values")
    if "clock" in found or found["time"].confidence == "given":
        return
    dates = [c for c in free if sample[c].dtype == pl.Date or share_that_fits(sample[c], DATE) >= ENOUGH]
    if not dates:
        return
    day = next((c for c in dates if plain_name(c) in DATE_NAMES), dates[0])
    clocks = [c for c in free if c not in dates and _is_clock(sample[c], sample[day])]
    if clocks:
        found["time"] = _Found(day, "likely", "dates")
        first = next((c for c in clocks if plain_name(c) in CLOCK_NAMES), clocks[0])
        found["clock"] = _Found(first, "likely", "times of day, beside a column of dates")
        _refuse_hours_alone(sample[first], [c for c in free if plain_name(c) in _MINUTES])


def _refuse_hours_alone(clock: pl.Series, minutes: Sequence[str]) -> None:
    """Refuse a column of hours whose minutes are in another column.

    Raises:
        ConfigError: There is such a column.
    """
    if minutes and share_that_fits(clock, r"^\d{1,2}$") >= ENOUGH:
        raise ConfigError(
            f"hours are in the column {clock.name} and minutes in {minutes[0]}, and openbell reads a time of day from "
            "one column: join them, such as 09:30, and name it with --clock-column."
        )


def _is_clock(values: pl.Series, dates: pl.Series) -> bool:
    """Return whether a column has times of day.

    Times without colons count only in a column with a known name, or without a name beside dates that repeat.
    """
    if values.dtype == pl.Time or share_that_fits(values, CLOCK) >= ENOUGH:
        return True
    named = bool(set(plain_name(values.name).split("_")) & CLOCK_NAMES)
    repeated = values.name.startswith("column_") and dates.n_unique() < ENOUGH * len(dates)
    return (named or (repeated and share_that_fits(values, r"^\d{3,6}$") >= ENOUGH)) and bare_clock(values)


def _find_prices_by_values(sample: pl.DataFrame, found: dict[str, _Found], *, decimal_comma: bool) -> None:
    """Find four adjacent columns whose values fit open, high, low and close."""
    if any(found[role].confidence == "given" for role in PRICES if role in found):
        return
    texts = {c for c, dtype in sample.schema.items() if dtype == pl.String or dtype.is_numeric()}
    taken = {found[role].column for role in ("time", "clock", "symbol") if role in found}
    numeric = [c for c in sample.columns if c in texts - taken - {"line"}]
    values = numbers(sample, numeric, decimal_comma=decimal_comma)
    numeric = [c for c in numeric if values[c].null_count() <= len(values) * (1 - ENOUGH)]
    for start in range(len(numeric) - 3):
        four = numeric[start : start + 4]
        for order in _ORDERS:
            if share_of_good_bars(values, dict(zip(order, four, strict=True))) >= ENOUGH:
                for role, column in zip(order, four, strict=True):
                    found[role] = _Found(column, "likely", "by their values and order")
                after = numeric[start + 4 : start + 5]
                if after and "volume" not in found:
                    found["volume"] = _Found(after[0], "likely", "the number behind the prices")
                return


def _judge_prices(sample: pl.DataFrame, found: dict[str, _Found], *, decimal_comma: bool) -> None:
    """Mark the price columns as unsure where their values do not fit, and an adjusted close."""
    columns = {role: found[role].column for role in PRICES}
    if len(set(columns.values())) < len(PRICES) or sample.is_empty():
        return
    share = share_of_good_bars(numbers(sample, list(columns.values()), decimal_comma=decimal_comma), columns)
    if share < ENOUGH and any(found[role].confidence == "likely" for role in PRICES):
        for role in PRICES:
            found[role].confidence = "unsure"
            found[role].why = f"by name; but low <= open, close <= high in {share:.0%} of the rows only"
    adjusted = found["close"]
    if adjusted.confidence == "likely" and plain_name(adjusted.column).startswith(ADJUSTED):
        found["close"] = _Found(adjusted.column, "unsure", "adjusted: open, high, low may not be")
