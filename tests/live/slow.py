"""A strategy that is slow by a script's time, and trades all the while."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from openbell.components.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from openbell.model.bars import Bar
    from openbell.model.feed_events import FeedHealth
    from openbell.model.order import Order


class Slow(Strategy):
    """Buys one at each bar of SPY, sells one of IBM that it has from the begin, and works for as long as it is told.

    Attributes:
        works_s: So many seconds it works at a bar of SPY, by the time of day.
        work: Lets time pass.
        heard: What it heard of the health of the session, with the time of day.
    """

    works_s: ClassVar[dict[str, float]] = {}
    work: ClassVar[Callable[[float], None] | None] = None
    heard: ClassVar[list[tuple[str, str, str]]] = []

    def subscriptions(self) -> list[tuple[str, str]]:
        return [("SPY", "1m"), ("IBM", "1m")]

    def on_bar(self, bar: Bar) -> None:
        now = f"{self.context.now:%H:%M}"
        if bar.symbol == "SPY":
            if self.work is not None:
                self.work(self.works_s.get(now, 0.0))
            self.context.order("SPY", 1)
        elif now == "09:31":
            self.context.order("IBM", 1000)
        else:
            self.context.order("IBM", -1)

    def on_order(self, order: Order) -> None:
        if order.status == "REJECTED":
            self.context.state.setdefault(order.symbol, []).append([f"{self.context.now:%H:%M}", order.reason])

    def on_feed(self, health: FeedHealth, reason: str) -> None:
        self.heard.append((f"{self.context.now:%H:%M}", health, reason))
