"""View of a live run on a terminal of any size."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from rich.console import Group
from rich.table import Table
from rich.text import Text

from openbell.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import JustifyMethod, RenderableType

    from openbell.live.status.live_status import (
        AccountStatus,
        BrokerStatus,
        FeedStatus,
        Happening,
        LiveStatus,
        SymbolStatus,
    )

__all__ = ["live_view"]

_WIDE = 120
_LEAST_HAPPENED = 4
_LONGEST = 300
_COLOURS = {"LIVE": "green", "ready": "green", "pending": "yellow", "halted": "yellow", "failed": "red"}
_OF_KIND = {"fill": "cyan", "signal": "magenta", "order": "yellow", "feed": "bold yellow", "warning": "yellow"}
_BAR = 20
_CELL = 18
_GAP = 3
_LEAST_ROOM = 10


def live_view(status: LiveStatus, heard_s: float | None, width: int, height: int) -> RenderableType:
    """Return the view of a live run for a terminal.

    Args:
        status: The last snapshot.
        heard_s: Seconds since the last bar arrived or the connection was made; None before that.
        width: Columns of the terminal.
        height: Rows of the terminal.
    """
    head = [
        _title(status),
        _feed(status.feed, heard_s),
        *_broker(status.broker),
        *_money(status.account),
        _counts(status),
    ]
    left = height - len(head)
    rows = max(0, left - max(_LEAST_HAPPENED, left // 4))
    blocks = _beside(status, rows, width) if width >= _WIDE else _below(status, rows, width)
    used = max((sum(size for _, size in column) for column in blocks), default=0)
    body: list[RenderableType] = []
    if len(blocks) > 1:
        grid = Table.grid(padding=(0, _GAP), expand=True)
        for _ in blocks:
            grid.add_column(ratio=1)
        grid.add_row(*(Group(*(one for one, _ in column)) for column in blocks))
        body = [grid]
    else:
        body = [one for column in blocks for one, _ in column]
    return Group(*head, *body, *_happened(status.happened, max(1, left - used)))


# The head


def _title(status: LiveStatus) -> Text:
    line = _line((status.session_name, "bold"), f"  {status.state}")
    if status.clock and status.opens and status.closes:
        clock, opens, closes = (datetime.fromisoformat(t) for t in (status.clock, status.opens, status.closes))
        share = min(1.0, max(0.0, (clock - opens) / (closes - opens)))
        done = round(share * _BAR)
        line.append(f"  {status.date} {clock:%H:%M:%S}  ")
        line.append("━" * done, "green")
        line.append("─" * (_BAR - done), "dim")
        line.append(f" {share:.0%} of {opens:%H:%M} to {closes:%H:%M}")
    return line


def _feed(feed: FeedStatus, heard_s: float | None) -> Text:
    line = _line("feed ", (feed.name, "bold"), " ", (feed.health, f"bold {_COLOURS.get(feed.health, 'red')}"))
    if heard_s is not None:
        line.append(f"  heard {_span(heard_s)} ago")
    line.append(f"  lag {feed.lag_s:,.1f} s", "" if feed.health != "LAGGING" else "bold red")
    if feed.waiting:
        line.append(f", {feed.waiting:,} bar times wait", "bold red")
    if feed.losses:
        line.append(f"  lost {feed.losses} time{'s' * (feed.losses > 1)}", "yellow")
    if feed.bars_per_minute:
        line.append(f"  {feed.bars_per_minute:,} bar{'s' * (feed.bars_per_minute > 1)} a minute")
    if feed.health not in ("LIVE", "LAGGING"):
        line.append(f"  {feed.reason}", "yellow")
    return line


def _broker(broker: BrokerStatus | None) -> list[Text]:
    if broker is None:
        return []
    line = _line("orders ", (broker.account, "bold" if broker.is_paper else "bold red"))
    if broker.under_way:
        line.append(f"  {broker.under_way:,} under way", "yellow")
    if not broker.is_connected:
        line.append("  no events arrive from it: ", "bold red")
        line.append(_clean(broker.trouble), "yellow")
    return [line, *([_line((broker.refusal, "bold red"))] if broker.refusal else [])]


def _money(account: AccountStatus | None) -> list[Text]:
    if account is None:
        return []
    line = _line("equity ", (f"{account.equity:,.2f}", "bold"), "  today ")
    line.append(f"{account.day_pnl:+,.2f}", _sign(account.day_pnl))
    line.append(f"  realized {account.realized:+,.2f}  cash {account.cash:,.2f}")
    return [line]


def _counts(status: LiveStatus) -> Text:
    counts = status.counts or {}
    line = _line("symbols ")
    for state in ("ready", "pending", "halted", "failed"):
        if state in counts:
            line.append(f"{counts[state]:,} {state}  ", _COLOURS[state])
    if not counts:
        line.append("none yet  ")
    scan = status.next_scan
    line.append(f"next scan {scan.time[11:19]} {scan.scanner}" if scan else "no scan to come")
    set_aside = {kind: count for kind, count in (status.bars or {}).items() if count}
    if set_aside:
        line.append("  bars: " + ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in set_aside.items()))
    return line


# The tables, each with its number of lines

_Block = tuple["RenderableType", int]
_Entry = TypeVar("_Entry")


def _below(status: LiveStatus, rows: int, width: int) -> list[list[_Block]]:
    """Return the blocks of a narrow terminal, one below the other."""
    others = [one for one in status.symbols if one.state != "ready"]
    ready = [one for one in status.symbols if one.state == "ready"]
    account = status.account
    not_ready = sum(count for state, count in (status.counts or {}).items() if state != "ready")
    wanted = [not_ready, _lines_of(ready, width)]
    if account is not None:
        wanted += [len(account.positions), account.open_orders]
    shares = _shared(wanted, rows)
    blocks = _symbols(others, not_ready, shares[0], width) + _ready(ready, shares[1], width)
    if account is not None:
        blocks += _positions(account, shares[2]) + _orders(account, shares[3])
    return [blocks]


def _beside(status: LiveStatus, rows: int, width: int) -> list[list[_Block]]:
    """Return the blocks of a wide terminal, in two columns."""
    account, count = status.account, sum((status.counts or {}).values())
    if account is None or not (account.positions or account.orders):
        return [_symbols(status.symbols, count, rows - 1, width)]
    left = _symbols(status.symbols, count, rows - 1, (width - _GAP) // 2)
    shares = _shared([len(account.positions), account.open_orders], rows)
    return [left, _positions(account, shares[0]) + _orders(account, shares[1])]


def _shared(wanted: Sequence[int], rows: int) -> list[int]:
    """Return the number of rows of each block without its heading.

    The largest block is cut first, until all fit.
    """
    given = list(wanted)
    while any(given) and sum(one + 1 for one in given if one) > max(rows, 0):
        given[max(range(len(given)), key=lambda place: given[place])] -= 1
    return given


def _symbols(symbols: Sequence[SymbolStatus], count: int, rows: int, width: int) -> list[_Block]:
    """Return the table of symbols, with what is missing or the last price in its last column."""
    if rows < 1 or not symbols:
        return []
    shown = _fitting(symbols, count, rows)
    names = ("symbol", "state", "subscribed", "stitched", "warm")
    lines: list[list[Text]] = []
    for one in shown:
        is_so = (one.subscribed, one.stitched, one.warm)
        answers = (Text("yes", "dim") if yes else Text("no", "yellow") for yes in is_so)
        lines.append([_text(one.symbol), Text(one.state, _COLOURS[one.state]), *answers])
    # The last column gets the room that is left.
    room = width - sum(max([len(name), *(len(line[n]) for line in lines)]) + 2 for n, name in enumerate(names))
    table = _table(*names, *(("",) if room >= _LEAST_ROOM else ()))
    for one, line in zip(shown, lines, strict=True):
        last = _text(one.missing or _last(one))
        last.truncate(max(room, 1), overflow="ellipsis")
        table.add_row(*line, *((last,) if room >= _LEAST_ROOM else ()))
    return _table_and_rest(table, len(shown), count - len(shown), "symbols")


def _last(one: SymbolStatus) -> str:
    return "" if one.last_price is None else f"{one.last_price:,.10g} at {(one.last_bar or '')[11:16]}"


def _ready(ready: Sequence[SymbolStatus], rows: int, width: int) -> list[_Block]:
    """Return the ready symbols with their prices, as many as fit some lines."""
    if rows < 1 or not ready:
        return []
    per_line = max(1, width // _CELL)
    shown = ready[: rows * per_line]
    lines = []
    for first in range(0, len(shown), per_line):
        line = _line()
        for one in shown[first : first + per_line]:
            price = "" if one.last_price is None else f"{one.last_price:,.10g}"
            line.append(f"{_clean(one.symbol)} ", "green")
            line.append(price.ljust(max(0, _CELL - 1 - len(one.symbol))))
        lines.append(line)
    return [(Group(*lines), len(lines))]


def _lines_of(ready: Sequence[SymbolStatus], width: int) -> int:
    return -(-len(ready) // max(1, width // _CELL))


def _positions(account: AccountStatus, rows: int) -> list[_Block]:
    if rows < 1 or not account.positions:
        return []
    table = _table("position", "units >", "average >", "last >", "profit >")
    largest = sorted(account.positions, key=lambda one: -abs(one.quantity * one.last_price))
    shown = _fitting(largest, len(largest), rows)
    for one in shown:
        numbers = (f"{one.quantity:+,.10g}", f"{one.average_price:,.4f}", f"{one.last_price:,.4f}")
        table.add_row(_text(one.symbol), *numbers, Text(f"{one.unrealized:+,.2f}", _sign(one.unrealized)))
    return _table_and_rest(table, len(shown), len(largest) - len(shown), "positions")


def _orders(account: AccountStatus, rows: int) -> list[_Block]:
    if rows < 1 or not account.orders:
        return []
    table = _table("order", "symbol", "units >", "kind", "status")
    shown = _fitting(account.orders, account.open_orders, rows)
    for one in shown:
        kind = f"{one.type.replace('_', ' ')}{', ' * bool(one.prices)}{one.prices}"
        table.add_row(_text(one.id), _text(one.symbol), f"{one.quantity:+,.10g}", _text(kind), one.status)
    return _table_and_rest(table, len(shown), account.open_orders - len(shown), "open orders")


def _fitting(entries: Sequence[_Entry], count: int, rows: int) -> Sequence[_Entry]:
    """Return the entries that fit some rows.

    A row is left for the number of the others, if there are any.
    """
    return entries[: rows if count <= rows else rows - 1]


def _table_and_rest(table: Table, shown: int, others: int, what: str) -> list[_Block]:
    if not shown:
        return [(Text(f"{others:,} {what}", "dim"), 1)]
    rest: list[_Block] = [(Text(f"and {others:,} more {what}", "dim"), 1)] if others > 0 else []
    return [(table, shown + 1), *rest]


def _happened(happened: Sequence[Happening], rows: int) -> Iterable[Text]:
    """Yield a line for each of the last happenings, in order of time."""
    for one in sorted(happened[-rows:], key=lambda one: one.time):
        line = _line((f"{one.time[11:19]} ", "dim"), (f"{one.kind:<8}", _OF_KIND.get(one.kind, "dim")))
        line.append(_clean(one.text))
        yield line


# Texts


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_edge=False)
    for column in columns:
        name = column.removesuffix(" >")
        side: JustifyMethod = "left" if name == column else "right"
        table.add_column(name, justify=side, no_wrap=True, overflow="ellipsis")
    return table


def _line(*parts: str | tuple[str, str]) -> Text:
    cleaned = [_clean(part) if isinstance(part, str) else (_clean(part[0]), part[1]) for part in parts]
    text = Text.assemble(*cleaned)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _text(text: str) -> Text:
    return Text(_clean(text))


def _clean(text: str) -> str:
    return printable(text, _LONGEST)


def _sign(number: float) -> str:
    return "green" if number > 0 else "red" if number < 0 else ""


def _span(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"
