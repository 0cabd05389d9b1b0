"""Stored bars that make up a series, and how far back it reaches with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.market_data.completeness import Completeness, measure_completeness
from openbell.model.interval import parse_interval
from openbell.provisioning.history_search import measured_from, series_starts
from openbell.session.cursor import Memo

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from openbell.model.bars import Bars, BarTimes
    from openbell.model.interval import Interval
    from openbell.provisioning.context import Market, ProvisioningContext, StoredDay
    from openbell.provisioning.history_search import HistoryProof
    from openbell.provisioning.needs import IntervalNeed
    from openbell.provisioning.validation import Proof
    from openbell.timing.grid import ExpectedBars
    from openbell.timing.time_manager import TimeManager

__all__ = ["LoadedBars", "StoredReach", "bars_of_block", "bars_to_load", "quality_of_history"]


class StoredReach(NamedTuple):
    """Calendar of a series, and the time from which it has all stored bars.

    All of it is computed when it is read.

    Attributes:
        name: The interval of the series.
        begins_ns: Time from which the addition that loaded it took every stored bar, nanoseconds since 1970 UTC.
        times: The times of the series, today's included.
        today_row: The row of the first bar of today.
        histories: By interval, the proofs of its history and of those of series that start together with it.
        stored_day: The store and the calendar.
    """

    name: str
    begins_ns: int
    times: BarTimes
    today_row: int
    histories: Mapping[str, HistoryProof]
    stored_day: StoredDay

    @property
    def market(self) -> Market:
        """Its exchange."""
        return self.stored_day.market

    @property
    def time_manager(self) -> TimeManager:
        """The calendar."""
        return self.market.time_manager

    @property
    def day(self) -> date:
        """The session's day."""
        return self.market.day

    @property
    def whole_from_ns(self) -> int:
        """Time from which the series has all stored bars, nanoseconds since 1970 UTC."""
        return measured_from(self.name, self.begins_ns, self.histories)

    @property
    def stored_from(self) -> date | None:
        """The session in which the store's bars begin (None before any has closed)."""
        proof = self.histories.get(self.name)
        return None if proof is None else proof.available_from

    def at(self, times: BarTimes) -> StoredReach:
        """Return the reach of the series after it has grown to ``times``."""
        # With its own memo: in the shared one, results for outdated times would stay until the day is over.
        return self._replace(times=times, stored_day=self.stored_day._replace(memo=Memo()))

    def quality(self) -> tuple[Completeness, ExpectedBars]:
        """Return the completeness of the history, and the bars expected today."""
        begins_ns = int(self.times.timestamp[0]) if self.today_row else self.market.start_ns
        start_ns = measured_from(self.name, begins_ns, self.histories)
        interval = parse_interval(self.name)
        return self.stored_day.by_times(quality_of_history, interval, self.times, self.today_row, start_ns)

    def expected_of_base(self) -> ExpectedBars:
        """Return the expected bars of the base interval, from the first bar of the series on."""
        first_ns = int(self.times.timestamp[0]) if len(self.times) else self.market.start_ns
        return self.stored_day.by_times(_expected_since, self.histories[self.name].need.base, first_ns)


def quality_of_history(
    market: Market, interval: Interval, times: BarTimes, today_row: int, start_ns: int
) -> tuple[Completeness, ExpectedBars]:
    """Measure the completeness of history from ``start_ns`` on, and return the bars expected today."""
    expected, today = market.expected(interval, start_ns)
    real = times.timestamp[:today_row][times.count[:today_row] > 0]
    return measure_completeness(real, expected.start_ns, expected.end_ns), today


def _expected_since(market: Market, interval: Interval, start_ns: int) -> ExpectedBars:
    """Return the bars that the calendar expects from the session of ``start_ns`` through the session's day."""
    return market.time_manager.grid(market.time_manager.day_of(start_ns), market.day).expected_bars(interval)


class LoadedBars(NamedTuple):
    """Bars that a series should have.

    Attributes:
        bars: Its bars, from where the series should start through today.
        begins_ns: Time from which these are all stored bars, nanoseconds since 1970 UTC.
    """

    bars: Bars
    begins_ns: int


def bars_to_load(symbol: str, proof: Proof, context: ProvisioningContext) -> dict[str, LoadedBars]:
    """Return the bars of the proved intervals of a symbol, by interval."""
    return {name: loaded for name, (loaded,) in bars_of_block([symbol], [proof], context).items()}


def bars_of_block(
    symbols: Sequence[str], proofs: Sequence[Proof], context: ProvisioningContext
) -> Mapping[str, Sequence[LoadedBars]]:
    """Return by interval the bars of each symbol.

    Args:
        symbols: The symbols.
        proofs: The proof of each, all with the same histories.
        context: Where bars are looked for.
    """
    histories = tuple(proofs[0].histories.items())
    read = tuple(tuple(map(proof.bars.__getitem__, proofs[0].histories)) for proof in proofs)
    day, size = context.stored_day(symbols[0]), len(symbols) * len(histories)
    return day.data_manager.remembered(_bars_of_block, day, tuple(symbols), histories, read, size=size)


def _bars_of_block(
    day: StoredDay,
    symbols: tuple[str, ...],
    histories: tuple[tuple[str, HistoryProof], ...],
    read: tuple[tuple[Bars, ...], ...],
) -> Mapping[str, Sequence[LoadedBars]]:
    loaded: dict[str, list[LoadedBars]] = {}
    starts = series_starts(dict(histories))
    for place, (name, history) in enumerate(histories):
        bars, start_ns = [of_symbol[place] for of_symbol in read], starts[name]
        # A series that starts together with this one may reach further back than was read for this one.
        if start_ns < history.start_ns and any(not len(one) or one.timestamp[0] > start_ns for one in bars):
            bars = [_reload(symbol, history.need, start_ns, day) for symbol in symbols]
        found = loaded[name] = []
        for one in bars:
            row, begins_ns = day.by_times(_first_row, one.times, start_ns)
            found.append(LoadedBars(one.window(row, len(one)), begins_ns))
    return loaded


def _reload(symbol: str, need: IntervalNeed, start_ns: int, day: StoredDay) -> Bars:
    first, base = day.market.time_manager.day_of(start_ns), str(need.base)
    return day.data_manager.load_historical_bars(symbol, str(need.interval), first, day.market.day, base=base)


def _first_row(market: Market, times: BarTimes, start_ns: int) -> tuple[int, int]:
    """Return the first row of a series, and the time from which no bar is left out.

    The row is at the latest today's first.
    """
    row = min(int(times.timestamp.searchsorted(start_ns)), market.today_row(times))
    if row:
        return row, int(times.end[row - 1])
    # Bars are read in whole sessions.
    tm = market.time_manager
    return row, min(start_ns, tm.session(tm.day_of(start_ns)).first_ns)
