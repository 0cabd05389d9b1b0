"""State of one symbol in a session, its owners, and the draft that replaces it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Self, TypeVar

from openbell.model.interval import parse_interval
from openbell.session.indicator import moved_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openbell.session.indicator import IndicatorData
    from openbell.session.series import BarIntervalData

__all__ = ["FULL_SYMBOL", "Owner", "SymbolDraft", "SymbolSessionData", "owner_of"]


class Owner(str):
    """Name of a component that needs something, with its kind.

    Attributes:
        name: The component, e.g. "strategy EmaCross".
        source: Its kind, e.g. "strategy".
        declared: How the need is declared, "subscription" or "requirement", and lasts only as long as that; empty for
            what the component has added itself.
    """

    name: str
    source: str
    declared: str

    def __new__(cls, name: str, source: str = "", *, declared: str = "") -> Self:
        """Make an owner, whose text is its name with ``declared`` in brackets."""
        made = super().__new__(cls, f"{name} ({declared})" if declared else name)
        made.name, made.source, made.declared = name, source, declared
        return made

    def is_of(self, who: str) -> bool:
        """Return whether ``who`` is the name or the source of this owner."""
        return who in (self.name, self.source)


def owner_of(owner: str) -> Owner:
    """Return an owner from its text, whose first word is its source."""
    return owner if isinstance(owner, Owner) else Owner(owner, owner.partition(" ")[0])


K = TypeVar("K")
V = TypeVar("V")

FULL_SYMBOL = "*"
"""Key in `SymbolSessionData.owners` of the owners who need the symbol as a full one."""


def _no_entries() -> Mapping[K, V]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class SymbolSessionData:
    """State of one symbol in a session.

    It never changes: an addition works on a draft, which then replaces it.

    Attributes:
        symbol: The symbol.
        meets_session_config_requirements: Whether it is full: has all that the config asks of every symbol.
        added_by: The source that brought it: "config", "scanner", "strategy" ...
        auto_provisioned: Whether a bar or indicator addition had to create it.
        upgraded_from_adhoc: Whether it was ad hoc before it became full.
        reason: Why it is in the session, for people.
        bars: The series by interval, finest first; read-only, as the mappings below.
        indicators: The indicators by key.
        owners: Who needs what: owner names by interval, indicator key, or `FULL_SYMBOL`.
        locks: Reasons why it may not be removed, by the owner of the lock; empty when it may.
    """

    symbol: str
    meets_session_config_requirements: bool = False
    added_by: str = "adhoc"
    auto_provisioned: bool = False
    upgraded_from_adhoc: bool = False
    reason: str = ""
    bars: Mapping[str, BarIntervalData] = field(default_factory=_no_entries)
    indicators: Mapping[str, IndicatorData] = field(default_factory=_no_entries)
    owners: Mapping[str, frozenset[Owner]] = field(default_factory=_no_entries)
    locks: Mapping[str, str] = field(default_factory=_no_entries)

    @property
    def locked(self) -> str:
        """Reasons of all locks, for people (empty when it may be removed)."""
        return "; ".join(dict.fromkeys(reason or f"locked by {owner}" for owner, reason in self.locks.items()))

    @property
    def base_interval(self) -> str | None:
        """The finest stored interval that its bars come from (None before any interval is there)."""
        return min((series.base or name for name, series in self.bars.items()), key=parse_interval, default=None)

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

    def is_owned(self, what: str, owner: str) -> bool:
        """Return whether ``owner`` needs ``what``, by an addition or a subscription."""
        return any(other.name == owner for other in self.owners.get(what, ()))


@dataclass(slots=True, eq=False)
class SymbolDraft:
    """Private copy of a symbol that steps change until it is published.

    Its attributes are those of `SymbolSessionData`, and can be set.
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

    @staticmethod
    def of(data: SymbolSessionData) -> SymbolDraft:
        """Return a draft of an existing symbol."""
        return SymbolDraft(*_values(data), *map(dict, _collections(data)))

    def finished(self) -> SymbolSessionData:
        """Return the symbol in its present state, read-only."""
        return SymbolSessionData(*_values(self), *map(_read_only, _collections(self)))

    def put_series(self, series: BarIntervalData) -> None:
        """Replace the series of an interval, and move its indicators to the new one."""
        old = self.bars[series.interval]
        self.bars[series.interval] = series
        for key, indicator in self.indicators.items():
            if indicator.series is old:
                self.indicators[key] = moved_to(indicator, series)

    def own(self, needed: Iterable[str], owner: str) -> bool:
        """Add ``owner`` to the owners of each interval, indicator key or `FULL_SYMBOL` in ``needed``.

        Returns:
            Whether it was not an owner of all of them before.
        """
        alone, is_new = frozenset((owner_of(owner),)), False
        for what in needed:
            owners = self.owners.get(what)
            if owners is None:
                self.owners[what], is_new = alone, True
            elif owner not in owners:
                self.owners[what], is_new = owners | alone, True
        return is_new


_names = [f.name for f in fields(SymbolSessionData)]
_values, _collections = attrgetter(*_names[:-4]), attrgetter(*_names[-4:])  # the last four are mappings


def _read_only(collection: dict[K, V]) -> Mapping[K, V]:
    return MappingProxyType(dict(collection))
