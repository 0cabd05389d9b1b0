"""`SessionData`: the state of one session, which everything reads and only provisioning changes."""

from __future__ import annotations

import weakref
from threading import RLock
from typing import TYPE_CHECKING, Protocol

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from openbell.config import IndicatorConfig
    from openbell.session.indicator import IndicatorData
    from openbell.session.series import BarIntervalData
    from openbell.session.symbol import SymbolSessionData

__all__ = ["SessionData", "UnifiedProvisioner"]


class UnifiedProvisioner(Protocol):
    """What `SessionData` is given to serve its two unified additions."""

    def add_indicator(self, symbol: str, indicator_config: IndicatorConfig, *, source: str, owner: str = "") -> bool:
        """Analyse, validate and provision one indicator."""

    def add_bar(self, symbol: str, interval: str, *, days: int, source: str, owner: str = "") -> bool:
        """Analyse, validate and provision one bar interval."""


class SessionData:
    """The symbols of one session.

    Readers take no lock: the symbols hang on one reference, and an addition replaces it when it is complete. What a
    reader got stays as it was.

    Attributes:
        session_date: The session's day.
        current: The symbols by name, in the order in which they came; a change replaces the whole dictionary and never
            changes it.
        version: Goes up with each published change.
        series_version: Goes up only when a symbol or series comes, goes or is replaced, or a symbol becomes full or
            ceases to be: not for locks, owners and indicators.
    """

    def __init__(self, session_date: date) -> None:
        self.session_date = session_date
        self.version = 0
        self.series_version = 0
        self.current: dict[str, SymbolSessionData] = {}
        self._symbol_operation_lock = RLock()
        self._provisioner: Callable[[], UnifiedProvisioner | None] = lambda: None

    def __repr__(self) -> str:
        return f"<SessionData {self.session_date}: {len(self.current)} symbols>"

    def serve_additions_by(self, provisioner: UnifiedProvisioner) -> None:
        """Give it the provisioner behind `add_indicator_unified` and `add_bar_unified`."""
        # A provisioner knows its session: with a reference back, neither would go when its day is over.
        self._provisioner = weakref.ref(provisioner)

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols, in the order in which they came."""
        return tuple(self.current)

    @property
    def full_symbols(self) -> tuple[str, ...]:
        """The symbols that have all that the config asks of every symbol."""
        return tuple(s for s, data in self.current.items() if data.meets_session_config_requirements)

    def get_symbol_data(self, symbol: str) -> SymbolSessionData | None:
        """All that the session holds of a symbol; None when it holds nothing."""
        return self.current.get(symbol)

    def get_bars(self, symbol: str, interval: str) -> BarIntervalData | None:
        """The series of a symbol and interval (``1h`` finds ``60m``); None when there is none."""
        data = self.current.get(symbol)
        if data is None:
            return None
        return data.bars.get(interval) or data.bars.get(str(parse_interval(interval)))

    def get_indicator(self, symbol: str, key: str) -> IndicatorData | None:
        """The indicator of a symbol by its exact key; None when there is none."""
        data = self.current.get(symbol)
        return None if data is None else data.indicators.get(key)

    def publish(self, changed: Mapping[str, SymbolSessionData], removed: Iterable[str] = ()) -> None:
        """Put complete symbols in the place of what was there, all at once. Call it with the operation lock held."""
        before, removed = self.current, tuple(removed)
        symbols = {**before, **changed}
        for symbol in removed:
            del symbols[symbol]
        self.current = symbols
        self.version += 1
        if any(_series_differ(before.get(s), symbols.get(s)) for s in (*changed, *removed)):
            self.series_version += 1

    def add_indicator_unified(self, symbol: str, indicator_config: IndicatorConfig, source: str = "scanner") -> bool:
        """Add one indicator: analyse, validate, provision; creates the symbol ad hoc when it is not there.

        Returns:
            Whether the indicator is there now; the journal says why not.
        """
        return self._given_provisioner().add_indicator(symbol, indicator_config, source=source)

    def add_bar_unified(self, symbol: str, interval: str, days: int = 0, source: str = "scanner") -> bool:
        """Add one bar interval with ``days`` sessions of history; creates the symbol ad hoc when it is not there.

        Returns:
            Whether the interval is there now; the journal says why not.
        """
        return self._given_provisioner().add_bar(symbol, interval, days=days, source=source)

    def _given_provisioner(self) -> UnifiedProvisioner:
        provisioner = self._provisioner()
        if provisioner is None:
            raise RuntimeError("this session is over, or was built by hand; additions need serve_additions_by")
        return provisioner


def _series_differ(old: SymbolSessionData | None, new: SymbolSessionData | None) -> bool:
    if old is None or new is None:
        return True
    return old.bars != new.bars or old.meets_session_config_requirements != new.meets_session_config_requirements
