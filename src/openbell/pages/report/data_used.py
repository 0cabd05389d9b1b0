"""Dropped symbols, refused requests and orders, and missing bars of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.model.json_object import JsonObject

__all__ = ["PoorSeries", "RefusalCount", "dropped_symbols", "poor_series", "refused_orders", "refused_requests"]

_MOST_LOW = 100.0


@dataclass
class RefusalCount:
    """Refusals for one reason.

    Attributes:
        what: The symbol or owner whose requests were refused.
        reason: Why they were refused.
        times: How often.
        first: Session or time of the first refusal.
        examples: At most six of the symbols.
    """

    what: str
    reason: str
    times: int = 0
    first: str = ""
    examples: list[str] = field(default_factory=list)

    def add(self, symbol: str, when: str) -> None:
        """Count one more refusal."""
        self.times += 1
        self.first = self.first or when
        if symbol not in self.examples and len(self.examples) < 6:
            self.examples.append(symbol)


def dropped_symbols(days: Iterable[JsonObject]) -> list[RefusalCount]:
    """Return the symbols of the config that could not be provisioned, each with its reason."""
    found: dict[tuple[str, str], RefusalCount] = {}
    for day in days:
        for symbol, errors in _object(day.get("dropped")).items():
            reason = "; ".join(map(str, errors)) if isinstance(errors, list) else str(errors)
            found.setdefault((symbol, reason), RefusalCount(symbol, reason)).add(symbol, str(day.get("date")))
    return list(found.values())


def refused_requests(days: Iterable[JsonObject]) -> list[RefusalCount]:
    """Return the refused requests of scanners and strategies, by owner and reason."""
    found: dict[tuple[str, str], RefusalCount] = {}
    for day in days:
        for record in _list(day.get("provisioning")):
            if record.get("ok") or record.get("source") == "config":
                continue
            owner = str(record.get("owner"))
            reason = "; ".join(map(str, record.get("errors") or ["no reason was written"]))
            when = str(record.get("time"))[:16].replace("T", " ")
            found.setdefault((owner, reason), RefusalCount(owner, reason)).add(str(record.get("symbol")), when)
    return sorted(found.values(), key=lambda one: -one.times)


def refused_orders(days: Iterable[JsonObject]) -> list[RefusalCount]:
    """Return the rejected orders, by reason."""
    found: dict[str, RefusalCount] = {}
    for day in days:
        for order in _list(_object(day.get("trading")).get("rejected")):
            reason = str(order.get("reason"))
            found.setdefault(reason, RefusalCount("orders", reason)).add(str(order.get("symbol")), str(day.get("date")))
    return sorted(found.values(), key=lambda one: -one.times)


@dataclass
class PoorSeries:
    """A series with missing bars.

    Attributes:
        symbol: The symbol.
        interval: The interval.
        sessions: Sessions in which bars were missing.
        missing: Number of bars that were missing in these sessions.
        synthetic: The most synthetic bars that a session had, with its history.
        partial: The most derived bars of a session, with its history, that are made of fewer bars than expected.
        lowest: The lowest quality of a session, in percent.
        worst: The session with the lowest quality.
        gaps: The first gaps of that session.
    """

    symbol: str
    interval: str
    sessions: int = 0
    missing: int = 0
    synthetic: int = 0
    partial: int = 0
    lowest: float = _MOST_LOW
    worst: str = ""
    gaps: Sequence[str] = ()


def poor_series(days: Iterable[JsonObject]) -> list[PoorSeries]:
    """Return stored series with missing bars in a session, the worst first."""
    found: dict[tuple[str, str], PoorSeries] = {}
    for day in days:
        for symbol, facts in _object(day.get("symbols")).items():
            for interval, series in _object(_object(facts).get("bars")).items():
                quality = _object(series).get("quality")
                if not isinstance(quality, int | float) or quality >= _MOST_LOW:
                    continue
                one = found.setdefault((symbol, interval), PoorSeries(symbol, interval))
                gaps = [gap for gap in _list(series.get("gaps")) if str(gap.get("start")) >= str(day.get("first"))]
                one.sessions += 1
                one.missing += sum(int(gap.get("missing") or 0) for gap in gaps)
                one.synthetic = max(one.synthetic, int(series.get("synthetic_rows") or 0))
                one.partial = max(one.partial, int(series.get("partial_rows") or 0))
                if quality < one.lowest:
                    one.lowest, one.worst, one.gaps = quality, str(day.get("date")), [_gap(gap) for gap in gaps[:4]]
    return sorted(found.values(), key=lambda one: (one.lowest, one.symbol))


def _gap(gap: JsonObject) -> str:
    return f"{str(gap.get('start'))[11:16]} to {str(gap.get('end'))[11:16]}"


def _object(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
