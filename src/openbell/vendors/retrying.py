"""HTTP requests that keep to a rate and are sent again after passing troubles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ConnectionError, ContentDecodingError, Timeout  # noqa: A004

from openbell.logs import get_logger

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

    from openbell.vendors.rate_limit import RateLimit

__all__ = ["RetryingAdapter"]

_ATTEMPTS = 6
_TIMEOUTS_S = (10.0, 60.0)
_LONGEST_WAIT_S = 600.0
_TOO_MANY = 429
_PASSING = (_TOO_MANY, 500, 502, 503, 504)
_INTERRUPTED = (ConnectionError, ChunkedEncodingError, ContentDecodingError, Timeout)


class RetryingAdapter(HTTPAdapter):
    """Sends a request up to six times; an error that is still there then is the answer.

    A 429 makes every request under the same rate limit wait, for as long as the server says in ``Retry-After``. A body
    is read here as a whole, so that a connection that is cut in the middle of it costs that page and no other.

    Args:
        rate_limit: Says when a request may be sent.
        backoff_s: How long to wait after the first error in seconds, where the server does not say; then doubled.
    """

    def __init__(self, rate_limit: RateLimit, *, backoff_s: float) -> None:
        self._rate_limit = rate_limit
        self._backoff_s = backoff_s
        super().__init__()

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a request, and return when the body is there.

        Raises:
            FetchStoppedError: The rate limit was stopped.
            RequestException: There is no answer, however often one asks.
        """
        kwargs["timeout"] = kwargs.get("timeout") or _TIMEOUTS_S
        log = get_logger(path=urlsplit(request.url or "").path)
        for attempt in range(1, _ATTEMPTS + 1):
            self._rate_limit.wait()
            wait_s = self._backoff_s * 2 ** (attempt - 1)
            try:
                response = super().send(request, *args, **kwargs)
                response.content  # noqa: B018 - reads it
            except _INTERRUPTED:
                if attempt == _ATTEMPTS:
                    raise
                log.info("cut off, asking again", attempt=attempt, wait_s=wait_s)
                self._rate_limit.sleep(wait_s)
                continue
            if response.status_code not in _PASSING or attempt == _ATTEMPTS:
                break
            wait_s = _retry_after_s(response) or wait_s
            if wait_s > _LONGEST_WAIT_S:
                break
            log.info("asking again", status=response.status_code, attempt=attempt, wait_s=wait_s)
            if response.status_code == _TOO_MANY:
                self._rate_limit.pause(wait_s)
            else:
                self._rate_limit.sleep(wait_s)
        return response


def _retry_after_s(response: Response) -> float | None:
    """Return the wait that the server asks for; None when it does not, or gives a date."""
    try:
        return max(float(response.headers["Retry-After"]), 0.0)
    except (KeyError, ValueError):
        return None
