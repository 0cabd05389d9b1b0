"""Synthetic one-minute bars of made-up symbols, identical on every machine.

Prices are a random walk with gaps overnight, wide swings after the open and before the close, and volume to match.
Only the raw stream of PCG64 and sums, products and roundings are used. NumPy guarantees that stream for all of its
versions, and IEEE 754 the arithmetic. Exponentials and NumPy's normal numbers have no such guarantee.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from openbell.model.interval import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from openbell.timing import SessionGrid
    from openbell.timing.grid import ExpectedBars

__all__ = ["Listing", "daily_bars", "minute_bars"]

_MINUTE_SPREAD = 0.0006
_GAP_SPREAD = 0.008
_CENT = 0.01


@dataclass(frozen=True, slots=True)
class Listing:
    """A made-up symbol.

    Attributes:
        symbol: The name of the symbol.
        price: The first price of its random walk, in dollars.
        volume: Shares in an average minute.
        missing: The share of minutes without a trade, and so without a bar (0 to 1).
        halts: Halts without bars, each as its date, the minute of the session at which it begins, and its minutes.
    """

    symbol: str
    price: float
    volume: int
    missing: float = 0.0
    halts: tuple[tuple[str, int, int], ...] = ()


def minute_bars(listing: Listing, seed: int, minutes: ExpectedBars) -> pl.DataFrame:
    """Make the one-minute bars of a listing.

    Args:
        listing: The symbol.
        seed: The seed of the market, in which each symbol has its own stream of random numbers.
        minutes: The minutes of all sessions.

    Returns:
        The columns of a store's bars: timestamp (start, UTC), open, high, low, close (whole cents), volume.
    """
    draw = _Draws(listing.symbol, seed)
    first = np.flatnonzero(np.diff(minutes.session, prepend=-1))
    of_session = np.arange(len(minutes)) - first[minutes.session]
    length = np.diff(first, append=len(minutes))[minutes.session]
    busy = 0.7 + 2.4 * (of_session / (length - 1) - 0.45) ** 2

    moves = _MINUTE_SPREAD * busy * draw.normal(len(minutes))
    gaps = np.zeros(len(minutes))
    tail = draw.normal(len(first))
    gaps[first] = _GAP_SPREAD * tail * (0.4 + 0.4 * tail * tail)
    level = listing.price * np.cumprod((1 + gaps) * (1 + moves))
    opens = level / (1 + moves)
    wick = _MINUTE_SPREAD * busy * level
    highs = np.maximum(opens, level) + wick * draw.uniform(len(minutes))
    lows = np.minimum(opens, level) - wick * draw.uniform(len(minutes))
    volume = np.rint(listing.volume * busy * (0.4 + 1.2 * draw.uniform(len(minutes)))) + 1

    traded = draw.uniform(len(minutes)) >= listing.missing
    days = minutes.start_ns.view("datetime64[ns]").astype("datetime64[D]")
    for day, begin, count in listing.halts:
        traded &= ~((days == np.datetime64(day)) & (of_session >= begin) & (of_session < begin + count))
    return pl.DataFrame(
        {
            "timestamp": minutes.start_ns[traded],
            **{
                name: np.rint(column[traded] / _CENT) / 100
                for name, column in (("open", opens), ("high", highs), ("low", lows), ("close", level))
            },
            "volume": volume[traded],
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC"))


def daily_bars(minutes: pl.DataFrame, grid: SessionGrid) -> pl.DataFrame:
    """Aggregate minute bars to daily bars, whose ``timestamp`` is the session's date at 00:00 UTC."""
    session = grid.open_ns.searchsorted(minutes["timestamp"].to_physical().to_numpy(), side="right") - 1
    dates = pl.Series("timestamp", grid.days[session] * DAY_NS).cast(pl.Datetime("ns"))
    return (
        minutes.with_columns(dates.dt.replace_time_zone("UTC"))
        .group_by("timestamp", maintain_order=True)
        .agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
        )
    )


class _Draws:
    """Random numbers of one symbol, from the raw stream of PCG64."""

    def __init__(self, symbol: str, seed: int) -> None:
        self._stream = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(symbol.encode())]))

    def uniform(self, count: int) -> NDArray[np.float64]:
        """Return uniform random numbers in [0, 1)."""
        numbers: NDArray[np.float64] = (self._raw(count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return numbers

    def normal(self, count: int) -> NDArray[np.float64]:
        """Return nearly normal random numbers of mean 0 and standard deviation 1, at most 3.46 from 0."""
        # The sum of four uniform numbers of 16 bits.
        quarters = self._raw(count).view(np.uint16).reshape(count, 4).sum(axis=1, dtype=np.int64)
        numbers: NDArray[np.float64] = (quarters - 131_070) / 37_837.0
        return numbers

    def _raw(self, count: int) -> NDArray[np.uint64]:
        return np.asarray(self._stream.random_raw(count), np.uint64)
