"""What corporate actions did to the bars of a symbol, in a line for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["adjusted_lines"]

_MOST_ACTIONS = 3


def adjusted_lines(symbol: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """One line for a symbol of a plan or a summary, when actions lie in its bars; the latest of many."""
    actions = entry["actions"]
    if not actions:
        return
    told = [f"{_words(action)} on {action['ex_date']}" for action in actions[-_MOST_ACTIONS:]]
    if len(actions) > _MOST_ACTIONS:
        told.insert(0, f"{len(actions) - _MOST_ACTIONS} earlier actions")
    yield f"[cyan]adjusted[/] {escape(symbol)} bars: {escape(', '.join(told))}"


def _words(action: Mapping[str, Any]) -> str:
    from datetime import date

    from openbell.actions import Action

    return Action(**{**action, "ex_date": date.fromisoformat(action["ex_date"])}).describe()
