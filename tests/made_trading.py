"""Orders, fills and trades for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from openbell.model.fill import Fill
from openbell.model.order import Order, OrderStatus, OrderType
from openbell.model.trade import Trade

MINUTE_NS = 60_000_000_000
DAY = date(2024, 7, 2)
OPEN_NS = int(datetime(2024, 7, 2, 13, 30, tzinfo=UTC).timestamp()) * 10**9


def made_order(symbol: str, quantity: float, *, number: int = 1, time_ns: int = OPEN_NS, **fields: Any) -> Order:
    """A filled order."""
    defaults: dict[str, Any] = {
        "id": f"Algo-{number}",
        "strategy": "Algo",
        "type": OrderType.MARKET,
        "created_ns": time_ns,
        "updated_ns": time_ns,
        "zone": UTC,
        "session_date": DAY,
        "status": OrderStatus.FILLED,
        "filled_quantity": quantity,
    }
    return Order(symbol=symbol, quantity=quantity, **{**defaults, **fields})


def made_fill(
    symbol: str,
    quantity: float,
    price: float,
    *,
    minute: int = 0,
    number: int = 1,
    fee: float = 0.0,
    day: date = DAY,
    **of_order: Any,
) -> Fill:
    """A fill so many minutes after the open of a session."""
    time_ns = OPEN_NS + minute * MINUTE_NS + (day - DAY).days * 86_400 * 10**9
    fields = {name: of_order.pop(name) for name in ("slippage", "ambiguous") if name in of_order}
    order = made_order(symbol, quantity, number=number, time_ns=time_ns, session_date=day, **of_order)
    return Fill(
        id=f"{order.id}.1",
        order=order,
        symbol=symbol,
        quantity=quantity,
        price=price,
        fee=fee,
        time_ns=time_ns,
        zone=UTC,
        session_date=day,
        **fields,
    )


def made_trade(pnl: float, fees: float = 0.0, **fields: Any) -> Trade:
    """A closed trade with a profit before fees."""
    entry = datetime(2024, 7, 2, 9, 30, tzinfo=UTC)
    defaults: dict[str, Any] = {
        "symbol": "ALFA",
        "strategy": "Algo",
        "quantity": 1.0,
        "entry_time": entry,
        "exit_time": entry + timedelta(minutes=5),
        "entry_price": 100.0,
        "exit_price": 100.0 + pnl,
        "return_": pnl / 100,
        "bars": 5,
        "held": timedelta(minutes=5),
    }
    return Trade(pnl=pnl, fees=fees, **{**defaults, **fields})
