"""Takes back what one owner needed of a symbol: what others need stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.provisioning.sources import SOURCES
from openbell.session.symbol import WHOLE_SYMBOL

if TYPE_CHECKING:
    from openbell.session import SymbolSessionData

__all__ = ["refusal_to_remove", "refusal_to_unlock", "without_owner"]


def refusal_to_remove(data: SymbolSessionData | None, symbol: str, owner: str) -> str | None:
    """Why ``owner`` cannot remove a symbol; None when it can."""
    if data is None:
        return f"{symbol} is not in the session"
    if data.locks:
        return f"{symbol} is locked by {', '.join(data.locks)} ({data.locked}); it stays until they unlock it"
    others = sorted({name for names in data.owners.values() for name in names})
    if not any(_is_of(name, owner) for name in others):
        return f"{owner} needs nothing of {symbol}; it is there for {', '.join(others)}"
    return None


def refusal_to_unlock(data: SymbolSessionData | None, symbol: str, owner: str) -> str | None:
    """Why ``owner`` cannot unlock a symbol; None when it holds a lock on it."""
    if data is None:
        return f"{symbol} is not in the session"
    if owner in data.locks:
        return None
    holders = f"it is locked by {', '.join(data.locks)} ({data.locked})" if data.locks else "nobody does"
    return f"{owner} holds no lock on {symbol}; {holders}"


def without_owner(data: SymbolSessionData, owner: str) -> SymbolSessionData | None:
    """The symbol with what only ``owner`` needed taken out; None when nothing is left."""
    kept = data.copy()
    left = {what: frozenset(n for n in names if not _is_of(n, owner)) for what, names in data.owners.items()}
    kept.owners = {what: names for what, names in left.items() if names}
    if not kept.owners:
        return None
    kept.bars = {name: series for name, series in data.bars.items() if name in kept.owners}
    kept.indicators = {key: indicator for key, indicator in data.indicators.items() if key in kept.owners}
    kept.meets_session_config_requirements = WHOLE_SYMBOL in kept.owners
    if not kept.meets_session_config_requirements:
        kept.upgraded_from_adhoc = False
        if data.meets_session_config_requirements:
            _told_by_who_is_left(kept)
        for series in [s for s in kept.bars.values() if s.is_scored]:
            kept.put_series(series.unscored())
    return kept


def _told_by_who_is_left(kept: SymbolSessionData) -> None:
    """Let the metadata of a symbol that is ad hoc again speak of its owners, and no longer of who made it full."""
    left = sorted({name for names in kept.owners.values() for name in names})
    sources = [name.split(maxsplit=1)[0] for name in left]
    kept.auto_provisioned = True
    if kept.added_by not in sources:
        kept.added_by = sources[0]
    kept.reason = f"{', '.join(left)} still needs it"


def _is_of(name: str, owner: str) -> bool:
    """Whether an owner is ``owner``, or one of its kind when ``owner`` is a source: "strategy" means every strategy."""
    return name == owner or (owner in SOURCES and name.startswith(f"{owner} "))
