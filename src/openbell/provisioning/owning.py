"""Owners of what additions brought."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from openbell.model.frozen import quick_replace
from openbell.session import SymbolSessionData
from openbell.session.owner import Owner
from openbell.session.symbol import WHOLE_SYMBOL, SymbolDraft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openbell.provisioning.steps import Plan

__all__ = ["Owning", "owner_of", "what_is_needed"]

_Owners: TypeAlias = "Mapping[str, frozenset[Owner]]"


def what_is_needed(plan: Plan) -> list[str]:
    """Return the names of what the owner of a plan needs from now on."""
    needed = [*plan.needs.intervals, *(need.key for need in plan.needs.indicators)]
    if plan.needs.full_symbol:
        needed.append(WHOLE_SYMBOL)
    return needed or [plan.addition.operation_type]  # so that whoever asked can have it removed


def owner_of(plan: Plan) -> Owner:
    """Return who needs it."""
    addition = plan.addition
    return Owner(addition.owner or addition.source, addition.source, declared=addition.declared)


class Owning:
    """Owners noted on symbols that have all that was asked for, worked out once for symbols with the same owners."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[_Owners, _Owners]] = {}

    def noted(self, existing: SymbolSessionData, plan: Plan) -> SymbolSessionData | None:
        """Return a symbol with the owner of a plan, or None if that was known."""
        addition = plan.addition
        asked = addition.operation_type, addition.source, addition.owner, addition.declared
        key = id(existing.owners), id(plan.needs), *asked
        known = self._known.get(key)
        if known is None:
            draft = SymbolDraft(existing.symbol, owners=dict(existing.owners))
            news = draft.own(what_is_needed(plan), owner_of(plan))
            # The owners before, too, so that nothing else gets their identity.
            known = self._known[key] = existing.owners, MappingProxyType(draft.owners) if news else existing.owners
        return None if known[1] is existing.owners else _with(existing, {"owners": known[1]})


_with = quick_replace(SymbolSessionData)
