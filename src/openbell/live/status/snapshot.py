"""Parts of a live run's status, taken from its session on the session's own thread."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from openbell.live.broker.broker_day import broker_of
from openbell.live.status.live_status import (
    AccountStatus,
    BrokerStatus,
    FeedStatus,
    OrderStatusLine,
    PositionStatus,
    ScanToCome,
    SymbolStatus,
)
from openbell.model.events import local_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from openbell.engine.timetable import ScheduledScan
    from openbell.execution.desk import TradingDesk
    from openbell.live.resources import LiveResources
    from openbell.live.session_loop.live_day import LiveDay
    from openbell.model.order import Order
    from openbell.provisioning import ProvisioningContext
    from openbell.session.symbol import SymbolSessionData

__all__ = ["SessionSnapshot"]

_MOST_SYMBOLS = 300
_MOST_ORDERS = 50


@dataclass(slots=True)
class SessionSnapshot:
    """Makes the parts of a status from one session.

    Attributes:
        resources: Feed, bars and settings of the run.
        day: The day.
        context: The session.
        scans: The scans to come, once the session runs.
        desk: The desk; None in a session that does not trade.
        failed: Why symbols failed, by symbol.
        warm: The number of a symbol's indicators when all of them had values, by symbol.
    """

    resources: LiveResources
    day: LiveDay
    context: ProvisioningContext
    scans: Sequence[ScheduledScan] = ()
    desk: TradingDesk | None = None
    failed: dict[str, str] = field(default_factory=dict)
    warm: dict[str, int] = field(default_factory=dict)

    def iso(self, time_ns: int) -> str:
        """Return a time as text of the exchange's time zone, to the second."""
        return local_time(time_ns, self.context.time_manager.timezone).isoformat(timespec="seconds")

    def feed(self) -> FeedStatus:
        """Return the current state of the feed."""
        connection, lag = self.resources.connection, self.resources.lag
        heard = self.iso(connection.heard_ns) if connection.heard_ns else None
        state = self.resources.health.now
        return FeedStatus(
            self.resources.feed.name,
            *state,
            heard=heard,
            losses=connection.losses,
            lag_s=round(lag.behind_ns / 1e9, 3),
            waiting=lag.waiting,
            bars_per_minute=connection.rate.at(self.resources.feed.arrivals.now_ns),
        )

    def symbols(self) -> tuple[dict[str, int], tuple[SymbolStatus, ...]]:
        """Return the number of symbols in each state, and the status of symbols.

        Of many symbols, there are some hundreds, first those that are not ready.
        """
        found = [*self._pending(), *self._there(), *self._failed()]
        counts: dict[str, int] = {}
        for one in found:
            counts[one.state] = counts.get(one.state, 0) + 1
        found.sort(key=lambda one: one.state == "ready")
        return counts, tuple(self._with_last(found[:_MOST_SYMBOLS]))

    def _pending(self) -> Iterator[SymbolStatus]:
        """Yield the symbols that are requested and not in the session yet."""
        supply, current = self.resources.supply, self.context.session_data.current
        for symbol in supply.symbols:
            if symbol not in current and symbol not in self.failed:
                subscribed, stitched = symbol in supply.acknowledged, supply.is_stitched(symbol)
                yield SymbolStatus(symbol, "pending", subscribed, stitched, False, supply.missing(symbol))

    def _there(self) -> Iterator[SymbolStatus]:
        """Yield the symbols of the session."""
        supply, halted = self.resources.supply, self.day.intake.halted
        for symbol, data in self.context.session_data.current.items():
            subscribed, stitched = symbol in supply.acknowledged, supply.is_stitched(symbol)
            cold = self._cold(symbol, data)
            missing = [] if subscribed and stitched else [supply.missing(symbol)]
            missing += [f"no value yet of {', '.join(cold[:3])}{' ...' * (len(cold) > 3)}"] if cold else []
            is_ready = subscribed and stitched and not cold
            state = "halted" if symbol in halted else "ready" if is_ready else "pending"
            yield SymbolStatus(symbol, state, subscribed, stitched, not cold, ", ".join(missing))

    def _failed(self) -> Iterator[SymbolStatus]:
        supply, current = self.resources.supply, self.context.session_data.current
        for symbol, error in self.failed.items():
            if symbol not in current:
                yield SymbolStatus(symbol, "failed", symbol in supply.acknowledged, False, False, error)

    def _cold(self, symbol: str, data: SymbolSessionData) -> list[str]:
        """Return the indicators that have no value yet, because bars before today are missing."""
        if self.warm.get(symbol) == len(data.indicators):
            return []
        # An indicator that begins anew with each session needs no bars before today: nothing is missing.
        indicators = data.indicators.items()
        cold = [key for key, one in indicators if not one.valid and one.warmup_bars < one.lookback]
        if not cold:
            self.warm[symbol] = len(data.indicators)
        return cold

    def _with_last(self, symbols: Iterable[SymbolStatus]) -> Iterator[SymbolStatus]:
        """Yield symbols with the last bars of their finest series."""
        current = self.context.session_data.current
        texts: dict[int, str] = {}  # the last bars of most symbols closed at the same time
        for one in symbols:
            data = current.get(one.symbol)
            series = None if data is None else next(iter(data.bars.values()), None)
            if series is None or not len(series):
                yield one
                continue
            end_ns = int(series.end[-1])
            if end_ns not in texts:
                texts[end_ns] = self.iso(end_ns)
            yield replace(one, last_bar=texts[end_ns], last_price=float(series.close[-1]))

    def account(self) -> AccountStatus | None:
        """Return the current state of the account, None without a desk."""
        desk = self.desk
        if desk is None:
            return None
        positions = []
        equity = desk.account.cash
        for held in desk.account.holdings.values():
            market = desk.markets.of(held.symbol)
            price = None if market is None else market.last_price_today(desk.clock.now_ns)
            last = held.last_price if price is None else price
            equity += held.quantity * last * held.multiplier
            profit = held.quantity * (last - held.average_price) * held.multiplier
            positions.append(PositionStatus(held.symbol, held.quantity, held.average_price, last, profit))
        orders = desk.open_orders.by_id
        latest = islice(reversed(orders.values()), _MOST_ORDERS)
        return AccountStatus(
            equity,
            desk.account.cash,
            equity - desk.start_equity,
            desk.account.realized,
            tuple(positions),
            tuple(_line_of(order) for order in latest),
            len(orders),
        )

    def broker(self) -> BrokerStatus | None:
        """Return the current state of the broker over the network, None without one."""
        broker_traffic, broker = self.resources.broker_traffic, broker_of(self.desk)
        if broker_traffic is None:
            return None
        account, is_connected = broker_traffic.broker_terms.account, broker_traffic.is_connected
        return BrokerStatus(
            str(account),
            account.is_paper,
            is_connected,
            trouble="" if is_connected else broker_traffic.trouble,
            refusal="" if broker is None else broker.refusal,
            under_way=0 if broker is None else sum(len(one.orders) for one in broker.orders.in_flight()),
        )

    def next_scan(self) -> ScanToCome | None:
        """Return the next scan that is due, or None."""
        now_ns = self.context.time_manager.now_ns
        found = next(((time_ns, scanner) for time_ns, scanner in self.scans if time_ns > now_ns), None)
        return None if found is None else ScanToCome(self.iso(found[0]), found[1].name.removeprefix("scanner "))


def _line_of(order: Order) -> OrderStatusLine:
    return OrderStatusLine(
        order.id, order.strategy, order.symbol, order.remaining, str(order.type), order.price_words, str(order.status)
    )
