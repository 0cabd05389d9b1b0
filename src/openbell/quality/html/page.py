"""The HTML page of a report.

An overview, then the worst series one by one, with their findings, a heat map and charts.
"""

from __future__ import annotations

import math
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from openbell.quality.finding import KINDS, SERIOUS
from openbell.quality.html.chart import chart
from openbell.quality.html.heatmap import heatmap
from openbell.quality.report import local_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.quality.finding import Finding
    from openbell.quality.report import Report, SeriesReport

__all__ = ["report_page"]

_ROWS_OF_OVERVIEW = 500
_SERIES_IN_DETAIL = 40
_ROWS_OF_FINDINGS = 8
_MOST_FINDINGS = 300
_KEYS = (
    ("whole", "all bars"), ("c99", "99 %"), ("c95", "95 %"), ("c75", "75 %"), ("c01", "less"), ("none", "none"),
)  # fmt: skip


def report_page(report: Report) -> str:
    """Write the report as one HTML document that needs no other file."""
    style = (files("openbell.quality.html") / "style.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Data check of {escape(report.store)}</title><style>{style}</style></head><body>",
            *_overview(report),
            *_details(report),
            "</body></html>",
        ]
    )


def _overview(report: Report) -> Iterator[str]:
    scores = [one.score.percent for one in report.series if one.score.percent is not None]
    serious = sum(1 for one in report.series if any(f.severity == SERIOUS for f in one.findings))
    missing = sum(one.score.missing for one in report.series)
    doubtful = sum(one.score.doubtful for one in report.series)
    yield "<h1>Data check</h1>"
    yield (
        f'<p class="faint">Store {escape(report.store)}, against the calendar {escape(report.exchange)}. '
        f"Times are those of {escape(str(report.timezone))}.</p>"
    )
    for warning in report.warnings:
        yield f"<p>{escape(warning)}</p>"
    facts = (
        (f"{len(report.series):,}", "series"),
        (_percent(float(np.median(scores))) + " %" if scores else "-", "median score"),
        (f"{serious:,}", "with something to mend"),
        (f"{missing:,}", "bars missing"),
        (f"{doubtful:,}", "bars in doubt"),
    )
    yield '<div class="facts">' + "".join(f'<div class="fact"><b>{n}</b>{what}</div>' for n, what in facts) + "</div>"
    yield (
        '<p class="faint">Score = (expected bars - missing - in doubt) / (expected + outside all hours); at most 50 '
        "while a split is not declared, times lie in another zone, or a file is damaged. Bars that a halt or the "
        "absence of trades explains are not missing.</p>"
    )
    yield "<table><thead><tr><th>symbol</th><th>interval</th><th class=number>bars</th><th class=number>there</th>"
    yield "<th class=number>score</th><th>what was found</th></tr></thead><tbody>"
    for number, one in enumerate(report.series[:_ROWS_OF_OVERVIEW]):
        name = escape(one.symbol)
        if _has_details(report, number):
            name = f'<a href="#series-{number}">{name}</a>'
        yield (
            f"<tr><td>{name}</td><td>{one.interval}</td><td class=number>{one.rows:,}</td>"
            f"<td class=number>{_percent(one.score.complete)} %</td><td class=number>{_score(one)}</td>"
            f"<td>{escape('; '.join(one.in_short(report.timezone))) or '<span class=faint>nothing</span>'}</td></tr>"
        )
    yield "</tbody></table>"
    if len(report.series) > _ROWS_OF_OVERVIEW:
        yield f'<p class="faint">... and {len(report.series) - _ROWS_OF_OVERVIEW:,} better ones.</p>'
    keys = "".join(f'<span class="key {kind}"></span>{text}' for kind, text in _KEYS)
    yield f'<p class="faint" style="margin-top:26px">Heat maps, bars that are there or explained:{keys}</p>'


def _has_details(report: Report, number: int) -> bool:
    return number < _SERIES_IN_DETAIL and bool(report.series[number].findings)


def _details(report: Report) -> Iterator[str]:
    for number, one in enumerate(report.series):
        if not _has_details(report, number):
            continue
        yield f'<section id="series-{number}"><div class="head"><h2>{escape(one.symbol)} {one.interval}</h2>'
        yield f'{_score(one)}<span class="faint">{_counts(one)}</span></div>'
        yield f'<div class="pair"><div class="scroll"><h3>Completeness</h3>{heatmap(one.sessions)}</div>'
        yield f'<div class="found"><h3>What was found</h3>{_findings(one, report)}</div></div>'
        if one.stretches:
            yield '<h3>Suspicious stretches</h3><div class="charts">'
            for stretch in one.stretches:
                when = local_range(stretch.finding, stretch.interval, report.timezone)
                yield (
                    f"<figure><figcaption><b>{_name(stretch.finding)}, {when}</b>{escape(stretch.finding.text)}"
                    f"</figcaption>{chart(stretch, stretch.interval, report.timezone)}</figure>"
                )
            yield "</div>"
        yield "</section>"
    hidden = sum(1 for one in report.series[_SERIES_IN_DETAIL:] if one.findings)
    if hidden:
        yield f'<p class="faint">{hidden:,} more series have findings; check them by name, or see the JSON.</p>'


def _counts(one: SeriesReport) -> str:
    score = one.score
    parts = [f"{score.present:,} of {score.expected:,} expected bars"]
    parts += [
        f"{count:,} {what}" for count, what in ((score.missing, "missing"), (score.doubtful, "in doubt")) if count
    ]
    return ", ".join(parts)


def _findings(one: SeriesReport, report: Report) -> str:
    """List the findings as a table.

    Of many, the first of each kind are shown, and the others after a click.
    """
    shown: list[Finding] = []
    seen: dict[str, int] = {}
    for found in one.findings:
        seen[found.kind] = seen.get(found.kind, 0) + 1
        if seen[found.kind] <= _ROWS_OF_FINDINGS:
            shown.append(found)
    rest = [found for found in one.findings if found not in shown]
    text = _table(shown, one, report)
    if rest:
        more = (
            f", of which the first {_MOST_FINDINGS} are here and all in the JSON" if len(rest) > _MOST_FINDINGS else ""
        )
        text += f"<details><summary>{len(rest):,} more like these{more}</summary>"
        text += _table(rest[:_MOST_FINDINGS], one, report) + "</details>"
    return text


def _table(findings: list[Finding], one: SeriesReport, report: Report) -> str:
    rows = "".join(
        f'<tr><td class="{found.severity}">{_name(found)}</td>'
        f"<td class=when>{local_range(found, one.interval, report.timezone)}</td><td>{escape(found.text)}</td></tr>"
        for found in findings
    )
    return f'<table class="findings"><tbody>{rows}</tbody></table>'


def _name(found: Finding) -> str:
    return f'<span title="{escape(KINDS[found.kind])}">{found.kind.replace("_", " ")}</span>'


def _score(one: SeriesReport) -> str:
    percent = one.score.percent
    look = "good" if percent is None or percent >= 99.9 else "fair" if percent >= 95 else "poor"
    return f'<span class="score {look}">{_percent(percent)}</span>'


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{math.floor(value * 100) / 100:.2f}"
