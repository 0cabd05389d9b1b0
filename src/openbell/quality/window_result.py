"""The result of one window of a series, and the report of all its windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from openbell.model.bars import Bars
from openbell.quality.check_report import Excerpt, SeriesReport, SessionCounts
from openbell.quality.closed_days import closed_days
from openbell.quality.daily import unlike_daily
from openbell.quality.excerpts import completeness, excerpts_of, fewest_charts
from openbell.quality.finding import KINDS, Finding
from openbell.quality.grid import bars_off_grid, longer_bars
from openbell.quality.hours import outside_hours, wrong_labels, wrong_time_zone
from openbell.quality.missing import missing_bars, missing_sessions
from openbell.quality.repeats import contradictions, duplicates
from openbell.quality.score import score
from openbell.quality.spikes import spikes
from openbell.quality.splits import daily_sums, undeclared_splits
from openbell.quality.stale import stale

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from openbell.quality.missing import Elsewhere
    from openbell.quality.peers import Peers
    from openbell.quality.series import Series
    from openbell.timing.grid import SessionGrid

__all__ = ["WindowResult", "check_off_grid", "check_window", "join_windows"]

_SPLIT_REACH = 30


@dataclass(frozen=True, slots=True, eq=False)
class WindowResult:
    """The result of checking one window of a series, without most of its bars.

    Attributes:
        symbol: The symbol.
        interval: The interval.
        rows: Number of stored rows.
        first_ns: Start of the first row, nanoseconds since 1970 UTC; 0 without rows.
        last_ns: Start of the last row, in the same form.
        present: Number of expected bars that are there.
        daily: The daily bars of the window, or daily bars aggregated from its intraday bars.
        findings: The findings of the checks that need only one window.
        sessions: The counts of bars per session.
        excerpts: Bars around suspicious findings.
    """

    symbol: str
    interval: str
    rows: int
    first_ns: int
    last_ns: int
    present: int
    daily: Bars
    findings: tuple[Finding, ...]
    sessions: SessionCounts
    excerpts: tuple[Excerpt, ...]


def check_window(
    series: Series, peers: Peers, elsewhere: tuple[Elsewhere, ...], daily: Bars | None, damaged: Sequence[Finding]
) -> WindowResult:
    """Run all checks that need only one window.

    Args:
        series: The series in the window.
        peers: The counts of other symbols' bars in the same window.
        elsewhere: The symbol's bars of other intervals.
        daily: The symbol's daily bars; None if it has none, or if the series is daily.
        damaged: Findings about files and kinds of days, which are added as they are.
    """
    findings = [
        *damaged,
        *(wrong_time_zone(series) or wrong_labels(series)),
        *bars_off_grid(series),
        *longer_bars(series),
        *contradictions(series),
        *duplicates(series),
        *outside_hours(series),
        *closed_days(series, peers),
        *missing_sessions(series, peers, elsewhere),
        *missing_bars(series, peers, elsewhere),
        *spikes(series),
        *stale(series),
    ]
    if daily is not None:
        findings += unlike_daily(series, daily)
    return _result(series, elsewhere, findings)


def check_off_grid(series: Series, finer: str | None, damaged: Sequence[Finding]) -> WindowResult:
    """Run the checks of a series most of whose bars lie off the grid of the sessions, so that none reads it.

    Args:
        series: The window of the series.
        finer: The stored interval of which sessions make its interval; no bars are expected of it then.
        damaged: Findings about its files.
    """
    grid_findings = bars_off_grid(series, finer=finer)
    findings = [*damaged, *wrong_time_zone(series), *grid_findings, *contradictions(series), *duplicates(series)]
    return _result(series if finer is None else series.nothing_expected(), (), findings)


def _result(series: Series, elsewhere: tuple[Elsewhere, ...], findings: list[Finding]) -> WindowResult:
    findings.sort(key=_gravity)
    starts = series.starts_of_stored()
    return WindowResult(
        series.symbol,
        str(series.interval),
        len(starts),
        int(starts.min()) if len(starts) else 0,
        int(starts.max()) if len(starts) else 0,
        int(series.present.sum()),
        daily_sums(series),
        tuple(findings),
        completeness(series, elsewhere, findings),
        excerpts_of(series, findings),
    )


def join_windows(windows: Sequence[WindowResult], grid: SessionGrid, declared: Collection[int]) -> SeriesReport:
    """Join the windows of a series into its report.

    The check for splits runs here, because it needs all windows.

    Args:
        windows: The windows, in ascending time; at least one.
        grid: The sessions of all windows.
        declared: The ex-dates of declared splits, in days since 1970-01-01.
    """
    daily = Bars.concat([window.daily for window in windows])
    splits = undeclared_splits(daily, grid, declared)
    findings = sorted([*splits, *(found for window in windows for found in window.findings)], key=_gravity)
    charts = [
        *(_around(split, daily) for split in splits),
        *(chart for window in windows for chart in window.excerpts),
    ]
    charts.sort(key=lambda chart: _gravity(chart.finding))
    sessions = SessionCounts(
        *(
            np.concatenate([getattr(window.sessions, name) for window in windows])
            for name in ("days", "expected", "present", "excused")
        )
    )
    held = [window for window in windows if window.rows]
    return SeriesReport(
        windows[0].symbol,
        windows[0].interval,
        sum(window.rows for window in windows),
        held[0].first_ns if held else 0,
        held[-1].last_ns if held else 0,
        score(int(sessions.expected.sum()), sum(window.present for window in windows), findings),
        tuple(findings),
        sessions,
        fewest_charts(charts),
    )


def _gravity(found: Finding) -> tuple[int, int]:
    return _ORDER[found.kind], found.start_ns


_ORDER = {kind: place for place, kind in enumerate(KINDS)}


def _around(split: Finding, daily: Bars) -> Excerpt:
    """Return the daily bars around a split."""
    row = int(np.searchsorted(daily.timestamp, split.start_ns))
    rows = np.arange(max(0, row - _SPLIT_REACH), min(len(daily), row + _SPLIT_REACH + 1))
    return Excerpt(split, daily.take(rows), "1d")
