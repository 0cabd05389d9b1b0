"""Status of a live run at one moment, to show in this process or another."""

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
    """State of the feed, and lag of the session.

    Attributes:
        name: The feed.
        health: "LIVE", "BACKFILLING", "STALE", "DOWN" or "LAGGING".
        reason: Why, in words.
        heard: When the last bar arrived or the connection was made; None before that.
        losses: How many times the connection was lost.
        lag_s: How late the time that is played is, in seconds.
        waiting: How many further bar times wait, while the session lags.
        bars_per_minute: How many bars arrived within the last minute.
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
        stitched: Whether its history has come, so that it joins the bars of today without a gap.
        warm: Whether each of its indicators has a value.
        missing: What is missing, or why the symbol failed; empty if it is ready.
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
        unrealized: Profit if the position were closed at that price, before fees.
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
        strategy: The strategy that gave it.
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
        equity: Cash, and positions at their last price.
        cash: Money.
        day_pnl: Change of the equity since the session began.
        realized: Profit of all units that were closed in this run, before fees.
        positions: The open positions.
        orders: The open orders, the latest first and not all if they are many.
        open_orders: How many open orders there are.
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
        trouble: Why they do not come; empty while they do.
        refusal: Why no order is sent, such as a difference between the broker's books and the run's; empty while orders
            are sent.
        under_way: How many orders were sent or changed without a report of the broker yet.
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
        time: When it happened, in session time, or outside of it for what concerns the feed.
        kind: "session", "symbol", "scan", "signal", "order", "fill", "warning" or "feed".
        text: What happened, in words.
    """

    time: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ScanToCome:
    """Next scan that is due.

    Attributes:
        time: When it is due.
        scanner: The name of the scanner.
    """

    time: str
    scanner: str


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """Status of a live run. All times are ISO text in the exchange's time zone.

    Attributes:
        session_name: The name in the config.
        state: "connecting", "preparing", "running" and further states of ``live.json``, such as how the run ended.
        now: The time outside of the session clock.
        feed: The feed.
        date: The session; None before the first.
        clock: The session clock; None before the first session.
        opens: When the session begins; None before the first session.
        closes: When the session ends; None before the first session.
        counts: Symbols by state.
        symbols: The symbols that are not ready, then those that are; at most some hundreds.
        account: The account; None in a run that does not trade.
        broker: The broker over the network; None in a run whose orders are simulated.
        next_scan: The next scan; None when none is to come.
        bars: How many bars came again, late, or at times that were refused, by kind.
        happened: The last happenings, the latest at the end.
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
        """Return the JSON object of ``status.json``."""
        return asdict(self)
