"""A server may do what it will: a fetch ends in bounded time and space, and stores what was asked for only."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from datetime import date
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from openbell.errors import ConfigError, StoreError
from openbell.store.store import BarStore
from openbell.timing import TimeManager
from openbell.vendors.alpaca import AlpacaKeys, AlpacaSource
from openbell.vendors.fetch import fetch
from openbell.vendors.retrying import Bounds
from openbell.vendors.source import SourceRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from openbell.vendors.fetch_report import FetchReport

pytestmark = pytest.mark.long

KEYS = {"APCA_API_KEY_ID": "PKTEST4711KEYID", "APCA_API_SECRET_KEY": "verysecret0815sesame"}
IMPATIENT = Bounds(attempt_s=0.4, question_s=0.8, patience_s=1.0)
DAY = date(2024, 3, 5)
WORKERS = 2
OPEN = "2024-03-05T14:30:00Z"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        try:
            self.server.behave(self)
        except OSError:
            self.close_connection = True  # who asked has had enough

    def params(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Silence."""


class Server:
    """A server of which each test says how it behaves.

    Attributes:
        url: Its address.
        asked: The requests: path and headers.
    """

    def __init__(self) -> None:
        self._http: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.asked = self.asked = []
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.ended = threading.Event()
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def behaves(self, behave: Callable[[Handler], None]) -> None:
        self._http.behave = behave

    def close(self) -> None:
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def fetched(
    server: Server,
    store: Path,
    *symbols: str,
    interval: str = "1m",
    bounds: Bounds | None = None,
    actions: bool = False,
    first: date = DAY,
) -> FetchReport:
    source = AlpacaSource(
        AlpacaKeys(*KEYS.values()), url=server.url, requests_per_minute=1e6, backoff_s=0.001, bounds=bounds
    )
    tm = TimeManager("XNYS")
    sessions = tm.sessions(first, DAY)
    return fetch(
        source,
        BarStore.open_or_create(store),
        symbols or ("SPY",),
        interval,
        sessions,
        tm,
        actions=actions,
        workers=WORKERS,
    )


def bar(at: str = OPEN, **values: Any) -> dict[str, Any]:
    return {"t": at, "o": 10, "h": 11, "l": 9, "c": 10, "v": 100, **values}


def bars(*rows: Any, symbol: str = "SPY") -> dict[str, Any]:
    return {"bars": {symbol: list(rows)}, "next_page_token": None}


def drips_body(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(600):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def drips_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(600):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def says_nothing(handler: Handler) -> None:
    time.sleep(30)


def closes(handler: Handler) -> None:
    handler.close_connection = True


@pytest.mark.parametrize("behave", [drips_body, drips_headers, says_nothing, closes])
def test_a_server_that_never_comes_to_an_end_is_given_up(
    server: Server, store: Path, behave: Callable[[Handler], None]
) -> None:
    server.behaves(behave)
    begun = time.monotonic()
    report = fetched(server, store, bounds=IMPATIENT)

    assert time.monotonic() - begun < 25
    assert "no answer from Alpaca" in report.failed[0][1]
    assert not store.exists()


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65536)


@cache
def packed_zeros(mebibytes: int) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)), packer.flush()])


def bomb(handler: Handler) -> None:
    handler.answer(packed_zeros(200), Content_Encoding="gzip")


@pytest.mark.parametrize("behave", [endless, bomb])
def test_a_body_is_read_up_to_a_bound_and_unpacked_no_further(
    server: Server, store: Path, behave: Callable[[Handler], None]
) -> None:
    server.behaves(behave)
    tracemalloc.start()
    try:
        report = fetched(server, store, bounds=Bounds(bytes=2 << 20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert report.failed == [("SPY", "the server sends more than 2 MiB for one question")]
    assert peak < 40 << 20


def test_the_pages_of_a_question_share_the_bound(server: Server, store: Path) -> None:
    def behave(handler: Handler) -> None:
        handler.answer({**bars(), "padding": "x" * 200_000, "next_page_token": str(len(server.asked))})

    server.behaves(behave)
    assert "more than 1 MiB" in fetched(server, store, bounds=Bounds(bytes=1 << 20)).failed[0][1]
    assert len(server.asked) == 6


@pytest.mark.parametrize("packed", ["gzip, gzip", "br", "compress"])
def test_what_is_packed_otherwise_than_asked_is_no_answer(server: Server, store: Path, packed: str) -> None:
    body = gzip.compress(gzip.compress(json.dumps(bars(bar())).encode()))
    server.behaves(lambda handler: handler.answer(body, Content_Encoding=packed))

    assert "unsupported content encoding" in fetched(server, store).failed[0][1]
    assert server.asked[0][1]["Accept-Encoding"] == "gzip"


def test_pages_that_lead_back_or_never_end_are_given_up(server: Server, store: Path) -> None:
    server.behaves(lambda handler: handler.answer({**bars(), "next_page_token": "again"}))
    assert "back to one before" in fetched(server, store, bounds=Bounds()).failed[0][1]
    assert len(server.asked) == 2

    server.behaves(lambda handler: handler.answer({**bars(), "next_page_token": f"page {len(server.asked)}"}))
    assert "more than 20 pages" in fetched(server, store, bounds=Bounds(pages=20)).failed[0][1]


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_an_error_that_stays_is_asked_for_six_times(server: Server, store: Path, status: int) -> None:
    server.behaves(lambda handler: handler.answer({"message": "not now"}, status))
    report = fetched(server, store)

    assert report.failed == [("SPY", f"Alpaca answers {status}: not now")]
    assert len(server.asked) == 6


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_longer_than_patience_ends_the_fetch(server: Server, store: Path, status: int) -> None:
    server.behaves(lambda handler: handler.answer({"message": "later"}, status, Retry_After="600"))
    with pytest.raises(SourceRefusedError, match="asks for a pause of 600 seconds"):
        fetched(server, store, "SPY", "IBM", "A", "B")
    assert len(server.asked) <= WORKERS


def test_short_pauses_are_obeyed_until_patience_ends(server: Server, store: Path) -> None:
    server.behaves(lambda handler: handler.answer({"message": "later"}, 429, Retry_After="0.3"))
    begun = time.monotonic()
    with pytest.raises(SourceRefusedError):
        fetched(server, store, bounds=Bounds(patience_s=1.0))
    assert time.monotonic() - begun > 0.8
    assert len(server.asked) == 4


def test_a_redirect_is_not_followed_and_no_keys_go_there(server: Server, store: Path) -> None:
    other = Server()
    other.behaves(lambda handler: handler.answer(bars(bar())))
    server.behaves(lambda handler: handler.answer(b"", 302, Location=f"{other.url}/v2/stocks/bars"))
    report = fetched(server, store)
    other.close()

    assert "redirect" in report.failed[0][1]
    assert other.asked == []


NONSENSE = [
    b"", b"null", b"[]", b"17", b'"bars"', b"{}", b"<html>", b"\xff\xfe", b'{"bars": null}', b'{"bars": []}',
    b'{"bars": 3}', b'{"bars": {"SPY": 7}}', b'{"bars": {"SPY": "x"}}', b'{"bars": {"SPY": [null]}}',
    b'{"bars": {"SPY": [[1]]}}', b'{"bars": {"SPY": {"t": 1}}}', b"[" * 100_000, b'{"bars":' * 5000,
    b'{"bars": {"SPY": [{"o": ' + b"9" * 5000 + b"}]}}", b'{"bars": {}, "quotes": {}}',
]  # fmt: skip


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:24]))
def test_an_answer_that_is_none_is_reported_and_nothing_is_stored(server: Server, store: Path, body: bytes) -> None:
    server.behaves(lambda handler: handler.answer(body))
    report = fetched(server, store)

    assert [symbol for symbol, _ in report.failed] == ["SPY"]
    assert report.failed[0][1].isprintable()
    assert len(report.failed[0][1]) < 300
    assert not store.exists()


@pytest.mark.parametrize(
    "row",
    [
        {}, bar(None), bar(17), bar([]), bar("never"), bar("x" * 9999), bar(o=None), bar(o="10"), bar(o=True),
        bar(o=[]), bar(v={}), bar(h=10**400), bar(h=float("inf")), bar(c=float("nan")), bar(v=-1),
        bar("9999-12-31T00:00:00Z"), bar("0001-01-01T00:00:00Z"), bar("2024-03-05T14:30:00"), bar("\x1b[31m"),
    ],
)  # fmt: skip
def test_a_row_that_is_no_bar_is_set_aside_and_the_others_are_stored(server: Server, store: Path, row: Any) -> None:
    server.behaves(lambda handler: handler.answer(bars(bar(), row, bar("2024-03-05T14:31:00Z"))))
    report = fetched(server, store)

    assert report.failed == []
    assert (report.bars.written.added, report.bars.set_aside) == (2, 1)
    assert report.bars.quarantine


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2010-03-05T14:30:00Z", "it is not of 2024-03-05 to 2024-03-05"),
        ("2035-03-05T14:30:00Z", "it is not of 2024-03-05 to 2024-03-05"),
        ("2024-03-04T20:59:00Z", "it is not of 2024-03-05 to 2024-03-05"),
        ("2024-03-06T05:00:00Z", "it is not of 2024-03-05 to 2024-03-05"),
        ("2024-03-05T14:30:30Z", "its time is not one at which a bar of 1m begins"),
        ("2024-03-05T14:31:00.5Z", "its time is not one at which a bar of 1m begins"),
    ],
)
def test_bars_that_were_not_asked_for_are_set_aside_with_the_reason(
    server: Server, store: Path, at: str, reason: str
) -> None:
    server.behaves(lambda handler: handler.answer(bars(bar(), bar(at))))
    report = fetched(server, store)

    assert (report.bars.written.added, report.bars.set_aside) == (1, 1)
    assert reason in report.bars.quarantine[0].read_text(encoding="utf-8")
    assert BarStore.open(store).read(["SPY"], "1m", None, None).height == 1


def test_a_session_of_which_only_other_bars_come_is_not_there(server: Server, store: Path) -> None:
    server.behaves(lambda handler: handler.answer(bars(bar("2010-03-05T14:30:00Z"))))
    report = fetched(server, store)

    assert report.bars.written.added == 0
    assert "has no 1m bars of it" in report.failed[0][1]


@pytest.mark.parametrize(("minutes", "apart"), [(5, 5), (30, 30), (60, 60)])
def test_bars_of_another_interval_are_refused(server: Server, store: Path, minutes: int, apart: int) -> None:
    times = [f"2024-03-05T{14 + m // 60:02}:{m % 60:02}:00Z" for m in range(30, 420, minutes)]
    server.behaves(lambda handler: handler.answer(bars(*map(bar, times))))
    report = fetched(server, store)

    assert report.failed == [("SPY", f"the bars that came are {apart} minutes apart; those of 1m were asked for")]
    assert not store.exists()


def test_days_are_no_minutes(server: Server, store: Path) -> None:
    days = [bar(f"2024-02-{day:02}T05:00:00Z") for day in (20, 21, 22, 23, 26, 27, 28, 29)]
    server.behaves(lambda handler: handler.answer(bars(*days)))

    assert "1,440 minutes apart" in fetched(server, store, first=date(2024, 2, 20)).failed[0][1]


def test_a_days_bar_that_is_not_of_midnight_is_set_aside(server: Server, store: Path) -> None:
    hours = [bar("2024-03-05T05:00:00Z"), bar("2024-03-05T14:00:00Z"), bar("2024-03-05T15:00:00Z")]
    server.behaves(lambda handler: handler.answer(bars(*hours)))
    report = fetched(server, store, interval="1d")

    assert (report.bars.written.added, report.bars.set_aside) == (1, 2)


def test_bars_and_actions_of_others_are_counted_and_not_stored(server: Server, store: Path) -> None:
    actions = {
        "forward_splits": [
            {"symbol": "SPY", "new_rate": 2, "old_rate": 1, "ex_date": "2024-03-05"},
            {"symbol": "IBM", "new_rate": 2, "old_rate": 1, "ex_date": "2024-03-05"},
            {"symbol": "SPY", "new_rate": 2, "old_rate": 1, "ex_date": "2010-03-05"},
            {"symbol": "SPY", "new_rate": 2, "old_rate": 0, "ex_date": "2024-03-05"},
            {"symbol": "SPY", "new_rate": [], "ex_date": "never"},
        ],
        "name_changes": [{"old_symbol": "A", "new_symbol": "B", "process_date": "2024-03-05"}, {}],
    }

    def behave(handler: Handler) -> None:
        if "corporate" in handler.path:
            handler.answer({"corporate_actions": actions, "next_page_token": None})
        else:
            handler.answer({"bars": {"SPY": [bar()], "EVIL": [bar()]}, "next_page_token": None})

    server.behaves(behave)
    report = fetched(server, store, actions=True)

    assert BarStore.open(store).symbols() == ("SPY",)
    assert report.unasked == 1
    assert report.actions is not None
    assert report.actions.added == 1
    assert report.unasked_actions + report.bad_actions.total() == 6


def test_escape_codes_of_a_server_do_not_reach_the_terminal(server: Server, store: Path) -> None:
    server.behaves(lambda handler: handler.answer({"message": "\x1b[2J\x1b]0;owned\x07" + "x" * 9999}, 400))
    ((_, reason),) = fetched(server, store).failed

    assert reason.isprintable()
    assert len(reason) < 300


@pytest.mark.parametrize(
    "url", ["", " ", "http://", "ftp://x", "http://[::1", "http://x:99999", "x", "http://\x1b[31m"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is not a valid address of a server"):
        AlpacaSource(AlpacaKeys("a", "b"), url=url or " ")


def test_a_symbol_that_no_store_takes_is_not_asked_for(server: Server, store: Path) -> None:
    with pytest.raises(StoreError, match="too long"):
        fetched(server, store, "A" * 300)
    assert server.asked == []


@pytest.mark.parametrize(
    ("behave", "end"),
    [(says_nothing, signal.SIGINT), (drips_headers, signal.SIGINT), (drips_body, signal.SIGTERM)],
)
def test_a_signal_ends_a_fetch_that_waits_for_an_answer(
    server: Server, store: Path, behave: Callable[[Handler], None], end: signal.Signals
) -> None:
    server.behaves(behave)
    span = ("--from", "2024-03-01", "--to", "2024-03-05", "--store", str(store))
    script = "from openbell.cli.app import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "data", "fetch", "alpaca", "SPY", "IBM", *span],
        env={**os.environ, **KEYS, "APCA_API_DATA_URL": server.url},
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not server.asked:
        time.sleep(0.02)
        assert process.poll() is None
    time.sleep(0.2)
    process.send_signal(end)
    reported = process.communicate(timeout=25)[1]

    assert process.returncode == 128 + end
    assert "stopped: what had come is stored" in reported
    assert "Traceback" not in reported
