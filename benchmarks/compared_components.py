"""Strategies and scanners of `compare_runs`: copied beside its configs, they use public names only."""

from __future__ import annotations

from openbell import IndicatorConfig, Scanner, Signal, Strategy


def clock(component):
    return f"{component.context.now:%H:%M:%S}"


class Busy(Strategy):
    """Adds, locks, unlocks and removes in mid-session, and signals what it sees."""

    def subscriptions(self):
        return [(symbol, "5m") for symbol in self.context.symbols]

    def on_bar(self, bar):
        context, now = self.context, clock(self)
        if bar.symbol != "SPY":
            return Signal(bar.symbol, "SEEN", f"{now} {bar.close:.6f}") if now.endswith("00:00") else None
        if now == "10:30:00":
            context.add_symbols(["IBM", "AIG", "NOPE"])
        elif now == "11:00:00":
            context.add_indicator("BAC", IndicatorConfig("macd", interval="15m"))
            context.add_indicators(context.symbols, [IndicatorConfig("rsi", period=14, interval="5m")])
        elif now == "11:30:00":
            context.add_bar("BAC", "30m", days=2)
            context.add_symbol("BAC")
            context.lock_symbol("IBM", "held")
        elif now == "13:00:00":
            context.remove_symbols(["IBM", "AIG"])
        elif now == "14:00:00":
            context.unlock_symbol("IBM")
            context.remove_symbol("IBM")
            context.add_symbol("AIG")
        return None

    def on_symbol_added(self, symbol):
        self.context.add_indicator(symbol, IndicatorConfig("bbands", period=20, interval="5m"))


class Closes(Strategy):
    """Signals every bar of the symbols and intervals of its config."""

    def subscriptions(self):
        return [(symbol, interval) for symbol in self.config["symbols"] for interval in self.config["intervals"]]

    def on_bar(self, bar):
        series = self.context.bars(bar.symbol, bar.interval)
        return Signal(bar.symbol, bar.interval, f"{bar.close!r} {bar.volume!r} {len(series.today)} {series.quality}")


class Slices(Strategy):
    """Signals the widest bar of each cross-section, besides each tenth bar."""

    def subscriptions(self):
        return [(symbol, interval) for symbol in self.context.symbols for interval in ("1m", "5m")]

    def on_bar(self, bar):
        return Signal(bar.symbol, bar.interval, f"{bar.high!r}") if int(bar.volume) % 10 == 0 else None

    def on_slice(self, bars):
        widths = bars.high - bars.low
        widest = int(widths.argmax())
        return Signal(bars.symbols[widest], "WIDEST", f"{float(widths[widest])!r} of {len(bars.symbols)}")


class Movers(Scanner):
    """Watches its universe, and makes a full symbol of what moved most since it looked last."""

    def setup(self):
        self.before = {}
        self.context.add_indicators(self.context.universe, [IndicatorConfig("roc", period=5, interval="1m")])

    def scan(self):
        moved = {
            symbol: abs(found.value)
            for symbol in self.context.universe
            if (found := self.context.session_data.get_indicator(symbol, "roc_5_1m")) is not None and found.valid
        }
        found = sorted(moved, key=lambda symbol: (-moved[symbol], symbol))[:1]
        gone = [symbol for symbol in self.context.symbols if symbol in self.context.universe and symbol not in found]
        self.context.add_symbols(found)
        self.context.remove_symbols(gone)
        return found
