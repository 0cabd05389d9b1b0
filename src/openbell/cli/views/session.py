"""What a session that is over looks like to a person: what was provisioned, a row per symbol, and lines."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from openbell.cli.terminal.tables import counted, make_table, percent, some
from openbell.cli.views.adjustments import adjusted_lines
from openbell.cli.views.provisioning import provisioning_table, refusals, warnings
from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

__all__ = ["base_bars", "hours", "session_views"]

_MOST_SIGNALS = 3
_MOST_GAPS = 3
_CLOCK = {True: slice(11, 16), False: slice(11, 19)}


def session_views(
    day: Mapping[str, Any], label: str = "", like: Mapping[str, Any] | None = None
) -> Iterator[RenderableType]:
    """One session: what was provisioned; a row per symbol; what was dropped, refused, is missing, found; signals.

    What is the same as in the session ``like`` is not told again.
    """
    provisioning = provisioning_table(day, label, like)
    if provisioning.row_count:
        yield provisioning
        yield ""
    table = make_table(
        f"Session {day['date']}, {hours(day)}{label}",
        "symbol", "added by", "bars of history + today", "quality >", "indicators",
    )  # fmt: skip
    for symbol, entry in day["symbols"].items():
        table.add_row(
            escape(symbol),
            _added_by(entry["metadata"]),
            " ".join(f"{name} {b['historical_rows']:,}+{b['session_rows']:,}" for name, b in entry["bars"].items()),
            percent(base_bars(entry)["quality"]),
            _indicators(entry["indicators"]),
        )
    yield table
    yield from _lines(day, like)
    yield ""


def _lines(day: Mapping[str, Any], like: Mapping[str, Any] | None) -> Iterator[str]:
    for symbol, errors in day["dropped"].items():
        known = like is not None and like["dropped"].get(symbol) == errors
        reason = f"as on {like['date']}" if like is not None and known else " ".join(errors)
        yield f"[red]dropped[/] {escape(symbol)}: {escape(reason)}"
    yield from refusals(day, like)
    yield from warnings(day, like)
    for symbol, entry in day["symbols"].items():
        yield from adjusted_lines(symbol, entry)
        yield from _missing(symbol, entry, day["first"])
        yield from _filled(symbol, entry)
    for scan in day["scans"]:
        if scan["symbols"]:
            yield f"[cyan]found[/]   {escape(scan['scanner'])} at {scan['time'][11:16]}: {some(scan['symbols'])}"
    yield from _signals(day["signals"])
    called = counted(day["callbacks"], "time")
    yield f"[dim]{counted(day['bars_streamed'], 'bar')} streamed, strategies called {called}[/]"


def hours(day: Mapping[str, Any]) -> str:
    """The regular hours of a session on the exchange's clock, and the extended ones where it has them.

    A close at midnight is at 24:00; an opening on the evening before is told with its date.
    """
    regular = _from_to(day["open"], day["close"], day["date"])
    if (day["first"], day["last"]) == (day["open"], day["close"]):
        return regular
    return f"{regular}, extended {_from_to(day['first'], day['last'], day['date'])}"


def _from_to(start: str, end: str, date: str) -> str:
    begin = start[11:16] if start[:10] == date else f"{start[11:16]} on {start[:10]}"
    if end[11:19] == "00:00:00" and end[:10] > date:
        return f"{begin} to 24:00"
    return f"{begin} to {end[11:16] if end[:10] == date else f'{end[11:16]} on {end[:10]}'}"


def _added_by(metadata: Mapping[str, Any]) -> str:
    if not metadata["meets_session_config_requirements"]:
        return f"{escape(metadata['added_by'])}, ad hoc"
    return escape(metadata["added_by"]) + (", upgraded" if metadata["upgraded_from_adhoc"] else "")


def _indicators(indicators: Mapping[str, Any]) -> str:
    states = Counter(
        "settled" if entry["settled"] else "valid" if entry["valid"] else "not valid" for entry in indicators.values()
    )
    return ", ".join(f"{states[state]} {state}" for state in ("settled", "valid", "not valid") if states[state])


def _missing(symbol: str, entry: Mapping[str, Any], first: str) -> Iterator[str]:
    """One line for what a symbol lacks of its base interval: today's gaps by time, or the longest of many.

    Those of history, which lie before the ``first`` moment of the session, are told by their number.
    """
    interval = entry["base_interval"]
    gaps = base_bars(entry)["gaps"]
    if not gaps:
        return
    clock = _CLOCK[parse_interval(interval).seconds % 60 == 0]
    begin = datetime.fromisoformat(first)
    today = [gap for gap in gaps if datetime.fromisoformat(gap["start"]) >= begin]
    before = sum(gap["missing"] for gap in gaps) - sum(gap["missing"] for gap in today)

    def span(gap: Mapping[str, Any]) -> str:
        return f"{gap['missing']:,} from {gap['start'][clock]} to {gap['end'][clock]}"

    told = [span(gap) for gap in today]
    if len(today) > _MOST_GAPS:
        longest = max(today, key=lambda gap: gap["missing"])
        told = [f"{sum(gap['missing'] for gap in today):,} in {len(today):,} gaps, longest {span(longest)}"]
    if before:
        told.append(f"{before:,} in its history")
    yield f"[yellow]missing[/] {escape(symbol)} {interval} bars: {', '.join(told)}"


def _filled(symbol: str, entry: Mapping[str, Any]) -> Iterator[str]:
    """One line for the synthetic bars of a symbol."""
    series = [f"{b['synthetic_rows']:,} {name}" for name, b in entry["bars"].items() if b["synthetic_rows"]]
    if series:
        yield f"[yellow]filled[/]  {escape(symbol)} gaps with synthetic bars: {', '.join(series)}"


def _signals(signals: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not signals:
        return
    actions = Counter(signal["action"] for signal in signals)
    yield f"[green]signals[/] {len(signals)}: " + ", ".join(f"{n} {escape(action)}" for action, n in actions.items())
    for signal in signals[:_MOST_SIGNALS]:
        yield f"        {signal['time'][11:16]} " + escape(f"{signal['symbol']} {signal['action']} {signal['reason']}")
    if len(signals) > _MOST_SIGNALS:
        yield f"        and {len(signals) - _MOST_SIGNALS} more, in signals.parquet"


def base_bars(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The bars of the interval that a symbol streams."""
    nothing = {"quality": None, "gaps": ()}
    found: Mapping[str, Any] = entry["bars"].get(entry["base_interval"], nothing)
    return found
