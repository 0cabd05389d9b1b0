"""Tests of the values of columns, by which their roles are found whatever their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from openbell.importers.tables.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["CLOCK", "DATE", "ENOUGH", "TIME_LIKE", "bare_clock", "numbers", "share_of_good_bars", "share_that_fits"]

ENOUGH = 0.9
"""The share of the values that must fit for a role to be detected."""

_MONTH = r"\p{L}{3,}\.?"
DATE = (
    r"^(1[789]|20)\d{2}(\d{4}|-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|\.\d{1,2}\.\d{1,2})([ T]00:00(:00)?(\.0+)?)?(\.0)?$"
    rf"|^\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}$|^\d{{1,2}}[- ]{_MONTH}[- ]\d{{2,4}}$|^{_MONTH} \d{{1,2}},? \d{{4}}$"
)
CLOCK = (
    r"^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?( ?(Z|[A-Z]{2,4}|[+-]\d{2}(:?\d{2})?))?$"
    r"|^\d{1,2} ?[AaPp][Mm]$"
)
_BARE_CLOCK = r"^\d{3,6}(\.0)?$|^\d{1,2}(\.0)?$"
TIME_LIKE = (
    r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|^(1[789]|20)\d{6}([ T\-]?\d{4,6})?|^\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    rf"|^-?1?\d{{9}}(\d{{3}}|\d{{6}}|\d{{9}})?(\.\d+)?$|^\d{{1,2}}[- ]{_MONTH}[- ]\d{{2,4}}"
    rf"|^{_MONTH} \d{{1,2}},? \d{{4}}"
)


def share_that_fits(values: pl.Series, pattern: str) -> float:
    """Return the share of the present values that match a pattern."""
    texts = values.drop_nulls().cast(pl.String, strict=False).drop_nulls().str.strip_chars()
    texts = texts.filter(texts != "")
    return float(texts.str.contains(pattern).sum() / len(texts)) if len(texts) else 0.0


def bare_clock(values: pl.Series) -> bool:
    """Return whether whole numbers are times of day, such as 93000, 930 or the hour 9."""
    if share_that_fits(values, _BARE_CLOCK) < ENOUGH:
        return False
    clocks = (
        values.cast(pl.String, strict=False).str.strip_chars().str.replace(r"\.0$", "").cast(pl.Int64, strict=False)
    )
    clocks = clocks.drop_nulls()
    if (clocks <= 24).all():
        return True
    long = clocks.max() > 2400  # type: ignore[operator]  # of integers
    hours, rest = (clocks // 10_000, clocks % 10_000) if long else (clocks // 100, (clocks % 100) * 100)
    good = (hours <= 24) & (rest // 100 < 60) & (rest % 100 < 60)
    return bool(good.all())


def numbers(sample: pl.DataFrame, columns: Sequence[str], *, decimal_comma: bool) -> pl.DataFrame:
    """Return columns as numbers, null where a value is not a number."""
    return sample.select(
        pl.col(c).cast(pl.Float64)
        if sample.schema[c].is_numeric()
        else number(sample[c].cast(pl.String), decimal_comma=decimal_comma).alias(c)
        for c in columns
    )


def share_of_good_bars(values: pl.DataFrame, prices: Mapping[str, str]) -> float:
    """Return the share of rows in which open and close lie between low and high."""
    o, h, low, c = (pl.col(prices[role]) for role in ("open", "high", "low", "close"))
    fits = (low <= pl.min_horizontal(o, c)) & (pl.max_horizontal(o, c) <= h)
    return float(values.select(fits.mean()).to_series().to_list()[0] or 0)
