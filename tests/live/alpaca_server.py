"""A server of our own that speaks Alpaca's market data protocols by a script's time, and misbehaves on command.

The stream goes over a websocket, in JSON or msgpack as the client's Content-Type says; history over HTTP, in pages.
"""

from __future__ import annotations

import json
import threading
import time as machine
from collections import defaultdict, deque
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import msgpack
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from live.server import Client, FeedServer
from live.socket_server import bound
from live.virtual_time import HANGS_AFTER_S, S
from openbell.feeds.alpaca.alpaca_feed import AlpacaFeed
from openbell.feeds.alpaca.history import THREADS
from openbell.feeds.alpaca.subscription import CHANNELS
from openbell.feeds.websocket_bounds import WebSocketBounds
from openbell.timing import TimeManager
from openbell.timing.grid import date_of
from openbell.vendors.alpaca import AlpacaKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from openbell.model.feed_events import FeedBar

KEYS = AlpacaKeys("PKTEST4711KEYID", "verysecret0815sesame")
WORDS = {
    400: "invalid syntax", 401: "not authenticated", 402: "auth failed", 403: "already authenticated",
    404: "auth timeout", 405: "symbol limit exceeded", 406: "connection limit exceeded", 407: "slow client",
    409: "insufficient subscription", 410: "invalid subscribe action for this feed", 500: "internal error",
}  # fmt: skip
TIMES = TimeManager("XNYS")
NEW_YORK = ZoneInfo("America/New_York")


class AlpacaServer(FeedServer):
    """A feed of Alpaca for a test; what it does wrong is an attribute, besides those of `FeedServer`.

    Attributes:
        encoding: How its client writes.
        echoes_keys: Whether its errors hold the account's keys.
        auth_errors: Codes that answer the next keys.
        subscribe_errors: Codes that answer the next subscriptions.
        half: Symbols of which it acknowledges the minutes, and nothing else.
        plan_delay_s: History of less long ago is refused as the free plan's is.
        refusals_meet: Lets such refusals go out together.
        clock_off_s: How far its clock is ahead of the script's time.
        retry_after_s: The wait that it asks for when it answers new connections with `status`.
        rest_troubles: Statuses and headers and messages that answer the next requests for history.
        invalid: Symbols for which it rejects requests for history, whatever else is asked with them.
        rest_requests: Paths and parameters of the requests for history.
        actions: Corporate actions by kind.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.encoding = "msgpack"
        self.echoes_keys = False
        self.auth_errors: deque[int] = deque()
        self.subscribe_errors: deque[int] = deque()
        self.half: set[str] = set()
        self.plan_delay_s = 0.0
        self.refusals_meet: threading.Barrier | None = None
        self.clock_off_s = 0.0
        self.retry_after_s = 0
        self.rest_troubles: deque[tuple[int, dict[str, str], str]] = deque()
        self.invalid: set[str] = set()
        self.rest_requests: list[tuple[str, dict[str, str]]] = []
        self.actions: dict[str, list[dict[str, Any]]] = {}
        self._channels: dict[Client, dict[str, set[str]]] = {}
        self._sent: dict[Client, int] = defaultdict(int)
        self._was_sent: set[tuple[str, int]] = set()
        self._held = 0
        self._rest = ThreadingHTTPServer(("127.0.0.1", 0), _Rest)
        self._rest.daemon_threads = True
        self._rest.alpaca = self  # type: ignore[attr-defined]
        self._rest_thread = threading.Thread(target=self._rest.serve_forever, args=(0.02,))
        self._rest_thread.start()
        super().__init__(*args, **kwargs)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._rest.shutdown()
        self._rest.server_close()
        self._rest_thread.join()

    def feed(self) -> AlpacaFeed:  # type: ignore[override]
        def close_of(day: date) -> int | None:
            return TIMES.session(day).close_ns if TIMES.is_session(day) else None

        feed = AlpacaFeed(
            KEYS,
            "iex",
            close_of,
            stream_url=self.stream_url,
            data_url=self.data_url,
            encoding=self.encoding,
            requests_per_minute=1e6,
            arrivals=self._time,
            bounds=WebSocketBounds(answer_s=HANGS_AFTER_S, ping_s=HANGS_AFTER_S),
        )
        self._feeds.append(feed)  # type: ignore[arg-type]
        return feed

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def data_url(self) -> str:
        return f"http://127.0.0.1:{self._rest.server_address[1]}"

    @property
    def now_ns(self) -> int:
        """Its clock."""
        return self._time.now_ns + round(self.clock_off_s * S)

    def error(self, code: int) -> None:
        """Say an error to all."""
        self.say(self._error(code))

    def _error(self, code: int) -> dict[str, Any]:
        keys = f" for {KEYS.key_id} {KEYS.secret}" if self.echoes_keys else ""
        return {"T": "error", "code": code, "msg": WORDS.get(code, "an error of a new kind") + keys}

    def halt(self, symbol: str, reason: str = "T12") -> None:
        self.say({"T": "s", "S": symbol, "sc": "H", "sm": "Trading Halt", "rc": reason, "rm": "", "z": "C"})

    def resume(self, symbol: str) -> None:
        self.say({"T": "s", "S": symbol, "sc": "T", "sm": "Trading Resumption", "rc": "", "rm": "", "z": "C"})

    # Traffic

    def _wait_for_answers(self) -> None:
        for feed in self._feeds:
            self._until(lambda feed=feed: feed.state != "opening")
            if not self._clients:
                self._until(lambda feed=feed: feed.state != "open")
            self._until(lambda feed=feed: self._is_through(feed))

    def _is_through(self, feed: Any) -> bool:
        """Whether a feed has read everything, and has an answer to all but what is held back."""
        if feed.unanswered != self._held < THREADS:
            return False
        clients = list(self._clients)
        return feed.state != "open" or not clients or feed.read > self._sent[clients[-1]]

    def _until(self, is_so: Callable[[], bool]) -> None:
        deadline = machine.monotonic() + HANGS_AFTER_S
        while not is_so():
            assert machine.monotonic() < deadline, "the client and the server wait for each other"
            machine.sleep(0.0005)

    # In the server's thread

    async def _start(self) -> None:
        self._server = await serve(
            self._serve,
            sock=bound(self.port),
            process_request=self._judge,
            process_response=self._date,
            max_size=None,
            ping_interval=None,
        )

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        assert request.path == "/v2/iex"
        response = super()._judge(connection, request)
        if response is not None and self.retry_after_s:
            response.headers["Retry-After"] = f"{self.retry_after_s}"
        return response

    def _date(self, connection: ServerConnection, request: Request, response: Response) -> Response:
        del response.headers["Date"]
        response.headers["Date"] = self.date_text
        return response

    @property
    def date_text(self) -> str:
        return format_datetime(datetime.fromtimestamp(self.now_ns // S, UTC), usegmt=True)

    async def _serve(self, connection: ServerConnection) -> None:
        client = Client(connection)
        packs = connection.request.headers["Content-Type"] == "application/msgpack"  # type: ignore[union-attr]
        client.encode = _packed if packs else json.dumps  # type: ignore[attr-defined]
        decode = msgpack.unpackb if packs else json.loads
        try:
            await self._tell(client, {"T": "success", "msg": "connected"})
            keys = decode(await connection.recv())
            assert keys["action"] == "auth"
            good = (keys["key"], keys["secret"]) == (KEYS.key_id, KEYS.secret)
            code = self.auth_errors.popleft() if self.auth_errors else 0 if good else 402
            if code:
                await self._tell(client, self._error(code))
                return
            self._clients.append(client)
            self._channels[client] = {name: set() for name in CHANNELS}
            await self._tell(client, {"T": "success", "msg": "authenticated"})
            async for data in connection:
                await self._answer(client, decode(data))
        except ConnectionClosed:
            pass
        finally:
            if client in self._clients:
                self._clients.remove(client)
            self._count += 1
            client.closed.set()

    async def _tell(self, client: Client, *messages: dict[str, Any]) -> None:
        with suppress(ConnectionClosed):
            await client.connection.send(client.encode(list(messages)))  # type: ignore[attr-defined]

    async def _say(self, client: Client, message: Any) -> None:
        self._count += 1
        self._sent[client] += 1
        if isinstance(message, dict):
            await self._tell(client, message)
        else:
            with suppress(ConnectionClosed):
                await client.connection.send(message)

    async def _send(self, bars: Iterable[FeedBar]) -> None:
        for client in list(self._clients):
            mine = [bar for bar in bars if bar.symbol in client.symbols and bar.symbol not in self.muted]
            if mine:
                self._count += 1
                self._sent[client] += 1
                await self._tell(client, *(message for bar in mine for message in self._messages(bar)))

    def _messages(self, bar: FeedBar) -> list[dict[str, Any]]:
        """A bar as it is sent; after a minute's bar comes that of its day, which is not over."""
        if bar.interval == "1d":
            return [{"T": "d", "S": bar.symbol, **row_of(bar)}]
        key = bar.symbol, bar.start_ns
        kind = "u" if key in self._was_sent else "b"
        self._was_sent.add(key)
        midnight = datetime.fromtimestamp(bar.start_ns / S, NEW_YORK).replace(hour=0, minute=0)
        forming = {**row_of(bar), "t": _text(midnight)}
        minute = {"T": kind, "S": bar.symbol, **row_of(bar)}
        is_last = self._end_of(bar) >= TIMES.session(midnight.date()).close_ns
        return [minute] if is_last else [minute, {"T": "d", "S": bar.symbol, **forming}]

    async def _answer(self, client: Client, message: dict[str, Any]) -> None:
        self._count += 1
        self.requests.append((self._time.now_ns, message))
        channels = self._channels[client]
        wanted = {name: list(message.get(name, ())) for name in CHANNELS}
        if message["action"] == "unsubscribe":
            for name, symbols in wanted.items():
                channels[name].difference_update(symbols)
        elif self.subscribe_errors:
            await self._say(client, self._error(self.subscribe_errors.popleft()))
            return
        elif self.limit is not None and len(channels["bars"] | set(wanted["bars"])) > self.limit:
            await self._say(client, self._error(405))
            return
        else:
            for name, symbols in wanted.items():
                held = self.omitted if name == "bars" else self.omitted | self.half
                channels[name].update(symbol for symbol in symbols if symbol not in held)
        client.symbols = dict.fromkeys(sorted(channels["bars"]))
        lists = {name: sorted(symbols) for name, symbols in channels.items()}
        await self._say(client, {"T": "subscription", "trades": [], "quotes": [], **lists})

    # History, in threads of its own

    def held_back(self) -> None:
        """Wait as long as an answer takes, in the script's time."""
        if not self.history_takes_s:
            return
        due, came = self._time.now_ns + round(self.history_takes_s * S), threading.Event()

        def let_go() -> None:
            self._held -= 1
            self._count += 1
            came.set()

        self._held += 1
        self._time.at(due, let_go)
        came.wait(HANGS_AFTER_S)

    def rows(self, params: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
        """The rows of a request; of a day that is not over, as far as it has come."""
        interval = {"1Min": "1m", "1Day": "1d"}[params["timeframe"]]
        start, end = (datetime.fromisoformat(params[name].replace(" ", "+")) for name in ("start", "end"))
        latest_ns = self._time.now_ns - round(self.history_ends_s * S)
        found = []
        for symbol in sorted(params["symbols"].split(",")):
            for bar in self._history[symbol, interval]:
                row = row_of(bar)
                is_there = self._end_of(bar) <= latest_ns or (interval == "1d" and bar.start_ns <= latest_ns)
                if is_there and start <= datetime.fromisoformat(row["t"]) <= end:
                    found.append((symbol, row))
        return found


class _Rest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        server: AlpacaServer = self.server.alpaca
        parts = urlsplit(self.path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        server.rest_requests.append((parts.path, params))
        if (self.headers["APCA-API-KEY-ID"], self.headers["APCA-API-SECRET-KEY"]) != (KEYS.key_id, KEYS.secret):
            self._say(403, {"message": "forbidden."})
        elif server.rest_troubles:
            status, headers, text = server.rest_troubles.popleft()
            self._say(status, {"message": text}, headers)
        elif wrong := server.invalid.intersection(params["symbols"].split(",")):
            self._say(400, {"message": f"invalid symbol: {', '.join(sorted(wrong))}"})
        elif parts.path == "/v1/corporate-actions":
            wanted = params["symbols"].split(",")
            found = {kind: [a for a in each if a["symbol"] in wanted] for kind, each in server.actions.items()}
            self._say(200, {"corporate_actions": found, "next_page_token": None})
        else:
            self._bars(server, params)

    def _bars(self, server: AlpacaServer, params: dict[str, str]) -> None:
        assert (params["feed"], params["adjustment"]) == ("iex", "raw")
        end = datetime.fromisoformat(params["end"].replace(" ", "+"))
        latest_s = server.now_ns / S - server.plan_delay_s
        if server.plan_delay_s and params["timeframe"] == "1Min" and end.timestamp() > latest_s:
            if server.refusals_meet is not None:
                server.refusals_meet.wait(HANGS_AFTER_S)
            self._say(403, {"message": "subscription does not permit querying recent SIP data"})
            return
        if server.history_error:
            self._say(422, {"message": server.history_error})
            return
        if "page_token" not in params:
            server.held_back()
        first = int(params.get("page_token", 0))
        rows = server.rows(params)
        page: dict[str, list[Any]] = defaultdict(list)
        for symbol, row in rows[first : first + server.page]:
            page[symbol].append(row)
        token = f"{first + server.page}" if first + server.page < len(rows) else None
        self._say(200, {"bars": page, "next_page_token": token})

    def _say(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server.alpaca.date_text

    def log_message(self, *_: Any) -> None:
        pass


def row_of(bar: FeedBar) -> dict[str, Any]:
    """A bar as Alpaca writes it; of a day, its midnight in New York."""
    start = datetime.fromtimestamp(bar.start_ns // S, UTC)
    if bar.interval == "1d":
        day = date_of(bar.start_ns // (86_400 * S))
        start = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
    return {
        "t": _text(start), "o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": bar.volume, "n": 7,
        "vw": bar.close,
    }  # fmt: skip


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _packed(messages: list[dict[str, Any]]) -> bytes:
    """msgpack, in which times are of a type of their own."""
    rows = [
        {**row, "t": msgpack.Timestamp.from_datetime(datetime.fromisoformat(row["t"]))} if "t" in row else row
        for row in messages
    ]
    return bytes(msgpack.packb(rows))
