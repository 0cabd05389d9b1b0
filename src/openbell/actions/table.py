"""The table of corporate actions and the check of its rows."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:
    from datetime import date

__all__ = ["ACTION_SCHEMA", "ADJUSTMENTS", "KINDS", "Action", "Adjustment", "CheckedActions", "check_actions"]

Adjustment = Literal["raw", "split", "total"]
"""The actions that earlier prices are adjusted for: none, splits, or splits and cash dividends."""

ADJUSTMENTS: tuple[Adjustment, ...] = ("raw", "split", "total")

KINDS = ("split", "dividend", "rename")

KEY = ("symbol", "ex_date", "type")
"""The columns that identify an action."""

ACTION_SCHEMA = pl.Schema(
    {
        "symbol": pl.String(),
        "ex_date": pl.Date(),
        "type": pl.String(),
        "value": pl.Float64(),
        "new_symbol": pl.String(),
        "reference": pl.Float64(),
    }
)
"""The columns of the actions' file; see the attributes of `Action`."""

_LARGEST_TERM = 1000
_MOST_SHARES = 1_000_000
_FIRST_YEAR, _LAST_YEAR = 1700, 2100
"""The years that bars may be of."""


@dataclass(frozen=True, slots=True)
class Action:
    """One corporate action.

    Attributes:
        symbol: The symbol; of a rename, the old name.
        ex_date: The first session that trades after the action: without the dividend, on the new price basis, or under
            the new name.
        type: "split", "dividend" or "rename".
        value: Of a split, new shares for one old share (7-for-1 is 7.0, a reverse split 1-for-20 is 0.05); of a
            dividend, cash per share as held before the ex-date, in the currency of the bars; None of a rename.
        new_symbol: Of a rename, the new name; else None.
        reference: Of a dividend, the raw close of the session before the ex-date, where the source gives it.
    """

    symbol: str
    ex_date: date
    type: str
    value: float | None = None
    new_symbol: str | None = None
    reference: float | None = None

    def describe(self) -> str:
        """Describe the action in words, without symbol and date."""
        if self.type == "rename":
            return f"renamed from {self.symbol} to {self.new_symbol}"
        if self.type == "dividend":
            return f"dividend of {self.value:g}"
        from fractions import Fraction

        new = Fraction(self.value or math.nan).limit_denominator(_LARGEST_TERM)
        return f"split {new.numerator} for {new.denominator}"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that the action has, with the date as ISO text."""
        fields = {name: value for name, value in asdict(self).items() if value is not None}
        return {**fields, "ex_date": self.ex_date.isoformat()}


@dataclass(frozen=True, slots=True)
class CheckedActions:
    """The outcome of `check_actions`.

    Attributes:
        good: The valid actions, one for each symbol, ex-date and type, sorted; columns of `ACTION_SCHEMA`.
        bad: Columns ``line`` and ``reason``, one row for each row set aside.
        duplicates: The number of rows that repeated another one and were left out.
        added_up: The number of dividends that were added to another one of the same ex-date.
    """

    good: pl.DataFrame
    bad: pl.DataFrame
    duplicates: int
    added_up: int


def check_actions(frame: pl.DataFrame) -> CheckedActions:
    """Separate valid actions from bad rows.

    Several dividends of one symbol and ex-date, such as a regular and a special one, are added up. Splits or renames
    that contradict one another are all set aside.

    Args:
        frame: The columns of `ACTION_SCHEMA`, and ``line``; nulls where a value is missing or cannot be read.
    """
    judged = frame.with_columns(_reason().alias("reason"))
    wrong = judged.filter(pl.col("reason").is_not_null()).select("line", "reason")
    right = judged.filter(pl.col("reason").is_null()).drop("reason")
    values = [name for name in ACTION_SCHEMA if name != "reference"]
    distinct = right.unique(values, keep="first", maintain_order=True)
    dividends = distinct.filter(pl.col("type") == "dividend")
    paid = dividends.group_by(KEY, maintain_order=True).agg(
        pl.col("value").sum(), pl.col("new_symbol").first(), pl.col("reference").drop_nulls().first()
    )
    others = distinct.filter(pl.col("type") != "dividend")
    clashing = pl.len().over(KEY) > 1
    clash = others.filter(clashing).select("line", reason=pl.lit("another row of the same day contradicts it"))
    good = pl.concat([paid.select(*ACTION_SCHEMA), others.filter(~clashing).select(*ACTION_SCHEMA)])
    return CheckedActions(
        good=good.sort(KEY),
        bad=pl.concat([wrong, clash]).sort("line"),
        duplicates=right.height - distinct.height,
        added_up=dividends.height - paid.height,
    )


def _reason() -> pl.Expr:
    """Return an expression for the first rule that a row breaks, as text, or null when it breaks none."""
    value, reference, new_symbol = pl.col("value"), pl.col("reference"), pl.col("new_symbol")
    is_split, is_dividend, is_rename = (pl.col("type") == kind for kind in KINDS)
    missing = value.is_null() | ~value.is_finite()
    rules: list[tuple[pl.Expr, str]] = [
        (pl.col("symbol").fill_null("") == "", "the symbol is missing"),
        (pl.col("ex_date").is_null(), "the ex-date is missing or not a date like 2014-06-09"),
        (~pl.col("ex_date").dt.year().is_between(_FIRST_YEAR, _LAST_YEAR), "the year of the ex-date is implausible"),
        (~pl.col("type").fill_null("").is_in(KINDS), f"the type is none of {', '.join(KINDS)}"),
        (is_split & missing, "the value is missing or not a number: write new shares for one old share"),
        (is_split & ((value <= 0) | (value == 1)), "a split must be above 0 and not 1: new shares for one old share"),
        (
            is_split & ~value.is_between(1 / _MOST_SHARES, _MOST_SHARES),
            f"a split cannot be of more than {_MOST_SHARES:,} new shares for one old share, or one for as many",
        ),
        (is_dividend & missing, "the value is missing or not a number: write cash per share"),
        (is_dividend & (value <= 0), "a dividend must be above 0"),
        (is_dividend & (value >= reference), "the dividend is not below the close before it"),
        (is_rename & (new_symbol.fill_null("") == ""), "the new name is missing"),
        (is_rename & (new_symbol == pl.col("symbol")), "the new name is the old one"),
    ]
    reason: pl.Expr = pl.lit(None, pl.String)
    for broken, text in reversed(rules):
        reason = pl.when(broken).then(pl.lit(text)).otherwise(reason)
    return reason
