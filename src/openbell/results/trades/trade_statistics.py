"""Statistics of closed trades.

Profits are after fees: a trade that earns less than its fees is no win. A trade that comes out at exactly zero counts
as neither a win nor a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openbell.results.measures.unavailable import Number, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.trade import Trade

__all__ = ["TradeStatistics", "trade_statistics"]

_NO_TRADE = Unavailable("no trade was closed")
_NO_WIN = Unavailable("no trade won")
_NO_LOSS = Unavailable("no trade lost")


@dataclass(frozen=True, slots=True)
class TradeStatistics:
    """Earnings of closed trades, in money after fees or as shares.

    Attributes:
        trades: Their number.
        win_rate: Those that won, as a share of all.
        profit_factor: The profits of all that won by the losses of all that lost.
        expectancy: The mean profit of a trade.
        average_win: The mean profit of those that won.
        average_loss: The mean loss of those that lost, below zero.
        largest_win: The best one.
        largest_loss: The worst one, below zero.
    """

    trades: int
    win_rate: Number
    profit_factor: Number
    expectancy: Number
    average_win: Number
    average_loss: Number
    largest_win: Number
    largest_loss: Number


def trade_statistics(trades: Iterable[Trade]) -> TradeStatistics:
    """Return the statistics of closed trades, whatever their order."""
    nets = [trade.net for trade in trades]
    wins = [net for net in nets if net > 0]
    losses = [net for net in nets if net < 0]
    no_win, no_loss = (_NO_WIN, _NO_LOSS) if nets else (_NO_TRADE, _NO_TRADE)
    return TradeStatistics(
        trades=len(nets),
        win_rate=len(wins) / len(nets) if nets else _NO_TRADE,
        profit_factor=sum(wins) / -sum(losses) if losses else no_loss,
        expectancy=sum(nets) / len(nets) if nets else _NO_TRADE,
        average_win=sum(wins) / len(wins) if wins else no_win,
        average_loss=sum(losses) / len(losses) if losses else no_loss,
        largest_win=max(wins, default=no_win),
        largest_loss=min(losses, default=no_loss),
    )
