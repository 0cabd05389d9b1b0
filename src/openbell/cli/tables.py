"""What plans and runs look like to a person: short tables, one row per symbol or kind of addition, and lines."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich import box
from rich.markup import escape
from rich.table import Table

from openbell.cli.adjustments import adjusted_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

__all__ = ["label_of", "plan_views", "provisioning_table", "run_views", "session_views"]

_MOST_SESSIONS_IN_FULL = 5
_MOST_SYMBOLS_OF_A_ROW = 4
_FIRST_SYMBOLS_OF_MANY = 2
_MOST_SIGNALS = 3
_MOST_GAPS = 3


def label_of(report: Mapping[str, Any]) -> str:
    """The label of the store that a plan or a summary is about, as the end of a title; empty when it has none."""
    label = report.get("store_label")
    return f" [bold magenta]({escape(label)})[/]" if label else ""


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
    table = _table(
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
    problems: dict[str, str] = {}
    for day in days:
        for symbol, entry in day["symbols"].items():
            for text, color in [*((e, "red") for e in entry["errors"]), *((w, "yellow") for w in entry["warnings"])]:
                problems.setdefault(_told(color, symbol, text), day["date"])
    yield from problems
    yield from dict.fromkeys(line for day in days for item in day["symbols"].items() for line in adjusted_lines(*item))
    yield ""


def _bars_of(entry: Mapping[str, Any], interval: str) -> str:
    found = entry["historical"].get(interval)
    return f"{found['bars']:,}" if found else ""


def _other_days(days: Sequence[Mapping[str, Any]]) -> str:
    if not days:
        return ""
    named = ", ".join(day["date"] for day in days) if len(days) <= 4 else f"to {days[-1]['date']}"
    return f"; the same for {len(days)} more session{'s' if len(days) > 1 else ''} ({named})"


def _why(plan: Mapping[str, Any]) -> Iterator[RenderableType]:
    entries = [item for day in plan["days"] for item in day["symbols"].items() if item[1]["can_proceed"]]
    if not entries:
        return
    symbol, entry = entries[0]
    reasons: dict[str, list[str]] = {}
    for edge in entry["why"]:
        reasons.setdefault(edge["need"], []).append(edge["because"])
    table = _table(f"Why, for example {escape(symbol)}", "need", "because")
    for need, because in reasons.items():
        table.add_row(f"[cyan]{escape(need)}[/]", escape("; ".join(because)))
    yield table


def run_views(summary: Mapping[str, Any]) -> Iterator[RenderableType]:
    """A run: each of its sessions, or one row for each when they are many and only the last in full."""
    label, days = label_of(summary), summary["days"]
    if len(days) > _MOST_SESSIONS_IN_FULL:
        yield _overview(days, label)
        yield ""
        days = days[-1:]
    first = days[0] if days else None
    for day in days:
        provisioning = provisioning_table(day, label, None if day is first else first)
        if provisioning.row_count:
            yield provisioning
            yield ""
        yield from session_views(day, label, None if day is first else first)
        yield ""


def _overview(days: Sequence[Mapping[str, Any]], label: str) -> Table:
    table = _table(
        f"{len(days)} sessions{label}",
        "session", "hours", "symbols >", "dropped", "lowest quality >", "bars >", "callbacks >", "signals >",
    )  # fmt: skip
    for day in days:
        scores = [(_base_bars(entry)["quality"], symbol) for symbol, entry in day["symbols"].items()]
        worst = min(((score, symbol) for score, symbol in scores if score is not None), default=None)
        table.add_row(
            day["date"],
            f"{day['open'][11:16]}-{day['close'][11:16]}",
            str(len(day["symbols"])),
            escape(" ".join(day["dropped"])),
            f"{escape(worst[1])} {_percent(worst[0])}" if worst else "-",
            f"{day['bars_streamed']:,}",
            f"{day['callbacks']:,}",
            str(len(day["signals"])),
        )
    return table


def provisioning_table(day: Mapping[str, Any], label: str = "", like: Mapping[str, Any] | None = None) -> Table:
    """What was asked for in a session, and what came of it; equal additions at one time share a row.

    Rows that are the same in the session ``like``, but for how long they took, are left out.
    """
    columns = ("time", "asked by", "addition", "intervals", "symbols", "ms >", "outcome")
    known = {_but_ms(row) for row in _additions(like["provisioning"])} if like else set()
    rows = [row for row in _additions(day["provisioning"]) if _but_ms(row) not in known]
    other = f", other than on {like['date']}" if like else ""
    table = _table(f"Provisioning for {day['date']}{other}{label}", *columns)
    for row in rows:
        table.add_row(*row)
    return table


def _but_ms(row: tuple[str, ...]) -> tuple[str, ...]:
    return (*row[:-2], row[-1])


def _additions(records: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Rows of equal records; indicators that the same symbols got at the same time are told together."""
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for record in records:
        kind = (record["time"], record["source"], record["operation_type"], tuple(record["required_intervals"]))
        alike.setdefault((*kind, record["ok"], record["reason"]), []).append(record)
    rows: dict[tuple[Any, ...], tuple[list[str], float]] = {}
    for (time, source, operation, intervals, ok, reason), group in alike.items():
        symbols = tuple(record["symbol"] for record in group)
        idle = ok and not any(record["steps"] for record in group) and operation in ("symbol", "bar", "indicator")
        what, ms = rows.setdefault((time, source, operation, intervals, symbols, ok, idle), ([], 0.0))
        what.append(reason.partition(":")[0] if operation == "indicator" else "")
        ms += sum(step["ms"] for record in group for step in record["steps"])
        rows[time, source, operation, intervals, symbols, ok, idle] = (what, ms)
    for (time, source, operation, intervals, symbols, ok, idle), (what, ms) in rows.items():
        yield (
            time[11:16] if time[17:19] == "00" else time[11:19],
            escape(source),
            escape(" ".join([operation, *dict.fromkeys(filter(None, what))])),
            " ".join(intervals),
            _some(symbols),
            f"{ms:.1f}",
            "[red]refused[/]" if not ok else "was there" if idle else "[green]done[/]",
        )


def session_views(
    day: Mapping[str, Any], label: str = "", like: Mapping[str, Any] | None = None
) -> Iterator[RenderableType]:
    """One session: a row per symbol, then what was dropped, what is missing, what scanners found, and signals.

    Reasons that are the same as in the session ``like`` are not told again.
    """
    table = _table(
        f"Session {day['date']}, {day['open'][11:16]} to {day['close'][11:16]}{label}",
        "symbol", "added by", "bars of history + today", "quality >", "indicators",
    )  # fmt: skip
    for symbol, entry in day["symbols"].items():
        table.add_row(
            escape(symbol),
            _added_by(entry["metadata"]),
            " ".join(f"{name} {b['historical_rows']:,}+{b['session_rows']:,}" for name, b in entry["bars"].items()),
            _percent(_base_bars(entry)["quality"]),
            _indicators(entry["indicators"]),
        )
    yield table
    for symbol, errors in day["dropped"].items():
        known = like is not None and like["dropped"].get(symbol) == errors
        reason = f"as on {like['date']}" if like is not None and known else " ".join(errors)
        yield f"[red]dropped[/] {escape(symbol)}: {escape(reason)}"
    for symbol, entry in day["symbols"].items():
        yield from adjusted_lines(symbol, entry)
        yield from _missing(symbol, entry, day["date"])
    for scan in day["scans"]:
        if scan["symbols"]:
            yield f"[cyan]found[/]   {escape(scan['scanner'])} at {scan['time'][11:16]}: {_some(scan['symbols'])}"
    yield from _signals(day["signals"])
    yield f"[dim]{day['bars_streamed']:,} bars streamed, strategies called {day['callbacks']:,} times[/]"


def _added_by(metadata: Mapping[str, Any]) -> str:
    if not metadata["meets_session_config_requirements"]:
        return f"{escape(metadata['added_by'])}, ad hoc"
    return escape(metadata["added_by"]) + (", upgraded" if metadata["upgraded_from_adhoc"] else "")


def _indicators(indicators: Mapping[str, Any]) -> str:
    states = Counter(
        "settled" if entry["settled"] else "valid" if entry["valid"] else "not valid" for entry in indicators.values()
    )
    return ", ".join(f"{states[state]} {state}" for state in ("settled", "valid", "not valid") if states[state])


def _missing(symbol: str, entry: Mapping[str, Any], date: str) -> Iterator[str]:
    """One line for what a symbol lacks of its base interval: today's gaps by time, those of history by number."""
    gaps = _base_bars(entry)["gaps"]
    today = [gap for gap in gaps if gap["start"][:10] == date]
    before = sum(gap["missing"] for gap in gaps) - sum(gap["missing"] for gap in today)
    told = [f"{gap['missing']} from {gap['start'][11:16]} to {gap['end'][11:16]}" for gap in today[:_MOST_GAPS]]
    if len(today) > _MOST_GAPS:
        told.append(f"{sum(gap['missing'] for gap in today[_MOST_GAPS:])} more today")
    if before:
        told.append(f"{before} in its history")
    if told:
        yield f"[yellow]missing[/] {escape(symbol)} {entry['base_interval']} bars: {', '.join(told)}"


def _signals(signals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not signals:
        return
    actions = Counter(signal["action"] for signal in signals)
    yield f"[green]signals[/] {len(signals)}: " + ", ".join(f"{n} {escape(action)}" for action, n in actions.items())
    for signal in signals[:_MOST_SIGNALS]:
        yield f"        {signal['time'][11:16]} " + escape(f"{signal['symbol']} {signal['action']} {signal['reason']}")
    if len(signals) > _MOST_SIGNALS:
        yield f"        and {len(signals) - _MOST_SIGNALS} more, in signals.parquet"


def _base_bars(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    nothing = {"quality": None, "gaps": ()}
    found: Mapping[str, Any] = entry["bars"].get(entry["base_interval"], nothing)
    return found


def _percent(quality: float | None) -> str:
    return "-" if quality is None else f"{quality:.2f}%"


def _some(symbols: Sequence[str]) -> str:
    """The symbols, or the first of many and their number."""
    if len(symbols) <= _MOST_SYMBOLS_OF_A_ROW:
        return escape(" ".join(symbols))
    first = escape(" ".join(symbols[:_FIRST_SYMBOLS_OF_MANY]))
    return f"{first} and {len(symbols) - _FIRST_SYMBOLS_OF_MANY} more"


def _told(color: str, symbol: str, text: str) -> str:
    return f"[{color}]{escape(symbol)}[/]: {escape(text)}"


def _table(title: str, *columns: str) -> Table:
    """A table; a column whose name ends in " >" is flushed right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.pad_edge = table.show_edge = False
    table.collapse_padding = True
    for column in columns:
        name = column.removesuffix(" >")
        table.add_column(name, justify="left" if name == column else "right", overflow="fold")
    return table
