"""The session as a strategy sees it, with its orders and its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.components.context import SessionContext
from openbell.components.meant_arguments import says_what_was_meant
from openbell.components.state import StrategyState
from openbell.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from openbell.execution.account.portfolio import Portfolio
    from openbell.execution.orders.strategy_orders import StrategyOrders
    from openbell.model.order import Order
    from openbell.provisioning import Provisioner
    from openbell.timing import TimeManager

__all__ = ["StrategyContext"]


class StrategyContext(SessionContext):
    """A session as a strategy sees it, and its orders.

    Orders go to the broker when the event batch is over. Their outcome is an event, which `Strategy.on_order` and
    `Strategy.on_fill` receive. An order fills in bars that begin at its time or later.
    """

    def __init__(
        self,
        provisioner: Provisioner,
        time_manager: TimeManager,
        *,
        source: str,
        owner: str,
        orders: StrategyOrders | None = None,
        state: StrategyState | None = None,
    ) -> None:
        super().__init__(provisioner, time_manager, source=source, owner=owner)
        self._state = StrategyState() if state is None else state
        self._given_orders = orders

    @property
    def state(self) -> StrategyState:
        """Memory of the strategy from session to session, a dictionary of JSON values."""
        return self._state

    @state.setter
    def state(self, values: Mapping[str, Any]) -> None:
        self._state.assign(values)

    @property
    def portfolio(self) -> Portfolio:
        """Cash, positions and open orders of the account.

        Raises:
            ConfigError: The config has no section ``execution``.
        """
        return self._orders.portfolio

    @says_what_was_meant("order")
    def order(
        self,
        symbol: str,
        quantity: float,
        *,
        type: str | None = None,  # noqa: A002 -- the word that users write
        limit: float | None = None,
        stop: float | None = None,
        trail: float | None = None,
        trail_percent: float | None = None,
        tif: str = "day",
        until: date | None = None,
        extended: bool = False,
        tag: str = "",
        reason: str = "",
    ) -> Order:
        """Place an order.

        Args:
            symbol: The symbol.
            quantity: Units, positive to buy and negative to sell.
            type: "market", "limit", "stop", "stop_limit", "trailing_stop", "market_on_open" or "market_on_close"; by
                default it follows from the prices.
            limit: The limit price.
            stop: The stop price.
            trail: The distance of a trailing stop, in money.
            trail_percent: The distance as a percentage of the best price.
            tif: "day", "gtc", or "gtd" with ``until``.
            until: The last session of a gtd order.
            extended: Whether a limit order may fill outside of regular hours.
            tag: A label of your own, which orders and trades carry.
            reason: Why, for people.

        Returns:
            The order as submitted; `Strategy.on_order` receives it when it is accepted or rejected.

        Raises:
            ConfigError: The config has no section ``execution``, or there is no such type or lifetime.
            OrderError: A value is invalid, or two of them contradict each other.
            SessionOverError: The session is over.
        """
        # Positional arguments, because this is called very often, and keywords would take longer than the call.
        return self._orders.order(
            symbol, quantity, type, limit, stop, trail, trail_percent, tif, until, extended, tag, reason
        )

    @says_what_was_meant("bracket")
    def bracket(
        self,
        symbol: str,
        quantity: float,
        *,
        stop: float | None = None,
        target: float | None = None,
        limit: float | None = None,
        tif: str = "day",
        tag: str = "",
        reason: str = "",
    ) -> tuple[Order, ...]:
        """Place an entry order with a stop and a target, which start with its fill and cancel each other.

        Args:
            symbol: The symbol.
            quantity: Units of the entry, positive to buy and negative to sell short.
            stop: The price of the stop order.
            target: The limit price of the target.
            limit: The limit price of the entry; a market order when None.
            tif: How long the entry lasts; stop and target last until cancelled.
            tag: A label of your own.
            reason: Why, for people.

        Returns:
            The entry, and the stop and the target that were given.

        Raises:
            OrderError: As for `order`, or stop and target lie on the wrong sides.
        """
        return self._orders.bracket(
            symbol, quantity, stop=stop, target=target, limit=limit, tif=tif, tag=tag, reason=reason
        )

    @says_what_was_meant("order_target")
    def order_target(
        self,
        symbol: str,
        *,
        quantity: float | None = None,
        value: float | None = None,
        percent: float | None = None,
        limit: float | None = None,
        tag: str = "",
        reason: str = "",
    ) -> Order | None:
        """Place the order that leads from the position to a target.

        It replaces the symbol's last order to a target, if that has not filled.

        Args:
            symbol: The symbol.
            quantity: The target in units, negative for short.
            value: The target in money.
            percent: The target as a percentage of equity, less ``execution.cash_buffer_percent`` of it.
            limit: A limit price; a market order when None.
            tag: A label of your own.
            reason: Why, for people.

        Returns:
            The order, or None when the position is at the target, or nearer to it than
            ``execution.min_target_change_percent``.

        Raises:
            OrderError: There is not exactly one target, or it is not a number.
        """
        return self._orders.order_target(
            symbol, quantity=quantity, value=value, percent=percent, limit=limit, tag=tag, reason=reason
        )

    @says_what_was_meant("close")
    def close(self, symbol: str, *, tag: str = "", reason: str = "") -> Order | None:
        """Cancel the symbol's open orders, then close the account's position with a market order.

        Returns:
            The order, or None when there is no position.

        Raises:
            DataError: The symbol is unknown.
        """
        return self._orders.close(symbol, tag=tag, reason=reason)

    @says_what_was_meant("close_all")
    def close_all(self, *, tag: str = "", reason: str = "") -> tuple[Order, ...]:
        """Cancel all open orders, then close all positions of the account."""
        return self._orders.close_all(tag=tag, reason=reason)

    @says_what_was_meant("cancel")
    def cancel(self, order: Order | str) -> bool:
        """Request the cancellation of an order, and return whether it is open."""
        return self._orders.cancel(order)

    @says_what_was_meant("cancel_all")
    def cancel_all(self, symbol: str | None = None) -> int:
        """Request the cancellation of all open orders, of one symbol or of all, and return their number."""
        return self._orders.cancel_all(symbol)

    @says_what_was_meant("replace")
    def replace(
        self,
        order: Order | str,
        *,
        quantity: float | None = None,
        limit: float | None = None,
        stop: float | None = None,
        trail: float | None = None,
        trail_percent: float | None = None,
    ) -> bool:
        """Request a change of the quantity or prices of an open order.

        Values that are not given stay, and so does the state of the order: whether its stop was reached, and the best
        price that a trailing stop follows.

        Args:
            order: The order, or its id.
            quantity: All its units, those that have filled included.
            limit: Its limit price.
            stop: Its stop price.
            trail: The distance of a trailing stop in money.
            trail_percent: The distance as a percentage of the best price.

        Returns:
            Whether the order is open.

        Raises:
            OrderError: It has no such price, or the quantity has the other sign.
        """
        return self._orders.replace(
            order, quantity=quantity, limit=limit, stop=stop, trail=trail, trail_percent=trail_percent
        )

    @property
    def _orders(self) -> StrategyOrders:
        if self._given_orders is None:
            raise ConfigError(
                "this session does not trade: its config has no section execution. Add these lines:\n"
                "execution:\n  broker: simulated\n  cash: 100000\n  fees: {model: ibkr_fixed}"
            )
        return self._given_orders
