"""`Report`: what a check of a store found, per series, and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openbell.data.check.finding import KINDS
from openbell.timing.grid import date_of

if TYPE_CHECKING:
    from datetime import tzinfo

    import numpy as np
    from numpy.typing import NDArray

    from openbell.bars import Bars
    from openbell.data.check.finding import Finding
    from openbell.data.check.score import Score

__all__ = ["Completeness", "Report", "SeriesReport", "Stretch", "local_range"]


@dataclass(frozen=True, slots=True, eq=False)
class Completeness:
    """How complete each session of a series is.

    Attributes:
        days: The sessions, in days since 1970-01-01 (int64).
        expected: Bars expected of each (int64).
        present: Bars there of each (int64).
    """

    days: NDArray[np.int64]
    expected: NDArray[np.int64]
    present: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The bars around one finding, for a chart."""

    finding: Finding
    bars: Bars


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """What was found in one series.

    Attributes:
        symbol: The symbol.
        interval: The stored interval.
        rows: Stored rows.
        first_ns: Start of the first row, nanoseconds since 1970 UTC; likewise last_ns. Of daily bars 00:00 UTC.
        score: Its score.
        findings: What was found, the gravest kinds first, each kind in ascending time.
        sessions: How complete each session is.
        stretches: Bars around the suspicious findings, the first ones of each kind.
    """

    symbol: str
    interval: str
    rows: int
    first_ns: int
    last_ns: int
    score: Score
    findings: tuple[Finding, ...]
    sessions: Completeness
    stretches: tuple[Stretch, ...]

    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind, the gravest kinds first."""
        counted = Counter(f.kind for f in self.findings)
        return {kind: counted[kind] for kind in KINDS if kind in counted}


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        store: The store's folder.
        exchange: The calendar.
        timezone: The exchange's time zone.
        series: Worst score first; series with equal scores by symbol and interval.
    """

    store: str
    exchange: str
    timezone: tzinfo
    series: tuple[SeriesReport, ...]

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON can hold it; times are in the exchange's time zone."""
        return {
            "store": self.store,
            "exchange": self.exchange,
            "timezone": str(self.timezone),
            "series": [self._series(one) for one in self.series],
        }

    def _series(self, one: SeriesReport) -> dict[str, Any]:
        score = one.score
        return {
            "symbol": one.symbol,
            "interval": one.interval,
            "rows": one.rows,
            "score": None if score.percent is None else round(score.percent, 3),
            "complete": None if score.complete is None else round(score.complete, 3),
            "expected": score.expected,
            "present": score.present,
            "missing": score.missing,
            "doubtful": score.doubtful,
            "outside": score.outside,
            "findings": [self._finding(found, one.interval) for found in one.findings],
        }

    def _finding(self, found: Finding, interval: str) -> dict[str, Any]:
        start, end = _local(found.start_ns, self.timezone), _local(found.end_ns, self.timezone)
        daily = interval == "1d"
        return {
            "kind": found.kind,
            "severity": found.severity,
            "start": start[:10] if daily else start,
            "end": end[:10] if daily else end,
            "bars": found.bars,
            "text": found.text,
        }


def local_range(found: Finding, interval: str, timezone: tzinfo) -> str:
    """When a finding is, on the exchange's clock, as short as it can be told."""
    start, end = _local(found.start_ns, timezone), _local(found.end_ns, timezone)
    if interval == "1d" or found.kind == "missing_sessions":
        return start[:10] if start[:10] == end[:10] else f"{start[:10]} to {end[:10]}"
    length = 19 if interval == "1s" else 16
    start, end = start[:length].replace("T", " "), end[:length].replace("T", " ")
    if interval == "1m" and found.bars == 1 and found.end_ns - found.start_ns <= 60_000_000_000:
        return start
    return f"{start} to {end[11:]}" if start[:10] == end[:10] else f"{start} to {end}"


def _local(ns: int, timezone: tzinfo) -> str:
    from datetime import UTC, datetime, timedelta

    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)).astimezone(timezone).isoformat()


def day_text(day: int) -> str:
    """A day since 1970-01-01 as ISO text."""
    return date_of(day).isoformat()
