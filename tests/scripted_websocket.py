"""A server of websockets that does what a test's script says, and nothing else."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from openbell.feeds.websocket import WebSocketFeed
from openbell.feeds.websocket_bounds import WebSocketBounds
from openbell.model.feed_events import FeedConnected

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from http import HTTPStatus

    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

    from openbell.model.feed_events import FeedEvent

WAIT_NS = 60_000_000_000
HELLO: dict[str, Any] = {"type": "hello", "protocol": 1, "name": "mine", "intervals": ["1m", "1d"], "limit": None}


class ScriptedServer:
    """Runs a script for each connection: the first for the first, and so on; the last again for all others.

    Attributes:
        received: Messages of the client, over all connections.
    """

    def __init__(self, *scripts: Callable[[Client], None], refusing: HTTPStatus | None = None) -> None:
        self._refusing = refusing
        self._scripts = list(scripts)
        self.received: list[dict[str, Any]] = []
        self._server = serve(self._handle, "127.0.0.1", 0, close_timeout=1, max_size=None, process_request=self._judge)
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(self._refusing, "") if self._refusing else None

    def _handle(self, connection: ServerConnection) -> None:
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        client = Client(self, connection)
        try:
            script(client)
            client.read_on()
        except ConnectionClosed:
            pass

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()


class Client:
    """The other side of a connection, as a script sees it."""

    def __init__(self, server: ScriptedServer, connection: ServerConnection) -> None:
        self._server = server
        self.connection = connection

    def hello(self, **fields: Any) -> None:
        self.say(HELLO | fields)

    def say(self, message: Any) -> None:
        self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def asked(self) -> dict[str, Any]:
        message = json.loads(self.connection.recv())
        self._server.received.append(message)
        return message

    def read_on(self) -> None:
        while True:
            self.asked()


class Feeds:
    """Maker of feeds for scripts, with what came of them."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.servers: list[ScriptedServer] = []

    def of(
        self, *scripts: Callable[[Client], None], path: str = "", refusing: HTTPStatus | None = None, **bounds: Any
    ) -> WebSocketFeed:
        server = ScriptedServer(*scripts, refusing=refusing)
        self._stack.callback(server.close)
        self.servers.append(server)
        return self.at(f"ws://127.0.0.1:{server.port}{path}", **bounds)

    def at(self, url: str, **bounds: Any) -> WebSocketFeed:
        feed = WebSocketFeed(url, name="mine", bounds=WebSocketBounds(**bounds))
        self._stack.callback(feed.close)
        return feed

    def connected(self, *scripts: Callable[[Client], None], **bounds: Any) -> WebSocketFeed:
        feed = self.of(*scripts, **bounds)
        feed.connect()
        assert came(feed) == FeedConnected()
        return feed


def came(feed: WebSocketFeed) -> FeedEvent:
    """The next event of a feed."""
    arrival = feed.arrivals.next(feed.arrivals.now_ns + WAIT_NS)
    assert arrival is not None, "nothing came"
    return arrival.event
