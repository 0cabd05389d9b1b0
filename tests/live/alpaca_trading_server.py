"""A server of our own that speaks Alpaca's trading protocols, and misbehaves on command.

Orders go over HTTP, trade updates over a websocket in binary frames, as at Alpaca. How the market trades, a test says:
`trade`, `bar`, `follow`, `end_session`. What it holds is its `account`.
"""

from __future__ import annotations

import json
import threading
import time as machine
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from live.alpaca_account import AlpacaAccount
from live.alpaca_holdings import TIMES
from live.alpaca_orders import RefusedError, S
from live.alpaca_server import KEYS
from live.alpaca_trading_rest import answer
from live.alpaca_trading_stream import TradeUpdates
from live.virtual_time import HANGS_AFTER_S
from openbell.brokers.alpaca import AlpacaLink
from openbell.feeds.websocket_bounds import WebSocketBounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from live.virtual_time import VirtualArrivals
    from openbell.model.feed_events import FeedBar

MINUTE_NS = 60 * S
TOO_MANY = {"code": 42910000, "message": "rate limit exceeded"}
_TROUBLE_WORDS = {
    401: {"code": 40110000, "message": "request is not authorized"}, 403: {"message": "forbidden."}, 429: TOO_MANY,
    500: {"code": 50010000, "message": "internal server error occurred"}, 504: {"message": "gateway timeout"},
    503: {"code": 50310000, "message": "service unavailable"},
}  # fmt: skip


@dataclass
class Trouble:
    """What happens to one of the next requests.

    Attributes:
        status: What is answered; 0 for no answer, because the connection breaks off.
        method: Only a request of this method; likewise `path`, by its beginning.
        is_done: Whether the request does what it says all the same.
        is_silent: Whether nothing is ever answered.
        headers: Headers of the answer.
        body: What is answered; by default what Alpaca says with the status.
    """

    status: int = 0
    method: str = ""
    path: str = ""
    is_done: bool = False
    is_silent: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    def meets(self, method: str, path: str) -> bool:
        return method.startswith(self.method) and path.startswith(self.path)


class AlpacaTradingServer:
    """A broker for a test.

    Args:
        time: The script's time, or the machine's.
        symbols: What can be traded.
        cash: What the account has at first.
        multiplier: Its leverage.

    Attributes:
        account: The account; commands to it are given through `do`.
        troubles: What happens to the next requests.
        events_first: Whether trade updates go out before the answer to the request that they come of.
        doubled: Events that are said twice.
        unsaid: Events that are never said.
        late_fills: Whether an order that is to be cancelled fills just before.
        meanwhile: Called with the path of each request when it is answered.
        clock_off_s: How far its clock is ahead of the time.
        requests: Methods, paths and bodies of the requests.
        stream: The stream of trade updates, which can be cut and refused.
    """

    def __init__(
        self, time: VirtualArrivals, symbols: Iterable[str], cash: float = 100_000, *, multiplier: int = 2
    ) -> None:
        self._time = time
        self.account = AlpacaAccount(lambda: time.now_ns, symbols, cash, multiplier)
        self.troubles: deque[Trouble] = deque()
        self.events_first = False
        self.doubled: set[str] = set()
        self.unsaid: set[str] = set()
        self.late_fills = False
        self.meanwhile: Callable[[str], None] | None = None
        self.clock_off_s = 0.0
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.lock = threading.RLock()
        self._links: list[AlpacaLink] = []
        self._settled = -1
        self.ends = threading.Event()
        self._rest = ThreadingHTTPServer(("127.0.0.1", 0), _Rest)
        self._rest.daemon_threads = True
        self._rest.broker = self  # type: ignore[attr-defined]
        self._rest_thread = threading.Thread(target=self._rest.serve_forever, args=(0.02,))
        self._rest_thread.start()
        self.stream = TradeUpdates(lambda: self.date_text)
        time.settles(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.set()
        for link in self._links:
            link.close()
        self.stream.stop()
        self._rest.shutdown()
        self._rest.server_close()
        self._rest_thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._rest.server_address[1]}"

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.stream.port}/stream"

    @property
    def date_text(self) -> str:
        """Its clock."""
        return format_datetime(datetime.fromtimestamp(self._time.now_ns / S + self.clock_off_s, UTC), usegmt=True)

    def link(self, run_id: str, put: Callable[[Any], None], **more: Any) -> AlpacaLink:
        """A link to this broker, for whose messages the script's time waits.

        It makes one request at a time, so that what it tells does not depend on the machine.
        """
        bounds = WebSocketBounds(answer_s=HANGS_AFTER_S, ping_s=None)
        known: dict[str, Any] = {
            "url": self.url,
            "stream_url": self.stream_url,
            "requests_per_minute": 1e6,
            "threads": 1,
        }
        made = AlpacaLink(more.pop("keys", KEYS), run_id, put, bounds=bounds, **{**known, **more})
        self._links.append(made)
        return made

    # Traffic

    @property
    def count(self) -> int:
        return len(self.requests) + len(self.stream.sent) + self.stream.connects + sum(x.asked for x in self._links)

    @property
    def is_settled(self) -> bool:
        return self.count == self._settled

    def settle(self) -> None:
        """Return when all links have their answers, and have read what was said."""
        count = self.count
        for link in self._links:
            self._until(lambda link=link: link.state != "opening" and not link.unanswered)
        with self.lock:  # whoever holds it has more to say
            said = self.stream.said
        for link in self._links:
            self._until(lambda link=link: link.state != "open" or link.read >= said or not self.stream.listeners)
        self._settled = count

    def _until(self, is_so: Callable[[], bool]) -> None:
        deadline = machine.monotonic() + HANGS_AFTER_S
        while not is_so():
            assert machine.monotonic() < deadline, "the link and the broker wait for each other"
            machine.sleep(0.0005)

    # Commands

    def do(self, action: Callable[[AlpacaAccount], Any]) -> Any:
        """Do something with the account, and say what comes of it."""
        with self.lock:
            done = action(self.account)
            self.say()
            return done

    def trade(self, symbol: str, price: float, qty: float | None = None) -> None:
        """Let a symbol trade; see `AlpacaAccount.trade`."""
        self.do(lambda account: account.trade(symbol, price, qty))

    def bar(self, bar: FeedBar) -> None:
        """Let a symbol trade at once as a bar says."""
        self.do(lambda account: account.bar(bar))

    def follow(self, bars: Iterable[FeedBar], opens_after_s: float = 5.0) -> None:
        """Let symbols trade as bars of a minute say, by the script's time, until each session ends.

        The open comes a moment after the minute begins, when orders that follow from the bar before are there; the
        rest comes in its middle.
        """
        closes = set()
        for bar in bars:
            open_ns, rest_ns = bar.start_ns + round(opens_after_s * S), bar.start_ns + MINUTE_NS // 2
            self._time.at(open_ns, partial(self.trade, bar.symbol, bar.open))
            self._time.at(rest_ns, partial(self.do, partial(AlpacaAccount.move_through, bar=bar)))
            closes.add(TIMES.session(TIMES.day_of(bar.start_ns)).close_ns)
        for close_ns in closes:
            self._time.at(close_ns, self.end_session)

    def end_session(self) -> None:
        self.do(lambda account: account.end_session())

    def say(self) -> None:
        """Send the trade updates that wait."""
        with self.lock:
            updates, self.account.said = self.account.said, []
            for update in updates:
                if update["event"] not in self.unsaid:
                    for _ in range(2 if update["event"] in self.doubled else 1):
                        self.stream.say(update)


class _Rest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Any

    def _handle(self) -> None:
        broker: AlpacaTradingServer = self.server.broker
        parts = urlsplit(self.path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(text, parse_float=Decimal, parse_int=Decimal) if text else {}
        with broker.lock:
            broker.requests.append((self.command, parts.path, params | body))
            trouble = next((each for each in broker.troubles if each.meets(self.command, parts.path)), None)
            if trouble is None:
                self._answer(broker, *self._done(broker, parts.path, params, body))
                if broker.meanwhile is not None:
                    broker.meanwhile(parts.path)
                return
            broker.troubles.remove(trouble)
            if trouble.is_done:
                self._done(broker, parts.path, params, body)
                broker.say()
        if trouble.is_silent:
            broker.ends.wait(HANGS_AFTER_S)
        if trouble.is_silent or not trouble.status:
            self.close_connection = True
            return
        self._say(trouble.status, trouble.body or _TROUBLE_WORDS.get(trouble.status, {}), trouble.headers)

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PATCH(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _answer(self, broker: AlpacaTradingServer, status: int, body: Any) -> None:
        if broker.events_first:
            broker.say()
        self._say(status, body)
        broker.say()

    def _done(
        self, broker: AlpacaTradingServer, path: str, params: dict[str, str], body: dict[str, Any]
    ) -> tuple[int, Any]:
        """Do what a request says."""
        keys = self.headers["APCA-API-KEY-ID"], self.headers["APCA-API-SECRET-KEY"]
        if None in keys:
            return 401, _TROUBLE_WORDS[401]
        if keys != (KEYS.key_id, KEYS.secret):
            return 401, {"message": "unauthorized."}
        try:
            if broker.late_fills and self.command == "DELETE" and path.startswith("/v2/orders/"):
                broker.account.fill_now(path.rpartition("/")[2])
            return answer(broker.account, self.command, path, params, body)
        except RefusedError as exc:
            return exc.status, exc.body

    def _say(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = b"" if body is None else json.dumps(body, default=str).encode()
        limits = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0" if status == 429 else "199"}
        self.send_response(status)
        known = {"Content-Type": "application/json; charset=UTF-8", "Content-Length": str(len(data)), **limits}
        for name, value in {**known, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(data)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server.broker.date_text

    def log_message(self, *_: Any) -> None:
        pass
