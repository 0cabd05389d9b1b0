"""Events of a session, from the files of its run."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from openbell.errors import printable
from openbell.results.folder.event_files import event_lines
from openbell.results.folder.journal_lines import opened_lines
from openbell.results.number_text import price, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from pathlib import Path

    from openbell.model.json_object import JsonObject
    from openbell.results.folder.run_tables import RunTables
    from openbell.timing import TimeManager

__all__ = ["DayEvent", "day_events", "day_journal"]

_MOST = 3000
_MOST_NAMES = 8
_DONE = {
    "symbol": "added",
    "bar": "added",
    "indicator": "added",
    "remove": "removed",
    "lock": "locked",
    "unlock": "unlocked",
}
_WHAT = {"symbol": "", "bar": "bars of ", "indicator": "indicators of "}


class DayEvent(NamedTuple):
    """An event of a session.

    Attributes:
        seconds: When it happened, in seconds since 1970 UTC.
        kind: "added", "removed", "locked", "unlocked", "refused", "scan", "signal", "bought", "sold" or "rejected".
        text: What happened, in words.
        symbols: The symbols of the event.
    """

    seconds: int
    kind: str
    text: str
    symbols: tuple[str, ...]


def day_journal(folder: Path, time_manager: TimeManager, day: date) -> list[JsonObject]:
    """Return the records of a session's journal, one per symbol.

    Raises:
        OSError: The journal cannot be read.
        ValueError: A line of it is not JSON.
    """
    return [record for line in _lines(folder / "journal.jsonl", time_manager, day) for record in opened_lines([line])]


def _lines(file: Path, time_manager: TimeManager, day: date) -> Iterator[JsonObject]:
    """Iterate over the lines of a session, without parsing those of other days."""
    session = time_manager.session(day)
    first, last = (datetime.fromtimestamp(ns // 10**9, UTC) for ns in (session.first_ns, session.last_ns))
    zone = time_manager.timezone
    days = {first.astimezone(zone).date() + timedelta(days=n) for n in range(-1, 3)}
    pattern = re.compile("|".join(f'"time": "{one}' for one in sorted(days)))
    if not file.is_file():
        return
    for line in event_lines(file, pattern):
        if first <= datetime.fromisoformat(line["time"]) <= last:
            yield line


def day_events(
    folder: Path, time_manager: TimeManager, tables: RunTables, day: date
) -> tuple[list[DayEvent], list[str]]:
    """Return the events of a session in order, and texts on why some may be missing."""
    found: list[DayEvent] = []
    problems: list[str] = []
    try:
        found += _of_journal(_lines(folder / "journal.jsonl", time_manager, day))
        found += _of_scans(_lines(folder / "scans.jsonl", time_manager, day))
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.append(f"The journal or the scans cannot be read: {error}")
    found += _of_signals(tables.signals.filter(pl.col("date") == day))
    if tables.fills is not None:
        found += _of_fills(tables.fills.filter(pl.col("date") == day), tables.orders)
    if tables.orders is not None:
        found += _of_rejected(tables.orders, time_manager, day)
    found.sort(key=lambda one: one.seconds)
    if len(found) > _MOST:
        problems.append(f"Of {len(found):,} events the first {_MOST:,} are here; the files of the run folder have all.")
    return found[:_MOST], problems


def _of_journal(lines: Iterable[JsonObject]) -> Iterator[DayEvent]:
    """Yield additions and removals, with one event for those that differ only in their symbols."""
    grouped: dict[tuple[str, str, str, bool, str], list[str]] = {}
    for line in lines:
        names = [str(name) for name in line["symbols"]] if "symbols" in line else [str(line["symbol"])]
        operation, done = str(line["operation_type"]), bool(line["ok"])
        why = " ".join(map(str, line["errors"])) if not done else str(line["reason"])
        grouped.setdefault((str(line["time"]), operation, str(line["owner"]), done, why), []).extend(names)
    for (time, operation, owner, done, why), names in grouped.items():
        kind = _DONE.get(operation, operation) if done else "refused"
        said = f"{_WHAT.get(operation, '')}{_listed(names)} for {owner}: {why}"
        yield DayEvent(_seconds(time), kind, printable(said), tuple(map(printable, names)))


def _of_scans(lines: Iterable[JsonObject]) -> Iterator[DayEvent]:
    for line in lines:
        names = [str(name) for name in line["symbols"]]
        text = f"{line['scanner']} found {_listed(names) if names else 'nothing'}"
        yield DayEvent(_seconds(line["time"]), "scan", printable(text), tuple(map(printable, names)))


def _of_signals(signals: pl.DataFrame) -> Iterator[DayEvent]:
    for row in signals.iter_rows(named=True):
        why = f": {row['reason']}" if row["reason"] else ""
        text = f"{row['action']} {row['symbol']} by {row['strategy']}{why}"
        yield DayEvent(int(row["time"].timestamp()), "signal", printable(text), (printable(row["symbol"]),))


def _of_fills(fills: pl.DataFrame, orders: pl.DataFrame | None) -> Iterator[DayEvent]:
    """Yield fills with the reasons of their orders, from the table of orders, and with their tags.

    The stop and the target of an entry have the same tag as the entry, so that only the reason tells them apart. The
    reason of an order that was not filled completely is left out, because it is that of its end.
    """
    reasons: dict[str, str | None] = {}
    if orders is not None and "reason" in orders.columns:
        reasons.update(orders.filter(pl.col("status") == "filled").select("id", "reason").iter_rows())
    for row in fills.iter_rows(named=True):
        kind = "bought" if row["quantity"] > 0 else "sold"
        text = f"{units(abs(row['quantity']))} {row['symbol']} at {price(row['price'])} by {row['strategy']}"
        reason, tag = reasons.get(row["order"]) or "", row["tag"]
        why = f"{': ' * bool(reason)}{reason}{f' ({tag})' if tag and tag != reason else ''}"
        yield DayEvent(int(row["time"].timestamp()), kind, printable(text + why), (printable(row["symbol"]),))


def _of_rejected(orders: pl.DataFrame, time_manager: TimeManager, day: date) -> Iterator[DayEvent]:
    session = time_manager.session(day)
    times = pl.col("updated").to_physical().is_between(session.first_ns, session.last_ns)
    for row in orders.filter((pl.col("status") == "rejected") & times).iter_rows(named=True):
        text = f"order of {units(row['quantity'])} {row['symbol']} by {row['strategy']}: {row.get('reason') or ''}"
        yield DayEvent(int(row["updated"].timestamp()), "rejected", printable(text), (printable(row["symbol"]),))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())
