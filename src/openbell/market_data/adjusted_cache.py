"""The adjusted series of a cache."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from openbell.market_data.stored_history import READ_ROWS

if TYPE_CHECKING:
    from collections.abc import Collection

    from openbell.actions.securities import PriceBasis, Securities
    from openbell.market_data.bar_requests import SeriesKey
    from openbell.market_data.series import CachedSeries

__all__ = ["AdjustedCache"]


class AdjustedCache:
    """The latest adjusted series of each symbol and interval, with its price basis.

    Args:
        every_basis: Whether the series of all bases stay, as far as memory allows, because later runs request the
            same days.
    """

    def __init__(self, *, every_basis: bool = False) -> None:
        self._every_basis = every_basis
        self._series: dict[SeriesKey, dict[PriceBasis, CachedSeries]] = {}
        self._rows = 0
        # The most days of one request, per symbol and base.
        self._depth: dict[tuple[str, str], int] = defaultdict(int)

    def of(self, key: SeriesKey, basis: PriceBasis, first_day: int, last_day: int) -> CachedSeries | None:
        """Return the cached series on this basis if it covers the days, else None."""
        made = self._series.get(key, {}).get(basis)
        return made if made is not None and made.covers(first_day, last_day) else None

    def put(self, key: SeriesKey, basis: PriceBasis, series: CachedSeries) -> None:
        """Cache a series.

        Series of the same key on other bases are dropped, unless all bases stay.
        """
        bases = self._series.setdefault(key, {})
        replaced = [basis] if self._every_basis and self._rows <= READ_ROWS else [basis, *bases]
        self._rows += len(series.bars) - sum(len(old.bars) for one in {*replaced} if (old := bases.pop(one, None)))
        bases[basis] = series

    def depth(self, symbol: str, base: str, days: int) -> int:
        """Record a request for ``days`` days, and return the days of the longest request so far."""
        depth = self._depth[symbol, base] = max(self._depth[symbol, base], days)
        return depth

    def drop(self, symbols: Collection[str], base: str) -> None:
        """Drop the series that were made from the stored ``base`` bars of some symbols."""
        for key in [key for key in self._series if key[1] == base and key[0] in symbols]:
            self._rows -= sum(len(series.bars) for series in self._series.pop(key).values())

    def hand_over(self, later: AdjustedCache, securities: Securities) -> None:
        """Copy to the cache of a later state the series of securities that are unchanged there."""
        for key, bases in self._series.items():
            for basis, series in bases.items():
                if basis.security in securities:
                    later.put(key, basis, series)
        later._depth.update(self._depth)
