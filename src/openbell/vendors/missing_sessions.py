"""Wanted sessions that are missing, as ranges of dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

__all__ = ["DateRange", "missing_ranges"]


class DateRange(NamedTuple):
    """Consecutive sessions, given by the dates of the first and the last."""

    first: date
    last: date


def missing_ranges(sessions: Sequence[date], held: Collection[date], *, by_month: bool) -> list[DateRange]:
    """Return the ranges of sessions that are not held.

    Args:
        sessions: The wanted sessions; ascending and consecutive.
        held: Dates that are not missing; may include dates that are not among ``sessions``.
        by_month: Whether a range ends with its month.

    Returns:
        Ascending ranges that do not overlap. They contain every session that is missing, and none that is held.
    """
    found: list[DateRange] = []
    continues = False
    for day in sessions:
        if day in held:
            continues = False
        elif continues and not (by_month and _is_new_month(found[-1].last, day)):
            found[-1] = found[-1]._replace(last=day)
        else:
            found.append(DateRange(day, day))
            continues = True
    return found


def _is_new_month(before: date, day: date) -> bool:
    return (before.year, before.month) != (day.year, day.month)
