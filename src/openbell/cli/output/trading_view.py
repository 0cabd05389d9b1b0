"""Tables and lines on the earnings of a run."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from openbell.cli.output.performance_view import performance_table, shown
from openbell.cli.terminal.printable import escape
from openbell.cli.terminal.tables import counted, make_table
from openbell.results.measures.performance_lines import LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from openbell.config.costs import FeesConfig, SlippageConfig
    from openbell.config.execution import ExecutionConfig
    from openbell.model.order import Order
    from openbell.results.measures.breakdown import Earnings
    from openbell.results.measures.performance import Performance
    from openbell.results.trading import DayTrading, RunTrading

__all__ = ["day_trading_lines", "run_trading_views"]

_MOST_REJECTED = 3
_MOST_POSITIONS = 5
_MOST_ROWS = 10
_FEW_SESSIONS = 60


def day_trading_lines(trading: DayTrading) -> Iterator[str]:
    """Yield lines on a session's trading."""
    if not (trading.orders or trading.fills or trading.positions):
        yield f"[green]equity[/]  {trading.end_equity:,.2f}, no orders"
        return
    made = f"{counted(len(trading.fills), 'fill')}, {counted(len(trading.trades), 'trade')} closed"
    yield f"[green]equity[/]  {trading.end_equity:,.2f}, {trading.pnl:+,.2f} in the session: {made}"
    yield from _breaches(trading.breaches)
    yield from _rejected(trading.rejected)
    if trading.without_bars:
        held = ", ".join(f"{symbol} at {price:,.2f}" for symbol, price in trading.without_bars.items())
        yield f"[yellow]no bars[/] of what is held, which stays at its last price: {escape(held)}"


def run_trading_views(
    trading: RunTrading, days: Sequence[DayTrading], execution: ExecutionConfig, title: str, *, is_live: bool = False
) -> Iterator[RenderableType]:
    """Yield tables and lines on a run's earnings, assumptions, ambiguous fills and rejected orders.

    Args:
        trading: The trading result of the run.
        days: The trading results of its sessions.
        execution: The section ``execution`` of its config.
        title: The heading.
        is_live: Whether the run was live, so that orders went to the broker that the config names.
    """
    found = trading.performance
    if not (found.orders or found.rejected):
        yield f"[bold]{title}[/]: no order was placed, equity {found.end_equity:,.2f}"
        return
    yield performance_table(title, found.to_dict())
    yield from _unavailable(found)
    if 0 < len(days) < _FEW_SESSIONS:
        yield f"[yellow]numbers a year[/] are made of {counted(len(days), 'session')}: hardly more than a guess"
    yield ""
    for name, earned in (("strategy", trading.by_strategy), ("symbol", trading.by_symbol), ("label", trading.by_tag)):
        if len(earned) > (name != "label"):
            yield _earnings_table(name, earned)
            yield ""
    yield from _assumptions(execution, is_live=is_live)
    if found.ambiguous_fills:
        both = "the worse" if execution.fills.both_touched == "worse" else "the better"
        yield (
            f"[yellow]ambiguous[/] {counted(found.ambiguous_fills, 'fill')}: a bar touched two prices, nothing finer "
            f"is stored to tell which came first, and {both} was taken"
        )
    if len(days) > 1:  # those of a single session are shown with it
        yield from _breaches([breach for day in days for breach in day.breaches])
        yield from _rejected([order for day in days for order in day.rejected])
    yield from _open_positions(days[-1] if days else None)


def _unavailable(found: Performance) -> Iterator[str]:
    """Yield a line for each reason why numbers of the table are not available."""
    reasons: dict[str, list[str]] = {}
    for name, reason in found.unavailable.items():
        if found.beta is not None or name not in ("alpha", "beta", "correlation", "information_ratio"):
            reasons.setdefault(reason, []).append(LINES[name].label)
    for reason, names in reasons.items():
        yield f"[dim]no {', '.join(names)}: {reason}[/]"


def _earnings_table(name: str, earned: Mapping[str, Earnings]) -> Table:
    """Return a table of the earnings of each symbol, strategy or label, the largest amounts first.

    The table of labels has no column for open positions, because labels belong to closed trades.
    """
    with_open = name != "label"
    money_columns = ("realized >", "open >", "fees >", "net >") if with_open else ("realized >", "fees >", "net >")
    table = make_table("", name, "trades >", "won >", *money_columns)
    ordered = sorted(earned.items(), key=lambda item: -abs(item[1].net))
    for key, of in islice(ordered, _MOST_ROWS):
        won = shown(of.wins / of.trades, "percent") if of.trades else "-"
        numbers = (of.realized, *((of.unrealized,) if with_open else ()), of.fees, of.net)
        money = (shown(number, "money") for number in numbers)
        table.add_row(escape(key) or "(the account's rules)", f"{of.trades:,}", won, *money)
    rest = [of for _, of in ordered[_MOST_ROWS:]]
    if rest:
        table.add_row(
            f"and {len(rest):,} more", *[""] * (1 + len(money_columns)), shown(sum(of.net for of in rest), "money")
        )
    return table


def _assumptions(execution: ExecutionConfig, *, is_live: bool) -> Iterator[str]:
    """Yield lines on the assumptions about fills and costs of a run."""
    broker = execution.broker.title()
    if execution.broker != "simulated" and is_live:
        yield f"[cyan]broker[/]  orders went to {broker}: fills, fees and money that came or went are as it booked them"
        return
    if execution.broker != "simulated":
        yield f"[cyan]broker[/]  simulated: {broker} gets the orders of live sessions alone"
    fills = execution.fills
    market = (
        "at the next bar's open"
        if fills.market == "next_open"
        else "at the close of the bar just seen, which in a market is over when it is known"
    )
    volume = "without a bound on volume"
    if fills.max_volume_share is not None:
        volume = f"for at most {fills.max_volume_share:.3g} of a bar's volume"
    yield f"[cyan]assumed[/] market orders fill {market}, {volume}"
    yield f"        fees: {_model(execution.fees)}; slippage: {_model(execution.slippage)}" + (
        "" if _costs_something(execution) else ". [yellow]Trading costs more than that.[/]"
    )


def _costs_something(execution: ExecutionConfig) -> bool:
    return execution.fees.model != "none" or execution.slippage.model != "none"


def _model(config: FeesConfig | SlippageConfig) -> str:
    parameters = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                           for name, value in config.params.items())  # fmt: skip
    return escape(f"{config.model} ({parameters})" if parameters else config.model)


def _breaches(breaches: Sequence[str]) -> Iterator[str]:
    for breach in breaches[:_MOST_REJECTED]:
        yield f"[red]limit[/]   {escape(breach)}"
    if len(breaches) > _MOST_REJECTED:
        yield f"        and {len(breaches) - _MOST_REJECTED:,} more, in summary.json"


def _rejected(orders: Sequence[Order]) -> Iterator[str]:
    if not orders:
        return
    yield f"[red]rejected[/] {counted(len(orders), 'order')}:"
    for order in orders[:_MOST_REJECTED]:
        side = "buy" if order.quantity > 0 else "sell"
        what = f"{order.symbol} {side} {abs(order.quantity):,.10g} {order.type.replace('_', ' ')}"
        yield f"        {order.time:%Y-%m-%d %H:%M} " + escape(f"{what}: {order.reason}")
    if len(orders) > _MOST_REJECTED:
        yield f"        and {len(orders) - _MOST_REJECTED:,} more, in orders.jsonl"


def _open_positions(last: DayTrading | None) -> Iterator[str]:
    if last is None or not last.positions:
        return
    parts = [
        f"{position.symbol} {position.quantity:,.10g} at {position.average_price:,.2f}, {position.unrealized:+,.2f}"
        for position in last.positions[:_MOST_POSITIONS]
    ]
    more = len(last.positions) - _MOST_POSITIONS
    yield f"[cyan]open[/]    at the end: {escape('; '.join(parts))}" + (f" and {more:,} more" if more > 0 else "")
