"""`SessionContext`: what a scanner or a strategy sees of its session, and how it asks for more."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from openbell import indicators
from openbell.config import IndicatorConfig
from openbell.errors import ConfigError, DataError
from openbell.model.interval import parse_interval
from openbell.provisioning.needs import Addition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from openbell.provisioning import Provisioner
    from openbell.session import BarIntervalData, IndicatorData, SessionData
    from openbell.timing import TimeManager
    from openbell.timing.grid import TradingSession

__all__ = ["SessionContext"]


class SessionContext:
    """A session as one scanner or strategy sees it: only what has happened by the session clock.

    Additions carry the right source and owner by themselves, may be made at any moment and from any thread, and tell
    by their result whether what was asked for is there; the journal says why not.

    Args:
        provisioner: Carries out additions.
        time_manager: Calendar and clock.
        source: "scanner" or "strategy".
        owner: The scanner or strategy by name; it owns what it adds.
    """

    def __init__(self, provisioner: Provisioner, time_manager: TimeManager, *, source: str, owner: str) -> None:
        self._provisioner = provisioner
        self._time_manager = time_manager
        self._source = source
        self._owner = owner
        self.session_data: SessionData = provisioner.context.session_data

    @property
    def symbols(self) -> tuple[str, ...]:
        """The full symbols: those that have all that the config asks of every symbol."""
        return self.session_data.full_symbols

    @property
    def session_date(self) -> date:
        """The session's day."""
        return self.session_data.session_date

    @property
    def session(self) -> TradingSession:
        """Open, close and trading segments of the session."""
        return self._time_manager.session(self.session_date)

    @property
    def now(self) -> datetime:
        """The session clock on the exchange's wall clock, time-zone aware."""
        return self._time_manager.to_local(self._time_manager.now_ns)

    @property
    def now_ns(self) -> int:
        """The session clock in nanoseconds since 1970 UTC."""
        return self._time_manager.now_ns

    def local(self, time_ns: int) -> datetime:
        """A time, such as ``bar.end``, on the exchange's wall clock."""
        return self._time_manager.to_local(time_ns)

    def bars(self, symbol: str, interval: str) -> BarIntervalData:
        """The closed bars of a symbol.

        Raises:
            DataError: The session has no such bars; `add_bar` brings them.
        """
        series = self.session_data.get_bars(symbol, interval)
        if series is None:
            raise self._missing(symbol, f"{parse_interval(interval)} bars", f"add_bar({symbol!r}, {interval!r})")
        return series

    def indicator(self, symbol: str, key: str) -> IndicatorData:
        """An indicator of a symbol by its key; trailing parameters may be left out (``macd_15m``).

        Raises:
            DataError: The session has no such indicator; `add_indicator` brings it.
            UnknownNameError: There is no indicator of that name at all.
        """
        try:
            return self.session_data.current[symbol].indicators[key]
        except KeyError:
            found = self.session_data.get_indicator(symbol, _canonical_key(key))
        if found is None:
            raise self._missing(symbol, f"indicator {key}", f"add_indicator({symbol!r}, IndicatorConfig(...))")
        return found

    def add_symbol(self, symbol: str) -> bool:
        """Add a symbol with all that the config asks of every symbol; an ad-hoc one is upgraded to that."""
        return self._provisioner.add_symbol(symbol, source=self._source, owner=self._owner)

    def add_symbols(self, symbols: Iterable[str]) -> dict[str, bool]:
        """`add_symbol` for many, which reads the store once for all of them."""
        wanted = _listed(symbols, "add_symbols")
        additions = [Addition("symbol", symbol, self._source, self._owner) for symbol in wanted]
        return dict(zip(wanted, self._provisioner.provision(additions), strict=True))

    def add_bar(self, symbol: str, interval: str, days: int = 0) -> bool:
        """Add a bar interval with ``days`` sessions of history; creates the symbol ad hoc when it is not there."""
        return self._provisioner.add_bar(symbol, interval, days=days, source=self._source, owner=self._owner)

    def add_indicator(self, symbol: str, indicator_config: IndicatorConfig) -> bool:
        """Add an indicator with the bars and the warm-up that it needs; creates the symbol ad hoc if need be."""
        return self._provisioner.add_indicator(symbol, indicator_config, source=self._source, owner=self._owner)

    def add_indicators(self, symbols: Iterable[str], configs: Sequence[IndicatorConfig]) -> dict[str, bool]:
        """Add indicators to many symbols, which reads the store once for all of them: per symbol all, or none.

        Returns:
            Per symbol, whether all its indicators are there now.
        """
        wanted = _listed(symbols, "add_indicators")
        configs = [configs] if isinstance(configs, IndicatorConfig) else list(configs)
        if not configs:
            return dict.fromkeys(wanted, True)
        details = {"indicator_config": configs[0], "more": configs[1:]}
        additions = [Addition("indicator", symbol, self._source, self._owner, details) for symbol in wanted]
        return dict(zip(wanted, self._provisioner.provision(additions), strict=True))

    def remove_symbol(self, symbol: str) -> bool:
        """Give back what this component needed of a symbol; what others need stays. False when that was nothing."""
        return self.remove_symbols([symbol])[symbol]

    def remove_symbols(self, symbols: Iterable[str]) -> dict[str, bool]:
        """`remove_symbol` for many, all at once."""
        wanted = _listed(symbols, "remove_symbols")
        done = self._provisioner.remove_symbols(wanted, source=self._source, owner=self._owner)
        return dict(zip(wanted, done, strict=True))

    def lock_symbol(self, symbol: str, reason: str = "in use") -> bool:
        """Forbid anybody to remove a symbol until this component unlocks it: while a position is open, say."""
        return self._provisioner.lock_symbol(symbol, reason=reason, source=self._source, owner=self._owner)

    def unlock_symbol(self, symbol: str) -> bool:
        """Give up this component's lock; those of others stay. False when it had none."""
        return self._provisioner.unlock_symbol(symbol, source=self._source, owner=self._owner)

    def _missing(self, symbol: str, what: str, remedy: str) -> DataError:
        data = self.session_data.get_symbol_data(symbol)
        held = ", ".join([*data.bars, *data.indicators]) if data else "nothing"
        return DataError(f"the session has no {what} of {symbol} (it has {held}). Add it with context.{remedy}.")


@lru_cache(maxsize=4096)
def _canonical_key(written: str) -> str:
    """The key with all that was left out; it is remembered, because strategies read by it at every bar."""
    return indicators.key(*indicators.parse_key(written))


def _listed(symbols: Iterable[str], method: str) -> list[str]:
    """Each symbol once, in order; a text is one symbol and no list of letters."""
    if isinstance(symbols, str):
        raise ConfigError(f"{method} takes a list of symbols, not the text {symbols!r}; write [{symbols!r}]")
    return list(dict.fromkeys(symbols))
