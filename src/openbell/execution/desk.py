"""Trading desk of a run, between strategies, broker and account."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, TypeAlias

from openbell.errors import OrderError, SessionOverError
from openbell.execution.account.account import Account
from openbell.execution.account.equity_watch import EquityWatch
from openbell.execution.account.held_symbols import HeldSymbols
from openbell.execution.account.margin import buying_power
from openbell.execution.account.overnight import Overnight
from openbell.execution.account.portfolio import Portfolio
from openbell.execution.account.reserved_money import Reserved
from openbell.execution.account.valuation import Valuation
from openbell.execution.networked.real_broker import RealBroker
from openbell.execution.orders.held_back import HeldBack
from openbell.execution.orders.open_orders import OpenOrders
from openbell.execution.orders.order_checks import valuation_price
from openbell.execution.orders.order_entry import OrderEntry
from openbell.execution.orders.orders_of_signals import SignalTerms, SignalTrader
from openbell.execution.orders.position_targets import Targets
from openbell.execution.orders.requests import Cancel, Replace, Request, new_submit
from openbell.execution.orders.strategy_orders import StrategyOrders
from openbell.execution.session_record import SessionRecorder
from openbell.execution.simulated.fill_costs import FillCosts
from openbell.execution.simulated.fill_rules import FillContext, FillRules
from openbell.execution.simulated.markets import Markets
from openbell.execution.simulated.simulated_broker import SimulatedBroker
from openbell.model.order import OPEN_STATUSES, Order, OrderStatus, order_of_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from openbell.config.execution import ExecutionConfig
    from openbell.execution.orders.order_terms import Terms
    from openbell.execution.session_record import SessionRecord
    from openbell.execution.simulated.symbol_market import SymbolMarket
    from openbell.model.cash_flow import CashFlow
    from openbell.model.events import Event
    from openbell.model.fill import Fill
    from openbell.provisioning import Provisioner
    from openbell.timing import TimeManager
    from openbell.timing.clock import SimulatedClock
    from openbell.timing.trading_session import TradingSession

__all__ = ["Notice", "TradingDesk"]

Notice: TypeAlias = "Order | Fill"
"""Event that a strategy is notified of."""


class TradingDesk:
    """Takes orders of strategies, checks them, and updates account and open orders by the events of the broker.

    One desk serves a whole run. Requests of a strategy are carried out when its event batch is over.

    Args:
        config: The section ``execution`` of the config.
        time_manager: Calendar and clock.
        clock: The session clock.
        report: Receives every order and fill as an event.
        is_real: Whether orders go to a broker over the network.

    Attributes:
        config: The section ``execution``.
        account: Cash and holdings.
        open_orders: The open orders.
        markets: The bars that orders fill in.
        costs: Fees and slippage.
        valuation: Gives holdings their last prices.
        requests: Requests of strategies that are not carried out yet; always the same list object.
        notices: Events that strategies are to be notified of, in order.
        targets: The targets that strategies have given.
        start_equity: Equity at the start of the session.
        first_equity: Equity at the start of the run.
        signals: Turns signals into orders.
        held: The symbols with positions or open orders, which a session has to have.
        watch: Finds when equity crosses a limit.
        reserved: The money that open orders tie up.
        order_counts: How many orders each strategy has given in the run; the account's own under an empty name.
        changes: Goes up whenever cash or positions change.
        last_price: Returns the last price of a symbol that is known now, or None.
        carry_out: Checks a request, and passes it to the broker.
        refusal_at_fill: Returns why the account cannot take a fill (empty when it can).
        recorder: Records what the session does to the account.
        gate: Returns why no position may be opened or grow now, such as a feed that is down (empty when it may).
        held_back: The orders that wait at the desk for the feed.
        is_open: Whether orders are taken: from the setup of a session's strategies to their teardown.
    """

    def __init__(
        self,
        config: ExecutionConfig,
        time_manager: TimeManager,
        clock: SimulatedClock,
        report: Callable[[Event], None],
        *,
        is_real: bool = False,
    ) -> None:
        self.config = config
        self.is_real = is_real
        self.first_equity = config.cash
        self.account = Account(config.cash)
        self.open_orders = OpenOrders()
        self.markets = Markets(config, time_manager)
        self.costs = FillCosts(config)
        self.valuation = Valuation(self.account, self.markets, clock)
        self.last_price = self.valuation.last_price
        self.notices: list[Notice] = []
        self.is_open = False
        self.gate: Callable[[], str] = str
        self.held_back = HeldBack(self)
        self.clock = clock
        self.time_manager = time_manager
        self._zone = time_manager.timezone
        self._report = report
        self.requests: list[Request] = []
        self.targets = Targets()
        self.start_equity = config.cash
        self.order_counts: dict[str, int] = {}
        self._thread = get_ident()
        self.broker: SimulatedBroker | RealBroker = RealBroker(self) if is_real else self._simulated_broker()
        self._overnight = Overnight(self, self.broker) if isinstance(self.broker, SimulatedBroker) else None
        self._entry = OrderEntry(self)
        self.carry_out = self._entry.carry_out
        self.refusal_at_fill = self._entry.checks.refusal_at_fill
        self.signals = SignalTrader(config.signals)
        self.watch = EquityWatch(self)
        self.reserved = Reserved(self.markets.instrument, config.leverage)
        self.changes = 0
        self.held = HeldSymbols(self)
        self.session: TradingSession
        self.recorder: SessionRecorder

    def _simulated_broker(self) -> SimulatedBroker:
        markets, rules = self.markets, FillRules.of(self.config.fills)
        context = FillContext(markets.of, markets.finer, self.last_price, markets.instrument, self.clock, self._zone)
        return SimulatedBroker(rules, self.costs, context, self.open_orders, self)

    # Sessions

    def begin_session(self, session: TradingSession, provisioner: Provisioner) -> None:
        """Begin a session, in which orders are taken."""
        self.session = session
        self._thread = get_ident()
        self.recorder = SessionRecorder(session.day, self.account)
        self.broker.session = session
        # First of all, because prices of the last session may be on another basis than those of today.
        self.markets.begin_session(session, provisioner)
        if self._overnight is not None:
            self._overnight.apply(session.day, provisioner.context.data_manager.store)
        elif isinstance(self.broker, RealBroker):
            self.broker.take_waiting()  # it applies corporate actions and costs of borrowing itself
        self.held.begin_session(provisioner)
        self.markets.begin_session(session, provisioner)  # again, with the symbols that are held
        self.changes += 1
        self.reserved.begin_session()
        self.start_equity = self.equity
        self.recorder.begin(self.account)
        self.watch.begin_session()
        self.broker.begin_session(session)
        self.is_open = True
        self.held_back.go_on()

    def end_session(self) -> SessionRecord:
        """Stop taking orders, and return the record of the session."""
        self.is_open = False
        self.requests.clear()
        self.held_back.end_session()
        self.broker.end_session()
        self.valuation.mark()
        self.held.end_session()
        positions = tuple(Portfolio(self).positions.values())
        return self.recorder.finished(self.account, positions, self.markets.today, self.markets.times)

    # Orders of strategies

    def orders_of(self, strategy: str) -> StrategyOrders:
        """Return the orders of a strategy in this session."""
        return StrategyOrders(self, strategy)

    def require_open(self, session: TradingSession) -> None:
        """Raise unless orders may be given now, in a session and on its thread.

        Raises:
            SessionOverError: The session is over, or tears down its strategies.
            OrderError: The caller is on another thread.
        """
        if not self.is_open or session is not self.session:
            raise SessionOverError(
                f"the session of {session.day} is over, and takes no orders. Give orders from setup on until the last "
                "bar of a session; one that is given at its close is the next session's."
            )
        if get_ident() != self._thread:
            raise OrderError("orders are given on the session's own thread, by the methods that the session calls.")

    def place(
        self,
        strategy: str,
        symbol: str,
        quantity: float,
        terms: Terms,
        *,
        reason: str = "",
        parent: str | None = None,
        oco: str | None = None,
    ) -> Order:
        """Take an order, which goes to the broker when the event batch is over."""
        number, now_ns = self.order_counts.get(strategy, 0) + 1, self.clock.now_ns
        self.order_counts[strategy] = number
        order_id, day = f"{strategy or 'account'}-{number}", self.session.day
        order = order_of_fields(
            order_id, strategy, symbol, quantity, *terms, now_ns, now_ns, self._zone, day,
            OrderStatus.SUBMITTED, 0.0, None, reason, parent, oco,
        )  # fmt: skip
        self.requests.append(new_submit((order,)))
        self.open_orders.add(order)
        self.recorder.orders[order_id] = order
        self._report(order)
        self.notices.append(order)
        return order

    def follow(
        self, orders: StrategyOrders, symbol: str, action: str, reason: str, numbers: Mapping[str, float]
    ) -> None:
        """Place the orders that follow from a signal of a strategy."""
        self.signals.follow(orders, symbol, action, reason, SignalTerms(**numbers))

    def cancel(self, order_id: str, reason: str, *, unless_rejected: str | None = None) -> bool:
        """Request the cancellation of an order, unless the order ``unless_rejected`` is rejected.

        Returns:
            Whether the order is open.
        """
        if order_id not in self.open_orders.by_id:
            return False
        self.requests.append(Cancel(order_id, reason, unless_rejected))
        return True

    def replace(self, request: Replace) -> bool:
        """Request a change of an order.

        Returns:
            Whether the order is open.
        """
        if request.order_id not in self.open_orders.by_id:
            return False
        self.requests.append(request)
        return True

    # Requests and events, carried out by the engine

    def take_requests(self) -> list[Request]:
        """Return the waiting requests, and clear the list."""
        taken = self.requests[:]
        self.requests.clear()
        return taken

    def markets_changed(self) -> None:
        """Let orders fill in the bars that the session has now."""
        for symbol, before in self.markets.changed().items():
            self.broker.rematch(symbol, before)
            self.watch.changed(symbol)

    def markets_grew(self, symbols: Iterable[str], late_ns: Mapping[str, int] | None = None) -> None:
        """Match orders in new bars.

        Args:
            symbols: The symbols that have new bars.
            late_ns: By symbol, the start of the first bar that came late; nanoseconds since 1970 UTC.
        """
        from_ns = dict(late_ns or {})
        for symbol in symbols:
            market = self.markets.grow(symbol)
            if market is None:
                from_ns.pop(symbol, None)
                continue
            row = market.closed_rows(self.clock.now_ns)
            if symbol not in from_ns and row < len(market):
                from_ns[symbol] = market.start.item(row)
            if symbol in from_ns:
                self.watch.market_grew(symbol)
        if from_ns:
            self.broker.markets_grew(from_ns, late_ns or {})

    # Events of the broker

    def order_changed(self, order: Order) -> None:
        """Update an order to its present state."""
        order_id, status, recorder = order.id, order.status, self.recorder
        if status in OPEN_STATUSES:
            before = self.open_orders.put(order)
            if status is OrderStatus.ACCEPTED and (before is None or before.status is OrderStatus.SUBMITTED):
                recorder.accepted += 1
            self.reserved.put(order, self.quoted(order))
        else:
            self.open_orders.remove(order)
            self.reserved.remove(order_id)
            self.held.release(order.symbol)
        recorder.orders[order_id] = order
        self._report(order)
        self.notices.append(order)

    def quoted(self, order: Order) -> float | tuple[SymbolMarket, int]:
        """Return the price at which an order is valued, or the market and time to look it up."""
        if order.limit is None and order.stop is None:
            market, now_ns = self.markets.of(order.symbol), self.clock.now_ns
            if market is not None and market.is_quoted(now_ns):
                return market, now_ns  # looked up later, because most orders are gone before it is needed
        return valuation_price(order, self.last_price)

    def filled(self, fill: Fill) -> None:
        """Book a fill."""
        symbol = fill.symbol
        multiplier = self.markets.instrument(symbol).multiplier
        self.account.fill(symbol, fill.quantity, fill.price, fill.fee, multiplier, fill.time_ns)
        self.changes += 1
        self.watch.traded(fill)
        self.reserved.position_changed(symbol)
        self.recorder.filled(fill, self.account, multiplier, self.clock.now_ns)
        self._report(fill)
        self.notices.append(fill)
        self.order_changed(fill.order)

    def paid(self, flow: CashFlow) -> None:
        """Book a payment other than that of a fill."""
        self.account.cash += flow.amount
        self.position_changed(flow.symbol)
        self.recorder.flows.append(flow)
        self.recorder.cash_changed(self.account.cash, self.clock.now_ns)
        self._report(flow)

    def position_changed(self, symbol: str) -> None:
        """Note that cash has changed, and perhaps the position in a symbol."""
        self.changes += 1
        self.watch.changed(symbol)
        self.reserved.position_changed(symbol)

    # Limits of the account

    @property
    def next_ns(self) -> int:
        """Time of the next event of the broker or crossing of a limit, nanoseconds since 1970 UTC."""
        return min(self.broker.next_ns, self.watch.next_ns)

    def deliver(self, time_ns: int) -> bool:
        """Deliver the next event that is due by a time.

        Returns:
            Whether there was one.
        """
        if self.broker.next_ns <= time_ns:  # the broker is first at the same time, and no limit is crossed before now
            self.broker.deliver_next()
            return True
        if self.watch.next_ns <= time_ns:
            self.watch.carry_out()
            return True
        return False

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held, and no order is open."""
        return not self.account.holdings and not self.open_orders.by_id

    # Prices

    @property
    def equity(self) -> float:
        """Cash and the value of all holdings, by the last prices that are known now."""
        self.valuation.mark()
        return self.account.equity

    @property
    def buying_power(self) -> float:
        """Value that may be bought or sold short in addition to positions and open orders."""
        return buying_power(self._entry.checks.free(), self.config.leverage)
