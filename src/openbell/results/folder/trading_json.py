"""JSON form of orders, fills and cash flows, as their files in the run folder hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openbell.model.cash_flow import CashFlow
    from openbell.model.fill import Fill
    from openbell.model.order import Order
    from openbell.results.trading import DayTrading

__all__ = ["day_trading_json", "fill_json", "flow_json", "order_json"]


def day_trading_json(trading: DayTrading) -> dict[str, Any]:
    """Return a session's trading, as the summary holds it."""
    return {
        "start_equity": trading.start_equity,
        "end_equity": trading.end_equity,
        "orders": trading.accepted,
        "rejected": [{"id": order.id, "symbol": order.symbol, "reason": order.reason} for order in trading.rejected],
        "fills": len(trading.fills),
        "trades": len(trading.trades),
        "fees": trading.fees,
        "positions": {position.symbol: position.quantity for position in trading.positions},
        "without_bars": dict(trading.without_bars),
        "breaches": list(trading.breaches),
    }


def order_json(order: Order) -> dict[str, Any]:
    """Return an order in its state after a change, a line of ``orders.jsonl``."""
    return {
        "date": order.session_date.isoformat(),
        "time": order.time.isoformat(),
        "id": order.id,
        "status": order.status.value,
        "strategy": order.strategy,
        "symbol": order.symbol,
        "quantity": order.quantity,
        "type": order.type.value,
        "tif": order.tif.value,
        "limit": order.limit,
        "stop": order.stop,
        "trail": order.trail,
        "trail_percent": order.trail_percent,
        "until": order.until and order.until.isoformat(),
        "extended": order.extended,
        "tag": order.tag,
        "created": order.created.isoformat(),
        "filled_quantity": order.filled_quantity,
        "average_fill_price": order.average_fill_price,
        "reason": order.reason,
        "parent": order.parent,
        "oco": order.oco,
    }


def fill_json(fill: Fill) -> dict[str, Any]:
    """Return a fill, a line of ``fills.jsonl``."""
    return {
        "date": fill.session_date.isoformat(),
        "time": fill.time.isoformat(),
        "id": fill.id,
        "order": fill.order.id,
        "strategy": fill.order.strategy,
        "symbol": fill.symbol,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "slippage": fill.slippage,
        "ambiguous": fill.ambiguous,
        "tag": fill.order.tag,
    }


def flow_json(flow: CashFlow) -> dict[str, Any]:
    """Return a cash flow, a line of ``cash.jsonl``."""
    return {
        "date": flow.session_date.isoformat(),
        "time": flow.time.isoformat(),
        "kind": flow.kind.value,
        "symbol": flow.symbol,
        "quantity": flow.quantity,
        "amount": flow.amount,
    }
