"""Bars of earlier days that a live session has fetched, to be written to the store of its run."""

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
        today: The bars of the running session, which are history for the next one.
        earlier: Has bars that are missing in the feed's own history; None without such a source.
    """

    def __init__(self, store: BarStore, today: TodayBars, earlier: EarlierBars | None) -> None:
        self._store = store
        self._today = today
        self._earlier = earlier
        self._wanted: dict[tuple[str, str], tuple[date, date]] = {}
        self._bars: dict[tuple[str, str], list[FeedBar]] = defaultdict(list)
        self._actions: list[pl.DataFrame] = []

    def want(self, symbol: str, interval: str, first: date, last: date) -> None:
        """Note the days of a request, whose missing bars are to be added from elsewhere."""
        if self._earlier is not None:
            self._wanted[symbol, interval] = first, last

    def add(self, bar: FeedBar) -> None:
        """Add a bar that has come."""
        self._bars[bar.symbol, bar.interval].append(bar)

    def add_actions(self, actions: pl.DataFrame) -> None:
        """Add corporate actions that have come."""
        self._actions.append(actions)

    def commit(self, waits: Callable[[str], bool]) -> bool:
        """Write the history that has come, in one commit, and return whether there was any.

        Args:
            waits: Returns whether requests of a symbol are unanswered.
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
        """Return the history that has come, with its missing bars added, and remove it from here."""
        if self._earlier is None:
            taken, self._bars = self._bars, defaultdict(list)
            return taken
        # A series whose answer is still to come may not need bars from elsewhere.
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
        """Add the bars of the day that is over, as history of the next."""
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
