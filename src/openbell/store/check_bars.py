"""The check that bars do not contradict themselves, before they are stored.

Rows out of order and exact duplicates are repaired and counted. Rows that contradict themselves or each other are set
aside with the reason: nothing is dropped silently, and nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.errors import BadBarsError

if TYPE_CHECKING:
    from openbell.model.interval import Interval

__all__ = ["CheckedBars", "check_bars", "off_full_units", "require_good_bars"]

_PRICES = ("open", "high", "low", "close")
_VALUES = (*_PRICES, "volume")
# Adjusted prices carry rounding noise in the last digits; that is no contradiction.
_NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class CheckedBars:
    """The outcome of `check_bars`.

    Attributes:
        good: The good bars, sorted by time, unique; the columns of the input without ``line``.
        bad: Columns ``line`` (of the input) and ``reason``, one row for each row set aside, in order of ``line``.
        unsorted: How many rows came earlier than the row before them.
        duplicates: How many rows repeated another one exactly and were left out.
    """

    good: pl.DataFrame
    bad: pl.DataFrame
    unsorted: int
    duplicates: int


def _none_bad() -> pl.DataFrame:
    return pl.DataFrame(schema={"line": pl.get_index_type(), "reason": pl.String})


def check_bars(frame: pl.DataFrame, *, allow_negative: bool = False) -> CheckedBars:
    """Separate good bars from bad ones.

    Args:
        frame: Columns timestamp (with a time zone), open, high, low, close, volume, and optionally ``line``, the row's
            place in its source; without it rows are counted from 1.
        allow_negative: Whether prices may be 0 and below.

    Raises:
        BadBarsError: The timestamps are naive.
    """
    dtype = frame.schema["timestamp"]
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
        raise BadBarsError(f"naive timestamps ({dtype}): say which time zone they are in.")
    if _flawless(frame, allow_negative=allow_negative):
        return CheckedBars(frame.drop("line", strict=False), _none_bad(), 0, 0)
    lined = frame if "line" in frame.columns else frame.with_row_index("line", offset=1)
    unsorted = int((lined["timestamp"].drop_nulls().diff().dt.total_nanoseconds() < 0).sum())
    judged = lined.with_columns(_reason(allow_negative=allow_negative).alias("reason"))
    wrong = judged.filter(pl.col("reason").is_not_null())
    right = judged.filter(pl.col("reason").is_null()) if len(wrong) else judged
    if unsorted or not right["timestamp"].is_sorted():
        right = right.sort("timestamp", "line")
    right, clashing, duplicates = _without_duplicates(right)
    bad = pl.concat([wrong.select("line", "reason"), clashing.select("line", "reason")]).sort("line")
    return CheckedBars(right.drop("line", "reason"), bad, unsorted, duplicates)


def off_full_units(starts: pl.Series, interval: Interval) -> tuple[pl.Series, str]:
    """Mark intraday bars that do not begin at a full minute, or at a full second where bars are of seconds.

    Args:
        starts: Timestamps in nanoseconds.
        interval: The interval of the bars.

    Returns:
        The marks, and the reason for people.
    """
    unit, name = (1_000_000_000, "second") if interval.unit == "s" else (60_000_000_000, "minute")
    return starts.to_physical() % unit != 0, f"the time is not at a full {name}"


def require_good_bars(
    frame: pl.DataFrame, symbol: str, interval: Interval, *, allow_negative: bool = False
) -> pl.DataFrame:
    """Return the bars, sorted and unique, if all are good.

    Args:
        frame: As for `check_bars`, its times in nanoseconds.
        symbol: The symbol, for the message.
        interval: The interval of the bars.
        allow_negative: Whether prices may be 0 and below.

    Raises:
        BadBarsError: At least one bar contradicts itself; the message names the first.
    """
    checked = check_bars(frame, allow_negative=allow_negative)
    if len(checked.bad):
        line, reason = checked.bad.row(0)
        raise BadBarsError(f"{symbol} {interval}: {len(checked.bad)} bad bars; the first is row {line}: {reason}.")
    if interval.is_intraday:
        off, reason = off_full_units(checked.good["timestamp"], interval)
        if off.any():
            first = checked.good["timestamp"].filter(off)[0]
            raise BadBarsError(f"{symbol} {interval}: {off.sum():,} bad bars; the first is of {first}: {reason}.")
    return checked.good


def _flawless(frame: pl.DataFrame, *, allow_negative: bool) -> bool:
    """Return whether all bars are good, in order and unique."""
    # The usual case, and much faster than a check of each row with its reason.
    times = frame["timestamp"]
    if times.null_count() or (np.diff(times.to_physical().to_numpy()) <= 0).any():
        return False
    opens, high, low, close, volume = (frame[name].to_numpy() for name in _VALUES)
    # A missing value is NaN here, for which every comparison is false.
    ordered = (low <= np.minimum(opens, close)) & (np.maximum(opens, close) <= high)
    above = np.isfinite(low) if allow_negative else low > 0
    return bool((ordered & above & (high < np.inf) & (volume >= 0) & (volume < np.inf)).all())


def _reason(*, allow_negative: bool) -> pl.Expr:
    """Return an expression for the first rule that a row breaks, as text, or null when it breaks none."""
    room = pl.col("high").abs() * _NOISE
    rules: list[tuple[pl.Expr, str]] = [(pl.col("timestamp").is_null(), "the time is missing")]
    rules += [(~pl.col(c).is_finite().fill_null(value=False), f"the {c} is missing or not a number") for c in _VALUES]
    rules += [(pl.col(c) < 0, f"the {c} is negative") for c in (("volume",) if allow_negative else _VALUES)]
    rules += [(pl.col(c) == 0, f"the {c} is zero") for c in (() if allow_negative else _PRICES)]
    rules += [(pl.col("high") < pl.col("low"), "the high is below the low")]
    for c in ("open", "close"):
        outside = (pl.col(c) > pl.col("high") + room) | (pl.col(c) < pl.col("low") - room)
        rules.append((outside, f"the {c} lies outside low to high"))
    reason: pl.Expr = pl.lit(None, pl.String)
    for broken, text in reversed(rules):
        reason = pl.when(broken).then(pl.lit(text)).otherwise(reason)
    return reason


def _without_duplicates(right: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Return the rows with one bar per time, the rows that clash, and the number of repetitions left out.

    ``right`` is sorted.
    """
    nothing = right.clear()
    if right["timestamp"].n_unique() == right.height:
        return right, nothing, 0
    distinct = right.unique(["timestamp", *_VALUES], keep="first", maintain_order=True)
    repeated = right.height - distinct.height
    clashes = distinct.filter(pl.len().over("timestamp") > 1)
    if clashes.is_empty():
        return distinct, nothing, repeated
    single = distinct.join(clashes.select("timestamp").unique(), on="timestamp", how="anti", maintain_order="left")
    reason = pl.lit("the same time comes more than once with different values")
    everything = right.join(clashes.select("timestamp").unique(), on="timestamp", how="semi", maintain_order="left")
    repeated -= everything.height - clashes.height
    return single, everything.with_columns(reason.alias("reason")), repeated
