"""Page that explains why a symbol is in a session or missing."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.responses import RedirectResponse

from openbell.engine.run_data import store_path
from openbell.errors import OpenbellError, printable
from openbell.results.folder.event_files import event_lines
from openbell.store.store import BarStore
from openbell.view.addresses import day_of, query
from openbell.view.day_events import day_journal
from openbell.view.requirements_graph import brought_by, clock_of, requirements_graph
from openbell.view.responses import page
from openbell.view.symbol_facts import symbol_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from markupsafe import Markup
    from starlette.responses import Response

    from openbell.config import SessionConfig
    from openbell.model.json_object import JsonObject
    from openbell.view.run_catalogue import Catalogue, KnownRun

__all__ = ["why_page"]

_MOST_ROWS = 1000
_MOST_DAYS = 30


class _Row(NamedTuple):
    """A record of the journal as the table shows it."""

    id: str
    day: str
    time: str
    operation: str
    symbol: str
    owner: str
    intervals: str
    outcome: str
    look: str
    reason: str
    ms: float
    steps: list[tuple[str, str]]


def why_page(
    catalogue: Catalogue, run: KnownRun, asked: str, day_text: str, store: str | None, of: str = ""
) -> Response:
    """Return the page of a symbol, or of a session's journal if no symbol is named.

    Args:
        catalogue: The runs.
        run: The run.
        asked: The symbol; empty for none.
        day_text: The session as ISO text; empty for the last session with records of the symbol.
        store: The store, if it is not that of the config.
        of: An interval or the key of an indicator, whose addition the page is opened at; empty for none.

    Raises:
        ConfigError: The config of the run cannot be read, or the day is invalid.
    """
    read = catalogue.read(run)
    config, time_manager = read.calendar()
    symbol = _written_symbol(asked.strip(), config)
    records = list(_records_of(run.folder, symbol)) if symbol else []
    days = sorted({time_manager.day_of(_ns(record)) for record in records})
    held = days or read.stored.days
    day = day_of(day_text) if day_text else held[-1] if held else None
    if symbol:
        shown = [record for record in records if day is None or time_manager.day_of(_ns(record)) == day]
    else:
        shown = [] if day is None else day_journal(run.folder, time_manager, day)

    def drawn(day: date) -> Markup:
        facts = symbol_facts(run.folder, read.summary, day, symbol)
        expected = {one.interval: len(time_manager.expected_bar_times(one.interval, day)[0]) for one in facts[0]}
        return requirements_graph(symbol, shown, facts, expected, f"{address}/session/{day}")

    address = f"/run/{run.id}"
    if of and (place := brought_by(of, shown)):
        return RedirectResponse(f"{address}/why?{query(symbol=printable(symbol), day=day)}{place}", status_code=303)
    rows = [_row(n, record) for n, record in enumerate(shown[:_MOST_ROWS])]
    values: dict[str, Any] = {
        "symbol": symbol,
        "day": "" if day is None else day.isoformat(),
        "address": address,
        "answer": _answer(symbol, shown, records, config, store) if symbol else "",
        "is_missing": bool(symbol) and not any(record["ok"] for record in shown),
        "graph": "" if day is None or not symbol or not shown else drawn(day),
        "rows": rows,
        "left": max(len(shown) - _MOST_ROWS, 0),
        "days": [
            (one.isoformat(), f"{address}/why?{query(symbol=symbol, day=one)}")
            for one in (days if symbol else read.stored.days)[-_MOST_DAYS:]
        ],
        "session": f"{address}/session/{day}?{query(symbol=symbol)}" if day else "",
        "zone": str(read.zone),
    }
    crumbs = (("Runs", "/"), (run.name, address), (f"Why {symbol}" if symbol else "Journal", None))
    return page("view_why.html", values, crumbs=crumbs)


def _written_symbol(shown: str, config: SessionConfig) -> str:
    names = config.session_data_config.symbols
    found = next((name for name in names if shown in (name, printable(name))), None)
    return found or next((name for name in names if name.lower() == shown.lower()), shown)


def _records_of(folder: Path, symbol: str) -> Iterable[JsonObject]:
    pattern = re.compile(re.escape(json.dumps(symbol)))
    file = folder / "journal.jsonl"
    if file.is_file():
        for line in event_lines(file, pattern):
            # Without a record for each symbol of the line, which in a large session has hundreds.
            if symbol in line.get("symbols", ()):
                yield {**{name: value for name, value in line.items() if name != "symbols"}, "symbol": symbol}
            elif line.get("symbol") == symbol:
                yield line


def _ns(record: JsonObject) -> int:
    return int(datetime.fromisoformat(record["time"]).timestamp()) * 1_000_000_000


def _answer(
    symbol: str, shown: Sequence[JsonObject], records: Sequence[JsonObject], config: SessionConfig, store: str | None
) -> str:
    """Return a sentence that says why a symbol is in the session, or why it is not."""
    added = next((one for one in shown if one["ok"] and one["operation_type"] not in ("remove", "unlock")), None)
    if added is not None:
        removed = [one for one in shown if one["ok"] and one["operation_type"] == "remove"]
        why = "" if added["source"] == "config" else f" ({added['reason']})"
        since = "was there from" if removed else "is there since"
        text = f"{symbol} {since} {clock_of(added)}: {added['owner']} asked for it{why}."
        return text + (f" {removed[-1]['owner']} removed it at {clock_of(removed[-1])}." if removed else "")
    refused = next((one for one in shown if not one["ok"] and one["errors"]), None)
    if refused is not None:
        return (
            f"{symbol} is missing because what {refused['owner']} asked for at {clock_of(refused)} was refused: "
            f"{' '.join(map(str, refused['errors']))}"
        )
    elsewhere = " in this session; other sessions have it" if records else " in this run"
    return f"{symbol} is missing because nobody asked for it{elsewhere}: {_not_asked(symbol, config, store)}"


def _not_asked(symbol: str, config: SessionConfig, store: str | None) -> str:
    what = "it is not a symbol of the config, and no scanner or strategy added it."
    if store is None and config.store is None:
        return what
    try:
        held = BarStore.open(store_path(config, store)).coverage([symbol])
    except OpenbellError as error:
        return f"{what} Whether its store has bars of it is not known: {error}"
    if not held:
        return f"{what} Its store has no bars of it either."
    spans = ", ".join(f"{one.interval} from {one.first:%Y-%m-%d} to {one.last:%Y-%m-%d}" for one in held)
    return f"{what} Its store has bars of it: {spans}."


def _row(number: int, record: JsonObject) -> _Row:
    time = datetime.fromisoformat(record["time"])
    steps = [(str(step["name"]), f"{step['ms']:,.3f}") for step in record["steps"]]
    refused, pending = not record["ok"] and record["errors"], not record["ok"] and not record["errors"]
    outcome = " ".join(map(str, record["errors"])) if refused else "is on its way" if pending else "done"
    if record["warnings"]:
        outcome += f": {'; '.join(map(str, record['warnings']))}"
    return _Row(
        f"record-{number}", f"{time:%Y-%m-%d}", f"{time:%H:%M:%S}", record["operation_type"], record["symbol"],
        record["owner"], ", ".join(record["required_intervals"]), outcome, "bad" if refused else "",
        record["reason"], sum(step["ms"] for step in record["steps"]), steps,
    )  # fmt: skip
