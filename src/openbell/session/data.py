"""The state of one session, which everything reads and only provisioning changes."""

from __future__ import annotations

import weakref
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from openbell.errors import ProvisioningError, SessionOverError
from openbell.indicators.registry import canonical_key
from openbell.model.frozen import Frozen
from openbell.model.html_page import notebook_page
from openbell.model.interval import parse_interval
from openbell.model.symbol import checked_symbol
from openbell.session.frame import series_frame, series_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date
    from threading import _RLock

    import polars as pl

    from openbell.config import IndicatorConfig
    from openbell.model.html_page import HtmlPage
    from openbell.session.indicator import IndicatorData
    from openbell.session.series import BarIntervalData
    from openbell.session.symbol import SymbolSessionData

__all__ = [
    "SessionData",
    "UnifiedProvisioner",
    "end_session",
    "publish",
    "serve_additions",
]


class UnifiedProvisioner(Protocol):
    """The part of a provisioner that serves the two unified additions of `SessionData`."""

    def add_indicator(self, symbol: str, indicator_config: IndicatorConfig, *, source: str, owner: str = "") -> bool:
        """Analyse, validate and provision one indicator, and return whether it is there."""

    def add_bar(self, symbol: str, interval: str, *, days: int, source: str, owner: str = "") -> bool:
        """Analyse, validate and provision one bar interval, and return whether it is there."""

    def refusal_of(self, symbol: str, what: str) -> str:
        """Return who was refused ``what`` of a symbol, when and why (empty when nobody was)."""


class SessionData(Frozen):
    """The symbols of one session.

    Readers take no lock: a complete addition replaces the mapping of all symbols at once, and a mapping that a reader
    holds does not change. Attributes cannot be set; only provisioning changes a session.

    Attributes:
        session_date: The session's day.
        current: The symbols by name, in the order in which they came, read-only; a change replaces the whole mapping.
        version: Number of published changes.
        series_version: Number of those that add, remove or replace a symbol or series, make a symbol full or ad hoc,
            take an owner from a series, or unlock a symbol. New owners, locks and indicators do not count.
        operation_lock: Held by whoever changes the session; readers take none.
        is_over: Whether it can no longer be changed.
        ended_ns: The session clock at its end, nanoseconds since 1970 UTC; None until then.
    """

    __slots__ = (
        "__weakref__",
        "_provisioner",
        "_symbol_operation_lock",
        "current",
        "ended_ns",
        "is_over",
        "operation_lock",
        "series_version",
        "session_date",
        "version",
    )

    session_date: date
    version: int
    series_version: int
    current: Mapping[str, SymbolSessionData]
    operation_lock: _RLock
    is_over: bool
    ended_ns: int | None
    _symbol_operation_lock: _RLock
    _provisioner: Callable[[], UnifiedProvisioner | None]

    def __init__(self, session_date: date) -> None:
        lock = RLock()
        _set(
            self,
            session_date=session_date,
            version=0,
            series_version=0,
            current=MappingProxyType({}),
            operation_lock=lock,
            _symbol_operation_lock=lock,  # the specification's name for it
            _provisioner=lambda: None,
            is_over=False,
            ended_ns=None,
        )

    def __repr__(self) -> str:
        return f"<SessionData {self.session_date}: {len(self.current)} symbols>"

    def require_open(self) -> None:
        """Raise when the session is over.

        Raises:
            SessionOverError: The session is over.
        """
        if self.is_over:
            raise SessionOverError(
                f"the session of {self.session_date} is over: it can be read, and no longer be changed. "
                "Use the context of the current session."
            )

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, in the order in which they came."""
        return tuple(self.current)

    @property
    def full_symbols(self) -> tuple[str, ...]:
        """The symbols that have all that the config asks of every symbol."""
        return tuple(s for s, data in self.current.items() if data.meets_session_config_requirements)

    def get_symbol_data(self, symbol: str) -> SymbolSessionData | None:
        """Return all that the session holds of a symbol, or None.

        Raises:
            ConfigError: The symbol is not a string.
        """
        try:
            return self.current[symbol]
        except (KeyError, TypeError):  # not there, or not hashable
            checked_symbol(symbol)
        return None

    def get_bars(self, symbol: str, interval: str) -> BarIntervalData | None:
        """Return the series of a symbol and interval (``1h`` finds ``60m``), or None.

        Raises:
            ConfigError: The symbol is not a string, or the interval is invalid.
        """
        try:
            return self.current[symbol].bars[interval]
        except (KeyError, TypeError):
            data, canonical = self.get_symbol_data(symbol), str(parse_interval(interval))
        return None if data is None else data.bars.get(canonical)

    def is_owned(self, symbol: str, interval: str, owner: str) -> bool:
        """Return whether a series is there, and ``owner`` needs it."""
        data = self.current.get(symbol)
        return data is not None and interval in data.bars and data.is_owned(interval, owner)

    def get_indicator(self, symbol: str, key: str) -> IndicatorData | None:
        """Return the indicator of a symbol by its key (``macd_15m`` finds ``macd_12_26_9_15m``), or None.

        Raises:
            ConfigError: The key is invalid (no such indicator, interval or parameter), or the symbol is not a string.
        """
        try:
            return self.current[symbol].indicators[key]
        except (KeyError, TypeError):
            # The key is parsed even when the symbol is missing, so that a typo is always reported.
            data, canonical = self.get_symbol_data(symbol), canonical_key(key)
        return None if data is None else data.indicators.get(canonical)

    def add_indicator_unified(self, symbol: str, indicator_config: IndicatorConfig, source: str = "scanner") -> bool:
        """Add one indicator, and its symbol ad hoc if it is missing.

        Returns:
            Whether the indicator is there now; if not, the journal has the reason.
        """
        return self._require_provisioner().add_indicator(symbol, indicator_config, source=source)

    def add_bar_unified(self, symbol: str, interval: str, days: int = 0, source: str = "scanner") -> bool:
        """Add one bar interval with ``days`` sessions of history, and its symbol ad hoc if it is missing.

        Returns:
            Whether the interval is there now; if not, the journal has the reason.
        """
        return self._require_provisioner().add_bar(symbol, interval, days=days, source=source)

    def frame(self, symbol: str, interval: str, *, indicators: bool = False) -> pl.DataFrame:
        """Return the closed bars of a symbol as a polars frame.

        Args:
            symbol: The symbol.
            interval: The interval.
            indicators: Whether to add the indicators on this interval as columns, NaN where they are not valid.

        Raises:
            ConfigError: The symbol is not a string, or the interval is invalid.
            DataError: The session has no such series.
        """
        series, data = series_of(self, symbol, interval), self.current[symbol]
        return series_frame(series, data.indicators.values() if indicators else ())

    def plot(self, symbol: str, interval: str, *, sessions: int = 0, indicators: bool = True) -> HtmlPage:
        """Draw the closed candles of a symbol with its indicators.

        Args:
            symbol: The symbol.
            interval: The interval.
            sessions: Number of sessions before today's to draw as well; of daily bars, all that are loaded are drawn.
            indicators: Whether to draw the indicators.

        Returns:
            A page that shows itself in a notebook, and that ``save`` writes to a file.

        Raises:
            ConfigError: The symbol is not a string, or the interval is invalid.
            DataError: There is no such series, none of its bars has closed, or it does not reach back far enough.
        """
        return notebook_page("session_chart", self, symbol, interval, sessions=sessions, indicators=indicators)

    def _repr_html_(self) -> str:
        from openbell.session.session_html import session_html

        return session_html(self)

    def refusal_of(self, symbol: str, what: str) -> str:
        """Return who was refused an interval or an indicator, when and why (empty when nobody was)."""
        provisioner = self._provisioner()
        return "" if provisioner is None else provisioner.refusal_of(symbol, what)

    def _require_provisioner(self) -> UnifiedProvisioner:
        self.require_open()
        provisioner = self._provisioner()
        if provisioner is None:
            raise ProvisioningError("this session was built by hand; additions need a provisioner")
        return provisioner


def end_session(session_data: SessionData, now_ns: int) -> None:
    """Mark a session as over at ``now_ns``, after which it refuses changes.

    One that is over already keeps its time.
    """
    with session_data.operation_lock:
        if not session_data.is_over:
            _set(session_data, is_over=True, ended_ns=now_ns)


def publish(session_data: SessionData, changed: Mapping[str, SymbolSessionData], removed: Iterable[str] = ()) -> None:
    """Add or replace the ``changed`` symbols and take out the ``removed`` ones at once, for provisioning only.

    The caller holds the operation lock.
    """
    before, removed = session_data.current, tuple(removed)
    symbols = {**before, **changed}
    for symbol in removed:
        del symbols[symbol]
    differ = any(_series_differ(before.get(s), symbols.get(s)) for s in (*changed, *removed))
    # The symbols first, so that a reader who sees the new version sees them as well.
    _set(session_data, current=MappingProxyType(symbols))
    _set(session_data, version=session_data.version + 1, series_version=session_data.series_version + differ)


def serve_additions(session_data: SessionData, provisioner: UnifiedProvisioner) -> None:
    """Give a session the provisioner behind `add_indicator_unified` and `add_bar_unified`, for the engine only."""
    # A weak reference: the provisioner holds the session, and a cycle would keep both in memory after the day.
    _set(session_data, _provisioner=weakref.ref(provisioner))


def _set(session_data: SessionData, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(session_data, name, value)


def _series_differ(old: SymbolSessionData | None, new: SymbolSessionData | None) -> bool:
    """Return whether a change of a symbol counts for `SessionData.series_version`."""
    if old is None or new is None:
        return True
    if old.bars is new.bars and old.owners is new.owners and old.locks is new.locks:
        return old.meets_session_config_requirements != new.meets_session_config_requirements
    return (
        (old.bars is not new.bars and old.bars != new.bars)
        or old.meets_session_config_requirements != new.meets_session_config_requirements
        or bool(old.locks.keys() - new.locks.keys())
        or any(not old.owners[name] <= new.owners[name] for name in old.bars if name in old.owners)
    )
