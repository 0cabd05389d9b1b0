"""A server of our own that speaks the part of Alpaca's market data API that openbell uses, troubles included."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest

from openbell.timing import TimeManager

if TYPE_CHECKING:
    from collections.abc import Iterator

NEW_YORK = ZoneInfo("America/New_York")
KEY_ID, SECRET = "PKTEST4711KEYID", "verysecret0815sesame"


@dataclass
class AlpacaServer:
    """What it knows and what it was asked.

    Attributes:
        symbols: Those that have bars.
        first: No bars before this date.
        silent: Dates of which there are no bars.
        page_size: Bars in a page.
        price: Of all bars.
        actions: Corporate actions by kind.
        troubles: What happens to the next requests instead of an answer, or with it; see `Handler`.
        asked: Per request its path, and its parameters.
        too_early: Requests that came within the time of a Retry-After.
    """

    symbols: tuple[str, ...] = ("SPY", "IBM")
    first: str = "2000-01-01"
    silent: set[str] = field(default_factory=set)
    page_size: int = 1000
    price: float = 100.0
    actions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    troubles: deque[Any] = field(default_factory=deque)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    too_early: int = 0
    closed_until: float = 0.0
    url: str = ""
    hanging: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def bars(self, symbol: str, timeframe: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """One bar at 09:00 and one each minute of the session; or one a day at midnight in New York."""
        if symbol not in self.symbols:
            return []
        local_first = max(start.astimezone(NEW_YORK).date(), datetime.fromisoformat(self.first).date())
        days = TimeManager("XNYS").sessions(local_first, end.astimezone(NEW_YORK).date())
        times = [t for day in days if str(day) not in self.silent for t in times_of(day, timeframe)]
        return [self.bar(t) for t in times if start <= t <= end]

    def bar(self, t: datetime) -> dict[str, Any]:
        p = self.price
        return {
            "t": t.strftime("%Y-%m-%dT%H:%M:%SZ"), "o": p, "h": p + 1, "l": p - 1, "c": p, "v": 100, "n": 5, "vw": p,
        }  # fmt: skip

    def ranges(self, symbol: str) -> list[tuple[str, str]]:
        """The dates in New York of the ranges of bars that were asked for, pages and repetitions left out."""
        spans = [
            (when(p["start"]).astimezone(NEW_YORK), when(p["end"]).astimezone(NEW_YORK))
            for path, p in self.asked
            if path == "/v2/stocks/bars" and symbol in p["symbols"].split(",")
        ]
        return sorted({(str(first.date()), str(last.date())) for first, last in spans})


@cache
def times_of(day: date, timeframe: str) -> list[datetime]:
    """The starts of a session's bars; made once, for every page asks for those of all its days."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK)
    if timeframe == "1Day":
        return [midnight.astimezone(UTC)]
    session = TimeManager("XNYS").session(day)
    minutes = range(session.open_ns // 10**9, session.close_ns // 10**9, 60)
    return [midnight.replace(hour=9).astimezone(UTC), *(datetime.fromtimestamp(s, UTC) for s in minutes)]


def when(text: str) -> datetime:
    return datetime.fromisoformat(text.replace(" ", "+"))


class Handler(BaseHTTPRequestHandler):
    """Troubles: (status, headers) or (status, headers, message) for an error, "cut" for half an answer, "hang"."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        server: AlpacaServer = self.server.alpaca
        parts = urlsplit(self.path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with server.lock:
            server.asked.append((parts.path, params))
            trouble = server.troubles.popleft() if server.troubles else None
            if time.monotonic() < server.closed_until:
                server.too_early += 1
        if trouble == "hang":
            server.hanging.wait(30)
            self.close_connection = True
        elif isinstance(trouble, tuple):
            status, headers, *message = trouble
            server.closed_until = time.monotonic() + float(headers.get("Retry-After", 0)) * 0.99
            self.answer(status, {"message": message[0] if message else "trouble"}, headers)
        elif (self.headers["APCA-API-KEY-ID"], self.headers["APCA-API-SECRET-KEY"]) != (KEY_ID, SECRET):
            self.answer(403, {"message": f"forbidden for {self.headers['APCA-API-SECRET-KEY']}."})
        elif parts.path == "/v2/stocks/bars":
            self.bars(server, params, cut=trouble == "cut")
        elif parts.path == "/v1/corporate-actions":
            wanted = set(params["symbols"].split(","))
            found = {
                kind: [a for a in actions if wanted & {a.get("symbol"), a.get("old_symbol"), a.get("new_symbol")}]
                for kind, actions in server.actions.items()
            }
            self.answer(200, {"corporate_actions": found, "next_page_token": None})
        else:
            self.answer(404, {"message": "endpoint not found"})

    def bars(self, server: AlpacaServer, params: dict[str, str], *, cut: bool) -> None:
        symbols = sorted(params["symbols"].split(","))
        if invalid := [symbol for symbol in symbols if not symbol.replace(".", "").isalnum()]:
            self.answer(400, {"message": f"invalid symbol: {invalid[0]}"})
            return
        assert params["adjustment"] == "raw"
        span = params["timeframe"], when(params["start"]), when(params["end"])
        found = [(symbol, bar) for symbol in symbols for bar in server.bars(symbol, *span)]
        begin = int(params.get("page_token", 0))
        end = begin + min(server.page_size, int(params["limit"]))
        token = str(end) if end < len(found) else None
        page: dict[str, list[dict[str, Any]]] = {}
        for symbol, bar in found[begin:end]:
            page.setdefault(symbol, []).append(bar)
        self.answer(200, {"bars": page, "next_page_token": token}, cut=cut)

    def answer(self, status: int, body: Any, headers: dict[str, str] | None = None, *, cut: bool = False) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = cut

    def log_message(self, *args: object) -> None:
        """Silence."""


@pytest.fixture
def alpaca() -> Iterator[AlpacaServer]:
    """The server, listening."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = AlpacaServer(url=f"http://127.0.0.1:{server.server_address[1]}")
    server.alpaca = state  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield state
    state.hanging.set()
    server.shutdown()
    thread.join()
    server.server_close()
