"""A server of our own that speaks the live feed protocol over real sockets, and misbehaves on command.

It runs in a thread of its own, by a script's time: see `virtual_time`. What it should do wrong is an attribute of it,
or a command.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from contextlib import suppress
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from live.socket_server import SocketServer, bound
from live.tape import end_ns
from live.virtual_time import HANGS_AFTER_S, S
from openbell.feeds.websocket import WebSocketFeed
from openbell.feeds.websocket_bounds import WebSocketBounds
from openbell.timing.grid import day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from live.tape import Tape
    from live.virtual_time import VirtualArrivals
    from openbell.model.feed_events import FeedBar

_MOST_ROWS = 5000


class Client:
    """A connection, seen from the server."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.symbols: dict[str, None] = {}
        self.closed = asyncio.Event()
        self.echoes: dict[str, asyncio.Event] = {}


class FeedServer(SocketServer):
    """A feed for a test.

    Args:
        time: The script's time.
        history: The bars that it has history of, of all times; those that have closed are given out.
        name: What it calls itself.
        intervals: The intervals that it says it sends.
        end_of: Says when a bar closes.

    Attributes:
        limit: The most symbols that it takes.
        says_limit: Whether the hello says so.
        unknown: Symbols that it refuses.
        omitted: Symbols that it leaves out of acknowledgements, without a word.
        muted: Symbols that it acknowledges, and never sends.
        is_silent: Whether it sends no bars, though it answers pings and requests.
        history_takes_s: How long an answer takes.
        history_ends_s: Bars that closed so lately are not in the history.
        history_error: The answer to requests for history; empty for bars.
        page: Bars in a page.
        status: The answer to new connections in place of a websocket, such as 503.
        requests: What clients asked for, and when.
        connects: When clients connected.
    """

    def __init__(
        self,
        time: VirtualArrivals,
        history: Iterable[FeedBar] = (),
        *,
        name: str = "test",
        intervals: Iterable[str] = ("1m", "1d"),
        end_of: Callable[[FeedBar], int] = end_ns,
    ) -> None:
        self._time = time
        self._end_of = end_of
        self._history: dict[tuple[str, str], list[FeedBar]] = defaultdict(list)
        for bar in sorted(history):
            self._history[bar.symbol, bar.interval].append(bar)
        self.name, self.intervals = name, list(intervals)
        self.limit: int | None = None
        self.says_limit = True
        self.unknown: set[str] = set()
        self.omitted: set[str] = set()
        self.muted: set[str] = set()
        self.is_silent = False
        self.history_takes_s = 0.0
        self.history_ends_s = 0.0
        self.history_error = ""
        self.page = 1000
        self.status: HTTPStatus | None = None
        self.requests: list[tuple[int, dict[str, Any]]] = []
        self.connects: list[int] = []
        self._clients: list[Client] = []
        self._feeds: list[WebSocketFeed] = []
        self._count = 0
        self._settled = -1
        super().__init__("feed server")
        time.settles(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for feed in self._feeds:
            feed.close()
        self.stop()

    def feed(self) -> WebSocketFeed:
        """Make a feed of this server, whose events come in the script's time."""
        # A machine that is busy may leave a ping unanswered for long.
        bounds = WebSocketBounds(answer_s=HANGS_AFTER_S, ping_s=HANGS_AFTER_S)
        feed = WebSocketFeed(f"ws://127.0.0.1:{self.port}", name=self.name, arrivals=self._time, bounds=bounds)
        self._feeds.append(feed)
        return feed

    @property
    def subscribed(self) -> set[str]:
        """The symbols that all connections together have asked for."""
        return {symbol for client in self._clients for symbol in client.symbols}

    # Commands

    def play(self, tape: Tape) -> None:
        """Send the bars of a tape, each at its time."""
        by_time: dict[int, list[FeedBar]] = defaultdict(list)
        for sent in tape.sent:
            by_time[sent.time_ns].append(sent.bar)
        for time_ns, bars in sorted(by_time.items()):
            self._time.at(time_ns, lambda bars=bars: self.send(*bars))

    def send(self, *bars: FeedBar) -> None:
        """Send bars to all that have subscribed to them."""
        wanted = [bar for bar in bars if any(bar.symbol in client.symbols for client in self._clients)]
        if wanted and not self.is_silent:
            self._do(self._send(wanted))

    def say(self, message: dict[str, Any] | str | bytes) -> None:
        """Send a message, of sense or not, to all."""
        self._do(self._say_all(message))

    def halt(self, symbol: str, reason: str = "") -> None:
        self.say({"type": "status", "symbol": symbol, "halted": True, "reason": reason})

    def resume(self, symbol: str) -> None:
        self.say({"type": "status", "symbol": symbol, "halted": False})

    def cut(self, *bars: FeedBar) -> None:
        """Break all connections off in the middle of a message."""
        self._do(self._cut(json.dumps(_bars_message(bars)) if bars else '{"type": "message", "text": "to be con'))

    def close(self, code: int, reason: str = "") -> None:
        """Close all connections."""
        self._do(self._close(code, reason))

    def is_silent_between(self, from_ns: int, until_ns: int) -> None:
        """Fall silent at one time and refuse connections, until another."""

        def fall_silent() -> None:
            self.is_silent, self.status = True, HTTPStatus.SERVICE_UNAVAILABLE

        def come_to() -> None:
            self.is_silent, self.status = False, None

        self._time.at(from_ns, fall_silent)
        self._time.at(until_ns, come_to)

    # Traffic

    @property
    def count(self) -> int:
        return self._count + sum(feed.asked for feed in self._feeds)

    @property
    def is_settled(self) -> bool:
        return self.count == self._settled

    def settle(self) -> None:
        if not self.is_settled:
            count = self.count
            self._wait_for_answers()
            # What was asked or said meanwhile is on its way.
            self._settled = count

    def _wait_for_answers(self) -> None:
        for feed in self._feeds:
            self._time.wait_for(lambda feed=feed: feed.state != "opening")
            if not self._clients:
                self._time.wait_for(lambda feed=feed: feed.state != "open")
        self._do(self._echo_all())

    # In the server's thread

    async def _start(self) -> None:
        self._server = await serve(
            self._serve, sock=bound(self.port), process_request=self._judge, max_size=None, ping_interval=None
        )

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        self._count += 1
        self.connects.append(self._time.now_ns)
        return None if self.status is None else connection.respond(self.status, "")

    async def _serve(self, connection: ServerConnection) -> None:
        client = Client(connection)
        self._clients.append(client)
        try:
            await self._say(
                client,
                {
                    "type": "hello",
                    "protocol": 1,
                    "name": self.name,
                    "intervals": self.intervals,
                    "limit": self.limit if self.says_limit else None,
                },
            )
            async for text in connection:
                await self._answer(client, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            self._clients.remove(client)
            self._count += 1
            client.closed.set()

    async def _say(self, client: Client, message: dict[str, Any] | str | bytes) -> None:
        self._count += 1
        with suppress(ConnectionClosed):
            await client.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def _say_all(self, message: dict[str, Any] | str | bytes) -> None:
        for client in list(self._clients):
            await self._say(client, message)

    async def _send(self, bars: Iterable[FeedBar]) -> None:
        for client in list(self._clients):
            mine = [bar for bar in bars if bar.symbol in client.symbols and bar.symbol not in self.muted]
            for interval in dict.fromkeys(bar.interval for bar in mine):
                rows = [bar for bar in mine if bar.interval == interval]
                for place in range(0, len(rows), _MOST_ROWS):
                    await self._say(client, _bars_message(rows[place : place + _MOST_ROWS]))

    async def _cut(self, text: str) -> None:
        whole = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
        for client in list(self._clients):
            if not client.connection.transport.is_closing() and client.connection.state is State.OPEN:
                client.connection.transport.write(whole[: len(whole) // 2])
            # What was written still goes out; then there is the end, in the middle of a message.
            client.connection.transport.close()
            await client.closed.wait()

    async def _close(self, code: int, reason: str) -> None:
        for client in list(self._clients):
            await client.connection.close(code, reason)
            await client.closed.wait()

    async def _echo_all(self) -> None:
        for client in list(self._clients):
            name = f"{len(client.echoes)}"
            back = client.echoes[name] = asyncio.Event()
            with suppress(ConnectionClosed):
                await client.connection.send(json.dumps({"type": "echo", "data": name}))
            waits = [asyncio.ensure_future(event.wait()) for event in (back, client.closed)]
            _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for each in pending:
                each.cancel()

    async def _answer(self, client: Client, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "echo":
            client.echoes[message["data"]].set()
            return
        self._count += 1
        self.requests.append((self._time.now_ns, message))
        if kind == "subscribe":
            await self._subscribe(client, message["symbols"])
        elif kind == "unsubscribe":
            for symbol in message["symbols"]:
                client.symbols.pop(symbol, None)
            await self._acknowledge(client, {})
        elif self.history_takes_s:
            due_ns = self._time.now_ns + round(self.history_takes_s * S)
            self._time.at(due_ns, lambda: self._do(self._send_history(client, message)))
        else:
            await self._send_history(client, message)

    async def _subscribe(self, client: Client, symbols: Iterable[str]) -> None:
        refused = {}
        for symbol in symbols:
            if symbol in self.unknown:
                refused[symbol] = "no such symbol"
            elif self.limit is not None and len(client.symbols) >= self.limit and symbol not in client.symbols:
                refused[symbol] = f"more than {self.limit} symbols"
            elif symbol not in self.omitted:
                client.symbols[symbol] = None
        await self._acknowledge(client, refused)

    async def _acknowledge(self, client: Client, refused: dict[str, str]) -> None:
        await self._say(client, {"type": "subscription", "symbols": list(client.symbols), "refused": refused})

    async def _send_history(self, client: Client, message: dict[str, Any]) -> None:
        answer = {"type": "history", "number": message["number"]}
        if self.history_error:
            await self._say(client, answer | {"error": self.history_error})
            return
        rows = [_row(bar) for bar in self._asked_bars(message)]
        for place in range(0, max(len(rows), 1), self.page):
            more = place + self.page < len(rows)
            await self._say(client, answer | {"bars": rows[place : place + self.page], "more": more})

    def _asked_bars(self, message: dict[str, Any]) -> list[FeedBar]:
        latest_ns = min(message["to"] * S, self._time.now_ns - round(self.history_ends_s * S))
        first_ns = message["from"] * S
        if message["interval"] == "1d":
            first_ns = day_number(date.fromisoformat(message["first"])) * 86_400 * S
        held = self._history[message["symbol"], message["interval"]]
        return [bar for bar in held if bar.start_ns >= first_ns and self._end_of(bar) <= latest_ns]


def _row(bar: FeedBar) -> list[float]:
    return [bar.start_ns // S, *bar[3:]]


def _bars_message(bars: Iterable[FeedBar]) -> dict[str, Any]:
    rows = list(bars)
    return {"type": "bars", "interval": rows[0].interval, "bars": [[bar.symbol, *_row(bar)] for bar in rows]}
