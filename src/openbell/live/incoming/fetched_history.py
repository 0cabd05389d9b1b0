"""Bars of earlier days that came for a live session, on their way to the store of its run."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import polars as pl

from openbell.actions import ActionStore
from openbell.model.bars import PRICE_COLUMNS
from openbell.model.feed_events import FeedBar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from openbell.live.incoming.earlier_bars import EarlierBars, OtherSourceBars
    from openbell.market_data.today_bars import TodayBars
    from openbell.store.store import BarStore

__all__ = ["FetchedHistory", "frame_of"]


class FetchedHistory:
    """Bars and corporate actions of earlier days, which are written to the store in one commit.

    Args:
        store: The store.
        today: The bars of the running session, which are the next one's history.
        earlier: Has what the feed's own history lacks; None when nothing has.
    """

    def __init__(self, store: BarStore, today: TodayBars, earlier: EarlierBars | None) -> None:
        self._store = store
        self._today = today
        self._earlier = earlier
        self._wanted: dict[tuple[str, str], tuple[date, date]] = {}
        self._bars: dict[tuple[str, str], list[FeedBar]] = defaultdict(list)
        self._actions: list[pl.DataFrame] = []

    def want(self, symbol: str, interval: str, first: date, last: date) -> None:
        """Note from which day to which bars are asked for, some of which others than the feed may have."""
        if self._earlier is not None:
            self._wanted[symbol, interval] = first, last

    def add(self, bar: FeedBar) -> None:
        """Take up a bar."""
        self._bars[bar.symbol, bar.interval].append(bar)

    def add_actions(self, actions: pl.DataFrame) -> None:
        """Take up corporate actions."""
        self._actions.append(actions)

    def commit(self, waits: Callable[[str], bool]) -> bool:
        """Write what has come, in one commit, and return whether there was any.

        Args:
            waits: Says of which symbols more is on its way.
        """
        if self._actions:
            ActionStore(self._store.path).write(pl.concat(self._actions))
            self._actions.clear()
        whole = self._with_earlier(waits)
        if not whole:
            return False
        with self._store.writer() as writer:
            for (symbol, interval), bars in whole.items():
                writer.write(symbol, interval, frame_of(bars))
        return True

    def _with_earlier(self, waits: Callable[[str], bool]) -> dict[tuple[str, str], list[FeedBar]]:
        """Take the history that has come, with what it lacks and others have."""
        if self._earlier is None:
            taken, self._bars = self._bars, defaultdict(list)
            return taken
        # What is still on its way may have what others would stand in for.
        keys = [key for key in {**self._bars, **self._wanted} if key not in self._wanted or not waits(key[0])]
        found: dict[tuple[str, str], list[FeedBar]] = {}
        mixed: list[OtherSourceBars] = []
        for key in keys:
            bars, days = self._bars.pop(key, []), self._wanted.pop(key, None)
            if days is not None:
                bars, other = self._earlier.added_to(bars, *key, *days)
                mixed += [] if other is None else [other]
            if bars:
                found[key] = bars
        self._earlier.tell_of(mixed)
        return found

    def add_today(self) -> None:
        """Take up the bars of the day that is over, which are history of the next."""
        for key, bars in self._bars_of_today():
            self._bars[key] += bars

    def keep_today(self) -> None:
        """Keep the bars of the session that is over for sessions of later runs, if the config says so."""
        if self._earlier is not None:
            self._earlier.keep((*key, frame_of(bars)) for key, bars in self._bars_of_today())

    def _bars_of_today(self) -> Iterator[tuple[tuple[str, str], list[FeedBar]]]:
        for (symbol, interval), columns in self._today.all():
            rows = zip(columns.start_ns.tolist(), columns.prices.T.tolist(), strict=True)
            yield (symbol, interval), [FeedBar(symbol, interval, start_ns, *prices) for start_ns, prices in rows]


def frame_of(bars: Sequence[FeedBar]) -> pl.DataFrame:
    """Return bars with the columns of the store."""
    starts = pl.Series([bar.start_ns for bar in bars], dtype=pl.Int64)
    prices = {name: pl.Series([getattr(bar, name) for bar in bars], dtype=pl.Float64) for name in PRICE_COLUMNS}
    return (
        pl.DataFrame({"timestamp": starts.cast(pl.Datetime("ns", "UTC")), **prices})
        .unique("timestamp")
        .sort("timestamp")
    )
