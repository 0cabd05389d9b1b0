"""Bars that a feed's history does not have, and bars kept for later sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from openbell.feeds.stored_bars import stored_bars
from openbell.model.interval import DAY_NS
from openbell.store.label import write_label
from openbell.store.store import BarStore
from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    import polars as pl

    from openbell.model.address import Place
    from openbell.model.feed_events import FeedBar

__all__ = ["EarlierBars", "OtherSourceBars", "place_of_kept_bars"]

KEPT = "feeds"


def place_of_kept_bars(store: Place, feed: str) -> Place:
    """Return the place of the store in which live sessions keep the bars of a feed."""
    return store / KEPT / quote(feed, safe="")


class OtherSourceBars(NamedTuple):
    """Bars of a series that come from another source than the feed.

    Attributes:
        symbol: The symbol.
        interval: The interval.
        bars: The bars, in ascending time.
    """

    symbol: str
    interval: str
    bars: Sequence[FeedBar]


class EarlierBars:
    """Bars that live sessions have kept, and bars of the config's store if these may be mixed.

    Args:
        store: The store of the config.
        feed: The label of the feed.
        keeps: Whether the bars of today are kept.
        mixes: Whether the bars of the config's store are used where neither the feed nor what was kept has any.
        notify: Called with a message about bars of another source.
    """

    def __init__(self, store: Place, feed: str, *, keeps: bool, mixes: bool, notify: Callable[[str], None]) -> None:
        self._place = store
        self._feed = feed
        self._keeps = keeps
        self._notify = notify
        place = place_of_kept_bars(store, feed)
        self._kept = BarStore.open_or_create(place) if keeps else None
        self._others = BarStore.open(store) if mixes else None

    def added_to(
        self, bars: Sequence[FeedBar], symbol: str, interval: str, first: date, last: date
    ) -> tuple[list[FeedBar], OtherSourceBars | None]:
        """Return a feed's history with its missing bars added, and the added bars of another source.

        Args:
            bars: The bars of the feed's history.
            symbol: The symbol.
            interval: The interval.
            first: The first day that is wanted.
            last: The last one.
        """
        found = {bar.start_ns: bar for bar in bars}
        for bar in _read(self._kept, symbol, interval, first, last):
            found.setdefault(bar.start_ns, bar)
        others = [b for b in _read(self._others, symbol, interval, first, last) if b.start_ns not in found]
        return [*found.values(), *others], OtherSourceBars(symbol, interval, others) if others else None

    def keep(self, frames: Iterable[tuple[str, str, pl.DataFrame]]) -> None:
        """Keep the bars of a session that is over, in one commit.

        Args:
            frames: A symbol, an interval and its bars, with the columns of the store.

        Raises:
            StoreError: The bars cannot be written.
        """
        if self._kept is None:
            return
        is_new = not self._kept.backing.exists()
        with self._kept.writer() as writer:
            for symbol, interval, frame in frames:
                writer.write(symbol, interval, frame)
        if is_new:
            write_label(self._kept.path, f"bars of the feed {self._feed}, kept by live sessions")

    def tell_of(self, mixed: Sequence[OtherSourceBars]) -> None:
        """Report which bars are of another source than those to come."""
        if not mixed:
            return
        first, *rest = mixed
        days = [date_of(bar.start_ns // DAY_NS) for bar in (first.bars[0], first.bars[-1])]
        others = f", and of {len(rest)} other series," if rest else ""
        self._notify(
            f"live.mix_feeds: {len(first.bars):,} {first.interval} bars of {first.symbol} from {days[0]} to {days[1]}"
            f"{others} are of the store {self._place} and not of the feed {self._feed}. Where their venues differ, "
            "so do volumes, and every indicator of them."
        )


def _read(store: BarStore | None, symbol: str, interval: str, first: date, last: date) -> list[FeedBar]:
    if store is None:
        return []
    return stored_bars(store, [symbol], interval, day_number(first) * DAY_NS, (day_number(last) + 1) * DAY_NS)
