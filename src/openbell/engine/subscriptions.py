"""Resolves what strategies subscribe to: a subscription is a requirement, and what is not there is provisioned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openbell.engine.component_runner import defines
from openbell.engine.timetable import SliceSubscription, SubscribedTimes, Subscription
from openbell.model.interval import parse_interval
from openbell.provisioning import Addition
from openbell.session.cross_section import CrossSectionTable
from openbell.session.series import cursor_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.components.strategy import Strategy
    from openbell.engine.component_runner import Hooks
    from openbell.model.bars import Bar
    from openbell.model.events import ProvisioningRecord
    from openbell.provisioning import Provisioner
    from openbell.session import BarIntervalData
    from openbell.session.cursor import Cursor

__all__ = ["Subscriptions", "errors_of"]


class Subscriptions:
    """The subscriptions of one session's strategies, asked for anew whenever the session has changed.

    Args:
        provisioner: Holds the session's state, and provisions what is not there.
        hooks: The strategies.
        last_ns: The end of the session.
        on_bar: Gets the bars of every series of the session, after the strategies.
    """

    def __init__(
        self, provisioner: Provisioner, hooks: Hooks, last_ns: int, on_bar: Callable[[Bar], None] | None = None
    ) -> None:
        self._provisioner = provisioner
        self._session_data = provisioner.context.session_data
        self._hooks = hooks
        self._last_ns = last_ns
        self._on_bar = on_bar
        self._times: dict[Cursor, SubscribedTimes] = {}

    def resolve(self) -> tuple[list[Subscription], list[SliceSubscription]]:
        """Who gets which bars, and who gets which cross-sections: strategies that define the method for it.

        Raises:
            ComponentError: A strategy subscribes to a series that cannot be provisioned.
        """
        bars: list[Subscription] = []
        slices: list[tuple[Strategy, str, dict[str, BarIntervalData]]] = []
        for name, strategy in self._hooks.strategies.items():
            wanted = self._series_of(name, strategy)
            if defines(type(strategy), "on_bar"):
                bars += [Subscription(strategy.on_bar, series, self._times_of(series)) for series in wanted]
            if defines(type(strategy), "on_slice"):
                by_interval: dict[str, dict[str, BarIntervalData]] = {}
                for series in wanted:
                    by_interval.setdefault(series.interval, {})[series.symbol] = series
                slices += [(strategy, interval, found) for interval, found in by_interval.items()]
        if self._on_bar is not None:
            everything = [series for data in self._session_data.current.values() for series in data.bars.values()]
            bars += [Subscription(self._on_bar, series, self._times_of(series)) for series in everything]
        slices.sort(key=lambda entry: parse_interval(entry[1]))
        return bars, [SliceSubscription(s.on_slice, self._table(found)) for s, _, found in slices]

    def _series_of(self, name: str, strategy: Strategy) -> list[BarIntervalData]:
        pairs = self._hooks.call(name, "subscriptions", _pairs_of, strategy)
        # What is there for others only is asked for, too: it stays when they no longer need it.
        if additions := [_addition(name, *pair) for pair in pairs if not self._is_owned(name, *pair)]:
            first_record = len(self._provisioner.journal)
            results = self._hooks.call(name, "subscriptions", self._provisioner.provision, additions)
            for addition, ok in zip(additions, results, strict=True):
                if not ok:
                    errors = errors_of(self._provisioner.journal.since(first_record), addition.symbol, name)
                    raise self._hooks.subscription_error(name, addition.symbol, addition.details["interval"], errors)
        return [series for pair in pairs if (series := self._session_data.get_bars(*pair)) is not None]

    def _is_owned(self, name: str, symbol: str, interval: str) -> bool:
        data = self._session_data.get_symbol_data(symbol)
        return data is not None and interval in data.bars and data.is_owned(interval, name)

    def _times_of(self, series: BarIntervalData) -> SubscribedTimes:
        cursor = cursor_of(series)
        known = self._times.get(cursor)
        if known is None:
            known = self._times[cursor] = SubscribedTimes(cursor, series.today_row, self._last_ns)
        return known

    def _table(self, found: dict[str, BarIntervalData]) -> CrossSectionTable:
        return CrossSectionTable(self._session_data, [found[symbol] for symbol in sorted(found)], self._last_ns)


def errors_of(records: Iterable[ProvisioningRecord], symbol: str, owner: str) -> tuple[str, ...]:
    """Why the first addition that failed for a symbol and owner did: other threads' records may stand in between."""
    return next((r.errors for r in records if not r.ok and (r.symbol, r.owner) == (symbol, owner)), ())


def _addition(name: str, symbol: str, interval: str) -> Addition:
    return Addition("bar", symbol, "strategy", name, {"interval": interval})


def _pairs_of(strategy: Strategy) -> list[tuple[str, str]]:
    """What a strategy subscribes to now, each series once (``1h`` and ``60m`` are the same)."""
    wanted = strategy.subscriptions()
    if not isinstance(wanted, Iterable):
        raise TypeError(f"subscriptions must return (symbol, interval) pairs, not {wanted!r}")
    pairs = []
    for pair in wanted:
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise TypeError(f'subscriptions must return (symbol, interval) pairs such as ("SPY", "5m"), not {pair!r}')
        pairs.append((pair[0], str(parse_interval(pair[1]))))
    return list(dict.fromkeys(pairs))
