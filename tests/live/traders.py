"""Strategies and a scanner that say all that they see, add in mid-session, and give orders of every kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from openbell.components.scanner import Scanner
from openbell.components.strategy import Signal, Strategy
from openbell.config import IndicatorConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.bars import Bar
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.session.cross_section import CrossSection


def _indicators(entries: Iterable[object]) -> list[IndicatorConfig]:
    return [IndicatorConfig(**entry) for entry in entries]  # type: ignore[arg-type]


class Seer(Strategy):
    """Says by a signal at each bar what all series and indicators of its symbols show at that time.

    Config: ``pairs`` of symbol and interval; ``add`` has by clock the symbols to add, ``remove`` likewise, and
    ``indicators`` has by clock the indicators to add to all symbols of the session.
    """

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        there = set(self.context.symbols)
        return [(s, i) for s, i in self.config["pairs"] if s in there] if there else self.config["pairs"]

    def on_bar(self, bar: Bar) -> Iterable[Signal]:
        now = f"{self.context.now:%H:%M}"
        done = self.__dict__.setdefault("done", set())
        for what in ("add", "remove", "indicators"):
            if (what, now) not in done and now in self.config.get(what, {}):
                done.add((what, now))
                getattr(self, f"_{what}")(self.config[what][now])
        yield Signal(bar.symbol, "SEEN", f"{bar.interval} {bar.close!r} {bar.volume!r} {bar.count} {self._seen(bar)}")

    def _add(self, symbols: list[str]) -> None:
        for symbol in symbols:
            self.context.add_symbol(symbol)

    def _remove(self, symbols: list[str]) -> None:
        for symbol in symbols:
            self.context.remove_symbol(symbol)

    def _indicators(self, entries: list[dict[str, object]]) -> None:
        self.context.add_indicators(self.context.symbols, _indicators(entries))

    def _seen(self, bar: Bar) -> str:
        data = self.context.session_data.current[bar.symbol]
        series = {
            name: [
                *(len(one), one.synthetic, one.partial, one.not_positive, one.quality),
                *(
                    [float(one.close[-1]), float(one.volume[-1]), int(one.count[-1]), int(one.end[-1])]
                    if len(one)
                    else []
                ),
            ]
            for name, one in data.bars.items()
        }
        values = {key: repr(one.value) for key, one in data.indicators.items()}
        return json.dumps([series, values])

    def on_symbol_added(self, symbol: str) -> None:
        self.context.state.setdefault("added", []).append([symbol, f"{self.context.now}"])

    def on_symbol_removed(self, symbol: str) -> None:
        self.context.state.setdefault("removed", []).append([symbol, f"{self.context.now}"])


class Slices(Strategy):
    """Says what its slices hold."""

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [(s, i) for s in self.context.symbols for i in self.config["intervals"]]

    def on_slice(self, bars: CrossSection) -> Signal:
        said = f"{bars.interval} {list(bars.symbols)} {bars.close.tolist()} {bars.volume.tolist()}"
        return Signal(bars.symbols[0], "SLICE", said)


class Trader(Strategy):
    """Gives orders of every kind, round by round, at every fifth bar of each symbol."""

    def setup(self) -> None:
        self.round = 0
        self.heard: list[str] = []

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [(s, self.config.get("interval", "1m")) for s in self.context.symbols]

    def on_bar(self, bar: Bar) -> Iterable[Signal]:
        self.round += 1
        if self.round % self.config.get("every", 5) == 0:
            self._act(bar, self.round // self.config.get("every", 5))
        portfolio = self.context.portfolio
        if self.round % 7 == 0:
            yield Signal(bar.symbol, "WORTH", f"{portfolio.equity!r} {portfolio.cash!r} {self.heard}")
            self.heard.clear()
        if self.round % 31 == 0:
            yield Signal(bar.symbol, "BUY", percent=3, stop=bar.close * 0.98, target=bar.close * 1.003)

    def on_fill(self, fill: Fill) -> None:
        self.heard.append(f"{fill.id} {fill.quantity} {fill.price!r} {fill.time}")

    def on_order(self, order: Order) -> None:
        self.heard.append(f"{order.id} {order.status}")

    def _act(self, bar: Bar, number: int) -> None:  # noqa: C901 -- one kind of order after the other
        context, symbol, close = self.context, bar.symbol, bar.close
        kind = number % 15
        if kind == 0:
            context.order(symbol, 100)
        elif kind == 1:
            context.order(symbol, -60, limit=close * 1.0004)
        elif kind == 2:
            context.order(symbol, 50, stop=close * 1.0003, tif="gtc")
        elif kind == 3:
            context.order(symbol, -40, stop=close * 0.9997, limit=close * 0.9993)
        elif kind == 4:
            context.order(symbol, -30, trail_percent=0.05)
        elif kind == 5:
            context.order(symbol, 20, trail=close * 0.0006, tif="gtc")
        elif kind == 6:
            context.order(symbol, 35, type="market_on_close")
        elif kind == 7:
            context.order(symbol, -25, type="market_on_open")
        elif kind == 8:
            context.bracket(symbol, 70, stop=close * 0.999, target=close * 1.0008)
        elif kind == 9:
            context.bracket(symbol, -45, stop=close * 1.001, target=close * 0.9992, limit=close * 1.0001, tif="gtc")
        elif kind == 10:
            context.order_target(symbol, percent=10)
        elif kind == 11:
            context.order(symbol, 300_000, limit=close * 1.01)
        elif kind == 12:
            context.close(symbol)
        elif kind == 13:
            self.resting = context.order(symbol, 15, limit=close * 0.99, tif="gtc")
        elif hasattr(self, "resting"):
            context.replace(self.resting, limit=close * 0.9999) or context.cancel(self.resting)


class Picker(Scanner):
    """Adds by clock the symbols that its config names, and removes others."""

    def scan(self) -> Iterable[str]:
        now = f"{self.context.now:%H:%M}"
        found = self.config.get("add", {}).get(now, [])
        self.context.add_symbols(found)
        self.context.remove_symbols(self.config.get("remove", {}).get(now, []))
        return found


class Scheduled(Strategy):
    """Does by clock what its config says.

    Config: ``pairs`` of symbol and interval; ``at`` has by clock the methods to call, each with its keywords. A
    replacement is of the first open order.
    """

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [tuple(pair) for pair in self.config["pairs"]]

    def on_bar(self, bar: Bar) -> None:
        for method, keywords in self.config["at"].get(f"{bar.symbol} {self.context.now:%H:%M}", ()):
            if method == "replace":
                self.context.replace(self.context.portfolio.open_orders()[0], **keywords)
            else:
                getattr(self.context, method)(**keywords)
