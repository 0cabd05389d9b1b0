"""Trading of a session's strategies, in the order in which its events become known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openbell.components.configured import overrides
from openbell.errors import OrderError
from openbell.execution.orders.requests import Submit
from openbell.model.fill import Fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from openbell.engine.component_runner import ComponentRunner
    from openbell.execution.desk import Notice, TradingDesk
    from openbell.execution.orders.requests import Request
    from openbell.timing.clock import SimulatedClock

__all__ = ["SessionTrading", "trade_alone"]

_MOST_ROUNDS = 100


def trade_alone(desk: TradingDesk, clock: SimulatedClock, last_ns: int) -> None:
    """Fill and expire open orders, and check risk limits, in a session without strategies.

    Args:
        desk: The desk, in its session.
        clock: The session clock.
        last_ns: The end of the session, nanoseconds since 1970 UTC.
    """
    while desk.next_ns <= last_ns:
        clock.advance_to(max(desk.next_ns, clock.now_ns))
        desk.deliver(clock.now_ns)
        for request in desk.take_requests():
            desk.carry_out(request)
    desk.notices.clear()


def _is_leg(request: Request) -> bool:
    return isinstance(request, Submit) and request.order.parent is not None


class SessionTrading:
    """The desk and the strategies of one session.

    Args:
        desk: The desk.
        runner: The strategies.
    """

    def __init__(self, desk: TradingDesk, runner: ComponentRunner) -> None:
        self._desk = desk
        self._runner = runner
        self._callbacks: dict[tuple[str, bool], list[Callable[[Any], object]]] = {}
        self._ordered: Callable[[Any], object] | None = None  # the method that gave an order last
        for name, strategy in runner.strategies.items():
            own = name.removeprefix("strategy ")
            for is_fill, method in ((True, "on_fill"), (False, "on_order")):
                if overrides(type(strategy), method):
                    for strategy_name in (own, ""):  # orders of the account's rules have no name, and go to all
                        found = self._callbacks.setdefault((strategy_name, is_fill), [])
                        found.append(getattr(strategy, method))

    @property
    def next_ns(self) -> int:
        """Time at which something becomes known next."""
        return self._desk.next_ns

    @property
    def requests(self) -> Sequence[object]:
        """Requests of strategies that are not carried out yet, always the same list."""
        return self._desk.requests

    def markets_changed(self) -> None:
        """Let orders fill in the bars that the session has now."""
        self._desk.markets_changed()

    def deliver(self, time_ns: int) -> None:
        """Deliver the fills and order changes that are known by a time, before anything else at that time.

        Raises:
            ComponentError: A strategy raised.
        """
        self._notify()
        while self._desk.deliver(time_ns):
            if self._callbacks:
                self._notify()

    def settle(self, time_ns: int) -> None:
        """Carry out the requests of strategies, and the requests that their callbacks make in turn.

        Raises:
            ComponentError: A strategy raised, or its callbacks give further orders without end.
        """
        desk = self._desk
        desk.markets_changed()
        self._notify()
        for _ in range(_MOST_ROUNDS):
            if not desk.requests:
                return
            requests = desk.take_requests()
            for place, request in enumerate(requests, 1):
                desk.carry_out(request)
                if self._callbacks:
                    self._notify()
                if place < len(requests) and _is_leg(requests[place]):
                    continue  # the legs of a bracket are at the broker before their entry fills
                while desk.next_ns <= time_ns:
                    self.deliver(time_ns)
        desk.is_open = False
        raise self._endless_orders_error()

    def _endless_orders_error(self) -> Exception:
        """Return the error for a strategy whose callbacks give further orders without end."""
        error = OrderError(
            f"orders that it gives on hearing of orders led to further ones {_MOST_ROUNDS} times at one time, and "
            "would for ever. Let on_fill and on_order end without an order at some point."
        )
        return error if self._ordered is None else self._runner.error_in(self._ordered, error)

    def _notify(self) -> None:
        """Call ``on_fill`` and ``on_order`` for the desk's notices, until there are no more."""
        notices = self._desk.notices
        if not self._callbacks:
            notices.clear()
        while notices:
            now = notices[:]
            notices.clear()
            for notice in now:
                for callback in self._callbacks_for(notice):
                    requests_before = len(self._desk.requests)
                    try:
                        callback(notice)
                    except KeyboardInterrupt:
                        raise
                    except BaseException as error:
                        raise self._runner.error_in(callback, error) from error
                    if len(self._desk.requests) > requests_before:
                        self._ordered = callback

    def _callbacks_for(self, notice: Notice) -> Iterable[Callable[[Any], object]]:
        is_fill = isinstance(notice, Fill)
        strategy = notice.order.strategy if isinstance(notice, Fill) else notice.strategy
        return self._callbacks.get((strategy, is_fill), ())
