"""Results as HTML for notebooks, in parts that look well on light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from openbell.errors import printable
from openbell.results.number_text import money, number
from openbell.results.performance_lines import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.results.plan import DayPlan, PlanResult
    from openbell.results.result import DayResult, RunResult

__all__ = ["day_html", "plan_html", "run_html"]

_MOST_ROWS = 20
_LOOKED_AT_FIRST = (
    *("net_profit", "total_return", "sharpe", "max_drawdown", "trades", "win_rate", "profit_factor", "fees"),
)


def run_html(run: RunResult) -> str:
    """Return a run with its warnings, what it earned, and its sessions."""
    head = f"{run.mode} on {run.exchange}, {_counted(len(run.days), 'session')}"
    label = [f"The store is labelled {run.store_label}."] if run.store_label else []
    failed = [f"The run ended early: {run.error}"] if run.error else []
    parts = [_title(run.session_name, head), _warnings([*failed, *label, *run.warnings])]
    if run.performance is not None:
        numbers = run.performance.to_dict()
        lines = {line.name: line for block in BLOCKS for line in block}
        shown = [(lines[name].label, number(numbers[name], lines[name].form)) for name in _LOOKED_AT_FIRST]
        parts.append(_table([label for label, _ in shown], [[value for _, value in shown]]))
    trades = run.trading is not None
    columns = ["session", "symbols", "dropped", "signals", *(("fills", "P&L", "equity") if trades else ())]
    parts.append(_table(columns, [_day_row(day) for day in run.days[:_MOST_ROWS]]))
    return _whole([*parts, _more(len(run.days) - _MOST_ROWS, "sessions")])


def day_html(day: DayResult) -> str:
    """Return a session with its symbols, and with why some were dropped."""
    trading = day.trading
    earned = "" if trading is None else f", {money(trading.pnl, signed=True)}, {_counted(len(trading.fills), 'fill')}"
    head = f"{_counted(len(day.symbols), 'symbol')}, {_counted(len(day.signals), 'signal')}{earned}"
    dropped = [f"{name} was dropped: {'; '.join(why)}" for name, why in day.dropped.items()]
    rows = []
    for name, symbol in list(day.symbols.items())[:_MOST_ROWS]:
        bars = symbol.base_bars
        quality = "" if bars is None or bars.quality is None else f"{bars.quality:.2f} %"
        rows.append([name, ", ".join(symbol.bars), quality, ", ".join(symbol.indicators), symbol.reason])
    return _whole(
        [
            _title(str(day.date), head),
            _warnings(dropped),
            _table(["symbol", "intervals", "quality", "indicators", "why it is here"], rows),
            _more(len(day.symbols) - _MOST_ROWS, "symbols"),
        ]
    )


def plan_html(plan: PlanResult) -> str:
    """Return a plan with what each symbol takes on the first day, and why some cannot be loaded."""
    head = f"{plan.mode} on {plan.exchange}, {_counted(len(plan.days), 'session')}"
    parts = [_title(plan.session_name, head), _warnings(plan.warnings)]
    if plan.days:
        parts += _first_day(plan.days[0])
    return _whole(parts)


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
        for name, symbol in list(day.symbols.items())[:_MOST_ROWS]
    ]
    columns = ["symbol", "can be loaded", "intervals", "base", "rows", "what is odd"]
    return [
        f"<p>{_text(f'On {day.date}, the first session:')}</p>",
        _table(columns, rows),
        _more(len(day.symbols) - _MOST_ROWS, "symbols"),
    ]


def _day_row(day: DayResult) -> list[str]:
    row = [str(day.date), f"{len(day.symbols):,}", f"{len(day.dropped):,}", f"{len(day.signals):,}"]
    if day.trading is not None:
        equity = day.trading
        row += [f"{len(equity.fills):,}", money(equity.pnl, signed=True), money(equity.end_equity)]
    return row


def _whole(parts: Iterable[str]) -> str:
    return f"<div>{''.join(parts)}</div>"


def _title(name: str, head: str) -> str:
    return f"<p><b>{_text(name)}</b> {_text(head)}</p>"


def _warnings(texts: Sequence[str]) -> str:
    shown = "".join(f"<li>{_text(text)}</li>" for text in texts[:_MOST_ROWS])
    return f"<ul>{shown}</ul>{_more(len(texts) - _MOST_ROWS, 'warnings')}" if texts else ""


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _more(count: int, what: str) -> str:
    return f"<p>and {count:,} more {what}</p>" if count > 0 else ""


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _text(text: str) -> str:
    return escape(printable(text))
