"""A proxy before an S3 server, which delays, refuses, slows and cuts as a test says."""

from __future__ import annotations

import contextlib
import re
import socket
import socketserver
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LENGTH = re.compile(rb"(?i)^content-length: *(\d+)", re.MULTILINE)
_REFUSALS = {
    "busy": (
        b"503 Slow Down",
        b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
    ),
    "denied": (b"403 Forbidden", b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
}


@dataclass(frozen=True)
class Fault:
    """What happens to a request.

    Attributes:
        kind: "busy": it is answered with 503; "denied": with 403; "cut before": the connection ends before the server
            sees it; "cut after": it is carried out, and the connection ends before the answer; "cut within": in the
            middle of the answer; "slow": the answer comes in small pieces.
        delay_s: How long it waits before all that.
        until: What it waits for before all that.
    """

    kind: str = ""
    delay_s: float = 0.0
    until: threading.Event | None = None


@dataclass
class FaultyProxy:
    """A proxy that is running, and what it does.

    Attributes:
        choose: Returns the fault of a request, by its method and path.
        requests: All requests so far, as "GET /bucket/name".
    """

    upstream: int
    choose: Callable[[str, str], Fault] = lambda method, path: Fault()
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextlib.contextmanager
    def holding_the_first(self, wanted: str, within: str) -> Iterator[threading.Event]:
        """Hold one request of a method to a path with a text in it until the block ends; the event says that it is."""
        is_held, may_go = threading.Event(), threading.Event()

        def choose(method: str, path: str) -> Fault:
            if method == wanted and within in path and not is_held.is_set():
                is_held.set()
                return Fault(until=may_go)
            return Fault()

        self.choose = choose
        try:
            yield is_held
        finally:
            may_go.set()

    def __enter__(self) -> Self:
        answer = self._answer

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    answer(self.rfile, self.wfile)

            def finish(self) -> None:
                with contextlib.suppress(OSError):
                    super().finish()

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, received: BinaryIO, sent: BinaryIO) -> None:
        head = _head(received)
        if not head:
            return
        length = _LENGTH.search(head)
        body = received.read(int(length[1])) if length else b""
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self.requests.append(f"{method} {path}")
        fault = self.choose(method, path)
        time.sleep(fault.delay_s)
        if fault.until is not None:
            fault.until.wait()
        if fault.kind in _REFUSALS:
            status, text = _REFUSALS[fault.kind]
            answer = b"HTTP/1.1 %s\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n" % (status, len(text))
            sent.write(answer + b"Connection: close\r\n\r\n" + text)
        elif fault.kind != "cut before":
            answer = self._asked(head, body)
            if fault.kind != "cut after":
                _send(sent, answer, fault.kind)

    def _asked(self, head: bytes, body: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.upstream)) as above:
            above.sendall(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)
            with above.makefile("rb") as answer:
                return answer.read()


class _Server(socketserver.ThreadingTCPServer):
    """Carries out each connection, which has one request, in a thread."""

    request_queue_size = 64
    block_on_close = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that was killed, and something of all else."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def _head(received: BinaryIO) -> bytes:
    lines = []
    while line := received.readline():
        lines.append(line)
        if line == b"\r\n":
            return b"".join(lines)
    return b""


def _send(sent: BinaryIO, answer: bytes, kind: str) -> None:
    if kind == "cut within":
        sent.write(answer[: len(answer) * 2 // 3])
    elif kind == "slow":
        size = max(1, len(answer) // 8)
        for begin in range(0, len(answer), size):
            sent.write(answer[begin : begin + size])
            time.sleep(0.02)
    else:
        sent.write(answer)
