"""Terminal view of a session's provisioning, refusals and warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import clock, make_table, some

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from rich.table import Table

    from openbell.model.events import ProvisioningRecord
    from openbell.results.result import DayResult

__all__ = ["count_refusals", "count_warnings", "provisioning_table", "refusals", "refusals_of", "warnings"]

_MOST_LINES = 6
_ADDITIONS = ("symbol", "bar", "indicator")
_LOCKS_OF_POSITIONS = ("portfolio", ("lock", "unlock"))
"""Source and operations of locks that come and go with positions, and so are not shown beside fills."""


def provisioning_table(day: DayResult, label: str = "", like: DayResult | None = None) -> Table:
    """Return a table of a session's additions and removals with their outcomes.

    Equal additions of several symbols at one time share a row. Rows that the session ``like`` has too, apart from their
    durations, are left out.
    """
    columns = ("time", "asked by", "addition", "intervals", "symbols", "ms >", "outcome")
    known = {_without_ms(row) for row in _additions(like.provisioning)} if like else set()
    rows = [row for row in _additions(day.provisioning) if _without_ms(row) not in known]
    other = f", other than on {like.date}" if like else ""
    table = make_table(f"Provisioning for {day.date}{other}{label}", *columns)
    for row in rows:
        table.add_row(*row)
    return table


def _without_ms(row: tuple[str, ...]) -> tuple[str, ...]:
    return (*row[:-2], row[-1])


class _Row(NamedTuple):
    """Properties that records of one row share."""

    time: datetime
    source: str
    operation: str
    intervals: tuple[str, ...]
    symbols: tuple[str, ...]
    ok: bool
    was_there: bool


def _additions(records: Sequence[ProvisioningRecord]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each row, with one row for all indicators that the same symbols got at a time."""
    rows: dict[_Row, tuple[list[str], float]] = {}
    source, operations = _LOCKS_OF_POSITIONS
    shown = [record for record in records if record.source != source or record.operation_type not in operations]
    for group in _equal(shown):
        first = group[0]
        was_there = first.ok and not any(r.steps for r in group) and first.operation_type in _ADDITIONS
        symbols = tuple(record.symbol for record in group)
        row = _Row(
            first.time, first.source, first.operation_type, first.required_intervals, symbols, first.ok, was_there
        )
        names, ms = rows.setdefault(row, ([], 0.0))
        names.append(first.reason.partition(":")[0] if first.operation_type == "indicator" else "")
        rows[row] = (names, ms + sum(step.ms for record in group for step in record.steps))
    for row, (names, ms) in rows.items():
        yield (
            clock(row.time),
            escape(row.source),
            escape(" ".join([row.operation, *dict.fromkeys(filter(None, names))])),
            " ".join(row.intervals),
            some(row.symbols),
            f"{ms:.1f}",
            "[red]refused[/]" if not row.ok else "was there" if row.was_there else "[green]done[/]",
        )


def _equal(records: Sequence[ProvisioningRecord]) -> list[list[ProvisioningRecord]]:
    """Group the records that differ only in symbol, owner and durations."""
    groups: dict[tuple[object, ...], list[ProvisioningRecord]] = {}
    for r in records:
        key = (r.time_ns, r.source, r.operation_type, r.required_intervals, r.ok, r.reason)
        groups.setdefault(key, []).append(r)
    return list(groups.values())


def count_refusals(day: DayResult) -> int:
    """Return the number of refused requests of scanners and strategies."""
    return sum(1 for _ in _refused(day.provisioning))


def _refused(records: Sequence[ProvisioningRecord]) -> Iterator[ProvisioningRecord]:
    """Iterate over the records of refusals, except for the config's symbols, which are shown as dropped."""
    return (record for record in records if not record.ok and record.source != "config")


def refusals(day: DayResult, like: DayResult | None = None) -> list[str]:
    """Return a line for each reason of refusals, with symbols, operation and owner.

    Lines that the session ``like`` has too are only counted.
    """
    known = set(_refusal_lines(like.provisioning)) if like else set()
    return _new(_refusal_lines(day.provisioning), known, "[red]refused[/]", "refusals", like)


def refusals_of(records: Sequence[ProvisioningRecord]) -> list[str]:
    """Return a line for each reason of refusals among the records of a session that did not end."""
    return _new(_refusal_lines(records), set(), "[red]refused[/]", "refusals", None)


def _refusal_lines(all_records: Sequence[ProvisioningRecord]) -> list[str]:
    alike: dict[tuple[str, str, str], list[ProvisioningRecord]] = {}
    for record in _refused(all_records):
        # Reasons that differ only in the symbol's name count as one.
        common = " ".join(record.errors).replace(record.symbol, "\0")
        alike.setdefault((record.owner, record.operation_type, common), []).append(record)
    return [_refusal(records) for records in alike.values()]


def _refusal(records: Sequence[ProvisioningRecord]) -> str:
    first = records[0]
    symbols = some(list(dict.fromkeys(record.symbol for record in records)))
    asked = first.operation_type
    if asked == "indicator":
        asked = f"indicator {first.reason.partition(':')[0]}".rstrip()
    who = escape(f"{asked} for {first.owner} at {clock(first.time)}: {' '.join(first.errors)}")
    return f"[red]refused[/] {symbols}: {who}"


def count_warnings(day: DayResult) -> int:
    """Return the number of distinct warnings."""
    return len(_warned(day))


def warnings(day: DayResult, like: DayResult | None = None) -> list[str]:
    """Return a line for each warning, and the number of those that the session ``like`` has too."""
    known = set(_warning_lines(like)) if like else set()
    return _new(_warning_lines(day), known, "[yellow]warning[/]", "warnings", like)


def _warning_lines(day: DayResult) -> list[str]:
    return [f"[yellow]warning[/] {some(symbols)}: {escape(text)}" for text, symbols in _warned(day).items()]


def _warned(day: DayResult) -> dict[str, list[str]]:
    """Return the symbols of each warning, by its text."""
    found: dict[str, list[str]] = {}
    for record in day.provisioning:
        for text in record.warnings if record.ok else ():
            symbols = found.setdefault(text, [])
            if record.symbol not in symbols:
                symbols.append(record.symbol)
    return found


def _new(lines: list[str], known: set[str], label: str, kind: str, like: DayResult | None) -> list[str]:
    """Return the first new lines, and lines that count the others and the known ones."""
    new = [line for line in lines if line not in known]
    shown = new[:_MOST_LINES]
    if len(new) > len(shown):
        shown.append(f"        and {len(new) - len(shown)} more {kind}, in journal.jsonl")
    if like and len(new) < len(lines):
        shown.append(f"{label} {len(lines) - len(new)} as on {like.date}")
    return shown
