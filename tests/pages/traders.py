"""Strategies of the runs that reports are made of."""

from openbell import IndicatorConfig, Signal, Strategy

REASON = "</script><script>document.title='owned'</script> \ud800 \u202e <b>"
ACTION = "</option></select><script>"


class Averages(Strategy):
    """A strategy that has two indicators of every symbol."""

    def subscriptions(self):
        return [(symbol, "5m") for symbol in self.context.symbols]

    def setup(self):
        wanted = [IndicatorConfig("sma", period=20, interval="5m"), IndicatorConfig("rsi", period=14, interval="5m")]
        self.context.add_indicators(self.context.symbols, wanted)


class Brackets(Averages):
    """Buys with a stop and a target after each bar that fell."""

    def on_bar(self, bar):
        if not self.context.portfolio.position(bar.symbol).quantity and bar.close < bar.open:
            self.context.bracket(bar.symbol, 100, stop=bar.close * 0.998, target=bar.close * 1.002, tag="dip")


class Hostile(Averages):
    """Signals with texts that try to break out of a page."""

    def on_bar(self, bar):
        if bar.close < bar.open:
            return Signal(bar.symbol, "BUY", reason=REASON)
        return Signal(bar.symbol, ACTION, reason=REASON)


class Daily(Strategy):
    """Signals at every daily bar."""

    def subscriptions(self):
        return [(symbol, "1d") for symbol in self.context.symbols]

    def on_bar(self, bar):
        return Signal(bar.symbol, "SEEN")
