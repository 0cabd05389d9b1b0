"""What provisioning looks like to a person: a row per kind of addition, then what was refused, and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from openbell.cli.tables import make_table, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table

__all__ = ["count_refusals", "count_warnings", "provisioning_table", "refusals", "warnings"]

_MOST_LINES = 6


def provisioning_table(day: Mapping[str, Any], label: str = "", like: Mapping[str, Any] | None = None) -> Table:
    """What was asked for in a session, and what came of it; equal additions at one time share a row.

    Rows that are the same in the session ``like``, but for how long they took, are left out.
    """
    columns = ("time", "asked by", "addition", "intervals", "symbols", "ms >", "outcome")
    known = {_but_ms(row) for row in _additions(like["provisioning"])} if like else set()
    rows = [row for row in _additions(day["provisioning"]) if _but_ms(row) not in known]
    other = f", other than on {like['date']}" if like else ""
    table = make_table(f"Provisioning for {day['date']}{other}{label}", *columns)
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
            _clock(time),
            escape(source),
            escape(" ".join([operation, *dict.fromkeys(filter(None, what))])),
            " ".join(intervals),
            some(symbols),
            f"{ms:.1f}",
            "[red]refused[/]" if not ok else "was there" if idle else "[green]done[/]",
        )


def _clock(time: str) -> str:
    return time[11:16] if time[17:19] == "00" else time[11:19]


def count_refusals(day: Mapping[str, Any]) -> int:
    """How often scanners and strategies were refused something."""
    return sum(1 for _ in _refused(day))


def _refused(day: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The records of refusals; what the config asks for in vain is told as dropped."""
    return (record for record in day["provisioning"] if not record["ok"] and record["source"] != "config")


def refusals(day: Mapping[str, Any]) -> list[str]:
    """A line for each reason for which scanners and strategies were refused something, with who asked for what."""
    alike: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for record in _refused(day):
        # The same reason may name the symbol that it is said of.
        common = " ".join(record["errors"]).replace(record["symbol"], "\0")
        alike.setdefault((record["owner"], record["operation_type"], common), []).append(record)
    lines = []
    for (owner, operation, _), records in alike.items():
        first = records[0]
        symbols = list(dict.fromkeys(record["symbol"] for record in records))
        what = first["reason"].partition(":")[0] if operation == "indicator" else ""
        asked = " ".join(filter(None, [operation, what]))
        lines.append(
            f"[red]refused[/] {some(symbols)}: {escape(asked)} for {escape(owner)} at {_clock(first['time'])}: "
            + escape(" ".join(first["errors"]))
        )
    return _first(lines, "refusals")


def count_warnings(day: Mapping[str, Any]) -> int:
    """How many different warnings there are."""
    return len(_warned(day))


def warnings(day: Mapping[str, Any], like: Mapping[str, Any] | None = None) -> list[str]:
    """A line for each warning, with its symbols; those of the session ``like`` are counted, and not told again."""
    known = _warned(like) if like else {}
    found = _warned(day)
    new = {text: symbols for text, symbols in found.items() if known.get(text) != symbols}
    lines = [f"[yellow]warning[/] {some(symbols)}: {escape(text)}" for text, symbols in new.items()]
    lines = _first(lines, "warnings")
    if like and len(new) < len(found):
        lines.append(f"[yellow]warnings[/] {len(found) - len(new)} as on {like['date']}")
    return lines


def _warned(day: Mapping[str, Any]) -> dict[str, list[str]]:
    """The symbols of each warning."""
    found: dict[str, list[str]] = {}
    for record in day["provisioning"]:
        for text in record["warnings"] if record["ok"] else ():
            symbols = found.setdefault(text, [])
            if record["symbol"] not in symbols:
                symbols.append(record["symbol"])
    return found


def _first(lines: list[str], what: str) -> list[str]:
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[:_MOST_LINES], f"        and {len(lines) - _MOST_LINES} more {what}, in journal.jsonl"]
