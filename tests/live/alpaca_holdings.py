"""What an account at Alpaca holds: cash, positions, and what has happened to them."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from live.alpaca_orders import NOT_FOUND, RefusedError, S, plain, text_of
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

TIMES = TimeManager("XNYS")
NEW_YORK = ZoneInfo("America/New_York")
ZERO = Decimal(0)


class Holdings:
    """Cash and positions, and what a test changes behind everybody's back.

    Args:
        now_ns: The time.
        symbols: What can be traded.
        cash: What there is at first.
        multiplier: The leverage; 1 for an account without margin.

    Attributes:
        assets: What is known of the symbols, as Alpaca writes it.
        last: Last prices.
        positions: Quantities and average prices.
        activities: What happened, and when.
    """

    def __init__(
        self, now_ns: Callable[[], int], symbols: Iterable[str], cash: float = 100_000, multiplier: int = 2
    ) -> None:
        self._now_ns = now_ns
        self._count = 0
        self.id = self.new_id()
        self.cash = self._before = Decimal(str(cash))
        self.multiplier = multiplier
        self.is_blocked = False
        self.assets = {symbol: self._asset(symbol) for symbol in symbols}
        self.last: dict[str, Decimal] = {}
        self.positions: dict[str, tuple[Decimal, Decimal]] = {}
        self.activities: list[tuple[int, dict[str, Any]]] = []

    def new_id(self) -> str:
        self._count += 1
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._count}"))

    def _asset(self, symbol: str) -> dict[str, Any]:
        rights = dict.fromkeys(("tradable", "marginable", "shortable", "easy_to_borrow", "fractionable"), True)
        names = {"id": self.new_id(), "class": "us_equity", "exchange": "NASDAQ", "symbol": symbol, "name": symbol}
        return {**names, "status": "active", **rights, "attributes": []}

    # Time

    @property
    def now_ns(self) -> int:
        return self._now_ns()

    @property
    def local(self) -> datetime:
        """The time in New York."""
        return datetime.fromtimestamp(self.now_ns // S, NEW_YORK)

    @property
    def is_session(self) -> bool:
        return TIMES.is_session(self.local.date())

    @property
    def is_trading(self) -> bool:
        session = TIMES.session(self.local.date()) if self.is_session else None
        return session is not None and session.open_ns <= self.now_ns <= session.close_ns

    def clock(self) -> dict[str, Any]:
        sessions = [TIMES.session(day) for day in TIMES.sessions(*self._days_around())]
        opens = [session.open_ns for session in sessions if session.open_ns > self.now_ns]
        closes = [session.close_ns for session in sessions if session.close_ns > self.now_ns]
        times = {"timestamp": self.now_ns, "next_open": opens[0], "next_close": closes[0]}
        return {"is_open": self.is_trading, **{name: text_of(time) for name, time in times.items()}}

    def _days_around(self) -> tuple[date, date]:
        ahead_s = 12 * 86_400
        return self.local.date(), datetime.fromtimestamp(self.now_ns // S + ahead_s, NEW_YORK).date()

    # What there is

    def quantity(self, symbol: str) -> Decimal:
        return self.positions.get(symbol, (ZERO, ZERO))[0]

    def value(self, symbol: str) -> Decimal:
        quantity, average = self.positions[symbol]
        return quantity * self.last.get(symbol, average)

    def values(self, sign: int) -> Decimal:
        """The value of all longs or shorts."""
        return sum((self.value(symbol) for symbol in self.positions if self.quantity(symbol) * sign > 0), ZERO)

    @property
    def equity(self) -> Decimal:
        return self.cash + self.values(1) + self.values(-1)

    @property
    def may_short(self) -> bool:
        return self.multiplier > 1 and self.equity >= 2000

    def account(self, buying_power: Decimal) -> dict[str, Any]:
        """The account as Alpaca writes it, since 2026 without what was once said of day traders."""
        margin = (self.values(1) - self.values(-1)) / self.multiplier
        numbers = {
            "cash": self.cash, "equity": self.equity, "portfolio_value": self.equity, "last_equity": self._before,
            "buying_power": buying_power, "regt_buying_power": buying_power, "initial_margin": margin,
            "non_marginable_buying_power": max(ZERO, self.cash), "maintenance_margin": margin * Decimal("0.6"),
            "last_maintenance_margin": ZERO, "long_market_value": self.values(1), "sma": ZERO, "accrued_fees": ZERO,
            "short_market_value": self.values(-1), "multiplier": Decimal(self.multiplier),
        }  # fmt: skip
        return {
            "id": self.id, "account_number": "PA3OPENBELL1", "status": "ACTIVE", "crypto_status": "ACTIVE",
            "currency": "USD", "created_at": "2024-01-02T15:00:00Z", "transfers_blocked": False,
            "trading_blocked": self.is_blocked, "account_blocked": False, "trade_suspended_by_user": False,
            "shorting_enabled": self.may_short, **{name: plain(value) for name, value in numbers.items()},
        }  # fmt: skip

    def position(self, symbol: str, available: Decimal) -> dict[str, Any]:
        if symbol not in self.positions:
            raise RefusedError(NOT_FOUND, "position does not exist")
        quantity, average = self.positions[symbol]
        cost, value = quantity * average, self.value(symbol)
        gain = value - cost
        numbers = {
            "qty": quantity, "qty_available": available, "avg_entry_price": average, "market_value": value,
            "cost_basis": cost, "unrealized_pl": gain, "unrealized_plpc": gain / abs(cost) if cost else ZERO,
            "unrealized_intraday_pl": gain, "unrealized_intraday_plpc": ZERO, "change_today": ZERO,
            "current_price": self.last.get(symbol, average), "lastday_price": average,
        }  # fmt: skip
        return {
            "asset_id": self.assets[symbol]["id"], "symbol": symbol, "exchange": self.assets[symbol]["exchange"],
            "asset_class": "us_equity", "asset_marginable": True, "side": "long" if quantity > 0 else "short",
            **{name: plain(number) for name, number in numbers.items()},
        }  # fmt: skip

    # What changes

    def move(self, symbol: str, change: Decimal, price: Decimal) -> None:
        """Buy, or sell."""
        self.cash -= change * price
        quantity, average = self.positions.get(symbol, (ZERO, ZERO))
        total = quantity + change
        if not total:
            del self.positions[symbol]
            return
        if quantity * change >= 0:
            average = (quantity * average + change * price) / total
        elif total * quantity < 0:
            average = price
        self.positions[symbol] = total, average

    def hold(self, symbol: str, quantity: float, price: float) -> None:
        """Have a position that nobody ordered."""
        self.positions[symbol] = Decimal(str(quantity)), Decimal(str(price))

    def pay(self, amount: float, kind: str = "JNLC") -> None:
        """Change the cash; an activity without a kind is not told of."""
        self.cash += Decimal(str(amount))
        if kind:
            self.note(kind, net_amount=plain(Decimal(str(amount))))

    def split(self, symbol: str, new: int, old: int = 1) -> None:
        """Split what is held of a symbol, and its price."""
        quantity, average = self.positions[symbol]
        ratio = Decimal(new) / old
        self.positions[symbol] = quantity * ratio, average / ratio
        if symbol in self.last:
            self.last[symbol] /= ratio
        for count, price in ((-quantity, average), (quantity * ratio, average / ratio)):
            self.note("SPLIT", symbol=symbol, qty=plain(count), price=plain(price), net_amount="0")

    def note(self, kind: str, own_id: str = "", **facts: Any) -> None:
        """Add to the activities, whose ids begin with the time in New York."""
        stamp = f"{self.local:%Y%m%d%H%M%S}{self.now_ns % S // 1_000_000:03d}"
        known = {"account_id": self.id, "activity_type": kind, "id": f"{stamp}::{own_id or self.new_id()}"}
        if kind != "FILL":
            facts = {"date": f"{self.local:%Y-%m-%d}", "status": "executed", "description": "", **facts}
        self.activities.append((self.now_ns, {**known, **facts}))
