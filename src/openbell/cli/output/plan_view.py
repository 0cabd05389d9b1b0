"""Terminal view of a plan with its problems and the reasons of all needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from openbell.cli.output.session_view import adjusted_lines
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import label_of, make_table, some

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from rich.console import RenderableType

    from openbell.provisioning.symbol_plan import SymbolPlan
    from openbell.results.plan_result import DayPlan, PlanResult, RequirementPlan

__all__ = ["plan_views"]

_MOST_DAYS_BY_NAME = 4
_NUMBER = re.compile(r"\d[\d,.:-]*")


def plan_views(plan: PlanResult) -> Iterator[RenderableType]:
    """Yield a table for each kind of day, and the reasons of the first symbol that can be loaded."""
    alike: dict[tuple[object, ...], list[DayPlan]] = {}
    for day in plan.days:
        required = [(f"{r.owner} {r.symbol}", r.plan) for r in day.requirements]
        kind = tuple(_kind_of_symbol(*item) for item in (*day.symbols.items(), *required))
        alike.setdefault(kind, []).append(day)
    for days in alike.values():
        yield from _plan_of(days, label_of(plan.store_label))
    yield from _why(plan)


def _kind_of_symbol(name: str, symbol: SymbolPlan) -> tuple[object, ...]:
    """Return the properties of a symbol's plan that are equal on all days of one table."""
    return name, symbol.can_proceed, symbol.required_intervals, symbol.steps


def _plan_of(days: Sequence[DayPlan], label: str) -> Iterator[RenderableType]:
    first = days[0]
    table = make_table(
        f"Plan for {first.date}{label}",
        "symbol", "can load", "stored", "bars of history", "since", "rows to read >",
    )  # fmt: skip
    for name, symbol in first.symbols.items():
        since = min((h.first_date for h in symbol.historical.values() if h.first_date), default=None)
        table.add_row(
            escape(name),
            "[green]yes[/]" if symbol.can_proceed else "[red]no[/]",
            symbol.base_interval if symbol.can_proceed else "",
            " ".join(f"{interval} {_bars_of(symbol, interval)}".rstrip() for interval in symbol.required_intervals),
            str(since or ""),
            f"{symbol.rows:,}",
        )
    yield table
    if first.requirements:
        yield _requirements(first)
    yield f"{sum(day.rows for day in days):,} rows to read{_other_days(days[1:])}"
    yield from _problems(days, lambda symbol: symbol.errors, "[red]cannot load[/]")
    yield from _problems(days, lambda symbol: symbol.warnings, "[yellow]warning[/]")
    yield from dict.fromkeys(
        line for day in days for name, symbol in day.symbols.items() for line in adjusted_lines(name, symbol.actions)
    )
    yield ""


def _requirements(day: DayPlan) -> RenderableType:
    """Return a table with a row for each owner and group of symbols with the same needs."""
    table = make_table("Required by scanners and strategies", "who", "needs", "of", "can load", "bars of history")
    alike: dict[tuple[str, tuple[str, ...], bool], list[RequirementPlan]] = {}
    for required in day.requirements:
        alike.setdefault((required.owner, required.needs, required.plan.can_proceed), []).append(required)
    for (owner, needs, ok), those in alike.items():
        plan = those[0].plan
        table.add_row(
            escape(owner),
            escape(" ".join(needs)),
            some([required.symbol for required in those]),
            "[green]yes[/]" if ok else "[red]no[/]",
            " ".join(f"{interval} {_bars_of(plan, interval)}".rstrip() for interval in plan.required_intervals),
        )
    return table


def _bars_of(symbol: SymbolPlan, interval: str) -> str:
    found = symbol.historical.get(interval)
    if not found:
        return ""
    return f"{found.bars:,}" + (f" (+{found.synthetic:,} synthetic)" if found.synthetic else "")


def _other_days(days: Sequence[DayPlan]) -> str:
    if not days:
        return ""
    named = _named([day.date for day in days])
    return f"; the same for {len(days)} more session{'s' if len(days) > 1 else ''} ({named})"


def _named(dates: Sequence[date]) -> str:
    if len(dates) <= _MOST_DAYS_BY_NAME:
        return ", ".join(map(str, dates))
    return f"{dates[0]} to {dates[-1]}"


def _problems(days: Sequence[DayPlan], of: Callable[[SymbolPlan], Sequence[str]], prefix: str) -> Iterator[str]:
    """Yield a line for each problem, with all symbols and days that share its text but for numbers."""
    symbols: dict[tuple[date, str], list[str]] = {}
    for day in days:
        required = [(f"{r.symbol} ({r.owner})", r.plan) for r in day.requirements]
        for name, symbol in (*day.symbols.items(), *required):
            for text in of(symbol):
                symbols.setdefault((day.date, text), []).append(name)
    by_kind: dict[tuple[str, tuple[str, ...]], dict[date, str]] = {}
    for (on, text), names in symbols.items():
        by_kind.setdefault((_NUMBER.sub("#", text), tuple(names)), {})[on] = text
    for (_, of_symbols), texts in by_kind.items():
        first = next(iter(texts.values()))
        same = [on for on, text in texts.items() if text == first]
        others = [on for on, text in texts.items() if text != first]
        when = f" on {_named(same)}" if len(same) < len(days) else ""
        more = f" Also, with other numbers, on {_named(others)}." if others else ""
        yield f"{prefix} {some(of_symbols)}{when}: {escape(first.removesuffix('.') + '.' if more else first)}{more}"


def _why(plan: PlanResult) -> Iterator[RenderableType]:
    loadable = [item for day in plan.days for item in day.symbols.items() if item[1].can_proceed]
    if not loadable:
        return
    name, symbol = loadable[0]
    reasons: dict[str, list[str]] = {}
    for edge in symbol.why:
        reasons.setdefault(edge.need, []).append(edge.because)
    table = make_table(f"Why, for example {escape(name)}", "need", "because")
    for need, because in reasons.items():
        table.add_row(f"[cyan]{escape(need)}[/]", escape("; ".join(because)))
    yield table
