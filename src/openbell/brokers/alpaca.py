"""Link to Alpaca, which sends orders by its own package and hears of them by its stream of trade updates."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openbell.brokers.alpaca_account import books_of
from openbell.brokers.alpaca_dead_run import close_out
from openbell.brokers.alpaca_ids import AlpacaIds
from openbell.brokers.alpaca_order_updates import OrderUpdates
from openbell.brokers.alpaca_orders import UnsupportedError
from openbell.brokers.alpaca_requests import OrderRequests
from openbell.brokers.alpaca_rest import AlpacaTrading, NoAnswerError, RefusedError
from openbell.brokers.alpaca_stream import TradeUpdates, TradeUpdatesReader
from openbell.brokers.lanes import Lanes
from openbell.brokers.link import BrokerAccount
from openbell.errors import BrokerError, ConfigError
from openbell.feeds.current_connection import CurrentConnection
from openbell.feeds.server_text import ServerText
from openbell.feeds.websocket_bounds import WebSocketBounds
from openbell.logs import get_logger
from openbell.model.broker_events import (
    BrokerBack,
    BrokerBooks,
    BrokerLost,
    BrokerRefusal,
    BrokerSilence,
)
from openbell.model.feed_events import FeedBack, FeedLost
from openbell.timing.clock import WallClock
from openbell.vendors.alpaca import AlpacaKeys, is_http_address
from openbell.vendors.rate_limit import FetchStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from openbell.feeds.current_connection import LinkState
    from openbell.feeds.stream_connection import StreamConnection
    from openbell.model.broker_events import BrokerEvent, RequestKind
    from openbell.model.feed_events import FeedEvent
    from openbell.model.json_object import JsonObject
    from openbell.model.order import Order

__all__ = ["BASE_URL", "TRADE_STREAM_URL", "AlpacaLink"]

BASE_URL, TRADE_STREAM_URL = "APCA_API_BASE_URL", "APCA_API_TRADE_STREAM_URL"
"""Variables of the environment with the addresses of another server, or a proxy."""

_HOSTS = {True: "paper-api.alpaca.markets", False: "api.alpaca.markets"}
_PAPER_NUMBER = "PA"


class AlpacaLink:
    """Orders of US stocks at Alpaca.

    Requests of one symbol are made one after the other, and those of different symbols side by side; the books are
    asked for when everything before has its answer. So no order overtakes the cancellation that makes room for it, and
    no answer that is late holds up the rest.

    Args:
        keys: The account's keys, which show in no text.
        run_id: The id of the run, from which the ids of orders follow.
        put: Takes events, from any thread.
        is_paper: Whether to trade with paper money.
        url: The server's address; Alpaca's own unless given.
        stream_url: The address of the stream of trade updates; that of the server unless given.
        answer_s: The longest that an answer is waited for, in seconds.
        requests_per_minute: How close requests follow each other. Alpaca takes 200 in a minute as they come, and says
            when to wait.
        threads: How many requests may be under way at once.
        bounds: The most that is waited for or taken of the stream.

    Attributes:
        name: The name of the broker.

    Raises:
        ConfigError: A package is missing, or an address is none, or would send keys that others can read.
    """

    name = "Alpaca"

    def __init__(
        self,
        keys: AlpacaKeys,
        run_id: str,
        put: Callable[[BrokerEvent], None],
        *,
        is_paper: bool = True,
        url: str | None = None,
        stream_url: str | None = None,
        answer_s: float = 5.0,
        requests_per_minute: float = 1200,
        threads: int = 4,
        bounds: WebSocketBounds | None = None,
    ) -> None:
        base = _good_address(url, is_paper=is_paper) if url else f"https://{_HOSTS[is_paper]}"
        self._stream_url = stream_url or base.replace("http", "ws", 1) + "/stream"
        self._words = ServerText(self._stream_url, (keys.key_id, keys.secret))
        if not (self._words.is_encrypted or self._words.is_local):
            raise ConfigError(
                f"the keys would go to {self._words.place} for all to read. Write wss:// in place of ws://."
            )
        self._rest = AlpacaTrading(keys, base, is_paper=is_paper, answer_s=answer_s, per_minute=requests_per_minute)
        self._keys = keys
        self._is_paper = is_paper
        self._bounds = bounds or WebSocketBounds()
        self._ids = AlpacaIds(run_id)
        self._lanes = Lanes("alpaca", threads)
        self._lock = threading.RLock()
        self._put_event = put
        self._is_closed = False
        self._news = OrderUpdates(self._ids, self._put)
        self._requests = OrderRequests(self._rest, self._ids, self._news, self._put)
        self._current: CurrentConnection[TradeUpdatesReader] = CurrentConnection("alpaca trade updates")

    @staticmethod
    def of(
        environment: Mapping[str, str], run_id: str, put: Callable[[BrokerEvent], None], *, is_paper: bool = True
    ) -> AlpacaLink:
        """Return the link with the keys and addresses that are in the environment.

        Raises:
            ConfigError: Keys are missing, or as for the link itself.
        """
        return AlpacaLink(
            AlpacaKeys.of(environment),
            run_id,
            put,
            is_paper=is_paper,
            url=environment.get(BASE_URL),
            stream_url=environment.get(TRADE_STREAM_URL),
        )

    @property
    def state(self) -> LinkState:
        """State of the stream's connection."""
        return self._current.state

    @property
    def unanswered(self) -> int:
        """Number of requests that wait for an answer."""
        return self._lanes.unfinished

    @property
    def asked(self) -> int:
        """Number of requests so far."""
        return self._lanes.asked

    @property
    def read(self) -> int:
        """Number of trade updates that were read and passed on, over this connection."""
        return self._current.read

    def account(self) -> BrokerAccount:
        """Return the account, once the broker has answered.

        Raises:
            BrokerError: The keys are refused, or there is no answer, or its money is not the kind that was asked for.
        """
        try:
            number = str(self._rest.account().get("account_number") or "")
        except (RefusedError, NoAnswerError) as exc:
            raise BrokerError(f"the account at Alpaca cannot be had: {exc}.") from None
        is_paper = number.startswith(_PAPER_NUMBER)
        if self._is_paper and not is_paper:
            raise BrokerError(f"account {number} at Alpaca is of LIVE MONEY, and paper money was asked for.")
        return BrokerAccount(self.name, number, is_paper)

    # The stream

    def connect(self) -> None:
        """Begin to listen to trade updates, which ends in `BrokerBack` or `BrokerLost`."""
        with self._lock:
            self._current.give_up()
            if self._is_closed:
                return
            connection = TradeUpdates(
                self._stream_url,
                self._words,
                self._bounds,
                self._heard_of_connection,
                lambda: WallClock().now_ns,
                keys=self._keys,
                heard=self._heard,
            )
            self._current.begin(connection)

    def disconnect(self) -> None:
        """Give up the stream."""
        with self._lock:
            self._current.give_up()

    def close(self) -> None:
        """Free everything, after which nothing comes."""
        with self._lock:
            self._is_closed = True
            thread = self._current.end()
        self._rest.stop()
        self._lanes.stop(2 * self._bounds.close_s)
        self._rest.close()
        if thread is not None:
            thread.close(2 * self._bounds.close_s)

    def _heard_of_connection(
        self, connection: StreamConnection[TradeUpdatesReader], events: Sequence[FeedEvent | BrokerEvent]
    ) -> None:
        with self._lock:
            if connection is not self._current.connection:
                return
            for event in events:
                if isinstance(event, FeedBack):
                    self._current.opened()
                    self._put(BrokerBack())
                elif isinstance(event, FeedLost):
                    self._current.lost()
                    self._put(BrokerLost(event.reason, event.is_final))

    def _heard(self, data: JsonObject) -> None:
        self._news.update(data)
        self._current.read += 1

    # Requests

    def know(self, orders: Iterable[Order]) -> None:
        """Hear of orders that the run gave before, also in another process."""
        self._ids.know(orders)

    def submit(self, orders: Sequence[Order]) -> None:
        """Send an order, or an entry together with its legs."""
        self._do("submit", orders[0], lambda: self._requests.submit(orders))

    def cancel(self, order: Order) -> None:
        """Ask for an order to be cancelled."""
        self._do("cancel", order, lambda: self._requests.cancel(order))

    def replace(self, order: Order, version: int) -> None:
        """Ask for an open order to have the units and prices of another one."""
        self._do("replace", order, lambda: self._requests.replace(order, version))

    def ask(self, orders: Sequence[Order], version: int = 0) -> None:
        """Ask how an order stands, or all that were sent together."""

        def work() -> None:
            try:
                self._requests.ask(orders, version)
            except (RefusedError, NoAnswerError) as exc:
                get_logger().warning("no answer about an order", order=orders[0].id, reason=str(exc))

        self._lanes.do(orders[0].symbol, lambda: _until_stopped(work))

    def ask_books(self, since_ns: int) -> None:
        """Ask for the account with all that has happened since a time."""

        def work() -> None:
            try:
                books = books_of(self._rest, since_ns, self._ids)
            except (RefusedError, NoAnswerError) as exc:
                books = BrokerBooks(error=str(exc))
            except (KeyError, ValueError, TypeError) as exc:
                books = BrokerBooks(error=f"Alpaca's answer cannot be understood ({type(exc).__name__}: {exc})")
            self._news.sort_out(all_of_them=True)
            self._put(books)

        self._lanes.after_all(lambda: _until_stopped(work))

    def close_out(self, symbols: Sequence[str]) -> list[str]:
        """Cancel all open orders of this run and close its positions in some symbols.

        Raises:
            BrokerError: The broker does not answer, or refuses.
        """
        try:
            return close_out(self._rest, self._ids, symbols)
        except (RefusedError, NoAnswerError) as exc:
            raise BrokerError(f"not everything could be closed at Alpaca: {exc}.") from None

    def _do(self, request: RequestKind, order: Order, work: Callable[[], None]) -> None:
        """Make a request after those of its symbol that came before, and tell how it ends."""

        def guarded() -> None:
            try:
                work()
            except (UnsupportedError, RefusedError) as exc:
                self._put(BrokerRefusal(order.id, request, str(exc)))
            except NoAnswerError as exc:
                self._put(BrokerSilence(order.id, request, str(exc)))
            except (KeyError, ValueError, TypeError) as exc:
                text = f"Alpaca's answer cannot be understood ({type(exc).__name__}: {exc})"
                self._put(BrokerSilence(order.id, request, text))

        self._lanes.do(order.symbol, lambda: _until_stopped(guarded))

    def _put(self, event: BrokerEvent) -> None:
        with self._lock:
            if not self._is_closed:
                self._put_event(event)


def _until_stopped(work: Callable[[], None]) -> None:
    try:
        work()
    except FetchStoppedError:
        return


def _good_address(url: str, *, is_paper: bool) -> str:
    """Return the address of a server, without the version that Alpaca's dashboard shows with it.

    Raises:
        ConfigError: It is none, or the one of live money where paper money was asked for.
    """
    if not is_http_address(url):
        raise ConfigError(f"the address in {BASE_URL} is none. Write for example https://{_HOSTS[True]}.")
    if is_paper and urlsplit(url).hostname == _HOSTS[False]:
        raise ConfigError(f"{BASE_URL} is the address of LIVE MONEY, and paper money was asked for. Unset it.")
    return url.rstrip("/").removesuffix("/v2")
