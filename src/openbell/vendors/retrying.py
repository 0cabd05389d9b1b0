"""HTTP requests with a rate limit, retries after transient errors, and bounds of time and size."""

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
_TOO_MANY_REQUESTS = 429
_TRANSIENT = (_TOO_MANY_REQUESTS, 500, 502, 503, 504)
_CHUNK = 1 << 16
_KNOWN_ENCODINGS = ("", "identity", "gzip")


class ServerTroubleError(Exception):
    """The server still answers with a transient error after all attempts.

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
    """The limits for one question, which is all pages of one call.

    Attributes:
        attempts: The most attempts for a page.
        attempt_s: The most seconds for one attempt, from the connection to the end of the body.
        question_s: The most seconds for all attempts, without the waits between them.
        patience_s: The most seconds of pauses of all threads since the last good answer.
        bytes: The most bytes of all bodies, decompressed.
        pages: The most pages.
    """

    attempts: int = 6
    attempt_s: float = 120.0
    question_s: float = 360.0
    patience_s: float = 120.0
    bytes: int = 64 << 20
    pages: int = 2000


class RetryingAdapter(HTTPAdapter):
    """Sends the requests of one thread, and retries after transient errors.

    A 429 makes every request under the same rate limit wait, for as long as the server says in ``Retry-After``. Each
    body is read as a whole, so that only one page is requested again when a connection is lost in the middle.

    Args:
        rate_limit: The rate limit, shared by all threads.
        bounds: The limits for one question.
        backoff_s: The wait before the first retry in seconds, where the server does not name one; then doubled.
        repeats_only_refused: Whether to retry only after a 429, because other requests may have had an effect.

    Attributes:
        sockets: The open sockets, which another thread may shut.
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
        """Begin a question, whose pages share the bounds from here on."""
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
        """Send a request, and return the response with its whole body read.

        Raises:
            FetchStoppedError: The rate limit was stopped.
            SourceRefusedError: The server demands longer pauses than ``patience_s`` allows.
            ServerTroubleError: The server still answers with a transient error after all attempts.
            DataError: An answer exceeds the bounds, has an unknown encoding, or is a redirect.
            RequestException: The connection still fails after all attempts.
            HTTPError: The same, as an error of urllib3.
        """
        kwargs["timeout"] = kwargs.get("timeout") or _TIMEOUTS_S
        # Only gzip, which is decompressed piece by piece below; any other encoding is refused.
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
                log.info("connection lost, retrying", attempt=attempt, wait_s=wait_s)
                self._rate_limit.sleep(wait_s)
                continue
            if response.status_code not in _TRANSIENT:
                self._rate_limit.proceed()
                return response
            if is_last or (self._repeats_only_refused and response.status_code != _TOO_MANY_REQUESTS):
                raise ServerTroubleError(response.status_code, response.text)
            retry_after_s = _retry_after_s(response)
            log.info("retrying", status=response.status_code, attempt=attempt, wait_s=retry_after_s or wait_s)
            if retry_after_s or response.status_code == _TOO_MANY_REQUESTS:
                # A pause that the server demands holds for all threads.
                self._rate_limit.pause(retry_after_s or wait_s)
            else:
                self._rate_limit.sleep(wait_s)

    def _answer(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request once, and read the whole answer within the time that is left.

        Raises:
            FetchStoppedError: The rate limit was stopped meanwhile.
            Timeout: The time was not enough.
            DataError: The answer is a redirect, too large, or in an unknown encoding.
        """
        left_s = max(0.0, min(self._bounds.attempt_s, self._bounds.question_s - self._spent_s))
        watch = stopwatch()
        try:
            with self.sockets.shut_after(left_s) as late:
                response = super().send(request, *args, **kwargs)
                response.raw = io.BytesIO(self._body(response))
                # Without an encoding, requests would detect one from the whole body, which is slow.
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
        """Read and decompress the body.

        Raises:
            DataError: The body is too large, or has an unknown encoding.
        """
        if response.headers.get("Content-Encoding", "").strip().lower() not in _KNOWN_ENCODINGS:
            raise DataError("the answer has an unsupported content encoding")
        body = bytearray()
        # Decompressed piece by piece, because a body may expand a thousandfold.
        for part in response.raw.stream(_CHUNK, decode_content=True):
            body += part
            self._bytes += len(part)
            if self._bytes > self._bounds.bytes:
                response.close()
                raise DataError(f"the server sends more than {self._bounds.bytes >> 20} MiB for one question")
        return bytes(body)

    def _require_next_page(self, request: PreparedRequest) -> None:
        """Refuse a page that was requested already, or one above the most pages.

        Raises:
            DataError: The server leads back to an earlier page, or has too many pages.
        """
        token = parse_qs(urlsplit(str(request.url)).query).get("page_token", [""])[0]
        if token in self._tokens:
            raise DataError("the server leads from a page back to one before it")
        self._tokens.add(token)
        if len(self._tokens) > self._bounds.pages:
            raise DataError(f"the server has more than {self._bounds.pages:,} pages for one question")


def _retry_after_s(response: Response) -> float | None:
    """Return the seconds in a ``Retry-After`` header, or None where it is missing or a date."""
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return max(seconds, 0.0) if seconds == seconds else None
