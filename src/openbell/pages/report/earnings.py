"""Earnings of a run, as a few numbers, as all of them, and by symbol, strategy and label."""

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
    """A number that is shown large.

    Attributes:
        label: Its name.
        value: The number as text.
        words: What it says.
        look: "gain", "loss" or "".
    """

    label: str
    value: str
    words: str
    look: str = ""


class Metric(NamedTuple):
    """A line of the table of all numbers.

    Attributes:
        label: Its name.
        value: The number as text.
        words: What it means, or why there is none.
        missing: Whether there is none.
    """

    label: str
    value: str
    words: str
    missing: bool


class EarningsRow(NamedTuple):
    """Trades of a symbol, strategy or label.

    Attributes:
        name: Its name.
        trades: Trades that were closed.
        won: Share of those that won after fees.
        fees: Their fees.
        net: Their profit after fees.
    """

    name: str
    trades: int
    won: float
    fees: float
    net: float


def tiles(run: StoredRun) -> list[Tile]:
    """Return the numbers that people look at first."""
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
    """Return all numbers in blocks, those beside a benchmark only where there is one."""
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
        What they are sorted by, the first of them, and how many others there are. Where all are of one strategy, or
        none has a label, these are left out.
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
