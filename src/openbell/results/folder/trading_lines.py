"""Lines of ``orders.jsonl`` and ``fills.jsonl``, put together from cached parts.

They equal those that `json.dumps` makes from `order_json` and `fill_json`, and take a fraction of the time: a run with
many orders spends much of its time on their lines.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from openbell.model.events import local_time
from openbell.model.fill import Fill
from openbell.model.order import Order
from openbell.results.folder.trading_json import flow_json

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from openbell.model.cash_flow import CashFlow

__all__ = ["fill_line", "order_line", "trading_line"]

_text = lru_cache(maxsize=4096)(json.dumps)


@lru_cache(maxsize=1024)
def _time(time_ns: int, zone: tzinfo) -> str:
    return f'"{local_time(time_ns, zone).isoformat()}"'


@lru_cache(maxsize=64)
def _day(day: date | None) -> str:
    return "null" if day is None else f'"{day.isoformat()}"'


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)


def trading_line(event: Order | Fill | CashFlow) -> str:
    """Return an event of trading as its line, without the line end."""
    if isinstance(event, Order):
        return order_line(event)
    return fill_line(event) if isinstance(event, Fill) else json.dumps(flow_json(event))


def order_line(order: Order) -> str:
    """Return an order as its line, without the line end."""
    return (
        f'{{"date": {_day(order.session_date)}, "time": {_time(order.updated_ns, order.zone)}, '
        f'"id": {_text(order.id)}, "status": "{order.status.value}", "strategy": {_text(order.strategy)}, '
        f'"symbol": {_text(order.symbol)}, '
        f'"quantity": {order.quantity!r}, "type": "{order.type.value}", "tif": "{order.tif.value}", '
        f'"limit": {_number(order.limit)}, "stop": {_number(order.stop)}, "trail": {_number(order.trail)}, '
        f'"trail_percent": {_number(order.trail_percent)}, "until": {_day(order.until)}, '
        f'"extended": {"true" if order.extended else "false"}, "tag": {_text(order.tag)}, '
        f'"created": {_time(order.created_ns, order.zone)}, "filled_quantity": {order.filled_quantity!r}, '
        f'"average_fill_price": {_number(order.average_fill_price)}, "reason": {_text(order.reason)}, '
        f'"parent": {_text(order.parent)}, "oco": {_text(order.oco)}}}'
    )


def fill_line(fill: Fill) -> str:
    """Return a fill as its line, without the line end."""
    order = fill.order
    return (
        f'{{"date": {_day(fill.session_date)}, "time": {_time(fill.time_ns, fill.zone)}, "id": {_text(fill.id)}, '
        f'"order": {_text(order.id)}, "strategy": {_text(order.strategy)}, "symbol": {_text(fill.symbol)}, '
        f'"quantity": {fill.quantity!r}, "price": {fill.price!r}, "fee": {fill.fee!r}, "slippage": {fill.slippage!r}, '
        f'"ambiguous": {"true" if fill.ambiguous else "false"}, "tag": {_text(order.tag)}}}'
    )
