"""Facts about symbols on a day, in one state of a store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from openbell.timing.grid import date_of, day_number

if TYPE_CHECKING:
    from datetime import date

    from openbell.actions.instrument import Instrument, StoredSpan
    from openbell.market_data.cache import BarCache
    from openbell.store.store import Coverage

__all__ = ["DayFacts", "clipped", "facts_on"]


@dataclass(frozen=True, slots=True)
class DayFacts:
    """Facts about symbols on a day, in one state of the store, each noted when it is first asked for.

    Attributes:
        instruments: Who has a symbol.
        bases: The intervals that its other bars are made of.
        coverages: What is stored of a symbol and interval.
    """

    instruments: dict[str, Instrument] = field(default_factory=dict)
    bases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    coverages: dict[tuple[str, str], Coverage | None] = field(default_factory=dict)


def facts_on(day: date, cache: BarCache) -> DayFacts:
    """Return the facts of a day, which views share where days come again."""
    return DayFacts() if cache.remembered is None else cache.remembered.of(day, _nothing_known, None, ())


def _nothing_known(_: None) -> DayFacts:
    return DayFacts()


def clipped(coverage: Coverage | None, span: StoredSpan) -> Coverage | None:
    """Return a coverage with its first and last time within a span of days."""
    if coverage is None or span.is_unbounded:  # the usual case
        return coverage
    first, last = coverage.first, coverage.last
    if span.first_day > day_number(first.date()):
        first = datetime.combine(date_of(span.first_day), time(), UTC)
    if span.last_day < day_number(last.date()):
        last = datetime.combine(date_of(span.last_day), time(), UTC)
    return coverage if (first, last) == (coverage.first, coverage.last) else replace(coverage, first=first, last=last)
