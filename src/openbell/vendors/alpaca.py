"""Historical bars and corporate actions of US stocks from Alpaca, through the package alpaca-py."""

from __future__ import annotations

import json
import threading
import warnings
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from openbell.errors import ConfigError, DataError, printable, shortened
from openbell.vendors.alpaca_rows import actions_of, bars_of, rows_by_name
from openbell.vendors.rate_limit import RateLimit
from openbell.vendors.source import FetchedActions, RequestRejectedError, SourceRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from requests import Response

    from openbell.model.json_object import JsonObject
    from openbell.vendors.retrying import Bounds, RetryingAdapter

__all__ = [
    "INTERVALS",
    "NEW_YORK",
    "AlpacaKeys",
    "AlpacaSource",
    "RecentBarsRefusedError",
    "is_http_address",
    "midnight",
    "require_package",
]

INTERVALS = ("1m", "1d")
"""The intervals that can be fetched."""

KEY_ID, SECRET_KEY = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"

NEW_YORK = ZoneInfo("America/New_York")
_MOST_SHOWN = 200
"""The most characters of a server's text that a message shows."""

_REFUSED = (401, 403)
_RECENT = "recent"
"""A word in Alpaca's message when only the bars of the last minutes are refused."""

_REJECTED = (400, 404, 422)
_Client = TypeVar("_Client", "StockHistoricalDataClient", "CorporateActionsClient")


@dataclass(frozen=True)
class AlpacaKeys:
    """The keys of an account, which the object's ``repr`` leaves out."""

    key_id: str = field(repr=False)
    secret: str = field(repr=False)

    @staticmethod
    def of(environment: Mapping[str, str]) -> AlpacaKeys:
        """Return the keys from the environment variables.

        Raises:
            ConfigError: At least one key is missing or empty.
        """
        missing = [name for name in (KEY_ID, SECRET_KEY) if not environment.get(name)]
        if missing:
            raise ConfigError(
                f"the environment has no {' and no '.join(missing)}. Make keys in Alpaca's dashboard (the free plan "
                f"will do) and set {KEY_ID} and {SECRET_KEY}."
            )
        return AlpacaKeys(environment[KEY_ID], environment[SECRET_KEY])

    def redacted(self, text: str) -> str:
        """Return ``text`` without the keys, which a server may have put into it."""
        return text.replace(self.secret, "***").replace(self.key_id, "***")


class RecentBarsRefusedError(SourceRefusedError):
    """The account's plan has no bars of the last minutes, but may have earlier ones."""


class AlpacaSource:
    """The market data API of Alpaca, for several threads at once under one rate limit.

    Args:
        keys: The account's keys.
        url: The server's address; None is Alpaca's own.
        feed: "sip", "iex" or another feed of Alpaca; None is the default of the account's plan.
        requests_per_minute: The rate limit of the plan.
        backoff_s: The wait before the first retry in seconds; each further one is twice as long.
        bounds: The limits of time and size for one question, a call with all its pages.
        heard: Called after each HTTP response, with its Date header and the seconds since its request was sent.

    Raises:
        ConfigError: alpaca-py is missing, ``feed`` is unknown, or ``url`` is not an address.
    """

    name = "Alpaca"

    def __init__(
        self,
        keys: AlpacaKeys,
        *,
        url: str | None = None,
        feed: str | None = None,
        requests_per_minute: float = 200,
        backoff_s: float = 0.5,
        bounds: Bounds | None = None,
        heard: Callable[[str | None, float], None] | None = None,
    ) -> None:
        require_package("alpaca.data.historical", "fetching from Alpaca")
        # Imported only now, because requests comes with the package.
        from openbell.vendors.retrying import Bounds

        self._keys = keys
        self._url = _good_address(url).rstrip("/") if url else None
        self._bounds = bounds or Bounds()
        self._feed = _known_feed(feed)
        self._heard = heard
        self._rate_limit = RateLimit(requests_per_minute, patience_s=self._bounds.patience_s)
        self._backoff_s = backoff_s
        self._local = threading.local()
        self._adapters: list[RetryingAdapter] = []

    @property
    def origin(self) -> str:
        """The server and the feed, as text."""
        server = urlsplit(self._url).netloc.rpartition("@")[2] if self._url else "alpaca"
        return f"{server} {self._feed.value}" if self._feed else server

    def bars(self, symbols: Sequence[str], interval: str, first: date, last: date) -> Mapping[str, pl.DataFrame]:
        """Return raw bars of all trading hours by symbol, each frame with ``line`` and ``reason``.

        ``first`` and ``last`` are dates in New York, both inclusive. Every requested symbol has a frame.

        Raises:
            RequestRejectedError: The server rejects the request, perhaps because of one of the symbols.
            DataError: The server does not answer, or the answer cannot be parsed.
            SourceRefusedError: The server refuses the keys, or demands pauses that are too long.
        """
        end = midnight(last + timedelta(days=1)) - timedelta(seconds=1)
        answer = self.rows(symbols, interval, midnight(first), end)
        return {symbol: bars_of(answer.get(symbol, []), interval) for symbol in dict.fromkeys([*symbols, *answer])}

    def rows(
        self, symbols: Sequence[str], interval: str, start: datetime, end: datetime
    ) -> dict[str, list[JsonObject]]:
        """Return raw bars that begin from ``start`` to ``end`` by symbol, as Alpaca writes them.

        Raises:
            RecentBarsRefusedError: The account's plan has no bars as recent as these.
            RequestRejectedError: As for `bars`.
            DataError: As for `bars`.
            SourceRefusedError: As for `bars`.
        """
        from alpaca.data.enums import Adjustment
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame

        request = StockBarsRequest(
            symbol_or_symbols=list(symbols),
            timeframe=TimeFrame.Minute if interval == "1m" else TimeFrame.Day,
            start=start,
            end=end,
            adjustment=Adjustment.RAW,
            feed=self._feed,
        )
        return rows_by_name(self._ask(lambda: self._stocks().get_stock_bars(request)))

    def actions(self, symbols: Sequence[str], first: date, last: date) -> FetchedActions:
        """Return the corporate actions with an ex-date from ``first`` to ``last``, both inclusive.

        Raises:
            DataError: The server does not answer, or the answer cannot be parsed.
            SourceRefusedError: The server refuses the keys, or the account's plan has no corporate actions.
        """
        from alpaca.data.requests import CorporateActionsRequest

        # Without an explicit limit of None, the client would stop after 1000 actions in all.
        request = CorporateActionsRequest(symbols=list(symbols), start=first, end=last, limit=None)
        return actions_of(rows_by_name(self._ask(lambda: self._corporate_actions().get_corporate_actions(request))))

    def stop(self) -> None:
        """Send no more requests.

        Calls in other threads that wait for the rate limit or for an answer raise `FetchStoppedError`.
        """
        self._rate_limit.stop()
        for adapter in list(self._adapters):
            adapter.sockets.shut()

    def close(self) -> None:
        """Close the connections of all threads."""
        for adapter in list(self._adapters):
            adapter.close()

    def _ask(self, question: Callable[[], Any]) -> object:
        """Return the server's answer, with any error turned into one of openbell without the keys.

        Raises:
            DataError: As for `bars`, and its subclasses there.
        """
        from alpaca.common.exceptions import APIError
        from requests.exceptions import JSONDecodeError, RequestException
        from urllib3.exceptions import HTTPError

        from openbell.vendors.retrying import ServerTroubleError

        try:
            return question()
        except APIError as exc:
            raise self._error_of(exc.status_code, str(exc)) from None
        except ServerTroubleError as exc:
            raise self._error_of(exc.status, exc.text) from None
        except JSONDecodeError as exc:
            raise DataError(f"Alpaca's answer is not JSON: {printable(str(exc), _MOST_SHOWN)}") from None
        except (RequestException, HTTPError) as exc:
            text = printable(self._keys.redacted(str(exc)), _MOST_SHOWN)
            raise DataError(f"no answer from Alpaca ({type(exc).__name__}: {text})") from None
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as exc:
            # alpaca-py does not validate answers.
            raise DataError(f"Alpaca's answer cannot be understood ({type(exc).__name__})") from exc

    def _error_of(self, status: int, text: str) -> DataError:
        """Return the error for an HTTP status and the body that came with it."""
        detail = f"{status}: {self._keys.redacted(_message_of(text))}"
        if status in _REFUSED and _RECENT in text:
            return RecentBarsRefusedError(f"Alpaca refuses ({detail}): the plan has no bars of the last minutes.")
        if status in _REFUSED:
            return SourceRefusedError(
                f"Alpaca refuses ({detail}). Check {KEY_ID} and {SECRET_KEY}, and what the plan allows."
            )
        return (RequestRejectedError if status in _REJECTED else DataError)(f"Alpaca answers {detail}")

    def _stocks(self) -> StockHistoricalDataClient:
        from alpaca.data.historical.stock import StockHistoricalDataClient

        return self._client(StockHistoricalDataClient)

    def _corporate_actions(self) -> CorporateActionsClient:
        from alpaca.data.historical.corporate_actions import CorporateActionsClient

        return self._client(CorporateActionsClient)

    def _client(self, make: type[_Client]) -> _Client:
        """Return this thread's client of a class, ready for a new question."""
        from openbell.vendors.retrying import RetryingAdapter

        # One client per thread, because a session of requests is not thread-safe.
        clients: dict[str, tuple[Any, RetryingAdapter]] = self._local.__dict__
        if make.__name__ not in clients:
            client = make(self._keys.key_id, self._keys.secret, raw_data=True, url_override=self._url)
            adapter = RetryingAdapter(self._rate_limit, self._bounds, backoff_s=self._backoff_s)
            # The client handles neither timeouts nor Retry-After, 5xx or lost connections, and has no public hook.
            session = client._session  # noqa: SLF001
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            if self._heard is not None:
                session.hooks["response"].append(_reporter(self._heard))
            self._adapters.append(adapter)
            clients[make.__name__] = client, adapter
        found: _Client
        found, adapter = clients[make.__name__]
        adapter.begin_question()
        return found


def _reporter(heard: Callable[[str | None, float], None]) -> Callable[..., None]:
    def report(response: Response, *_: Any, **__: Any) -> None:
        heard(response.headers.get("Date"), response.elapsed.total_seconds())

    return report


def midnight(day: date) -> datetime:
    """Return the start of a date in New York, as a time in UTC."""
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def _message_of(text: str) -> str:
    """Return the message in the body of a server's error.

    It is the first line of a body that is not JSON.
    """
    try:
        return printable(str(json.loads(text)["message"]), _MOST_SHOWN)
    except (ValueError, KeyError, TypeError, RecursionError):
        return printable(text.strip().partition("\n")[0], _MOST_SHOWN) or "no text"


def is_http_address(url: str) -> bool:
    """Return whether a text is an HTTP or HTTPS address of a server."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def _good_address(url: str) -> str:
    """Return the address of a server as it is.

    Raises:
        ConfigError: It is not an HTTP or HTTPS address.
    """
    if not is_http_address(url):
        raise ConfigError(
            f"{shortened(url)} is not a valid address of a server. Write for example https://data.alpaca.markets."
        )
    return url


def _known_feed(feed: str | None) -> Any:
    """Return Alpaca's enum member of a feed, None for None.

    Raises:
        ConfigError: There is no such feed.
    """
    from alpaca.data.enums import DataFeed

    if feed is None:
        return None
    known = [each.value for each in DataFeed]
    if feed not in known:
        raise ConfigError(f"Alpaca has no feed {feed!r}; it has {', '.join(known)}.")
    return DataFeed(feed)


def require_package(module: str, purpose: str) -> None:
    """Import a module of alpaca-py, without the warnings of deprecated imports.

    Args:
        module: The module.
        purpose: What needs the package, as the beginning of a message such as "fetching from Alpaca".

    Raises:
        ConfigError: The package is not installed.
    """
    try:
        with warnings.catch_warnings():
            # alpaca-py imports deprecated parts of its dependencies, for streams that are not used here.
            warnings.simplefilter("ignore", DeprecationWarning)
            import_module(module)
    except ImportError:
        raise ConfigError(
            f"{purpose} needs the package alpaca-py. Install it with: pip install 'openbell[alpaca]'"
        ) from None
