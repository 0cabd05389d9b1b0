"""The adjusted series of a cache."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from openbell.actions.instrument import Instruments, PriceBasis
    from openbell.market_data.requests import SeriesKey
    from openbell.market_data.series import CachedSeries

__all__ = ["AdjustedCache"]


class AdjustedCache:
    """The last adjusted series of each symbol and interval, with the price basis that it is on."""

    def __init__(self) -> None:
        self._series: dict[SeriesKey, tuple[PriceBasis, CachedSeries]] = {}
        # The most days that were asked for at once, per symbol and base.
        self._depth: dict[tuple[str, str], int] = defaultdict(int)

    def of(self, key: SeriesKey, basis: PriceBasis, first_day: int, last_day: int) -> CachedSeries | None:
        """Return a series if it is on this basis and covers the days."""
        made = self._series.get(key)
        return made[1] if made is not None and made[0] == basis and made[1].covers(first_day, last_day) else None

    def put(self, key: SeriesKey, basis: PriceBasis, series: CachedSeries) -> None:
        """Put a series into the cache."""
        self._series[key] = basis, series

    def depth(self, symbol: str, base: str, days: int) -> int:
        """Return the most days of bars asked for at once, including ``days``."""
        depth = self._depth[symbol, base] = max(self._depth[symbol, base], days)
        return depth

    def drop(self, symbols: Collection[str], base: str) -> None:
        """Drop what was made of some stored bars."""
        for key in [key for key in self._series if key[1] == base and key[0] in symbols]:
            del self._series[key]

    def hand_over(self, later: AdjustedCache, instruments: Instruments) -> None:
        """Give another cache the series of instruments that it has as well."""
        later._series.update((key, entry) for key, entry in self._series.items() if entry[0].instrument in instruments)
        later._depth.update(self._depth)
