"""What plans and runs look like to a person: tables for rich."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

__all__ = ["plan_views", "provisioning_table", "session_views"]

_MOST_SIGNALS = 10
_MOST_GAPS = 3


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        name, _, right = column.partition(">")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    return table


def plan_views(plan: Mapping[str, Any]) -> Iterator[RenderableType]:
    """The plan: a table per day, and the requirement graph of the first symbol that can be had."""
    for day in plan["days"]:
        table = _table(f"Plan for {day['date']}", "symbol", "ok", "base", "intervals", "history", "rows>", "steps>")
        for symbol, entry in day["symbols"].items():
            table.add_row(
                symbol,
                _ok(entry["can_proceed"]),
                entry["base_interval"] or "",
                " ".join(entry["required_intervals"]),
                _history(entry),
                f"{entry['rows']:,}",
                str(len(entry["steps"])),
            )
        table.caption = f"{day['rows']:,} rows would be read"
        table.caption_justify = "left"
        yield table
        for symbol, entry in day["symbols"].items():
            for error in entry["errors"]:
                yield f"[red]{symbol}[/]: {_escaped(error)}"
            for warning in entry["warnings"]:
                yield f"[yellow]{symbol}[/]: {_escaped(warning)}"
    yield from _why(plan)


def _history(entry: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{h['bars']:,} x {interval} from {h['first_date']}" for interval, h in entry["historical"].items() if h["bars"]
    )


def _why(plan: Mapping[str, Any]) -> Iterator[RenderableType]:
    for day in plan["days"]:
        for symbol, entry in day["symbols"].items():
            if entry["can_proceed"]:
                tree = Tree(f"[bold]Why[/] (for example {symbol} on {day['date']})")
                reasons: dict[str, list[str]] = {}
                for edge in entry["why"]:
                    reasons.setdefault(edge["need"], []).append(edge["because"])
                for need, because in reasons.items():
                    branch = tree.add(f"[cyan]{_escaped(need)}[/]")
                    for reason in because:
                        branch.add(_escaped(reason))
                yield tree
                return


def provisioning_table(day: Mapping[str, Any]) -> Table:
    """What was asked for in a session, and what came of it; equal additions at one time are counted in one row."""
    table = _table(
        f"Provisioning on {day['date']}", "time", "source", "operation", "symbol", "intervals", "ms>", "ok", "because"
    )
    for record in day["provisioning"]:
        because = "; ".join(record["errors"]) or record["reason"]
        table.add_row(
            record["time"][11:19],
            record["source"],
            record["operation_type"],
            record["symbol"],
            " ".join(record["required_intervals"]),
            f"{sum(step['ms'] for step in record['steps']):.1f}",
            _ok(record["ok"]),
            _escaped(because),
        )
    return table


def session_views(day: Mapping[str, Any]) -> Iterator[RenderableType]:
    """One session: its symbols with bars, quality and indicators, what was dropped, gaps and signals."""
    table = _table(
        f"Session {day['date']}  {day['open'][11:16]} to {day['close'][11:16]}",
        "symbol", "added by", "kind", "interval", "history>", "today>", "quality>", "indicators",
    )  # fmt: skip
    for symbol, entry in day["symbols"].items():
        for row, (interval, bars) in enumerate(entry["bars"].items()):
            table.add_row(
                symbol if row == 0 else "",
                entry["metadata"]["added_by"] if row == 0 else "",
                _kind(entry["metadata"]) if row == 0 else "",
                interval + (f" from {bars['base']}" if bars["derived"] else ""),
                f"{bars['historical_rows']:,}",
                f"{bars['session_rows']:,}",
                "-" if bars["quality"] is None else f"{bars['quality']:.2f} %",
                _indicators(entry["indicators"], interval),
            )
    yield table
    for symbol, errors in day["dropped"].items():
        yield f"[red]dropped[/] {symbol}: {_escaped(' '.join(errors))}"
    yield from _gaps(day)
    yield from _signals(day["signals"])
    yield f"{day['bars_streamed']:,} bars streamed, {day['callbacks']:,} callbacks, {len(day['signals']):,} signals"


def _kind(metadata: Mapping[str, Any]) -> str:
    if not metadata["meets_session_config_requirements"]:
        return "ad hoc"
    return "full, upgraded" if metadata["upgraded_from_adhoc"] else "full"


def _indicators(indicators: Mapping[str, Any], interval: str) -> str:
    told = []
    for key, entry in indicators.items():
        if entry["interval"] == interval:
            state = "" if entry["settled"] else " (not settled)" if entry["valid"] else " (not valid)"
            told.append(f"{key}={_number(entry['value'])}{state}")
    return _escaped(" ".join(told))


def _number(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} {_number(v)}" for name, v in value.items()) + "}"
    return "none" if value is None else f"{value:.6g}"


def _gaps(day: Mapping[str, Any]) -> Iterator[str]:
    for symbol, entry in day["symbols"].items():
        base = entry["bars"].get(entry["base_interval"], {"gaps": []})
        for gap in base["gaps"][:_MOST_GAPS]:
            bars = "bar" if gap["missing"] == 1 else "bars"
            start, end = gap["start"][:16].replace("T", " "), gap["end"][11:16]
            yield f"[yellow]gap[/] {symbol} {entry['base_interval']}: {gap['missing']} {bars} missing, {start} to {end}"
        if len(base["gaps"]) > _MOST_GAPS:
            yield f"[yellow]gap[/] {symbol}: {len(base['gaps']) - _MOST_GAPS} more, see summary.json"


def _signals(signals: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    if not signals:
        return
    table = _table("Signals", "time", "symbol", "action", "because")
    for signal in signals[:_MOST_SIGNALS]:
        table.add_row(signal["time"][11:19], signal["symbol"], signal["action"], _escaped(signal["reason"]))
    if len(signals) > _MOST_SIGNALS:
        actions = Counter(signal["action"] for signal in signals)
        table.caption = f"{len(signals)} in all: " + ", ".join(f"{n} {action}" for action, n in actions.items())
        table.caption_justify = "left"
    yield table


def _ok(ok: bool) -> str:
    return "[green]yes[/]" if ok else "[red]no[/]"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
