"""The report of a check, per series and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from openbell.model.interval import parse_interval
from openbell.quality.finding import KINDS

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from openbell.model.bars import Bars
    from openbell.model.json_object import JsonObject
    from openbell.quality.finding import Finding
    from openbell.quality.score import Score

__all__ = ["Excerpt", "Report", "SeriesReport", "SessionCounts", "local_range"]

_NOTES = ("daily_near", "no_trades", "extended_hours")
_OF_SESSIONS = ("undeclared_split", "missing_sessions", "daily_price", "daily_volume", "daily_near")
_COUNTED_IN_BARS = (
    *("hole", "contradiction", "duplicate", "outside_hours", "closed_day", "halt"),
    *("outside_daily", "daily_volume", "other_days", "off_grid"),
)
_PHRASES = {
    "damaged_file": ("1 damaged file", "{:,} damaged files"),
    "wrong_time_zone": ("wrong time zone?", "wrong time zone?"),
    "wrong_label": ("times name the other end of bars?", "times name the other end of bars?"),
    "wrong_interval": ("bars of a longer interval?", "bars of a longer interval?"),
    "off_grid": ("1 bar between those of the session", "{:,} bars between those of the session"),
    "undeclared_split": ("1 split not declared", "{:,} splits not declared"),
    "other_days": ("1 daily bar that no session reads", "{:,} daily bars that no session reads"),
    "contradiction": ("1 bar contradicts itself", "{:,} bars contradict themselves"),
    "duplicate": ("1 duplicate", "{:,} duplicates"),
    "outside_hours": ("1 bar outside all hours", "{:,} bars outside all hours"),
    "closed_day": ("1 bar on closed days", "{:,} bars on closed days"),
    "missing_sessions": ("1 session missing", "{:,} sessions missing"),
    "hole": ("1 bar missing", "{:,} bars missing"),
    "spike": ("1 spike", "{:,} spikes"),
    "other_basis": ("another price basis than the daily bars?", "another price basis than the daily bars?"),
    "outside_daily": ("1 bar beyond its daily bar", "{:,} bars beyond their daily bars"),
    "daily_price": ("prices unlike the daily bar's in 1 session", "prices unlike the daily bar's in {:,} sessions"),
    "daily_volume": ("volume unlike the daily bar's in 1 session", "volume unlike the daily bar's in {:,} sessions"),
    "stale": ("1 stale run", "{:,} stale runs"),
    "listing": ("begins in mid-session", "begins in mid-session"),
    "halt": ("1 bar missing in a halt", "{:,} bars missing in halts"),
}


@dataclass(frozen=True, slots=True, eq=False)
class SessionCounts:
    """The counts of bars per session of a series.

    Attributes:
        days: The sessions, in days since 1970-01-01 (int64).
        expected: Number of expected bars of each session (int64).
        present: Number of bars that each session has (int64).
        excused: Number of bars that are missing because of a halt or a listing, or because nobody traded (int64).
    """

    days: NDArray[np.int64]
    expected: NDArray[np.int64]
    present: NDArray[np.int64]
    excused: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Excerpt:
    """The bars around one finding, for a chart.

    Attributes:
        finding: The finding.
        bars: The bars.
        interval: The interval of the bars.
    """

    finding: Finding
    bars: Bars
    interval: str


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """The findings about one series.

    Attributes:
        symbol: The symbol.
        interval: The stored interval.
        rows: Number of stored rows.
        first_ns: Start of the first row, nanoseconds since 1970 UTC; of daily bars 00:00 UTC of the date.
        last_ns: Start of the last row, in the same form.
        score: The score.
        findings: The findings, the gravest kinds first, each kind in ascending time.
        sessions: The counts of bars per session.
        excerpts: Bars around suspicious findings, the first ones of each kind.
    """

    symbol: str
    interval: str
    rows: int
    first_ns: int
    last_ns: int
    score: Score
    findings: tuple[Finding, ...]
    sessions: SessionCounts
    excerpts: tuple[Excerpt, ...]

    def counts(self) -> dict[str, int]:
        """Count the findings of each kind, the gravest kinds first."""
        counted = Counter(f.kind for f in self.findings)
        return {kind: counted[kind] for kind in KINDS if kind in counted}

    def in_short(self, timezone: tzinfo) -> list[str]:
        """Return a phrase for each kind of finding except notes, the gravest first."""
        return [self._phrase(kind, timezone) for kind in self.counts() if kind not in _NOTES]

    def _phrase(self, kind: str, timezone: tzinfo) -> str:
        found = [f for f in self.findings if f.kind == kind]
        one, many = _PHRASES[kind]
        count = len(found)
        if kind == "missing_sessions":
            count = int((self.sessions.present == 0).sum())
        elif kind == "daily_price":
            count = len(np.unique(np.concatenate([f.blamed for f in found])))
        elif kind in _COUNTED_IN_BARS:
            count = sum(f.bars for f in found)
        worst = max(found, key=lambda f: f.bars)
        when = local_range(worst, self.interval, timezone)
        more = f" ({when}{' ...' if len(found) > 1 else ''})" if kind not in ("outside_hours", "duplicate") else ""
        return f"{one if count == 1 else many.format(count)}{more}"


@dataclass(frozen=True, slots=True)
class Report:
    """The findings about a store.

    Attributes:
        store: The store's folder.
        exchange: The calendar.
        timezone: The exchange's time zone.
        series: The reports of all series, the worst score first; those with equal scores by completeness, symbol and
            interval.
        warnings: Texts about bars that could not be checked.
    """

    store: str
    exchange: str
    timezone: tzinfo
    series: tuple[SeriesReport, ...]
    warnings: tuple[str, ...] = ()

    def as_json(self) -> JsonObject:
        """Return the whole report as JSON values, with times in the exchange's time zone."""
        return {
            "store": self.store,
            "exchange": self.exchange,
            "timezone": str(self.timezone),
            "warnings": list(self.warnings),
            "series": [self._series(one) for one in self.series],
        }

    def _series(self, one: SeriesReport) -> JsonObject:
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

    def _finding(self, found: Finding, interval: str) -> JsonObject:
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
    """Return the time of a finding in the exchange's time zone, as a short text."""
    # Daily bars of other days than sessions begin at 00:00 UTC of their dates.
    zone = UTC if found.kind == "other_days" else timezone
    start, end = _local(found.start_ns, zone), _local(found.end_ns, zone)
    if interval == "1d" or found.kind in _OF_SESSIONS:
        return start[:10] if start[:10] == end[:10] else f"{start[:10]} to {end[:10]}"
    length = 19 if interval == "1s" else 16
    start, end = start[:length].replace("T", " "), end[:length].replace("T", " ")
    if found.bars == 1 and found.end_ns - found.start_ns <= parse_interval(interval).ns:
        return start
    return f"{start} to {end[11:]}" if start[:10] == end[:10] else f"{start} to {end}"


def _local(ns: int, timezone: tzinfo) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)).astimezone(timezone).isoformat()
