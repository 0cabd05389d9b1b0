"""Page of a check, with an overview and then the worst series one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from openbell.pages.data_check.chart import chart
from openbell.pages.data_check.heatmap import heatmap
from openbell.pages.page import html_page
from openbell.quality.check_report import local_range
from openbell.quality.finding import KINDS, SERIOUS

if TYPE_CHECKING:
    from openbell.model.json_object import JsonObject
    from openbell.quality.check_report import Report, SeriesReport
    from openbell.quality.finding import Finding

__all__ = ["check_page", "check_values"]

_ROWS_OF_OVERVIEW = 500
_SERIES_IN_DETAIL = 40
_ROWS_OF_FINDINGS = 8
_MOST_FINDINGS = 300
_KEYS = (
    ("whole", "all bars"), ("c99", "99 %"), ("c95", "95 %"), ("c75", "75 %"), ("c01", "less"), ("none", "none"),
)  # fmt: skip


def check_page(report: Report) -> str:
    """Return the report as one HTML document without other files."""
    return html_page("data_check.html", check_values(report), styles=("page.css", "data_check.css"))


def check_values(report: Report) -> JsonObject:
    """Return the values for the template of a check."""
    scores = [one.score.percent for one in report.series if one.score.percent is not None]
    detailed = [(number, one) for number, one in enumerate(report.series[:_SERIES_IN_DETAIL]) if one.findings]
    with_details = {number for number, _ in detailed}
    return {
        "report": report,
        "facts": (
            (f"{len(report.series):,}", "series"),
            (f"{_percent(float(np.median(scores)))} %" if scores else "-", "median score"),
            (f"{sum(map(_is_serious, report.series)):,}", "with something to correct"),
            (f"{sum(one.score.missing for one in report.series):,}", "bars missing"),
            (f"{sum(one.score.doubtful for one in report.series):,}", "bars in doubt"),
        ),
        "overview": [
            _overview_row(number, one, report, number in with_details)
            for number, one in enumerate(report.series[:_ROWS_OF_OVERVIEW])
        ],
        "better": max(len(report.series) - _ROWS_OF_OVERVIEW, 0),
        "keys": _KEYS,
        "details": [_details(number, one, report) for number, one in detailed],
        "hidden": sum(1 for one in report.series[_SERIES_IN_DETAIL:] if one.findings),
        "most_findings": _MOST_FINDINGS,
    }


def _is_serious(one: SeriesReport) -> bool:
    return any(found.severity == SERIOUS for found in one.findings)


def _overview_row(number: int, one: SeriesReport, report: Report, has_details: bool) -> JsonObject:
    return {
        "one": one,
        "place": f"#series-{number}" if has_details else None,
        "there": _percent(one.score.complete),
        "score": _percent(one.score.percent),
        "look": _look(one),
        "found": "; ".join(one.in_short(report.timezone)),
    }


def _details(number: int, one: SeriesReport, report: Report) -> JsonObject:
    """Return the values for a series with its findings.

    Of many findings, the first of each kind are shown at once, and the others after a click.
    """
    shown: list[Finding] = []
    seen: dict[str, int] = {}
    for found in one.findings:
        seen[found.kind] = seen.get(found.kind, 0) + 1
        if seen[found.kind] <= _ROWS_OF_FINDINGS:
            shown.append(found)
    rest = [found for found in one.findings if found not in shown]
    return {
        "number": number,
        "one": one,
        "score": _percent(one.score.percent),
        "look": _look(one),
        "counts": _counts(one),
        "heatmap": Markup(heatmap(one.sessions)),  # noqa: S704 -- numbers and dates
        "shown": [_finding(found, one, report) for found in shown],
        "rest": [_finding(found, one, report) for found in rest[:_MOST_FINDINGS]],
        "more": len(rest),
        "excerpts": [
            {
                "finding": _finding(excerpt.finding, one, report),
                "when": local_range(excerpt.finding, excerpt.interval, report.timezone),
                "chart": Markup(chart(excerpt, excerpt.interval, report.timezone)),  # noqa: S704 -- numbers and times
            }
            for excerpt in one.excerpts
        ],
    }


def _finding(found: Finding, one: SeriesReport, report: Report) -> dict[str, str]:
    return {
        "severity": found.severity,
        "name": found.kind.replace("_", " "),
        "meaning": KINDS[found.kind],
        "when": local_range(found, one.interval, report.timezone),
        "text": found.text,
    }


def _counts(one: SeriesReport) -> str:
    score = one.score
    parts = [f"{score.present:,} of {score.expected:,} expected bars"]
    parts += [
        f"{count:,} {what}" for count, what in ((score.missing, "missing"), (score.doubtful, "in doubt")) if count
    ]
    return ", ".join(parts)


def _look(one: SeriesReport) -> str:
    percent = one.score.percent
    return "good" if percent is None or percent >= 99.9 else "fair" if percent >= 95 else "poor"


def _percent(value: float | None) -> str:
    """Return a percentage as text with two decimals, rounded down so that only full completeness is 100."""
    return "-" if value is None else f"{math.floor(value * 100) / 100:.2f}"
