"""Revisions, which are closed bars that late or corrected bars of the feed have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.bars import Bar
from openbell.session.series import all_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from openbell.model.feed_events import FeedBar
    from openbell.session import BarIntervalData, SessionData

__all__ = ["BarsBefore", "Revision"]

Revision = tuple[str, str, "Bar | None", Bar]
"""A symbol, an interval, the bar as it was (None when it came late) and as it is."""


class BarsBefore:
    """Bars of subscribed series, as they were before late or corrected bars changed them.

    Args:
        late: The bars that came late, or again with other values.
        followed: The series that strategies subscribe to.
        end_of: Returns when a bar of the feed closes.
    """

    def __init__(
        self, late: Iterable[FeedBar], followed: Iterable[BarIntervalData], end_of: Callable[[FeedBar], int]
    ) -> None:
        self._before: dict[tuple[str, str, int], Bar | None] = {}
        of_all = list(followed)
        for bar in late:
            for series in of_all:
                if series.symbol == bar.symbol and bar.interval == (series.base or series.interval):
                    # The last moment within the bar, since the date that labels a daily bar begins before the session.
                    within_ns = end_of(bar) - 1
                    self._before[series.symbol, series.interval, within_ns] = _bar_at(series, within_ns)

    def revisions(self, data: SessionData, now_ns: int) -> Iterator[Revision]:
        """Yield the closed bars that differ from what they were."""
        seen = set()
        for (symbol, interval, within_ns), old in self._before.items():
            series = data.get_bars(symbol, interval)
            new = None if series is None else _bar_at(series, within_ns)
            if new is None or new == old or new.end > now_ns or (symbol, interval, new.timestamp) in seen:
                continue
            seen.add((symbol, interval, new.timestamp))
            yield symbol, interval, old, new


def _bar_at(series: BarIntervalData, time_ns: int) -> Bar | None:
    """Return the bar of a series that a time lies in, or None."""
    bars = all_bars(series)
    row = int(bars.timestamp.searchsorted(time_ns, side="right")) - 1
    if row < 0 or bars.end[row] <= time_ns:
        return None
    columns = (bars.timestamp, bars.end, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.count)
    return Bar(series.symbol, series.interval, *(column[row].item() for column in columns))
