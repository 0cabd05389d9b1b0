"""Checks that a vendor's answer has the bars and actions that were requested."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.errors import DataError
from openbell.model.interval import DAY_NS, parse_interval

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, tzinfo

    from openbell.vendors.fetch_plan import FetchRequest

__all__ = ["require_interval", "with_reasons", "wrong_actions"]

_CHANCE = 1e6
"""The odds against chance above which bars are taken for those of a longer interval."""


def with_reasons(bars: pl.DataFrame, request: FetchRequest, timezone: tzinfo, now_ns: int) -> pl.DataFrame:
    """Return bars with a column ``reason``, which says why a bar does not fit the request.

    Args:
        bars: The columns of `BAR_SCHEMA`, and ``line``; also ``reason`` where the source has found bad bars itself.
        request: The request.
        timezone: The time zone of the request's dates.
        now_ns: The time, in nanoseconds since 1970 UTC.
    """
    step_ns = parse_interval(request.interval).ns
    zone = UTC if request.interval == "1d" else timezone
    begin, end = (_midnight(day, zone) for day in (request.first, request.last + timedelta(days=1)))
    at = pl.col("timestamp")
    found = pl.col("reason") if "reason" in bars.columns else pl.lit(None, pl.String)
    whole = (at.to_physical() % (DAY_NS if request.interval == "1d" else step_ns)) == 0
    reason = (
        pl.when(found.is_not_null())
        .then(found)
        .when((at < begin) | (at >= end))
        .then(pl.lit(f"it is not of {request.first} to {request.last}, which was asked for"))
        .when(~whole)
        .then(pl.lit(f"its time is not one at which a bar of {request.interval} begins"))
        .when(at.to_physical() > now_ns - step_ns)
        .then(pl.lit("it is not over yet"))
    )
    return bars.with_columns(reason=reason)


def require_interval(bars: pl.DataFrame, interval: str) -> None:
    """Refuse bars of a longer interval than was requested.

    Args:
        bars: Bars that fit the request otherwise.
        interval: The requested interval.

    Raises:
        DataError: All bars lie on the grid of a longer interval.
    """
    starts = np.sort(bars["timestamp"].drop_nulls().to_physical().to_numpy())
    step_ns = parse_interval(interval).ns
    if interval == "1d" or len(starts) < 3:
        return
    apart = int(np.gcd.reduce(np.diff(starts))) // step_ns
    # Bars of a thinly traded symbol hardly ever lie on such a grid by chance.
    if apart > 1 and float(apart) ** (len(starts) - 1) > _CHANCE:
        raise DataError(f"the bars that came are {apart:,} minutes apart; those of {interval} were asked for")


def wrong_actions(actions: pl.DataFrame, symbols: Collection[str], first: date, last: date) -> pl.Series:
    """Return a mask of the actions whose symbol or ex-date was not requested.

    Args:
        actions: The columns of `ACTION_SCHEMA`.
        symbols: The requested symbols; a rename fits by its old or its new name.
        first: The first requested ex-date.
        last: The last requested ex-date, inclusive.
    """
    asked = pl.col("symbol").is_in(list(symbols)) | pl.col("new_symbol").is_in(list(symbols)).fill_null(value=False)
    wrong = ~asked | ~pl.col("ex_date").is_between(first, last)
    return actions.select(wrong.fill_null(value=False)).to_series()


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
