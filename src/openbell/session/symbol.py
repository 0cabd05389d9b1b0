"""`SymbolSessionData`: all that a session holds of one symbol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from openbell.session.indicator import IndicatorData
    from openbell.session.series import BarIntervalData

__all__ = ["WHOLE_SYMBOL", "SymbolSessionData"]

WHOLE_SYMBOL = "*"
"""The name in `SymbolSessionData.owners` for the symbol as a full one."""


@dataclass(slots=True, eq=False)
class SymbolSessionData:
    """One symbol of a session. A published one is never changed: additions work on a copy that then takes its place.

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
    owners: dict[str, frozenset[str]] = field(default_factory=dict)
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
        """Why it may not be removed, for people: the reasons of all locks; empty when there is none."""
        return "; ".join(dict.fromkeys(reason or f"locked by {owner}" for owner, reason in self.locks.items()))

    @property
    def base_interval(self) -> str | None:
        """The finest stored interval that its bars come from; None before any interval is there."""
        return min((series.base or name for name, series in self.bars.items()), key=parse_interval, default=None)

    def put_series(self, series: BarIntervalData) -> None:
        """Put a series in the place of the one of its interval; indicators on that move over with the values they have.

        Only for a copy that is not published.
        """
        old = self.bars[series.interval]
        self.bars[series.interval] = series
        for key, indicator in self.indicators.items():
            if indicator.series is old:
                self.indicators[key] = indicator.moved_to(series)

    @property
    def metadata(self) -> dict[str, bool | str]:
        """Where it came from and what it is, as the summary tells it."""
        return {
            "meets_session_config_requirements": self.meets_session_config_requirements,
            "added_by": self.added_by,
            "auto_provisioned": self.auto_provisioned,
            "upgraded_from_adhoc": self.upgraded_from_adhoc,
            "reason": self.reason,
        }

    def own(self, what: str, owner: str) -> bool:
        """Note that ``owner`` needs ``what``; False when that was known."""
        owners = self.owners.get(what, frozenset())
        if owner in owners:
            return False
        self.owners[what] = owners | {owner}
        return True

    def is_owned(self, what: str, owner: str) -> bool:
        """Whether ``owner`` needs ``what``."""
        return owner in self.owners.get(what, frozenset())
