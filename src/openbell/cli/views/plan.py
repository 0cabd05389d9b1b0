"""What a plan looks like to a person: a table per kind of day, what stands against it, and why all of it is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from openbell.cli.terminal.tables import label_of, make_table, some
from openbell.cli.views.adjustments import adjusted_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

__all__ = ["plan_views"]

_MOST_DAYS_BY_NAME = 4
_NUMBER = re.compile(r"\d[\d,.:-]*")


def plan_views(plan: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The plan: a table per kind of day, and the requirement graph of the first symbol that can be had."""
    alike: dict[str, list[Mapping[str, Any]]] = {}
    for day in plan["days"]:
        alike.setdefault(repr([_kind_of_entry(*item) for item in day["symbols"].items()]), []).append(day)
    for days in alike.values():
        yield from _plan_of(days, label_of(plan))
    yield from _why(plan)


def _kind_of_entry(symbol: str, entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes the plan of a symbol another one than that of the day before; the number of rows does not."""
    return symbol, entry["can_proceed"], entry["required_intervals"], entry["steps"]


def _plan_of(days: Sequence[Mapping[str, Any]], label: str) -> Iterator[RenderableType]:
    first = days[0]
    table = make_table(
        f"Plan for {first['date']}{label}",
        "symbol", "can load", "stored", "bars of history", "since", "rows to read >",
    )  # fmt: skip
    for symbol, entry in first["symbols"].items():
        history = {name: h for name, h in entry["historical"].items() if h["bars"]}
        table.add_row(
            escape(symbol),
            "[green]yes[/]" if entry["can_proceed"] else "[red]no[/]",
            entry["base_interval"] if entry["can_proceed"] else "",
            " ".join(f"{name} {_bars_of(entry, name)}".rstrip() for name in entry["required_intervals"]),
            min((h["first_date"] for h in history.values()), default=""),
            f"{entry['rows']:,}",
        )
    yield table
    yield f"{sum(day['rows'] for day in days):,} rows to read{_other_days(days[1:])}"
    yield from _problems(days, "errors", "[red]cannot load[/]")
    yield from _problems(days, "warnings", "[yellow]warning[/]")
    yield from dict.fromkeys(line for day in days for item in day["symbols"].items() for line in adjusted_lines(*item))
    yield ""


def _bars_of(entry: Mapping[str, Any], interval: str) -> str:
    found = entry["historical"].get(interval)
    if not found:
        return ""
    return f"{found['bars']:,}" + (f" (+{found['synthetic']:,} synthetic)" if found["synthetic"] else "")


def _other_days(days: Sequence[Mapping[str, Any]]) -> str:
    if not days:
        return ""
    return f"; the same for {len(days)} more session{'s' if len(days) > 1 else ''} ({_named(days)})"


def _named(days: Sequence[Mapping[str, Any]]) -> str:
    if len(days) <= _MOST_DAYS_BY_NAME:
        return ", ".join(day["date"] for day in days)
    return f"{days[0]['date']} to {days[-1]['date']}"


def _problems(days: Sequence[Mapping[str, Any]], kind: str, prefix: str) -> Iterator[str]:
    """What is said of symbols: once for all symbols and days of which it is said, with whatever numbers."""
    symbols: dict[tuple[str, str], list[str]] = {}
    for day in days:
        for symbol, entry in day["symbols"].items():
            for text in entry[kind]:
                symbols.setdefault((day["date"], text), []).append(symbol)
    by_date = {day["date"]: day for day in days}
    told: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}
    for (date, text), names in symbols.items():
        told.setdefault((_NUMBER.sub("#", text), tuple(names)), {})[date] = text
    for (_, of), texts in told.items():
        first = next(iter(texts.values()))
        same = [by_date[date] for date, text in texts.items() if text == first]
        others = [by_date[date] for date, text in texts.items() if text != first]
        when = f" on {_named(same)}" if len(same) < len(days) else ""
        more = f" Likewise, with other numbers, on {_named(others)}." if others else ""
        yield f"{prefix} {some(of)}{when}: {escape(first.removesuffix('.') + '.' if more else first)}{more}"


def _why(plan: Mapping[str, Any]) -> Iterator[RenderableType]:
    entries = [item for day in plan["days"] for item in day["symbols"].items() if item[1]["can_proceed"]]
    if not entries:
        return
    symbol, entry = entries[0]
    reasons: dict[str, list[str]] = {}
    for edge in entry["why"]:
        reasons.setdefault(edge["need"], []).append(edge["because"])
    table = make_table(f"Why, for example {escape(symbol)}", "need", "because")
    for need, because in reasons.items():
        table.add_row(f"[cyan]{escape(need)}[/]", escape("; ".join(because)))
    yield table
