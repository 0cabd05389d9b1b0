"""Feed of Alpaca, with live bars from its stream and history through the package alpaca-py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openbell.errors import ConfigError
from openbell.feeds.alpaca.connection import AlpacaConnection
from openbell.feeds.alpaca.history import AlpacaHistory
from openbell.feeds.alpaca.messages import AlpacaReader, JsonCodec, MsgpackCodec
from openbell.feeds.http_dates import date_header_ns
from openbell.feeds.server_text import ServerText
from openbell.feeds.stream_feed import StreamFeed
from openbell.model.feed_events import FeedAnswer, FeedClock, FeedHistory
from openbell.model.symbol import checked_symbol
from openbell.vendors.alpaca import INTERVALS, AlpacaKeys, AlpacaSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from openbell.feeds.alpaca.messages import Codec
    from openbell.feeds.arrivals import FilledArrivals
    from openbell.feeds.feed import HistoryRequest
    from openbell.feeds.stream_connection import StreamConnection
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedEvent

__all__ = ["DATA_URL", "STREAM_URL", "AlpacaFeed"]

DATA_URL, STREAM_URL = "APCA_API_DATA_URL", "APCA_API_STREAM_URL"
"""Environment variables with the addresses of another server, or of a proxy."""

_STREAM = "wss://stream.data.alpaca.markets"
_CODECS: Mapping[str, type[Codec]] = {"json": JsonCodec, "msgpack": MsgpackCodec}


class AlpacaFeed(StreamFeed[AlpacaReader]):
    """Live 1m and 1d bars of US stocks, and their history.

    Args:
        keys: The account's keys, which no text of the feed shows.
        feed: "iex", "sip" or another feed of Alpaca, for stream and history.
        close_of: Returns the close of the session of a date, nanoseconds since 1970 UTC; None without a session.
        stream_url: The stream's address, without version and feed; None is Alpaca's own.
        data_url: The address for history; None is Alpaca's own.
        encoding: The encoding of the stream, "json" or "msgpack".
        requests_per_minute: The rate limit of requests for history.
        arrivals: Takes the events; None makes an inbox by the machine's clock.
        bounds: The limits of times and sizes.

    Attributes:
        name: The label of the bars.
        intervals: The intervals that the feed sends.
        limit: None, because the plan's limit of symbols shows only in an error.
        arrivals: The events as they arrive, and the time.

    Raises:
        ConfigError: A package is missing, an address is not valid, or the stream's address is neither encrypted nor
            local, so that others could read the keys.
    """

    def __init__(
        self,
        keys: AlpacaKeys,
        feed: str,
        close_of: Callable[[date], int | None],
        *,
        stream_url: str | None = None,
        data_url: str | None = None,
        encoding: str = "msgpack",
        requests_per_minute: float = 200,
        arrivals: FilledArrivals | None = None,
        bounds: WebSocketBounds | None = None,
    ) -> None:
        address = (stream_url or _STREAM).rstrip("/")
        words = ServerText(address, (keys.key_id, keys.secret))
        if not (words.is_encrypted or words.is_local):
            raise ConfigError(f"the keys would go to {words.place} for all to read. Write wss:// in place of ws://.")
        source = AlpacaSource(keys, url=data_url, feed=feed, requests_per_minute=requests_per_minute, heard=self._heard)
        super().__init__(words, name=f"alpaca-{feed}", arrivals=arrivals, bounds=bounds, extra="alpaca")
        self._url = f"{address}/v2/{feed}"
        self._address = address
        self._keys = keys
        self._codec = _CODECS[encoding]()
        self._close_of = close_of
        self.intervals = INTERVALS
        self._questions = 0
        self._history = AlpacaHistory(
            source, self._put_history, lambda: self.arrivals.now_ns, self._inbox.at, self._close_of
        )

    @staticmethod
    def of(
        environment: Mapping[str, str],
        feed: str,
        close_of: Callable[[date], int | None],
        stream_url: str | None = None,
    ) -> AlpacaFeed:
        """Return a feed with the keys and addresses from the environment variables.

        Raises:
            ConfigError: Keys are missing, or as for the class.
        """
        return AlpacaFeed(
            AlpacaKeys.of(environment),
            feed,
            close_of,
            stream_url=stream_url or environment.get(STREAM_URL),
            data_url=environment.get(DATA_URL),
        )

    @property
    def address(self) -> str:
        """The stream's address, without keys that it may hold."""
        return self._words.clean(self._address, len(self._address))

    @property
    def asked(self) -> int:
        """Number of requests to the server so far, connections begun or given up included."""
        return super().asked + self._history.asked

    @property
    def unanswered(self) -> int:
        """Number of requests, for symbols or history, that wait for an answer."""
        return self._questions + self._history.unanswered

    def subscribe(self, symbols: Iterable[str]) -> None:
        """Subscribe to the bars of further symbols, answered by a `FeedAnswer` with all subscribed symbols."""
        if wanted := [checked_symbol(symbol) for symbol in symbols]:
            self._change_subscription(lambda reader: reader.subscribe(wanted))

    def unsubscribe(self, symbols: Iterable[str]) -> None:
        """Unsubscribe from the bars of symbols, answered by a `FeedAnswer`, too."""
        if unwanted := [checked_symbol(symbol) for symbol in symbols]:
            self._change_subscription(lambda reader: reader.unsubscribe(unwanted))

    def request_history(self, request: HistoryRequest) -> None:
        """Request closed bars, answered by a `FeedHistory`."""
        if self._expect_answer(request.number):
            self._history.ask(request)

    def close(self) -> None:
        """Close the connections and end the threads, after which no event arrives.

        The call waits a moment for the server to close.
        """
        super().close()
        self._history.stop(2 * self._bounds.close_s)

    def _change_subscription(self, change: Callable[[AlpacaReader], None]) -> None:
        """Send a change of the subscription, counted as unanswered unless there is no connection."""
        self._questions += 1
        if not self._ask(change):
            self._questions -= 1

    def _new_connection(self) -> AlpacaConnection:
        self._questions = 0
        return AlpacaConnection(
            self._url,
            self._words,
            self._bounds,
            self._put,
            lambda: self.arrivals.now_ns,
            keys=self._keys,
            codec=self._codec,
            is_over=self._is_over,
        )

    def _is_over(self, day: date) -> bool:
        """Return whether a date has a session that has closed by now."""
        close_ns = self._close_of(day)
        return close_ns is not None and self.arrivals.now_ns >= close_ns

    def _put(self, connection: StreamConnection[AlpacaReader], events: Sequence[FeedEvent | BrokerEvent]) -> None:
        super()._put(connection, events)
        if connection is self._current.connection:
            self._questions = max(0, self._questions - sum(isinstance(event, FeedAnswer) for event in events))

    def _put_history(self, event: FeedEvent) -> None:
        """Pass on an event of history, unless it answers a request that was ended already."""
        with self._lock:
            if self._is_closed:
                return
            if isinstance(event, FeedHistory):
                if event.number not in self._unanswered:
                    return
                del self._unanswered[event.number]
            self._inbox.put(event)

    def _heard(self, date_header: str | None, elapsed_s: float) -> None:
        """Report the server's time by an HTTP response for history."""
        server_ns = date_header_ns(date_header)
        if server_ns is not None:
            now_ns = self.arrivals.now_ns
            self._put_history(FeedClock(server_ns, now_ns - round(elapsed_s * 1e9), now_ns))
