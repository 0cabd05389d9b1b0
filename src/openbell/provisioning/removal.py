"""Removal of what one owner alone needed of a symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.session.symbol import FULL_SYMBOL, SymbolDraft, owner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from openbell.session import SymbolSessionData
    from openbell.session.symbol import Owner

__all__ = [
    "locks_without",
    "owners_left",
    "refusal_to_remove",
    "refusal_to_unlock",
    "without_declared",
    "without_owner",
]


def refusal_to_remove(data: SymbolSessionData | None, symbol: str, owner: str) -> str | None:
    """Return the reason why ``owner`` cannot remove a symbol, or None."""
    if data is None:
        return f"{symbol} is not in the session"
    if data.locks:
        return f"{symbol} is locked by {', '.join(data.locks)} ({data.locked}); it stays until they unlock it"
    owners = _owners(data)
    # A symbol without owners may be removed by anybody.
    if owners and not any(other.is_of(owner) for other in owners):
        return f"{owner} needs nothing of {symbol}; it is there for {', '.join(owners)}"
    return None


def refusal_to_unlock(data: SymbolSessionData | None, symbol: str, owner: str) -> str | None:
    """Return the reason why ``owner`` cannot unlock a symbol, or None."""
    if data is None:
        return f"{symbol} is not in the session"
    if any(owner_of(holder).is_of(owner) for holder in data.locks):
        return None
    holders = f"it is locked by {', '.join(data.locks)} ({data.locked})" if data.locks else "nobody does"
    return f"{owner} holds no lock on {symbol}; {holders}"


def locks_without(locks: Mapping[str, str], owner: str) -> dict[str, str]:
    """Return the locks that are not those of ``owner``."""
    return {holder: reason for holder, reason in locks.items() if not owner_of(holder).is_of(owner)}


def without_owner(data: SymbolSessionData, owner: str) -> SymbolDraft | None:
    """Return the symbol without what only ``owner`` needed, or None if nothing is left."""
    return _without(data, lambda _, other: other.is_of(owner))


def without_declared(data: SymbolSessionData, owner: str, still: Collection[str]) -> SymbolDraft | None:
    """Return the symbol without what ``owner`` alone declared and declares no longer, or None if nothing is left.

    Args:
        data: The symbol.
        owner: The strategy.
        still: The intervals and indicators that it still declares.
    """
    bases = {data.bars[name].base for name in still if name in data.bars}
    needed = {*still, *bases}
    return _without(data, lambda what, other: bool(other.declared) and other.name == owner and what not in needed)


def owners_left(remaining: SymbolDraft | None) -> str:
    """Return who still needs a symbol, as the end of a sentence (empty when nobody)."""
    return f"; it stays for {', '.join(_owners(remaining))}" if remaining else ""


def _without(data: SymbolSessionData, is_given_up: Callable[[str, Owner], bool]) -> SymbolDraft | None:
    left = {what: frozenset(o for o in owners if not is_given_up(what, o)) for what, owners in data.owners.items()}
    owners_of = {what: owners for what, owners in left.items() if owners}
    if not owners_of:
        return None  # before a draft is made, which makes all series and indicators
    remaining = SymbolDraft.of(data)
    remaining.owners = owners_of
    remaining.bars = {name: series for name, series in data.bars.items() if name in remaining.owners}
    remaining.indicators = {key: indicator for key, indicator in data.indicators.items() if key in remaining.owners}
    remaining.meets_session_config_requirements = FULL_SYMBOL in remaining.owners
    if not remaining.meets_session_config_requirements:
        remaining.upgraded_from_adhoc = False
        if data.meets_session_config_requirements:
            _recompute_metadata(remaining)
        for series in [s for s in remaining.bars.values() if s.is_scored]:
            remaining.put_series(series.unscored())
    return remaining


def _recompute_metadata(remaining: SymbolDraft) -> None:
    """Recompute the metadata of a symbol that is ad hoc again from its remaining owners."""
    left = _owners(remaining)
    sources = [owner.source for owner in left]
    remaining.auto_provisioned = True
    if remaining.added_by not in sources:
        remaining.added_by = sources[0]
    remaining.reason = f"{', '.join(left)} still needs it"


def _owners(data: SymbolSessionData | SymbolDraft) -> list[Owner]:
    return sorted({owner for owners in data.owners.values() for owner in owners})
