"""Results as HTML for notebooks, in parts that are readable on light and dark backgrounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.model.html_parts import MOST_ROWS, counted, in_div, items, more, table, text, title
from openbell.results.measures.performance_lines import LINES
from openbell.results.number_text import money, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openbell.results.measures.performance import Performance
    from openbell.results.plan_result import DayPlan, PlanResult
    from openbell.results.result import DayResult, RunResult

__all__ = ["day_html", "numbers_table", "performance_html", "plan_html", "run_html"]

_MAIN_NUMBERS = (
    *("net_profit", "total_return", "sharpe", "max_drawdown", "trades", "win_rate", "profit_factor", "fees"),
)


def run_html(run: RunResult) -> str:
    """Return a run with its warnings, what it earned, and its sessions."""
    head = f"{run.mode} on {run.exchange}, {counted(len(run.days), 'session')}"
    label = [f"The store is labelled {run.store_label}."] if run.store_label else []
    failed = [f"The run ended early: {run.error}"] if run.error else []
    parts = [title(run.session_name, head), items([*failed, *label, *run.warnings])]
    if run.performance is not None:
        parts.append(numbers_table(run.performance.to_dict(), _MAIN_NUMBERS))
    trades = run.trading is not None
    columns = ["session", "symbols", "dropped", "signals", *(("fills", "P&L", "equity") if trades else ())]
    parts.append(table(columns, [_day_row(day) for day in run.days[:MOST_ROWS]]))
    return in_div([*parts, more(len(run.days) - MOST_ROWS, "sessions")])


def numbers_table(numbers: Mapping[str, float | None], names: Sequence[str]) -> str:
    """Return some numbers of a performance below their labels."""
    return table([LINES[name].label for name in names], [[number(numbers[name], LINES[name].form) for name in names]])


def performance_html(performance: Performance) -> str:
    """Return all numbers of a performance, and why some are unavailable."""
    numbers = performance.to_dict()
    rows = [
        [line.label, performance.unavailable.get(line.name, "") or number(numbers[line.name], line.form)]
        for line in LINES.values()
    ]
    return in_div([table(["number", "value"], rows)])


def day_html(day: DayResult) -> str:
    """Return a session with its symbols, and with why some were dropped."""
    trading = day.trading
    earned = "" if trading is None else f", {money(trading.pnl, signed=True)}, {counted(len(trading.fills), 'fill')}"
    head = f"{counted(len(day.symbols), 'symbol')}, {counted(len(day.signals), 'signal')}{earned}"
    dropped = [f"{name} was dropped: {'; '.join(why)}" for name, why in day.dropped.items()]
    rows = []
    for name, symbol in list(day.symbols.items())[:MOST_ROWS]:
        bars = symbol.base_bars
        quality = "" if bars is None or bars.quality is None else f"{bars.quality:.2f} %"
        rows.append([name, ", ".join(symbol.bars), quality, ", ".join(symbol.indicators), symbol.reason])
    return in_div(
        [
            title(str(day.date), head),
            items(dropped),
            table(["symbol", "intervals", "quality", "indicators", "why it is here"], rows),
            more(len(day.symbols) - MOST_ROWS, "symbols"),
        ]
    )


def plan_html(plan: PlanResult) -> str:
    """Return a plan with what each symbol takes on the first day, and why some cannot be loaded."""
    head = f"{plan.mode} on {plan.exchange}, {counted(len(plan.days), 'session')}"
    parts = [title(plan.session_name, head), items(plan.warnings)]
    if plan.days:
        parts += _first_day(plan.days[0])
    return in_div(parts)


def _first_day(day: DayPlan) -> list[str]:
    rows = [
        [
            name,
            "yes" if symbol.can_proceed else "no",
            ", ".join(symbol.required_intervals),
            symbol.base_interval or "",
            f"{symbol.rows:,}",
            "; ".join((*symbol.errors, *symbol.warnings)),
        ]
        for name, symbol in list(day.symbols.items())[:MOST_ROWS]
    ]
    columns = ["symbol", "can be loaded", "intervals", "base", "rows", "what is odd"]
    return [
        f"<p>{text(f'On {day.date}, the first session:')}</p>",
        table(columns, rows),
        more(len(day.symbols) - MOST_ROWS, "symbols"),
    ]


def _day_row(day: DayResult) -> list[str]:
    row = [str(day.date), f"{len(day.symbols):,}", f"{len(day.dropped):,}", f"{len(day.signals):,}"]
    if day.trading is not None:
        equity = day.trading
        row += [f"{len(equity.fills):,}", money(equity.pnl, signed=True), money(equity.end_equity)]
    return row
