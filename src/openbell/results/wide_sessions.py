"""Sessions with so many symbols that a summary lists only those with irregularities, and counts all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from openbell.results.block_results import has_unsettled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.model.events import ProvisioningRecord
    from openbell.model.json_object import JsonObject
    from openbell.results.result import DayResult
    from openbell.results.symbol import SymbolResult

__all__ = ["MOST_SYMBOLS", "is_wide", "lowest_quality", "odd_records", "odd_symbols", "totals"]

MOST_SYMBOLS = 200
"""The most symbols of a session that a summary lists; of more, it lists up to this many with irregularities."""

_MOST_ALIKE = 3


def is_wide(day: DayResult) -> bool:
    """Return whether a session had more symbols, or requests about more, than a summary lists."""
    if len(day.symbols) > MOST_SYMBOLS or len(day.dropped) > MOST_SYMBOLS:
        return True
    asked = len(day.provisioning)
    return asked > MOST_SYMBOLS and len({record.symbol for record in day.provisioning}) > MOST_SYMBOLS


def odd_symbols(day: DayResult) -> list[str]:
    """Return the symbols with missing, synthetic or partial bars, or with indicators that are not settled.

    The worst come first: those with the lowest quality of today.
    """
    odd = [(_quality(symbol), name) for name, symbol in day.symbols.items() if _is_odd(symbol)]
    return [name for _, name in sorted(odd)]


def odd_records(records: Iterable[ProvisioningRecord]) -> list[ProvisioningRecord]:
    """Return the records of refusals, then those with warnings, only a few with the same ones."""
    refused, warned, alike = [], [], Counter[tuple[object, ...]]()
    for record in records:
        kind = record.operation_type, record.owner, record.warnings
        alike[kind] += 1
        if not record.ok:
            refused.append(record)
        elif record.warnings and alike[kind] <= _MOST_ALIKE:
            warned.append(record)
    return [*refused, *warned]


def lowest_quality(day: DayResult) -> tuple[float, str] | None:
    """Return the lowest quality of today and its symbol, or None when no symbol was scored."""
    scores = ((symbol.base_bars.quality, name) for name, symbol in day.symbols.items() if symbol.base_bars)
    return min(((score, name) for score, name in scores if score is not None), default=None)


def totals(day: DayResult, odd: Sequence[str]) -> JsonObject:
    """Return the counts of all symbols and records of a session."""
    symbols = day.symbols.values()
    full = sum(symbol.meets_session_config_requirements for symbol in symbols)
    lowest = lowest_quality(day)
    return {
        "symbols": len(day.symbols),
        "full": full,
        "ad_hoc": len(day.symbols) - full,
        "dropped": len(day.dropped),
        "odd": len(odd),
        "with_missing_bars": sum(bool(s.base_bars and s.base_bars.gaps) for s in symbols),
        "with_unsettled_indicators": sum(has_unsettled(s.indicators) for s in symbols),
        "lowest_quality": None if lowest is None else {"symbol": lowest[1], "quality": lowest[0]},
        "provisioning": _counted(day.provisioning),
    }


def _is_odd(symbol: SymbolResult) -> bool:
    series = symbol.bars.values()
    if any(bars.gaps or bars.synthetic_rows or bars.partial_rows for bars in series):
        return True
    return has_unsettled(symbol.indicators) or not symbol.bars


def _quality(symbol: SymbolResult) -> float:
    """Return the quality of today, 100 when it was not scored."""
    quality = symbol.base_bars.quality if symbol.base_bars is not None else None
    return 100.0 if quality is None else quality


def _counted(records: Iterable[ProvisioningRecord]) -> list[JsonObject]:
    """Return how many additions and removals there were of each kind, with the milliseconds that they took."""
    counts: dict[tuple[str, str, str, bool], tuple[int, float]] = {}
    for record in records:
        kind = record.operation_type, record.source, record.owner, record.ok
        count, ms = counts.get(kind, (0, 0.0))
        counts[kind] = count + 1, ms + sum(step.ms for step in record.steps)
    return [
        {"operation_type": operation, "source": source, "owner": owner, "ok": ok, "count": count, "ms": round(ms, 3)}
        for (operation, source, owner, ok), (count, ms) in counts.items()
    ]
