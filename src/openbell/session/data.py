"""The state of one session, which everything reads and only provisioning changes."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Protocol

from openbell.model.interval import parse_interval
from openbell.session.owner import owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from openbell.config import IndicatorConfig
    from openbell.session.indicator import IndicatorData
    from openbell.session.owner import Owner
    from openbell.session.series import BarIntervalData

__all__ = ["WHOLE_SYMBOL", "SessionData", "SymbolSessionData", "UnifiedProvisioner"]

WHOLE_SYMBOL = "*"
"""The name in `SymbolSessionData.owners` of the symbol as a full one."""


@dataclass(slots=True, eq=False)
class SymbolSessionData:
    """All that a session holds of one symbol.

    A published one is never changed: additions work on a copy that then takes its place.

    Attributes:
        symbol: The symbol.
        meets_session_config_requirements: Whether it is full: has all that the config asks of every symbol.
        added_by: The source that brought it: "config", "scanner", "strategy" ...
        auto_provisioned: Whether a bar or indicator addition had to create it.
        upgraded_from_adhoc: Whether it was ad hoc before it became full.
        reason: Why it is here, for people.
        bars: The series by interval, finest first.
        indicators: The indicators by key.
        owners: Who needs what: owner names by interval, indicator key, or `WHOLE_SYMBOL`.
        locks: Why it may not be removed, by the owner of the lock; empty when it may.
    """

    symbol: str
    meets_session_config_requirements: bool = False
    added_by: str = "adhoc"
    auto_provisioned: bool = False
    upgraded_from_adhoc: bool = False
    reason: str = ""
    bars: dict[str, BarIntervalData] = field(default_factory=dict)
    indicators: dict[str, IndicatorData] = field(default_factory=dict)
    owners: dict[str, frozenset[Owner]] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)

    def copy(self) -> SymbolSessionData:
        """A copy whose collections can be changed without touching this one's."""
        # Not by copy.copy, which takes four times as long: each subscription of a strategy makes one.
        return SymbolSessionData(
            self.symbol,
            self.meets_session_config_requirements,
            self.added_by,
            self.auto_provisioned,
            self.upgraded_from_adhoc,
            self.reason,
            bars=dict(self.bars),
            indicators=dict(self.indicators),
            owners=dict(self.owners),
            locks=dict(self.locks),
        )

    @property
    def locked(self) -> str:
        """Reasons of all locks, for people (empty when it may be removed)."""
        return "; ".join(dict.fromkeys(reason or f"locked by {owner}" for owner, reason in self.locks.items()))

    @property
    def base_interval(self) -> str | None:
        """The finest stored interval that its bars come from (None before any interval is there)."""
        return min((series.base or name for name, series in self.bars.items()), key=parse_interval, default=None)

    def put_series(self, series: BarIntervalData) -> None:
        """Replace the series of an interval; indicators on it move over with the values that they have.

        Only for a copy that is not published.
        """
        old = self.bars[series.interval]
        self.bars[series.interval] = series
        for key, indicator in self.indicators.items():
            if indicator.series is old:
                self.indicators[key] = indicator.moved_to(series)

    @property
    def metadata(self) -> dict[str, bool | str]:
        """Origin and state of the symbol, as the summary has them."""
        return {
            "meets_session_config_requirements": self.meets_session_config_requirements,
            "added_by": self.added_by,
            "auto_provisioned": self.auto_provisioned,
            "upgraded_from_adhoc": self.upgraded_from_adhoc,
            "reason": self.reason,
        }

    def own(self, what: str, owner: str) -> bool:
        """Note that ``owner`` needs ``what``.

        Returns:
            False when that was known.
        """
        owners = self.owners.get(what, frozenset())
        if owner in owners:
            return False
        self.owners[what] = owners | {owner_of(owner)}
        return True

    def is_owned(self, what: str, owner: str) -> bool:
        """Return whether ``owner`` needs ``what``, by an addition or a subscription."""
        return any(other.name == owner for other in self.owners.get(what, ()))


class UnifiedProvisioner(Protocol):
    """The part of a provisioner that serves the two unified additions of `SessionData`."""

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
        series_version: Goes up only when a symbol or series comes, goes or is replaced, when a symbol becomes full or
            ceases to be, when an owner gives a series up, or a symbol is unlocked: not for new owners, locks and
            indicators.
        operation_lock: Held by whoever changes the session; readers take none.
    """

    def __init__(self, session_date: date) -> None:
        self.session_date = session_date
        self.version = 0
        self.series_version = 0
        self.current: dict[str, SymbolSessionData] = {}
        self.operation_lock = RLock()
        self._symbol_operation_lock = self.operation_lock  # the specification's name for it
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
        """Return all that the session holds of a symbol, or None."""
        return self.current.get(symbol)

    def get_bars(self, symbol: str, interval: str) -> BarIntervalData | None:
        """Return the series of a symbol and interval (``1h`` finds ``60m``), or None."""
        data = self.current.get(symbol)
        if data is None:
            return None
        return data.bars.get(interval) or data.bars.get(str(parse_interval(interval)))

    def is_owned(self, symbol: str, interval: str, owner: str) -> bool:
        """Return whether a series is there, and ``owner`` needs it."""
        data = self.current.get(symbol)
        return data is not None and interval in data.bars and data.is_owned(interval, owner)

    def get_indicator(self, symbol: str, key: str) -> IndicatorData | None:
        """Return the indicator of a symbol by its exact key, or None."""
        data = self.current.get(symbol)
        return None if data is None else data.indicators.get(key)

    def publish(self, changed: Mapping[str, SymbolSessionData], removed: Iterable[str] = ()) -> None:
        """Put complete symbols in the place of what was there, all at once.

        Call it with the operation lock held.
        """
        before, removed = self.current, tuple(removed)
        symbols = {**before, **changed}
        for symbol in removed:
            del symbols[symbol]
        self.current = symbols
        self.version += 1
        if any(_series_differ(before.get(s), symbols.get(s)) for s in (*changed, *removed)):
            self.series_version += 1

    def add_indicator_unified(self, symbol: str, indicator_config: IndicatorConfig, source: str = "scanner") -> bool:
        """Add one indicator, and its symbol ad hoc if need be.

        Returns:
            Whether the indicator is there now; the journal says why not.
        """
        return self._given_provisioner().add_indicator(symbol, indicator_config, source=source)

    def add_bar_unified(self, symbol: str, interval: str, days: int = 0, source: str = "scanner") -> bool:
        """Add one bar interval with ``days`` sessions of history, and its symbol ad hoc if need be.

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
    return (
        old.bars != new.bars
        or old.meets_session_config_requirements != new.meets_session_config_requirements
        or bool(old.locks.keys() - new.locks.keys())
        or any(not old.owners[name] <= new.owners[name] for name in old.bars if name in old.owners)
    )
