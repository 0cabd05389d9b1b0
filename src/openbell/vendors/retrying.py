"""HTTP requests that keep to a rate, are sent again after passing troubles, and have bounds."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException, Timeout
from urllib3.exceptions import HTTPError

from openbell.errors import DataError
from openbell.logs import get_logger
from openbell.timing import stopwatch
from openbell.vendors.rate_limit import FetchStoppedError
from openbell.vendors.sockets import OpenSockets

if TYPE_CHECKING:
    from requests import PreparedRequest, Response
    from urllib3 import PoolManager

    from openbell.vendors.rate_limit import RateLimit

__all__ = ["Bounds", "RetryingAdapter", "ServerTroubleError"]

_TIMEOUTS_S = (10.0, 60.0)
_TOO_MANY = 429
_PASSING = (_TOO_MANY, 500, 502, 503, 504)
_CHUNK = 1 << 16
_READABLE = ("", "identity", "gzip")


class ServerTroubleError(Exception):
    """The server still says an error of the passing kind after all attempts.

    Attributes:
        status: The HTTP status.
        text: The body.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text


@dataclass(frozen=True)
class Bounds:
    """The most that is done or taken for one question, over all its pages.

    Attributes:
        attempts: How often a page is asked for.
        attempt_s: Seconds for one attempt, from the connection to the end of the body.
        question_s: Seconds for all attempts.
        patience_s: Seconds of pauses for all threads since the last good answer.
        bytes: Size of all bodies, unpacked.
        pages: Number of pages.
    """

    attempts: int = 6
    attempt_s: float = 120.0
    question_s: float = 360.0
    patience_s: float = 120.0
    bytes: int = 64 << 20
    pages: int = 2000


class RetryingAdapter(HTTPAdapter):
    """Sends the requests of one thread.

    A 429 makes every request under the same rate limit wait, for as long as the server says in ``Retry-After``. A body
    is read here as a whole, so that a connection that is cut in the middle of it costs that page and no other.

    Args:
        rate_limit: Says when a request may be sent.
        bounds: The most that is done.
        backoff_s: How long to wait after the first error in seconds, where the server does not say; then doubled.
        repeats_only_refused: Whether only a 429 is asked again, since other requests may have done something.
    """

    def __init__(
        self, rate_limit: RateLimit, bounds: Bounds, *, backoff_s: float, repeats_only_refused: bool = False
    ) -> None:
        self._rate_limit = rate_limit
        self._bounds = bounds
        self._backoff_s = backoff_s
        self._repeats_only_refused = repeats_only_refused
        self.sockets = OpenSockets()
        self.begin_question()
        super().__init__()

    def begin_question(self) -> None:
        """Begin a question.

        Its pages share the bounds.
        """
        self._bytes = 0
        self._spent_s = 0.0
        self._tokens: set[str] = set()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool manager, as requests does."""
        super().init_poolmanager(*args, **kwargs)
        self.sockets.watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        """Return the pool manager of a proxy, as requests does."""
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        self.sockets.watch(manager)
        return manager

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request, and return when the body is there.

        Raises:
            FetchStoppedError: The rate limit was stopped.
            SourceRefusedError: The server asks for longer pauses than one has patience for.
            ServerTroubleError: The server says an error of the passing kind after all attempts.
            DataError: An answer is out of bounds, or nothing that one can read.
            RequestException: There is no answer, however often one asks; likewise `HTTPError`.
        """
        kwargs["timeout"] = kwargs.get("timeout") or _TIMEOUTS_S
        # What a server sends packed in another way, or twice, is no answer.
        request.headers["Accept-Encoding"] = "gzip"
        self._require_next_page(request)
        log = get_logger(path=urlsplit(request.url or "").path)
        attempt = 0
        while True:
            attempt += 1
            is_last = attempt == self._bounds.attempts
            wait_s = self._backoff_s * 2 ** (attempt - 1)
            self._rate_limit.wait()
            try:
                response = self._answer(request, *args, **kwargs)
            except (RequestException, HTTPError):
                if is_last or self._repeats_only_refused or self._spent_s >= self._bounds.question_s:
                    raise
                log.info("cut off, asking again", attempt=attempt, wait_s=wait_s)
                self._rate_limit.sleep(wait_s)
                continue
            if response.status_code not in _PASSING:
                self._rate_limit.proceed()
                return response
            if is_last or (self._repeats_only_refused and response.status_code != _TOO_MANY):
                raise ServerTroubleError(response.status_code, response.text)
            asked_s = _retry_after_s(response)
            log.info("asking again", status=response.status_code, attempt=attempt, wait_s=asked_s or wait_s)
            if asked_s or response.status_code == _TOO_MANY:
                # A pause that a server asks for concerns all who ask it.
                self._rate_limit.pause(asked_s or wait_s)
            else:
                self._rate_limit.sleep(wait_s)

    def _answer(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request once, and read the whole answer."""
        left_s = max(0.0, min(self._bounds.attempt_s, self._bounds.question_s - self._spent_s))
        watch = stopwatch()
        try:
            with self.sockets.shut_after(left_s) as late:
                response = super().send(request, *args, **kwargs)
                response.raw = io.BytesIO(self._body(response))
                # Without it, requests guesses from all of the body.
                response.encoding = response.encoding or "utf-8"
        finally:
            self._spent_s += watch.seconds
            if self._rate_limit.is_stopped:
                raise FetchStoppedError
        if late.is_set():
            raise Timeout(f"the answer was not whole after {left_s:g} seconds")
        if response.is_redirect:
            raise DataError("the server answers with a redirect, which is not followed. Name the right one with --url.")
        return response

    def _body(self, response: Response) -> bytes:
        if response.headers.get("Content-Encoding", "").strip().lower() not in _READABLE:
            raise DataError("the server packs its answer in a way that it was not asked for")
        body = bytearray()
        # The parts are unpacked one by one: what is packed may be a thousand times as long.
        for part in response.raw.stream(_CHUNK, decode_content=True):
            body += part
            self._bytes += len(part)
            if self._bytes > self._bounds.bytes:
                response.close()
                raise DataError(f"the server sends more than {self._bounds.bytes >> 20} MiB for one question")
        return bytes(body)

    def _require_next_page(self, request: PreparedRequest) -> None:
        """Refuse a page that was asked for already, or one too many.

        Raises:
            DataError: It is such a page.
        """
        token = parse_qs(urlsplit(str(request.url)).query).get("page_token", [""])[0]
        if token in self._tokens:
            raise DataError("the server leads from a page back to one before it")
        self._tokens.add(token)
        if len(self._tokens) > self._bounds.pages:
            raise DataError(f"the server has more than {self._bounds.pages:,} pages for one question")


def _retry_after_s(response: Response) -> float | None:
    """Return the wait that the server asks for, or None when it does not, or gives a date."""
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return max(seconds, 0.0) if seconds == seconds else None
