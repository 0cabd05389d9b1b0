"""Changes of account and orders between two sessions, by corporate actions and the cost of borrowing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from openbell.actions import ActionStore
from openbell.execution.account.corporate_actions import (
    dividend_amount,
    in_order,
    rename_order,
    split_order,
    split_units,
)
from openbell.execution.account.margin import borrow_cost
from openbell.model.cash_flow import CashFlow, CashFlowKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from openbell.actions import Action
    from openbell.actions.store import ActionBook
    from openbell.execution.desk import TradingDesk
    from openbell.execution.simulated.simulated_broker import SimulatedBroker
    from openbell.store.store import BarStore

__all__ = ["Adjustment", "Overnight", "Renamed", "Split"]


@dataclass(frozen=True, slots=True)
class Split:
    """A split of a symbol that was held.

    Attributes:
        symbol: The symbol.
        ratio: New units for one old unit.
        quantity: Units that are left, where fractions are paid in cash.
        price: The last price before, on the new basis.
        time_ns: When, nanoseconds since 1970 UTC.
    """

    symbol: str
    ratio: float
    quantity: float
    price: float
    time_ns: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """New names of symbols that were held, all of one day.

    Attributes:
        names: The new names by symbol.
        time_ns: When, nanoseconds since 1970 UTC.
    """

    names: Mapping[str, str]
    time_ns: int


Adjustment: TypeAlias = Split | Renamed
"""A corporate action that changed what is held."""


class Overnight:
    """Applies what has happened since the last session, before anything else in a session.

    Args:
        desk: The desk, with account and open orders.
        broker: The broker.
    """

    def __init__(self, desk: TradingDesk, broker: SimulatedBroker) -> None:
        self._desk = desk
        self._broker = broker
        self._store: ActionStore | None = None
        self._last_day: date | None = None

    def apply(self, day: date, store: BarStore) -> None:
        """Apply the corporate actions since the last session, and charge what was borrowed since then."""
        before, self._last_day = self._last_day, day
        if before is None:
            return
        self._charge_borrowing((day - before).days)
        concerned = {*self._desk.account.holdings, *self._desk.open_orders.symbols}
        if not concerned:
            return
        if self._store is None:
            self._store = ActionStore(store.path)
        for actions in _since(self._store.book(), concerned, before, day):
            for action in actions:
                self._apply(action)
            # All at once, for a symbol may get the name that another one gives up.
            if names := {action.symbol: new for action in actions if (new := action.new_symbol) is not None}:
                self._rename(names)

    def _charge_borrowing(self, days: int) -> None:
        rate = self._desk.config.borrow_rate
        shorts = [h for h in self._desk.account.holdings.values() if h.quantity < 0] if rate else []
        for holding in shorts:
            cost = borrow_cost(holding.value, rate, days)
            self._pay(CashFlowKind.BORROW, holding.symbol, holding.quantity, -cost)

    def _apply(self, action: Action) -> None:
        if action.type == "dividend":
            self._dividend(action.symbol, action.value or 0.0)
        elif action.type == "split":
            self._split(action.symbol, action.value or 1.0)

    def _dividend(self, symbol: str, per_unit: float) -> None:
        held = self._desk.account.quantity(symbol)
        if held:
            amount = dividend_amount(held, per_unit, self._desk.markets.instrument(symbol))
            self._pay(CashFlowKind.DIVIDEND, symbol, held, amount)

    def _split(self, symbol: str, ratio: float) -> None:
        desk, instrument = self._desk, self._desk.markets.instrument(symbol)
        holding = desk.account.holdings.get(symbol)
        if holding is not None:
            units = split_units(holding.quantity, holding.average_price, ratio, holding.last_price, instrument)
            price = holding.last_price / ratio
            desk.account.split(symbol, units.quantity, units.average_price, price, units.fraction)
            desk.recorder.adjustments.append(Split(symbol, ratio, units.quantity, price, desk.clock.now_ns))
            if units.cash:
                self._pay(CashFlowKind.FRACTION, symbol, units.fraction, units.cash)
        for order in desk.open_orders.of_symbol(symbol):
            after = split_order(order, ratio, instrument)
            if after is None:
                self._broker.cancel(order.id, f"no whole unit of it is left after a split of {ratio:g} for 1")
            else:
                self._broker.restate(after, 1 / ratio)

    def _rename(self, names: Mapping[str, str]) -> None:
        desk, targets = self._desk, self._desk.targets.orders
        desk.markets.instruments.rename(names)
        if held := {symbol: new for symbol, new in names.items() if symbol in desk.account.holdings}:
            desk.account.rename(held)
            desk.recorder.adjustments.append(Renamed(held, desk.clock.now_ns))
        targets |= {new: targets.pop(symbol) for symbol, new in names.items() if symbol in targets}
        for order in [
            rename_order(order, new) for symbol, new in names.items() for order in desk.open_orders.of_symbol(symbol)
        ]:
            self._broker.restate(order)

    def _pay(self, kind: CashFlowKind, symbol: str, quantity: float, amount: float) -> None:
        desk = self._desk
        desk.paid(
            CashFlow(
                kind=kind,
                symbol=symbol,
                quantity=quantity,
                amount=amount,
                time_ns=desk.clock.now_ns,
                zone=desk.time_manager.timezone,
                session_date=desk.session.day,
            )
        )


def _since(book: ActionBook, symbols: Iterable[str], before: date, through: date) -> Iterator[list[Action]]:
    """Iterate over the actions of symbols after one day and through another, day by day in order of application."""
    names = dict.fromkeys(symbols)
    found: dict[Action, None] = {}
    while names:
        symbol = names.popitem()[0]
        for action in book.of(symbol):
            if before < action.ex_date <= through and action not in found:
                found[action] = None
                if action.new_symbol is not None:  # from then on actions are under the new name
                    names[action.new_symbol] = None
    for day in sorted({action.ex_date for action in found}):
        yield in_order(action for action in found if action.ex_date == day)
