"""Status of a live run at one moment, for views of any process."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openbell.model.json_object import JsonObject

__all__ = [
    "STATUS",
    "AccountStatus",
    "BrokerStatus",
    "FeedStatus",
    "Happening",
    "LiveStatus",
    "OrderStatusLine",
    "PositionStatus",
    "ScanToCome",
    "SymbolStatus",
]

STATUS = "status.json"


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """State of the feed, and of the session beside it.

    Attributes:
        name: The feed.
        health: "LIVE", "BACKFILLING", "STALE", "DOWN" or "LAGGING".
        reason: Why, in words.
        heard: When the last bar came, or the connection; None before the first.
        losses: How many times the connection was lost.
        lag_s: How late the time that is played is, in seconds.
        waiting: How many bar times wait beside it, while it lags.
        bars_per_minute: How many bars came within the last minute.
    """

    name: str
    health: str
    reason: str
    heard: str | None = None
    losses: int = 0
    lag_s: float = 0.0
    waiting: int = 0
    bars_per_minute: int = 0


@dataclass(frozen=True, slots=True)
class SymbolStatus:
    """State of one symbol, which is ready when it is subscribed, stitched and warm.

    Attributes:
        symbol: The symbol.
        state: "ready", "pending", "halted" or "failed".
        subscribed: Whether the feed has acknowledged it.
        stitched: Whether its history and its bars of today are put together.
        warm: Whether each of its indicators has a value.
        missing: What is missing, or why it failed; empty of one that is ready.
        last_bar: When its last bar closed; None before the first.
        last_price: The close of that bar.
    """

    symbol: str
    state: str
    subscribed: bool
    stitched: bool
    warm: bool
    missing: str = ""
    last_bar: str | None = None
    last_price: float | None = None


@dataclass(frozen=True, slots=True)
class PositionStatus:
    """Position of the account.

    Attributes:
        symbol: The symbol.
        quantity: Units, negative when short.
        average_price: The mean price of the units.
        last_price: The last price.
        unrealized: Profit if it were closed at that price, before fees.
    """

    symbol: str
    quantity: float
    average_price: float
    last_price: float
    unrealized: float


@dataclass(frozen=True, slots=True)
class OrderStatusLine:
    """Open order.

    Attributes:
        id: The order.
        strategy: Who gave it.
        symbol: The symbol.
        quantity: Units that have not filled, negative to sell.
        type: Its kind.
        prices: Its prices in words, such as "limit 10.5".
        status: Its state.
    """

    id: str
    strategy: str
    symbol: str
    quantity: float
    type: str
    prices: str
    status: str


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """Account of a run that trades.

    Attributes:
        equity: Cash and the worth of what is held.
        cash: Money.
        day_pnl: Change of the equity since the session began.
        realized: Profit of all units that were closed in this run, before fees.
        positions: What is held.
        orders: The open orders, the latest of many.
        open_orders: How many there are.
    """

    equity: float
    cash: float
    day_pnl: float
    realized: float
    positions: tuple[PositionStatus, ...] = ()
    orders: tuple[OrderStatusLine, ...] = ()
    open_orders: int = 0


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """State of the broker over the network that a run trades at.

    Attributes:
        account: Kind of money, broker and number, such as "paper money at Alpaca, account PA31".
        is_paper: Whether it is paper money.
        is_connected: Whether its events come.
        trouble: Why they do not; empty while they do.
        refusal: Why no order is sent, as that its books and those of the run differ, with both sides; empty when they
            are.
        under_way: How many orders were sent, or changed, of which it has reported nothing yet.
    """

    account: str
    is_paper: bool
    is_connected: bool
    trouble: str = ""
    refusal: str = ""
    under_way: int = 0


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened.

    Attributes:
        time: When: in session time, or of the time outside of it for what concerns the feed.
        kind: "symbol", "scan", "signal", "order", "fill", "warning" or "feed".
        text: What, in words.
    """

    time: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ScanToCome:
    """Scan that is due next.

    Attributes:
        time: When.
        scanner: Whose it is.
    """

    time: str
    scanner: str


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """Status of a live run. All times are ISO text in the exchange's time zone.

    Attributes:
        session_name: The name in the config.
        state: "connecting", "preparing", "running", and how it ended: as in ``live.json``.
        now: The time outside of the session clock.
        feed: The feed.
        date: The session; None before the first.
        clock: The session clock; None before the first session.
        opens: When the session begins, and `closes` when it ends.
        counts: Symbols by state.
        symbols: Those that are not ready, then those that are; no more than some hundred of many.
        account: The account; None in a run that does not trade.
        broker: The broker over the network; None in a run whose orders are simulated.
        next_scan: None when no scan is to come.
        bars: Bars that came again, late or where they do not belong, by kind.
        happened: What happened last, the latest at the end.
    """

    session_name: str
    state: str
    now: str
    feed: FeedStatus
    date: str | None = None
    clock: str | None = None
    opens: str | None = None
    closes: str | None = None
    counts: dict[str, int] | None = None
    symbols: tuple[SymbolStatus, ...] = ()
    account: AccountStatus | None = None
    broker: BrokerStatus | None = None
    next_scan: ScanToCome | None = None
    bars: dict[str, int] | None = None
    happened: tuple[Happening, ...] = ()

    def to_dict(self) -> JsonObject:
        """Return it as JSON can hold it, as ``status.json`` does."""
        return asdict(self)
