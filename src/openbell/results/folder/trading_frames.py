"""Frames of orders, fills, trades and cash flows, as the Parquet files of a run folder hold them.

Times are UTC, prices and quantities float64. What a file cannot hold in a text is escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from openbell.errors import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openbell.model.cash_flow import CashFlow
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.model.trade import Trade

__all__ = ["fill_frame", "flow_frame", "order_frame", "trade_frame"]

_TIME = pl.Datetime("ns", "UTC")


def order_frame(orders: Sequence[Order]) -> pl.DataFrame:
    """Return one row per order, in its last state."""
    return pl.DataFrame(
        {
            "id": _texts(order.id for order in orders),
            "status": _texts(order.status for order in orders),
            "strategy": _texts(order.strategy for order in orders),
            "symbol": _texts(order.symbol for order in orders),
            "quantity": _numbers(order.quantity for order in orders),
            "type": _texts(order.type for order in orders),
            "tif": _texts(order.tif for order in orders),
            **{
                name: _numbers(getattr(order, name) for order in orders)
                for name in ("limit", "stop", "trail", "trail_percent")
            },
            "until": pl.Series([order.until for order in orders], dtype=pl.Date),
            "extended": pl.Series([order.extended for order in orders], dtype=pl.Boolean),
            "tag": _texts(order.tag for order in orders),
            "created": _times(order.created_ns for order in orders),
            "updated": _times(order.updated_ns for order in orders),
            "date": pl.Series([order.session_date for order in orders], dtype=pl.Date),
            "filled_quantity": _numbers(order.filled_quantity for order in orders),
            "average_fill_price": _numbers(order.average_fill_price for order in orders),
            "reason": _texts(order.reason for order in orders),
            "parent": _texts(order.parent for order in orders),
            "oco": _texts(order.oco for order in orders),
        }
    )


def fill_frame(fills: Sequence[Fill]) -> pl.DataFrame:
    """Return one row per fill, in order."""
    return pl.DataFrame(
        {
            "date": pl.Series([fill.session_date for fill in fills], dtype=pl.Date),
            "time": _times(fill.time_ns for fill in fills),
            "id": _texts(fill.id for fill in fills),
            "order": _texts(fill.order.id for fill in fills),
            "strategy": _texts(fill.order.strategy for fill in fills),
            "symbol": _texts(fill.symbol for fill in fills),
            **{
                name: _numbers(getattr(fill, name) for fill in fills)
                for name in ("quantity", "price", "fee", "slippage")
            },
            "ambiguous": pl.Series([fill.ambiguous for fill in fills], dtype=pl.Boolean),
            "tag": _texts(fill.order.tag for fill in fills),
        }
    )


def trade_frame(trades: Sequence[Trade]) -> pl.DataFrame:
    """Return one row per trade, in the order in which they were closed."""
    return pl.DataFrame(
        {
            "symbol": _texts(trade.symbol for trade in trades),
            "strategy": _texts(trade.strategy for trade in trades),
            **{
                name: pl.Series([getattr(trade, name) for trade in trades], dtype=pl.Datetime("us", "UTC")).cast(_TIME)
                for name in ("entry_time", "exit_time")
            },
            **{
                name: _numbers(getattr(trade, name) for trade in trades)
                for name in ("quantity", "entry_price", "exit_price", "pnl")
            },
            "return": _numbers(trade.return_ for trade in trades),
            "fees": _numbers(trade.fees for trade in trades),
            "bars": pl.Series([trade.bars for trade in trades], dtype=pl.Int64),
            "held": pl.Series([trade.held for trade in trades], dtype=pl.Duration("us")),
            "mae": _numbers(trade.mae for trade in trades),
            "mfe": _numbers(trade.mfe for trade in trades),
            **{
                name: _texts(getattr(trade, name) for trade in trades)
                for name in ("tag", "entry_reason", "exit_reason")
            },
        }
    )


def flow_frame(flows: Sequence[CashFlow]) -> pl.DataFrame:
    """Return one row per dividend, cost of borrowing or payment for a fraction."""
    return pl.DataFrame(
        {
            "date": pl.Series([flow.session_date for flow in flows], dtype=pl.Date),
            "time": _times(flow.time_ns for flow in flows),
            "kind": _texts(flow.kind for flow in flows),
            "symbol": _texts(flow.symbol for flow in flows),
            "quantity": _numbers(flow.quantity for flow in flows),
            "amount": _numbers(flow.amount for flow in flows),
        }
    )


def _texts(values: Iterable[str | None]) -> pl.Series:
    return pl.Series([None if value is None else encodable(str(value)) for value in values], dtype=pl.String)


def _numbers(values: Iterable[float | None]) -> pl.Series:
    return pl.Series([None if value is None else float(value) for value in values], dtype=pl.Float64)


def _times(values_ns: Iterable[int]) -> pl.Series:
    return pl.Series(list(values_ns), dtype=pl.Int64).cast(_TIME)
