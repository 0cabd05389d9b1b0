"""Link to Alpaca, with requests through alpaca-py and events by its stream."""

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
    AccountSnapshot,
    BrokerConnected,
    BrokerLost,
    BrokerNoAnswer,
    BrokerRefusal,
)
from openbell.model.feed_events import FeedConnected, FeedLost
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
"""Environment variables with the addresses of another server, or of a proxy."""

_HOSTS = {True: "paper-api.alpaca.markets", False: "api.alpaca.markets"}
_PAPER_NUMBER = "PA"
"""The beginning of the numbers of paper accounts."""


class AlpacaLink:
    """Orders of US stocks at Alpaca.

    Requests about one symbol are sent one after the other, and those about different symbols in parallel; the account
    is requested when everything before has been answered. So no order overtakes the cancellation that makes room for
    it, and no late answer delays other symbols.

    Args:
        keys: The account's keys, which no text of the link shows.
        run_id: The id of the run, from which the ids of orders are made.
        put: Takes events; called from any thread.
        is_paper: Whether to trade with paper money.
        url: The server's address; None is Alpaca's own.
        stream_url: The address of the stream of trade updates; None is that of the server.
        answer_s: The timeout of an answer in seconds.
        requests_per_minute: The rate at which requests are spaced. Alpaca takes 200 in a minute, even at once, and then
            demands a wait.
        threads: The most requests in flight at once.
        bounds: The limits of times and sizes of the stream.

    Attributes:
        name: The name of the broker.

    Raises:
        ConfigError: A package is missing, an address is not valid or is of live money, or the stream's address is
            neither encrypted nor local, so that others could read the keys.
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
        self._updates = OrderUpdates(self._ids, self._put)
        self._requests = OrderRequests(self._rest, self._ids, self._updates, self._put)
        self._current: CurrentConnection[TradeUpdatesReader] = CurrentConnection("alpaca trade updates")

    @staticmethod
    def of(
        environment: Mapping[str, str], run_id: str, put: Callable[[BrokerEvent], None], *, is_paper: bool = True
    ) -> AlpacaLink:
        """Return a link with the keys and addresses from the environment variables.

        Raises:
            ConfigError: Keys are missing, or as for the class.
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
        """The state of the stream's connection."""
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
        """Number of trade updates read from the present connection and passed on."""
        return self._current.read

    def account(self) -> BrokerAccount:
        """Wait for the broker's answer, and return the account.

        Raises:
            BrokerError: The keys are refused, there is no answer, or the account is of live money where paper money was
                requested.
        """
        try:
            number = str(self._rest.account().get("account_number") or "")
        except (RefusedError, NoAnswerError) as exc:
            raise BrokerError(f"the account at Alpaca cannot be read: {exc}.") from None
        is_paper = number.startswith(_PAPER_NUMBER)
        if self._is_paper and not is_paper:
            raise BrokerError(f"account {number} at Alpaca is of LIVE MONEY, and paper money was asked for.")
        return BrokerAccount(self.name, number, is_paper)

    # The stream

    def connect(self) -> None:
        """Begin to connect to the stream of trade updates, which ends in `BrokerConnected` or `BrokerLost`."""
        with self._lock:
            self._current.give_up()
            if self._is_closed:
                return
            connection = TradeUpdates(
                self._stream_url,
                self._words,
                self._bounds,
                self._connection_changed,
                lambda: WallClock().now_ns,
                keys=self._keys,
                heard=self._read_update,
            )
            self._current.begin(connection)

    def disconnect(self) -> None:
        """Give up the connection to the stream."""
        with self._lock:
            self._current.give_up()

    def close(self) -> None:
        """Close the connections and end the threads, after which no event arrives."""
        with self._lock:
            self._is_closed = True
            thread = self._current.end()
        self._rest.stop()
        self._lanes.stop(2 * self._bounds.close_s)
        self._rest.close()
        if thread is not None:
            thread.close(2 * self._bounds.close_s)

    def _connection_changed(
        self, connection: StreamConnection[TradeUpdatesReader], events: Sequence[FeedEvent | BrokerEvent]
    ) -> None:
        """Report that the current connection is open or lost."""
        with self._lock:
            if connection is not self._current.connection:
                return
            for event in events:
                if isinstance(event, FeedConnected):
                    self._current.opened()
                    self._put(BrokerConnected())
                elif isinstance(event, FeedLost):
                    self._current.lost()
                    self._put(BrokerLost(event.reason, event.is_final))

    def _read_update(self, data: JsonObject) -> None:
        self._updates.update(data)
        self._current.read += 1

    # Requests

    def know(self, orders: Iterable[Order]) -> None:
        """Record orders that the run has sent before, perhaps in another process."""
        self._ids.know(orders)

    def submit(self, orders: Sequence[Order]) -> None:
        """Send an order, or an entry together with its legs."""
        self._do("submit", orders[0], lambda: self._requests.submit(orders))

    def cancel(self, order: Order) -> None:
        """Request the cancellation of an order."""
        self._do("cancel", order, lambda: self._requests.cancel(order))

    def replace(self, order: Order, version: int) -> None:
        """Request that an open order gets the units and prices of ``order``."""
        self._do("replace", order, lambda: self._requests.replace(order, version))

    def ask(self, orders: Sequence[Order], version: int = 0) -> None:
        """Request the state of an order, or of an entry with its legs."""

        def work() -> None:
            try:
                self._requests.ask(orders, version)
            except (RefusedError, NoAnswerError) as exc:
                get_logger().warning("no answer about an order", order=orders[0].id, reason=str(exc))

        self._lanes.do(orders[0].symbol, lambda: _until_stopped(work))

    def ask_books(self, since_ns: int) -> None:
        """Request the account with its events since a time, nanoseconds since 1970 UTC."""

        def work() -> None:
            try:
                books = books_of(self._rest, since_ns, self._ids)
            except (RefusedError, NoAnswerError) as exc:
                books = AccountSnapshot(error=str(exc))
            except (KeyError, ValueError, TypeError) as exc:
                books = AccountSnapshot(error=f"Alpaca's answer cannot be understood ({type(exc).__name__}: {exc})")
            self._updates.sort_out(all_of_them=True)
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
        """Queue a request after earlier ones about its symbol, and report a failure as an event."""

        def guarded() -> None:
            try:
                work()
            except (UnsupportedError, RefusedError) as exc:
                self._put(BrokerRefusal(order.id, request, str(exc)))
            except NoAnswerError as exc:
                self._put(BrokerNoAnswer(order.id, request, str(exc)))
            except (KeyError, ValueError, TypeError) as exc:
                text = f"Alpaca's answer cannot be understood ({type(exc).__name__}: {exc})"
                self._put(BrokerNoAnswer(order.id, request, text))

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
        ConfigError: The address is not valid, or is that of live money where paper money was requested.
    """
    if not is_http_address(url):
        raise ConfigError(f"the address in {BASE_URL} is not valid. Write for example https://{_HOSTS[True]}.")
    if is_paper and urlsplit(url).hostname == _HOSTS[False]:
        raise ConfigError(f"{BASE_URL} is the address of LIVE MONEY, and paper money was asked for. Unset it.")
    return url.rstrip("/").removesuffix("/v2")
