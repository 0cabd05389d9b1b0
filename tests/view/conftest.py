"""A server of a few runs, and what asks it."""

from __future__ import annotations

import http.client
import json
import re
import struct
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import numpy as np
import pytest

from openbell.testing import bar_starts, make_store, random_bars
from openbell.view.server import ViewServer
from pages.conftest import HOSTILE, LAST, TRADERS, made_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from openbell.model.json_object import JsonObject


class Answer(NamedTuple):
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    text: str


def read_chart(answer: bytes) -> JsonObject:
    """Return the head of a chart, with the columns of its rows as lists under their names."""
    (length,) = struct.unpack_from("<I", answer)
    head: JsonObject = json.loads(answer[4 : 4 + length])
    at, count = 4 + length, head["after"] - head["first"]
    for column in head["columns"]:
        kind = "<f8" if column["bytes"] == 8 else "<i4"
        values = np.frombuffer(answer, kind, count, at).astype(np.float64)
        if kind == "<i4":
            values = np.where(values == -(2**31), np.nan, values / 10 ** column["decimals"])
        head[column["name"]] = values.tolist()
        at += -(-count * column["bytes"] // 8) * 8
    assert at == len(answer)
    return head


class Served:
    """A server that runs in a thread of the test's process.

    Attributes:
        server: The server.
        host: Its host and port.
        folder: The folder of its runs.
    """

    def __init__(self, server: ViewServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.host = server.address.split("/")[2]

    def ask(self, path: str, *, method: str = "GET", body: str = "", **headers: str) -> Answer:
        """Send a request with some headers, whose names have _ for -."""
        status, found, content = self.content(path, method=method, body=body, **headers)
        return Answer(status, found, content.decode())

    def content(
        self, path: str, *, method: str = "GET", body: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request likewise, and return the status, the headers and the content of the answer."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        named = {"Host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request(method, path, body=body.encode() or None, headers=named)
        answer = connection.getresponse()
        found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        connection.close()
        return found

    def chart(self, run: str, symbol: str, **asked: str) -> JsonObject:
        """Return a chart, with the columns of its last rows as lists."""
        _, headers, content = self.content(f"/run/{run}/data/chart?{urlencode({**asked, 'symbol': symbol})}")
        found: JsonObject = read_chart(content) if "octet" in headers["content-type"] else json.loads(content)
        return found

    def ids(self) -> dict[str, str]:
        """Return the names of the runs in addresses, by those of their folders."""
        text = self.ask("/").text
        return {name: run for run, name in re.findall(r'<a href="/run/([0-9a-f]{12})">([^<]*)</a>', text)}


def start(server: ViewServer, folder: Path) -> Iterator[Served]:
    """Serve until the test is over."""
    thread = Thread(target=server.serve)
    thread.start()
    yield Served(server, folder)
    server.stop()
    thread.join()


HOSTILE_NAME = "<img src=x onerror=alert(1)> & \u202e'\" #?%2e%2e"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a run that kept its bars, one that did not, and one with hostile names; to be read only."""
    folder = tmp_path_factory.mktemp("view")
    starts = bar_starts("2024-03-08", LAST)
    made = random_bars(starts)
    holed = made.filter((made["timestamp"].dt.hour() != 17) | (made["timestamp"].dt.minute() > 20))
    frames = {"ALFA": {"1m": made}, "BRVO": {"1m": random_bars(starts, seed=2)}, "HOLED": {"1m": holed}}
    store = make_store(folder / "store", {**frames, **{symbol: {"1m": made} for symbol in HOSTILE}})
    runs = folder / "runs"
    runs.mkdir()
    made_run(runs / "kept", store, ["ALFA", "HOLED", "IBM"], keep=True)
    made_run(runs / "plain", store, ["ALFA", "BRVO"], execution={"fees": {"model": "none"}})
    made_run(
        runs / HOSTILE_NAME, store, [*HOSTILE, "<i>missing</i>\u202e"], keep=True,
        strategies=[{"module": f"{TRADERS}:Hostile"}],
        execution={"signals": {"BUY": {"percent": 10}, "</option></select><script>": "close"}},
    )  # fmt: skip
    summary = runs / HOSTILE_NAME / "summary.json"
    summary.write_text(json.dumps({**json.loads(summary.read_text()), "session_name": "</title><script>x"}))
    yield from start(ViewServer(lambda: [runs], store=str(store)), runs)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """What starts a server of an empty folder, or of some."""
    with ExitStack() as stack:

        def started(*places: Path, **asked: str) -> Served:
            server = ViewServer(lambda: list(places) or [tmp_path], **asked)
            return stack.enter_context(contextmanager(start)(server, tmp_path))

        yield started
