"""Detection of the volume column, as distinct from turnover and from one side of the trades."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from openbell.importers.sniffing.column_names import (
    DOWN_NAMES,
    NAMES,
    TICK_VOLUMES,
    TURNOVER_NAMES,
    UP_NAMES,
    plain_name,
)
from openbell.importers.sniffing.column_values import ENOUGH, numbers

if TYPE_CHECKING:
    from openbell.importers.sniffing.detection import Confidence

__all__ = ["find_volume"]

_CLOSE_TO = 0.1
_FEWEST_ROWS = 5
_PRICE_LIKE = 2.0


def find_volume(
    sample: pl.DataFrame, taken: set[str], close: str | None, *, decimal_comma: bool
) -> tuple[str, Confidence, str] | None:
    """Find the column of the volume.

    Args:
        sample: The first rows.
        taken: The columns that have another role.
        close: The column of the close, by which turnover is distinguished from volume; None if unknown.
        decimal_comma: Whether numbers in text have a decimal comma.

    Returns:
        The column (``Up + Down`` when two are to be added), the confidence and the reason; None without a volume.
    """
    free = [name for name in sample.columns if name not in taken and _has_numbers(sample[name])]
    plain = {name: plain_name(name) for name in free}
    named = _named(plain)
    values = numbers(sample, [*free, *([close] if close else [])], decimal_comma=decimal_comma)
    parts = [next((n for n in free if plain[n] in names), None) for names in (UP_NAMES, DOWN_NAMES)]
    if not named and parts[0] and parts[1]:
        return f"{parts[0]} + {parts[1]}", "likely", "the sum of what went up and down"
    if not named:
        money = [name for name in free if plain[name] in TURNOVER_NAMES]
        shares = _shares_of(values, money, [n for n in free if n not in money], close)
        return (shares, "certain", f"times the price it is {money[0]}") if shares else None
    first = named[0]
    if len(values) and not (values[first].fill_null(0.0) != 0).any():
        other = next((n for n in free if plain[n] in TICK_VOLUMES and (values[n].fill_null(0.0) != 0).any()), None)
        return (other, "likely", f"{first} is 0 in all rows") if other else (first, _usual(first), "")
    if shares := _shares_of(values, [first], [n for n in free if n != first], close):
        return shares, "certain", f"times the price it is {first}, which is money"
    several = [name for name in named[1:] if plain[name] not in TICK_VOLUMES]
    money = [name for name in free if name != first and _shares_of(values, [name], [first], close)]
    rest = [name for name in several if name not in money]
    if rest and plain[first] != "volume":
        return first, "unsure", f"the first one; {', '.join(rest)} may be meant"
    return first, _usual(first), f"times the price it is {money[0]}" if money and _usual(first) != "plain" else ""


def _named(plain: dict[str, str]) -> list[str]:
    """Return the columns with a name of volumes, the most certain name first."""
    exact = [column for name in NAMES["volume"] for column, own in plain.items() if own == name]
    sides = UP_NAMES | DOWN_NAMES | TURNOVER_NAMES
    words = [
        column
        for column, own in plain.items()
        if column not in exact and own not in sides and {"volume", "vol", "volumen"} & set(own.split("_"))
    ]
    return [*exact, *(column for column in words if not {"quote", "taker", "money"} & set(plain[column].split("_")))]


def _usual(column: str) -> Confidence:
    return "plain" if plain_name(column) == "volume" and column == column.strip() else "likely"


def _shares_of(values: pl.DataFrame, money: list[str], candidates: list[str], close: str | None) -> str | None:
    """Return the first candidate that times the price gives the money, or None."""
    if close is None:
        return None
    for amount in money:
        for shares in candidates:
            rows = values.select(a=amount, s=shares, c=close).filter(
                (pl.col("a") > 0) & (pl.col("s") > 0) & (pl.col("c") > 0) & pl.all_horizontal(pl.all().is_finite())
            )
            if len(rows) < _FEWEST_ROWS or amount == shares:
                continue
            ratio = rows.select((pl.col("a") / (pl.col("s") * pl.col("c"))).log()).to_series()
            # A column near the price is another price, such as the average one.
            if 1 / _PRICE_LIKE < float((rows["s"] / rows["c"]).median() or 1.0) < _PRICE_LIKE:  # type: ignore[arg-type]
                continue
            near = (ratio.abs() < math.log1p(_CLOSE_TO)).mean()
            # Where the price is about 1, money and shares cannot be distinguished.
            apart = abs(float(rows["c"].log().median() or 0.0)) > 3 * _CLOSE_TO  # type: ignore[arg-type]
            if isinstance(near, float) and near >= ENOUGH and apart:
                return shares
    return None


def _has_numbers(values: pl.Series) -> bool:
    return values.dtype.is_numeric() or values.dtype in (pl.String, pl.Categorical)
