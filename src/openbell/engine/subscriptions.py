"""Subscriptions of a session's strategies, which are provisioned as requirements are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from openbell.components.configured import bounded, overrides
from openbell.components.strategy import Strategy
from openbell.model.interval import parse_interval
from openbell.provisioning import Addition
from openbell.session.cross_section import CrossSectionTable
from openbell.session.series import cursor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openbell.engine.component_runner import ComponentRunner
    from openbell.engine.run_warnings import RunWarnings
    from openbell.model.bars import Bar
    from openbell.model.events import ProvisioningRecord
    from openbell.provisioning import Provisioner
    from openbell.session import BarIntervalData
    from openbell.session.cross_section import CrossSection
    from openbell.session.cursor import Cursor

__all__ = ["Resolved", "SliceSubscription", "SubscribedTimes", "Subscription", "Subscriptions", "errors_of", "pairs_of"]


class SubscribedTimes:
    """Today's bar times as plain numbers, for all series that share them.

    Attributes:
        cursor: The cursor of the series.
        rows: Today's rows, up to the end of the session.
        starts: When today's bars begin, nanoseconds since 1970 UTC.
        ends: When today's bars close, in the same unit.
        counts: How many base bars each of them was made of.
        moves: Per bar, its close and the position that the cursor then has.
        one_at_a_time: Whether no two of the bars close at the same time.
    """

    __slots__ = ("counts", "cursor", "ends", "moves", "one_at_a_time", "rows", "starts")

    def __init__(self, cursor: Cursor, today_row: int, last_ns: int) -> None:
        times = cursor.times
        self.cursor = cursor
        self.rows = slice(today_row, int(times.end.searchsorted(last_ns, side="right")))
        self.starts: list[int] = times.timestamp[self.rows].tolist()
        self.ends: list[int] = times.end[self.rows].tolist()
        self.counts: list[int] = times.count[self.rows].tolist()
        self.moves = list(zip(self.ends, range(today_row + 1, self.rows.stop + 1), strict=True))
        # Two bars that are cut short by a break may end together.
        self.one_at_a_time = bool((np.diff(times.end[self.rows]) > 0).all())


class Subscription(NamedTuple):
    """A strategy's interest in one series.

    Series with the same times share one ``times``.
    """

    on_bar: Callable[[Bar], object]
    series: BarIntervalData
    times: SubscribedTimes


class SliceSubscription(NamedTuple):
    """A strategy's interest in the cross-sections of one interval."""

    on_slice: Callable[[CrossSection], object]
    table: CrossSectionTable


Resolved: TypeAlias = tuple[list[Subscription], list[SliceSubscription]]
"""Subscriptions to bars, and to cross-sections."""


class Subscriptions:
    """The subscriptions of one session's strategies.

    A subscription is a requirement: a series that is not in the session is provisioned.

    Args:
        provisioner: Holds the session's state, and provisions the series.
        runner: The strategies.
        last_ns: The end of the session, nanoseconds since 1970 UTC.
        on_bar: Receives the bars of every series of the session, after the strategies.
        warnings: Receives new subscriptions, to warn of intervals of which no bar will close.

    Attributes:
        bars_reported: How many bars ``on_bar`` received.
        subscribed: The strategies that have subscribed to anything so far.
        time_manager: Calendar and clock.
    """

    def __init__(
        self,
        provisioner: Provisioner,
        runner: ComponentRunner,
        last_ns: int,
        on_bar: Callable[[Bar], None] | None = None,
        warnings: RunWarnings | None = None,
    ) -> None:
        self._provisioner = provisioner
        self._session_data = provisioner.context.session_data
        self.time_manager = provisioner.context.time_manager
        self._runner = runner
        self._last_ns = last_ns
        self._on_bar = on_bar
        self._warnings = warnings
        self.bars_reported = 0
        self._times: dict[Cursor, SubscribedTimes] = {}
        self.subscribed: set[str] = set()
        self._held: dict[str, set[tuple[str, str]]] = {}
        self._bars: list[tuple[Callable[[Bar], object], BarIntervalData]] = []
        self._slices: list[tuple[Strategy, str, dict[str, BarIntervalData]]] = []

    def resolve(self) -> Resolved:
        """Ask all strategies for their subscriptions, provision the series, and return both.

        Returns:
            The subscriptions of strategies that define ``on_bar``, and of those that define ``on_slice``.

        Raises:
            ComponentError: A strategy subscribes to a series that cannot be provisioned.
        """
        self.ask()
        return self.as_known()

    def ask(self) -> None:
        """Ask all strategies for their subscriptions, and provision the series.

        Raises:
            ComponentError: A strategy subscribes to a series that cannot be provisioned.
        """
        self._bars, self._slices = [], []
        pairs = {name: self._provisioned(name, strategy) for name, strategy in self._runner.strategies.items()}
        # Only now, because one strategy may begin to need what another one no longer does.
        for name, wanted_now in pairs.items():
            self._end_undeclared(name, wanted_now)
        for name, strategy in self._runner.strategies.items():
            wanted = [series for pair in pairs[name] if (series := self._session_data.get_bars(*pair)) is not None]
            if overrides(type(strategy), "on_bar"):
                self._bars += [(strategy.on_bar, series) for series in wanted]
            if overrides(type(strategy), "on_slice"):
                by_interval: dict[str, dict[str, BarIntervalData]] = {}
                for series in wanted:
                    by_interval.setdefault(series.interval, {})[series.symbol] = series
                self._slices += [(strategy, interval, found) for interval, found in by_interval.items()]
        if self._on_bar is not None:
            everything = [series for data in self._session_data.current.values() for series in data.bars.values()]
            self._bars += [(self._report_bar, series) for series in everything]
        self._slices.sort(key=lambda entry: parse_interval(entry[1]))

    def followed(self) -> Iterator[tuple[Strategy, BarIntervalData]]:
        """Iterate over the series that strategies subscribed to at the last `ask`, bars first."""
        for on_bar, series in self._bars:
            if isinstance(strategy := getattr(on_bar, "__self__", None), Strategy):
                yield strategy, series
        for strategy, _, found in self._slices:
            if not overrides(type(strategy), "on_bar"):
                yield from ((strategy, series) for series in found.values())

    def as_known(self, after_ns: int = 0) -> Resolved:
        """Return the subscriptions of the last `ask`, with the bars that their series have now.

        Args:
            after_ns: Only bars that close later are needed; nanoseconds since 1970 UTC.
        """
        if after_ns:
            self._times.clear()  # the times of a series that grows change
        bars = [Subscription(on_bar, series, self._times_of(series)) for on_bar, series in self._bars]
        tables = [(one, self._table(found, after_ns)) for one, _, found in self._slices]
        return bars, [SliceSubscription(strategy.on_slice, table) for strategy, table in tables]

    def _report_bar(self, bar: Bar) -> None:
        self.bars_reported += 1
        if self._on_bar is not None:
            self._on_bar(bar)

    def _provisioned(self, name: str, strategy: Strategy) -> list[tuple[str, str]]:
        """Provision and return what a strategy subscribes to now."""
        pairs = self._runner.call(name, "subscriptions", pairs_of, strategy)
        # A series that others own is added as well, so that it stays when they no longer need it.
        if additions := [_addition(name, *pair) for pair in pairs if not self._session_data.is_owned(*pair, name)]:
            first_record = len(self._provisioner.journal)
            records = self._runner.call(name, "subscriptions", self._provisioner.add, additions)
            for addition, record in zip(additions, records, strict=True):
                if not record.ok and not record.is_pending:
                    errors = errors_of(self._provisioner.journal.since(first_record), addition.symbol, name)
                    raise self._runner.subscription_error(name, addition.symbol, addition.details["interval"], errors)
        if self._warnings is not None:
            self._warnings.note_subscriptions(name, pairs, self._session_data.session_date)
        return pairs

    def _end_undeclared(self, name: str, pairs: list[tuple[str, str]]) -> None:
        """Release the series and indicators that a strategy no longer subscribes to or requires."""
        if pairs:
            self.subscribed.add(name)
        declared = {*pairs, *self._runner.required_by(name)}
        ended = self._held.get(name, set()) - declared
        self._held[name] = declared
        if not ended:
            return
        still = {symbol: [what for other, what in declared if other == symbol] for symbol, _ in sorted(ended)}
        done = self._provisioner.end_declared(still, source="strategy", owner=name)
        # A locked symbol is tried again each time, until it is unlocked.
        self._held[name] |= {pair for pair in ended if pair[0] not in done}

    def _times_of(self, series: BarIntervalData) -> SubscribedTimes:
        cursor = cursor_of(series)
        known = self._times.get(cursor)
        if known is None:
            known = self._times[cursor] = SubscribedTimes(cursor, series.today_row, self._last_ns)
        return known

    def _table(self, found: dict[str, BarIntervalData], after_ns: int) -> CrossSectionTable:
        series = [found[symbol] for symbol in sorted(found)]
        return CrossSectionTable(self._session_data, series, self._last_ns, after_ns=after_ns)


def errors_of(records: Iterable[ProvisioningRecord], symbol: str, owner: str) -> tuple[str, ...]:
    """Return the errors of the first failed addition of a symbol by an owner."""
    # Records of other threads may stand in between.
    return next((r.errors for r in records if not r.ok and (r.symbol, r.owner) == (symbol, owner)), ())


def _addition(name: str, symbol: str, interval: str) -> Addition:
    return Addition("bar", symbol, "strategy", name, {"interval": interval}, declared="subscription")


def pairs_of(strategy: Strategy) -> list[tuple[str, str]]:
    """Return the symbols and intervals that a strategy subscribes to now, without duplicates.

    ``1h`` and ``60m`` are the same.

    Raises:
        TypeError: Its ``subscriptions`` returns something else.
        IntervalError: An interval cannot be read.
    """
    wanted = strategy.subscriptions()
    if not isinstance(wanted, Iterable):
        raise TypeError(f"subscriptions must return (symbol, interval) pairs, not {wanted!r}")
    pairs = []
    for pair in bounded(wanted, "subscriptions"):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f'subscriptions must return (symbol, interval) pairs such as ("SPY", "5m"), not {pair!r}')
        pairs.append((pair[0], str(parse_interval(pair[1]))))
    return list(dict.fromkeys(pairs))
