"""Numbers of a performance by name, label and form, for tables and pages."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BLOCKS", "LINES", "MEANINGS", "Line"]


class Line(NamedTuple):
    """A line of the table.

    Attributes:
        name: The number, as `Performance` names it.
        label: Its name for people.
        form: How it is written: "money", "percent", "ratio", "count" or "days".
    """

    name: str
    label: str
    form: str


BLOCKS: tuple[tuple[Line, ...], ...] = (
    (
        Line("start_equity", "equity at the start", "money"),
        Line("end_equity", "equity at the end", "money"),
        Line("net_profit", "net profit", "money"),
        Line("total_return", "return", "percent"),
        Line("cagr", "growth a year (CAGR)", "percent"),
        Line("volatility", "volatility a year", "percent"),
        Line("sharpe", "Sharpe", "ratio"),
        Line("sortino", "Sortino", "ratio"),
        Line("calmar", "Calmar", "ratio"),
        Line("max_drawdown", "deepest drawdown", "percent"),
        Line("max_drawdown_days", "longest drawdown", "days"),
    ),
    (
        Line("orders", "orders accepted", "count"),
        Line("rejected", "orders rejected", "count"),
        Line("fills", "fills", "count"),
        Line("trades", "trades closed", "count"),
        Line("win_rate", "trades won", "percent"),
        Line("profit_factor", "profit factor", "ratio"),
        Line("expectancy", "mean of a trade", "money"),
        Line("average_win", "mean win", "money"),
        Line("average_loss", "mean loss", "money"),
        Line("largest_win", "largest win", "money"),
        Line("largest_loss", "largest loss", "money"),
    ),
    (
        Line("fees", "fees", "money"),
        Line("slippage", "slippage", "money"),
        Line("dividends", "dividends", "money"),
        Line("borrow", "borrowing", "money"),
        Line("exposure", "time in the market", "percent"),
        Line("turnover", "turnover a session", "percent"),
        Line("ambiguous_fills", "ambiguous fills", "count"),
        Line("alpha", "alpha a year", "percent"),
        Line("beta", "beta", "ratio"),
        Line("correlation", "correlation", "ratio"),
        Line("information_ratio", "information ratio", "ratio"),
    ),
)
"""All numbers of a performance, in blocks that stand beside each other."""

LINES = {line.name: line for block in BLOCKS for line in block}
"""All lines by name."""

MEANINGS = {
    "start_equity": "money before the first session",
    "end_equity": "cash and positions at their last price, after the last session",
    "net_profit": "end less start, after all costs",
    "total_return": "net profit as a share of the start",
    "cagr": "the growth of one year if all years grew alike",
    "volatility": "how much returns of sessions scatter, put to a year",
    "sharpe": "mean return by its scatter, put to a year: return per unit of volatility",
    "sortino": "the same, where only sessions that lost count as risk",
    "calmar": "growth a year by the deepest drawdown",
    "max_drawdown": "the largest fall from a high, at ends of sessions",
    "max_drawdown_days": "calendar days from a high to the next as high",
    "orders": "orders that the broker took",
    "rejected": "orders that it refused",
    "fills": "executions of orders",
    "trades": "positions that were closed",
    "win_rate": "share of trades that earned more than their fees",
    "profit_factor": "money won by money lost: above 1 earns",
    "expectancy": "what a trade earned in the mean, after fees",
    "average_win": "mean of the trades that won",
    "average_loss": "mean of those that lost",
    "largest_win": "the best trade",
    "largest_loss": "the worst trade",
    "fees": "paid for all fills",
    "slippage": "lost to worse prices; it is in the prices already",
    "dividends": "received less paid",
    "borrow": "paid to borrow what was sold short",
    "exposure": "share of bar times at which a position was held",
    "turnover": "bought and sold in a session, by equity",
    "ambiguous_fills": "one bar touched two prices, and the order of them is not known",
    "alpha": "what a year earned beyond the benchmark's part in it",
    "beta": "how far it moves when the benchmark moves by one",
    "correlation": "how much it moves with the benchmark, from -1 to 1",
    "information_ratio": "mean difference from the benchmark by its scatter, put to a year",
}
"""What each number says, in plain words; ``docs/performance.md`` has the definitions."""
