"""Times that are numbers since 1970 UTC, each in the unit that its magnitude shows."""

from __future__ import annotations

import numpy as np
import polars as pl

__all__ = ["EPOCH", "EPOCH_FORMATS", "FIRST_S", "LAST_S", "read_epochs", "unit_of"]

EPOCH = "epoch"
"""The format of times since 1970 whose unit may differ from value to value."""

EPOCH_FORMATS = {EPOCH: 0, "epoch_s": 1_000_000_000, "epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1}
"""Formats of times that are numbers since 1970 UTC, with the nanoseconds of their unit."""

_UNITS = np.array([1_000_000_000, 1_000_000, 1_000, 1], np.int64)
# A value below 10^11 is in seconds (to the year 5138), one below 10^14 in milliseconds (from 1973 on), and so on.
_BOUNDS = np.array([10**11, 10**14, 10**17], np.int64)
_MOSTLY = 0.5
FIRST_S, LAST_S = -8_520_336_000, 4_133_980_800
"""The beginnings of the years 1700 and 2101 in seconds since 1970 UTC, beyond which times are implausible."""


def unit_of(values: np.ndarray) -> np.ndarray:
    """Return the unit of each value by its magnitude, in nanoseconds."""
    return np.asarray(_UNITS[np.searchsorted(_BOUNDS, np.abs(values), side="right")])


def read_epochs(times: pl.Series, unit_ns: int = 0) -> pl.DataFrame:
    """Read numbers since 1970.

    Args:
        times: Numbers, or numbers in text.
        unit_ns: The expected unit in nanoseconds; 0 takes the most frequent one of the values. A value of another
            magnitude is read in its own unit, unless most such values fit better in the expected one.

    Returns:
        Columns ``timestamp`` (UTC) and ``reason``.
    """
    text = times.str.strip_chars() if times.dtype == pl.String else times
    whole = text.cast(pl.Int64, strict=False)
    # Numbers may have fractions, but whole ones are read as integers, because a float cannot hold today's nanoseconds.
    real = text.cast(pl.Float64, strict=False)
    real = real.set(~real.is_finite() | (real.abs() > 9e18), None)
    there = real.is_not_null().to_numpy()
    values = whole.fill_null(real.floor().cast(pl.Int64, strict=False)).fill_null(0).to_numpy()
    units = unit_of(values)
    ns, plausible = _in_ns(values, units)
    ns, plausible = _by_neighbours(values, units, ns, plausible & there, there, unit_ns)
    part = ((real - real.floor()).fill_null(0.0).to_numpy() * units).round().astype(np.int64)
    ns = ns + np.where(whole.is_null().to_numpy(), part, 0)
    frame = pl.DataFrame({"ns": ns, "there": there, "plausible": plausible})
    usable = pl.when(pl.col("plausible") & pl.col("there"))
    return frame.select(
        usable.then(pl.col("ns")).cast(pl.Datetime("ns", "UTC")).alias("timestamp"),
        pl.when(~pl.col("there")).then(pl.lit("the time is not a number"))
        .when(~pl.col("plausible")).then(pl.lit("the year is implausible")).alias("reason"),
    )  # fmt: skip


def _in_ns(values: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    seconds = values // (1_000_000_000 // units)
    plausible = (seconds >= FIRST_S) & (seconds < LAST_S)
    return np.where(plausible, values, 0) * units, plausible


def _by_neighbours(
    values: np.ndarray, units: np.ndarray, ns: np.ndarray, plausible: np.ndarray, there: np.ndarray, unit_ns: int
) -> tuple[np.ndarray, np.ndarray]:
    """Read values of another magnitude in the usual unit, if that fits better.

    It does if most of them then lie nearer to their neighbours.

    Milliseconds of 1970, for example, have the magnitude of seconds of later years.
    """
    known = units[plausible]
    if not len(known) and not unit_ns:
        return ns, plausible
    usual = unit_ns or int(_UNITS[np.bincount(np.searchsorted(-_UNITS, -known)).argmax()])
    sure = np.flatnonzero(plausible & (units == usual))
    if not len(sure) and not unit_ns:
        return ns, plausible
    ns, plausible = ns.copy(), plausible.copy()
    for unit in np.unique(units[there & (units != usual)]):
        rows = np.flatnonzero(there & (units == unit))
        alternative, possible = _in_ns(values[rows], np.full(len(rows), usual))
        better = possible & ~plausible[rows]
        if len(sure):
            near = ns[sure[np.clip(np.searchsorted(sure, rows), 0, len(sure) - 1)]]
            better |= possible & (np.abs(alternative - near) < np.abs(ns[rows] - near))
        if better.mean() > _MOSTLY:
            ns[rows[possible]] = alternative[possible]
            plausible[rows[possible]] = True
    return ns, plausible
