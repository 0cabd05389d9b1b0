"""The session as a scanner or a strategy sees it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openbell.components.added_indicator import AddedIndicator
from openbell.config import IndicatorConfig
from openbell.errors import ConfigError, DataError, did_you_mean
from openbell.indicators.registry import canonical_key
from openbell.model.interval import parse_interval
from openbell.model.symbol import checked_symbol
from openbell.provisioning.needs import Addition
from openbell.provisioning.warm_up import analyze_indicator_requirements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from openbell.provisioning import Provisioner
    from openbell.session import BarIntervalData, IndicatorData, SessionData
    from openbell.timing import TimeManager
    from openbell.timing.trading_session import TradingSession

__all__ = ["SessionContext"]


class SessionContext:
    """The bars and indicators of a session up to the session clock, and additions to it.

    Additions carry source and owner of the component, and may be made at any time and from any thread. They return
    whether what was asked for is there. If not, the reason is in the journal, in the log, and in the error when it is
    read all the same.

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
        """The full symbols, which have all that the config asks of every symbol."""
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
        return self._time_manager.to_local(self.now_ns)

    @property
    def now_ns(self) -> int:
        """The session clock in nanoseconds since 1970 UTC, which stands still when the session is over."""
        ended_ns = self.session_data.ended_ns
        return self._time_manager.now_ns if ended_ns is None else ended_ns

    def local(self, time_ns: int) -> datetime:
        """Convert a time, such as ``bar.end``, to the exchange's wall clock."""
        return self._time_manager.to_local(time_ns)

    def bars(self, symbol: str, interval: str) -> BarIntervalData:
        """Return the closed bars of a symbol.

        Raises:
            DataError: The session has no such bars; `add_bar` adds them.
        """
        series = self.session_data.get_bars(symbol, interval)
        if series is None:
            wanted = str(parse_interval(interval))
            raise self._missing_error(symbol, wanted, f"{wanted} bars", f"add_bar({symbol!r}, {interval!r})")
        return series

    def indicator(self, symbol: str, key: str) -> IndicatorData:
        """Return an indicator of a symbol by its key.

        Trailing parameters may be left out of the key (``macd_15m``).

        Raises:
            DataError: The session has no such indicator; `add_indicator` adds it.
            UnknownNameError: There is no indicator of that name at all.
        """
        try:
            return self.session_data.current[symbol].indicators[key]
        except (KeyError, TypeError):  # not there, or not hashable
            found = self.session_data.get_indicator(symbol, key)
        if found is None:
            remedy = f"add_indicator({symbol!r}, IndicatorConfig(...))"
            raise self._missing_error(symbol, canonical_key(key), f"indicator {key}", remedy)
        return found

    def add_symbol(self, symbol: str) -> bool:
        """Add a full symbol or upgrade an ad hoc one, and return whether it is full now."""
        return self._provisioner.add_symbol(symbol, source=self._source, owner=self._owner)

    def add_symbols(self, symbols: Iterable[str]) -> dict[str, bool]:
        """Add many full symbols with one read of the store.

        Returns:
            Per symbol, whether it is full now.
        """
        wanted = _listed(symbols, "add_symbols")
        additions = [Addition("symbol", symbol, self._source, self._owner) for symbol in wanted]
        return dict(zip(wanted, self._provisioner.provision(additions), strict=True))

    def add_bar(self, symbol: str, interval: str, days: int = 0, *, bars: int = 0) -> bool:
        """Add a bar interval, and its symbol if it is missing.

        Args:
            symbol: The symbol.
            interval: The interval.
            days: Whole sessions of history.
            bars: Bars of history; of sessions and bars, whichever reaches further back.

        Returns:
            Whether the interval is there now.
        """
        who = {"source": self._source, "owner": self._owner}
        return self._provisioner.add_bar(symbol, interval, days=days, bars=bars, **who)

    def add_indicator(self, symbol: str, indicator_config: IndicatorConfig) -> AddedIndicator:
        """Add an indicator with the bars and the warm-up that it needs, and its symbol if it is missing.

        Returns:
            A result that is true when the indicator is there, and gives its values, or else the reason of the refusal.
        """
        return self._add_indicators([symbol], [indicator_config])[0]

    def add_indicators(self, symbols: Iterable[str], configs: Sequence[IndicatorConfig]) -> dict[str, AddedIndicator]:
        """Add indicators to many symbols, with one read of the store for all of them.

        A symbol gets all of them or none.

        Returns:
            Per symbol, a result that is true when all its indicators are there, and has them in the order of the
            configs, or else the reason of the refusal.
        """
        wanted = _listed(symbols, "add_indicators")
        configs = [configs] if isinstance(configs, IndicatorConfig) else list(configs)
        return dict(zip(wanted, self._add_indicators(wanted, configs), strict=True))

    def _add_indicators(self, symbols: Sequence[str], configs: Sequence[IndicatorConfig]) -> list[AddedIndicator]:
        if not configs:
            return [AddedIndicator(self.session_data, symbol, (), ok=True) for symbol in symbols]
        details = {"indicator_config": configs[0], "more": configs[1:]}
        additions = [Addition("indicator", symbol, self._source, self._owner, details) for symbol in symbols]
        records = self._provisioner.add(additions)
        keys = [analyze_indicator_requirements(config).key for config in configs]
        return [AddedIndicator(self.session_data, r.symbol, keys, ok=r.ok, errors=r.errors) for r in records]

    def remove_symbol(self, symbol: str) -> bool:
        """Remove what only this component needs of a symbol.

        What others need stays.

        Returns:
            Whether it was done; not when the component needs nothing of it, or when it is locked or held.
        """
        return self.remove_symbols([symbol])[symbol]

    def remove_symbols(self, symbols: Iterable[str]) -> dict[str, bool]:
        """Remove what only this component needs of many symbols, at once.

        Returns:
            Per symbol, whether it was done.
        """
        wanted = _listed(symbols, "remove_symbols")
        done = self._provisioner.remove_symbols(wanted, source=self._source, owner=self._owner)
        return dict(zip(wanted, done, strict=True))

    def lock_symbol(self, symbol: str, reason: str = "in use") -> bool:
        """Forbid the removal of a symbol until this component unlocks it.

        Returns:
            False when the symbol is not in the session.
        """
        return self._provisioner.lock_symbol(symbol, reason=reason, source=self._source, owner=self._owner)

    def unlock_symbol(self, symbol: str) -> bool:
        """Release this component's lock on a symbol.

        Locks of others stay.

        Returns:
            False when it had none.
        """
        return self._provisioner.unlock_symbol(symbol, source=self._source, owner=self._owner)

    def _missing_error(self, symbol: str, key: str, what: str, remedy: str) -> DataError:
        """Return the error of something missing, with what the session holds and why it was refused."""
        data = self.session_data.get_symbol_data(symbol)
        near = did_you_mean(symbol, self.session_data.symbols)
        held = ", ".join([*data.bars, *data.indicators]) if data else ""
        held = held or f"nothing{near and '.'}{near}"
        refusal = self._provisioner.refusal_of(symbol, key)
        advice = refusal or ("That session is over." if self.session_data.is_over else f"Add it with context.{remedy}.")
        return DataError(f"the session has no {what} of {symbol} (it has {held}). {advice}")


def _listed(symbols: Iterable[str], method: str) -> list[str]:
    """Return the symbols in order, without repeats."""
    if isinstance(symbols, str):
        raise ConfigError(f"{method} takes a list of symbols, not the text {symbols!r}; write [{symbols!r}]")
    if not isinstance(symbols, Iterable):
        raise ConfigError(f"{method} takes a list of symbols, not {symbols!r}")
    return list(dict.fromkeys(map(checked_symbol, symbols)))
