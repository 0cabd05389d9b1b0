"""Terminal view of a session that is over."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from openbell.cli.output.provisioning_view import provisioning_table, refusals, warnings
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import clock, counted, make_table, percent, some
from openbell.model.events import local_time
from openbell.model.interval import parse_interval
from openbell.results.wide_sessions import odd_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, tzinfo

    from rich.console import RenderableType

    from openbell.actions import Action
    from openbell.market_data.completeness import Gap
    from openbell.model.events import ScanEvent, SignalEvent
    from openbell.results.result import DayResult, IndicatorResult, SymbolResult

__all__ = ["adjusted_lines", "hours", "session_views"]

_MOST_SIGNALS = 3
_MOST_SCANS = 3
_MOST_GAPS = 3
_MOST_ACTIONS = 3
_MOST_SYMBOLS = 50
"""Number of symbols above which only those with irregularities have a row."""
_MOST_ODD = 20


def session_views(
    day: DayResult, label: str = "", like: DayResult | None = None, *, everything: bool = True
) -> Iterator[RenderableType]:
    """Yield the provisioning of a session, a row per symbol, and lines for the rest.

    Args:
        day: The session.
        label: The end of the titles of tables, such as the store's label.
        like: An earlier session, whose equal rows and lines are not repeated; None repeats everything.
        everything: Whether all symbols have a row even if they are many, not only those with irregularities.
    """
    provisioning = provisioning_table(day, label, like)
    if provisioning.row_count:
        yield provisioning
        yield ""
    table = make_table(
        f"Session {day.date}, {hours(day)}{label}",
        "symbol", "added by", "bars of history + today", "quality >", "indicators",
    )  # fmt: skip
    shown_in_part = len(day.symbols) > _MOST_SYMBOLS and not everything
    odd = odd_symbols(day) if shown_in_part else []
    shown = {name: day.symbols[name] for name in odd[:_MOST_ODD]} if shown_in_part else dict(day.symbols)
    for name, symbol in shown.items():
        table.add_row(
            escape(name),
            _added_by(symbol),
            " ".join(f"{name} {b.historical_rows:,}+{b.session_rows:,}" for name, b in symbol.bars.items()),
            percent(symbol.base_bars.quality if symbol.base_bars else None),
            _indicators(symbol.indicators),
        )
    yield table if shown or not day.symbols else f"[bold]{table.title}[/]"
    if len(shown) < len(day.symbols):
        yield _others(len(day.symbols), len(odd), len(shown))
    yield from _lines(day, shown, like)
    yield ""


def _others(symbols: int, odd: int, shown: int) -> str:
    """Return a line that counts the symbols without a row."""
    whole = f"{symbols - odd:,} of {symbols:,} symbols have all their bars and settled indicators"
    more = f"; {odd - shown:,} further symbols do not" if odd > shown else ""
    return f"{whole}{more} [dim](--all shows all)[/]"


def _lines(day: DayResult, shown: Mapping[str, SymbolResult], like: DayResult | None) -> Iterator[str]:
    yield from _dropped(day, like, all_of_them=len(shown) == len(day.symbols))
    yield from refusals(day, like)
    yield from warnings(day, like)
    for name, symbol in shown.items():
        yield from adjusted_lines(name, symbol.actions)
        yield from _missing(name, symbol, day)
        yield from _filled(name, symbol)
    for scan in day.scans:
        if scan.symbols:
            yield f"[cyan]found[/]   {escape(scan.scanner)} at {scan.time:%H:%M}: {some(scan.symbols)}"
    yield from _empty_scans(day.scans)
    yield from _signals(day.signals)
    if day.trading is not None:
        from openbell.cli.output.trading_view import day_trading_lines

        yield from day_trading_lines(day.trading)
    called = counted(day.callbacks, "time")
    yield f"[dim]{counted(day.bars_streamed, 'bar')} streamed, strategies called {called}[/]"


def _dropped(day: DayResult, like: DayResult | None, *, all_of_them: bool) -> Iterator[str]:
    names = list(day.dropped)
    shown = names if all_of_them or len(names) <= _MOST_SYMBOLS else names[:_MOST_ODD]
    for name in shown:
        errors = day.dropped[name]
        known = like is not None and like.dropped.get(name) == errors
        reason = f"as on {like.date}" if like is not None and known else " ".join(errors)
        yield f"[red]dropped[/] {escape(name)}: {escape(reason)}"
    if len(shown) < len(names):
        yield f"[red]dropped[/] {len(names) - len(shown):,} more symbols, in summary.json"


def adjusted_lines(symbol: str, actions: Sequence[Action]) -> Iterator[str]:
    """Yield a line with the last corporate actions that have adjusted a symbol's bars, if there are any."""
    if not actions:
        return
    named = [f"{action.describe()} on {action.ex_date}" for action in actions[-_MOST_ACTIONS:]]
    if len(actions) > _MOST_ACTIONS:
        named.insert(0, f"{len(actions) - _MOST_ACTIONS} earlier actions")
    yield f"[cyan]adjusted[/] {escape(symbol)} bars: {escape(', '.join(named))}"


def hours(day: DayResult) -> str:
    """Return the regular hours of a session in local time, and the extended hours if it has them.

    A close at midnight is shown as 24:00, and a time on another date with that date.
    """
    regular = _from_to(day.open_ns, day.close_ns, day.date, day.zone)
    if (day.first_ns, day.last_ns) == (day.open_ns, day.close_ns):
        return regular
    return f"{regular}, extended {_from_to(day.first_ns, day.last_ns, day.date, day.zone)}"


def _from_to(start_ns: int, end_ns: int, day: date, zone: tzinfo) -> str:
    start, end = local_time(start_ns, zone), local_time(end_ns, zone)
    begin = f"{start:%H:%M}" if start.date() == day else f"{start:%H:%M on %Y-%m-%d}"
    if f"{end:%H:%M:%S}" == "00:00:00" and end.date() > day:
        return f"{begin} to 24:00"
    return f"{begin} to " + (f"{end:%H:%M}" if end.date() == day else f"{end:%H:%M on %Y-%m-%d}")


def _added_by(symbol: SymbolResult) -> str:
    if not symbol.meets_session_config_requirements:
        return f"{escape(symbol.added_by)}, ad hoc"
    return escape(symbol.added_by) + (", upgraded" if symbol.upgraded_from_adhoc else "")


def _indicators(indicators: Mapping[str, IndicatorResult]) -> str:
    states = Counter("settled" if i.settled else "valid" if i.valid else "not valid" for i in indicators.values())
    return ", ".join(f"{states[state]} {state}" for state in ("settled", "valid", "not valid") if states[state])


def _missing(name: str, symbol: SymbolResult, day: DayResult) -> Iterator[str]:
    """Yield a line on the missing bars of a symbol's base interval, if there are any.

    It has the times of today's gaps, or of the longest of many, and the number of missing bars in the history.
    """
    interval, bars = symbol.base_interval, symbol.base_bars
    if interval is None or bars is None or not bars.gaps:
        return
    seconds = parse_interval(interval).seconds % 60 != 0
    today = [gap for gap in bars.gaps if gap.start_ns >= day.first_ns]
    before = sum(gap.missing for gap in bars.gaps) - sum(gap.missing for gap in today)

    def span(gap: Gap) -> str:
        start, end = (clock(local_time(ns, day.zone), seconds=seconds) for ns in (gap.start_ns, gap.end_ns))
        return f"{gap.missing:,} from {start} to {end}"

    parts = [span(gap) for gap in today]
    if len(today) > _MOST_GAPS:
        longest = max(today, key=lambda gap: gap.missing)
        parts = [f"{sum(gap.missing for gap in today):,} in {len(today):,} gaps, longest {span(longest)}"]
    if before:
        parts.append(f"{before:,} in its history")
    partial = ", ".join(f"{b.partial_rows:,} of {other}" for other, b in symbol.bars.items() if b.partial_rows)
    made = f"; derived bars that lack some of their base bars: {partial}" if partial else ""
    yield f"[yellow]missing[/] {escape(name)} {interval} bars: {', '.join(parts)}{made}"


def _filled(name: str, symbol: SymbolResult) -> Iterator[str]:
    """Yield a line on the synthetic bars of a symbol, if there are any."""
    series = [f"{bars.synthetic_rows:,} {interval}" for interval, bars in symbol.bars.items() if bars.synthetic_rows]
    if series:
        yield f"[yellow]filled[/]  {escape(name)} gaps with synthetic bars: {', '.join(series)}"


def _empty_scans(scans: Sequence[ScanEvent]) -> Iterator[str]:
    """Yield a line for each scanner with scans that found nothing."""
    empty: dict[str, list[str]] = {}
    for scan in scans:
        if not scan.symbols:
            empty.setdefault(scan.scanner, []).append(f"{scan.time:%H:%M}")
    for scanner, times in empty.items():
        more = f" and {len(times) - _MOST_SCANS} more" if len(times) > _MOST_SCANS else ""
        yield f"[cyan]found[/]   {escape(scanner)} at {', '.join(times[:_MOST_SCANS])}{more}: nothing"


def _signals(signals: Sequence[SignalEvent]) -> Iterator[str]:
    if not signals:
        return
    actions = Counter(signal.action for signal in signals)
    yield f"[green]signals[/] {len(signals)}: " + ", ".join(f"{n} {escape(action)}" for action, n in actions.items())
    for signal in signals[:_MOST_SIGNALS]:
        yield f"        {signal.time:%H:%M} " + escape(f"{signal.symbol} {signal.action} {signal.reason}")
    if len(signals) > _MOST_SIGNALS:
        yield f"        and {len(signals) - _MOST_SIGNALS} more, in signals.parquet"
