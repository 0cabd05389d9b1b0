"""Removal of what one owner alone needed of a symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.provisioning.sources import SOURCES
from openbell.session.data import WHOLE_SYMBOL

if TYPE_CHECKING:
    from openbell.session import SymbolSessionData

__all__ = ["refusal_to_remove", "refusal_to_unlock", "without_owner"]


def refusal_to_remove(data: SymbolSessionData | None, symbol: str, owner: str) -> str | None:
    """Return the reason why ``owner`` cannot remove a symbol, or None."""
    if data is None:
        return f"{symbol} is not in the session"
    if data.locks:
        return f"{symbol} is locked by {', '.join(data.locks)} ({data.locked}); it stays until they unlock it"
    others = sorted({name for names in data.owners.values() for name in names})
    if not any(_is_of(name, owner) for name in others):
        return f"{owner} needs nothing of {symbol}; it is there for {', '.join(others)}"
    return None


def refusal_to_unlock(data: SymbolSessionData | None, symbol: str, owner: str) -> str | None:
    """Return the reason why ``owner`` cannot unlock a symbol, or None."""
    if data is None:
        return f"{symbol} is not in the session"
    if owner in data.locks:
        return None
    holders = f"it is locked by {', '.join(data.locks)} ({data.locked})" if data.locks else "nobody does"
    return f"{owner} holds no lock on {symbol}; {holders}"


def without_owner(data: SymbolSessionData, owner: str) -> SymbolSessionData | None:
    """Return the symbol without what only ``owner`` needed, or None if nothing is left."""
    remaining = data.copy()
    left = {what: frozenset(n for n in names if not _is_of(n, owner)) for what, names in data.owners.items()}
    remaining.owners = {what: names for what, names in left.items() if names}
    if not remaining.owners:
        return None
    remaining.bars = {name: series for name, series in data.bars.items() if name in remaining.owners}
    remaining.indicators = {key: indicator for key, indicator in data.indicators.items() if key in remaining.owners}
    remaining.meets_session_config_requirements = WHOLE_SYMBOL in remaining.owners
    if not remaining.meets_session_config_requirements:
        remaining.upgraded_from_adhoc = False
        if data.meets_session_config_requirements:
            _recompute_metadata(remaining)
        for series in [s for s in remaining.bars.values() if s.is_scored]:
            remaining.put_series(series.unscored())
    return remaining


def _recompute_metadata(remaining: SymbolSessionData) -> None:
    """Recompute the metadata of a symbol that is ad hoc again from its remaining owners."""
    left = sorted({name for names in remaining.owners.values() for name in names})
    sources = [name.split(maxsplit=1)[0] for name in left]
    remaining.auto_provisioned = True
    if remaining.added_by not in sources:
        remaining.added_by = sources[0]
    remaining.reason = f"{', '.join(left)} still needs it"


def _is_of(name: str, owner: str) -> bool:
    """Return whether ``owner`` means an owner (a source means all owners of its kind)."""
    return name == owner or (owner in SOURCES and name.startswith(f"{owner} "))
