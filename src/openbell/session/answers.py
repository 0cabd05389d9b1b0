"""`answered`: questions that are worked out once, however often they are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Answers", "answered"]

T = TypeVar("T")

Answers = dict[tuple["Hashable", ...], object]
"""What is known, by question."""


def answered(known: Answers, question: tuple[Hashable, ...], answer: Callable[[], T]) -> T:
    """The answer that is known, or else the one that is worked out now and known from here on."""
    try:
        return cast("T", known[question])
    except KeyError:
        made = known[question] = answer()
        return made
