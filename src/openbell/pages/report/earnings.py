"""Earnings of a run, as a few main numbers, as all numbers, and by symbol, strategy and label."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from openbell.results.measures.performance_lines import BLOCKS, MEANINGS
from openbell.results.number_text import money, number, percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from openbell.results.folder.stored_run import StoredRun

__all__ = ["EarningsRow", "Metric", "Tile", "earners", "metrics", "tiles"]

_MOST_EARNERS = 25
_BESIDE = ("alpha", "beta", "correlation", "information_ratio")


class Tile(NamedTuple):
    """A main number, shown large.

    Attributes:
        label: The name of the number.
        value: The number as text.
        words: A few words on its meaning.
        look: "gain", "loss" or "".
    """

    label: str
    value: str
    words: str
    look: str = ""


class Metric(NamedTuple):
    """A row of the table of all numbers.

    Attributes:
        label: The name of the number.
        value: The number as text.
        words: Its meaning, or why it is not available.
        missing: Whether it is not available.
    """

    label: str
    value: str
    words: str
    missing: bool


class EarningsRow(NamedTuple):
    """Trades of a symbol, strategy or label.

    Attributes:
        name: The symbol, strategy or label.
        trades: Number of closed trades.
        won: Share of the trades that won after fees, from 0 to 1.
        fees: Fees of the trades.
        net: Profit of the trades after fees.
    """

    name: str
    trades: int
    won: float
    fees: float
    net: float


def tiles(run: StoredRun) -> list[Tile]:
    """Return the main numbers of a run, none if it did not trade."""
    numbers = run.performance
    if numbers is None:
        return []
    profit, trades = numbers["net_profit"], int(numbers["trades"] or 0)
    fall, days = numbers["max_drawdown"], numbers["max_drawdown_days"]
    won, factor = numbers["win_rate"], numbers["profit_factor"]
    return [
        Tile("Net profit", money(profit, signed=True), f"from {money(numbers['start_equity'])}", _look(profit)),
        Tile(
            "Return",
            percent(numbers["total_return"], signed=True),
            _a_year(numbers["cagr"], len(run.days)),
            _look(numbers["total_return"]),
        ),
        Tile("Deepest drawdown", percent(fall), "" if not days else f"longest {number(days, 'days')}"),
        Tile("Sharpe", number(numbers["sharpe"], "ratio"), run.unavailable.get("sharpe", "return by its scatter")),
        Tile("Trades", f"{trades:,}", "none was closed" if won is None else f"{percent(won)} won"),
        Tile(
            "Profit factor",
            number(factor, "ratio"),
            run.unavailable.get("profit_factor", "won by lost: above 1 earns"),
        ),
        Tile("Fees", money(numbers["fees"]), f"and {money(numbers['slippage'])} of slippage"),
        Tile("In the market", percent(numbers["exposure"]), "of bar times"),
    ]


def _a_year(cagr: float | None, sessions: int) -> str:
    in_sessions = f"in {sessions:,} session{'' if sessions == 1 else 's'}"
    return in_sessions if cagr is None or sessions < 60 else f"{percent(cagr, signed=True)} a year, {in_sessions}"


def metrics(run: StoredRun) -> list[list[Metric]]:
    """Return all numbers in blocks, those against a benchmark only if the run has one."""
    numbers = run.performance
    if numbers is None:
        return []
    has_benchmark = any(numbers[name] is not None for name in _BESIDE)
    return [
        [
            _metric(line.name, line.label, line.form, numbers, run.unavailable)
            for line in block
            if has_benchmark or line.name not in _BESIDE
        ]
        for block in BLOCKS
    ]


def _metric(
    name: str, label: str, form: str, numbers: Mapping[str, float | None], unavailable: Mapping[str, str]
) -> Metric:
    value = numbers[name]
    words = MEANINGS[name] if value is not None else f"none: {unavailable.get(name, 'the run has not written it')}"
    return Metric(label, number(value, form), words, value is None)


def _look(value: float | None) -> str:
    return "" if not value else "gain" if value > 0 else "loss"


def earners(trades: pl.DataFrame) -> Iterator[tuple[str, list[EarningsRow], int]]:
    """Yield trades by symbol, by strategy and by label, the largest amounts first.

    Yields:
        The grouping ("symbol", "strategy" or "label"), its first rows, and the number of rows left out. Groupings are
        left out if there is only one strategy, or no label.
    """
    for column, title in (("symbol", "symbol"), ("strategy", "strategy"), ("tag", "label")):
        found = []
        for (name,), group in trades.group_by(column, maintain_order=True):
            net = (group["pnl"] - group["fees"]).to_list()
            won = sum(value > 0 for value in net) / len(net)
            found.append(EarningsRow(str(name or ""), len(net), won, fsum(group["fees"]), fsum(net)))
        if len(found) > (column != "symbol") or any(one.name for one in found if column == "tag"):
            found.sort(key=lambda one: -abs(one.net))
            yield title, found[:_MOST_EARNERS], max(len(found) - _MOST_EARNERS, 0)
