"""What provisioning looks like to a person: a row per kind of addition, then what was refused, and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from openbell.cli.terminal.tables import make_table, some

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


def refusals(day: Mapping[str, Any], like: Mapping[str, Any] | None = None) -> list[str]:
    """A line for each reason for which scanners and strategies were refused something, with who asked for what.

    Those of the session ``like`` are counted, and not told again.
    """
    known = set(_refusal_lines(like)) if like else set()
    return _new(_refusal_lines(day), known, "[red]refused[/]", "refusals", like)


def _refusal_lines(day: Mapping[str, Any]) -> list[str]:
    alike: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for record in _refused(day):
        # The same reason may name the symbol that it is said of.
        common = " ".join(record["errors"]).replace(record["symbol"], "\0")
        alike.setdefault((record["owner"], record["operation_type"], common), []).append(record)
    return [_refusal(records) for records in alike.values()]


def _refusal(records: Sequence[Mapping[str, Any]]) -> str:
    first = records[0]
    symbols = some(list(dict.fromkeys(record["symbol"] for record in records)))
    asked = first["operation_type"]
    if asked == "indicator":
        asked = f"indicator {first['reason'].partition(':')[0]}".rstrip()
    who = escape(f"{asked} for {first['owner']} at {_clock(first['time'])}: {' '.join(first['errors'])}")
    return f"[red]refused[/] {symbols}: {who}"


def count_warnings(day: Mapping[str, Any]) -> int:
    """How many different warnings there are."""
    return len(_warned(day))


def warnings(day: Mapping[str, Any], like: Mapping[str, Any] | None = None) -> list[str]:
    """A line for each warning, with its symbols; those of the session ``like`` are counted, and not told again."""
    known = set(_warning_lines(like)) if like else set()
    return _new(_warning_lines(day), known, "[yellow]warning[/]", "warnings", like)


def _warning_lines(day: Mapping[str, Any]) -> list[str]:
    return [f"[yellow]warning[/] {some(symbols)}: {escape(text)}" for text, symbols in _warned(day).items()]


def _warned(day: Mapping[str, Any]) -> dict[str, list[str]]:
    """The symbols of each warning."""
    found: dict[str, list[str]] = {}
    for record in day["provisioning"]:
        for text in record["warnings"] if record["ok"] else ():
            symbols = found.setdefault(text, [])
            if record["symbol"] not in symbols:
                symbols.append(record["symbol"])
    return found


def _new(lines: list[str], known: set[str], label: str, what: str, like: Mapping[str, Any] | None) -> list[str]:
    """The lines that are not known, cut when they are many, and how many are known."""
    new = [line for line in lines if line not in known]
    told = new[:_MOST_LINES]
    if len(new) > len(told):
        told.append(f"        and {len(new) - len(told)} more {what}, in journal.jsonl")
    if like and len(new) < len(lines):
        told.append(f"{label} {len(lines) - len(new)} as on {like['date']}")
    return told
