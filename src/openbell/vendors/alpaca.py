"""Historical bars and corporate actions of US stocks from Alpaca, through its own package."""

from __future__ import annotations

import json
import threading
import warnings
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import polars as pl

from openbell.actions.table import ACTION_SCHEMA
from openbell.errors import ConfigError, DataError
from openbell.store.layout import BAR_SCHEMA
from openbell.vendors.rate_limit import RateLimit
from openbell.vendors.source import FetchedActions, RequestRejectedError, SourceRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from requests import Session

__all__ = ["INTERVALS", "AlpacaKeys", "AlpacaSource", "actions_of", "bars_of"]

INTERVALS = ("1m", "1d")
"""The intervals that can be fetched."""

KEY_ID, SECRET_KEY = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"

_NEW_YORK = ZoneInfo("America/New_York")
_REFUSED = (401, 403)
_NOT_UNDERSTOOD = (400, 404, 422)
_Client = TypeVar("_Client", "StockHistoricalDataClient", "CorporateActionsClient")


@dataclass(frozen=True)
class AlpacaKeys:
    """The keys of an account; they show in no text about the object."""

    key_id: str = field(repr=False)
    secret: str = field(repr=False)

    @staticmethod
    def of(environment: Mapping[str, str]) -> AlpacaKeys:
        """Return the keys that are in the environment.

        Raises:
            ConfigError: At least one is missing.
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


class AlpacaSource:
    """The market data API of Alpaca. May be used from several threads at once; they share one rate limit.

    Args:
        keys: The account's keys.
        url: The server's address; None is Alpaca's own.
        feed: "sip", "iex" or another of Alpaca's; None is what the account's plan gives.
        requests_per_minute: The rate limit of the plan.
        backoff_s: The first wait after an error in seconds; each further one is twice as long.
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
    ) -> None:
        _require_package()
        self._keys = keys
        self._url = url.rstrip("/") if url else None
        self._feed = _known_feed(feed)
        self._rate_limit = RateLimit(requests_per_minute)
        self._backoff_s = backoff_s
        self._local = threading.local()
        self._sessions: list[Session] = []

    @property
    def origin(self) -> str:
        """The server and the feed."""
        server = urlsplit(self._url).netloc.rpartition("@")[2] if self._url else "alpaca"
        return f"{server} {self._feed.value}" if self._feed else server

    def bars(self, symbols: Sequence[str], interval: str, first: date, last: date) -> Mapping[str, pl.DataFrame]:
        """Return by symbol raw bars of all trading hours of dates in New York, with ``line``.

        Raises:
            RequestRejectedError: The server does not take the request, because of one of the symbols perhaps.
            DataError: The server does not answer.
            SourceRefusedError: It refuses the keys.
        """
        from alpaca.data.enums import Adjustment
        from alpaca.data.requests import StockBarsRequest
        from alpaca.data.timeframe import TimeFrame

        request = StockBarsRequest(
            symbol_or_symbols=list(symbols),
            timeframe=TimeFrame.Minute if interval == "1m" else TimeFrame.Day,
            start=_midnight(first),
            end=_midnight(last + timedelta(days=1)) - timedelta(seconds=1),
            adjustment=Adjustment.RAW,
            feed=self._feed,
        )
        answer = self._ask(lambda: self._stocks().get_stock_bars(request))
        return {symbol: bars_of(answer.get(symbol) or [], interval) for symbol in symbols}

    def actions(self, symbols: Sequence[str], first: date, last: date) -> FetchedActions:
        """Return the corporate actions with an ex-date from ``first`` to ``last``.

        Raises:
            DataError: The server does not answer.
            SourceRefusedError: It refuses the keys, or the account's plan has no corporate actions.
        """
        from alpaca.data.requests import CorporateActionsRequest

        # Without a limit of its own, the client would end after 1000 in all.
        request = CorporateActionsRequest(symbols=list(symbols), start=first, end=last, limit=None)
        answer = self._ask(lambda: self._corporate_actions().get_corporate_actions(request))
        return actions_of(answer)

    def stop(self) -> None:
        """Let no more requests out; threads that wait end with `FetchStoppedError`."""
        self._rate_limit.stop()

    def close(self) -> None:
        """Close its connections."""
        for session in self._sessions:
            session.close()

    def _ask(self, question: Callable[[], Any]) -> dict[str, list[dict[str, Any]]]:
        """Return the answer of the server; its errors become ours, without the keys."""
        from alpaca.common.exceptions import APIError
        from requests.exceptions import RequestException

        try:
            answer: dict[str, list[dict[str, Any]]] = question()
        except APIError as exc:
            status, text = exc.status_code, self._keys.redacted(_message_of(str(exc)))
            if status in _REFUSED:
                raise SourceRefusedError(
                    f"Alpaca refuses ({status}: {text}). Check {KEY_ID} and {SECRET_KEY}, and what the plan allows."
                ) from None
            kind = RequestRejectedError if status in _NOT_UNDERSTOOD else DataError
            raise kind(f"Alpaca answers {status}: {text}") from None
        except RequestException as exc:
            text = self._keys.redacted(str(exc))
            raise DataError(f"no answer from Alpaca ({type(exc).__name__}: {text})") from None
        return answer

    def _stocks(self) -> StockHistoricalDataClient:
        from alpaca.data.historical.stock import StockHistoricalDataClient

        return self._client(StockHistoricalDataClient)

    def _corporate_actions(self) -> CorporateActionsClient:
        from alpaca.data.historical.corporate_actions import CorporateActionsClient

        return self._client(CorporateActionsClient)

    def _client(self, make: type[_Client]) -> _Client:
        """Return the client of this thread."""
        # The sessions of requests are not made for several threads.
        clients: dict[str, Any] = self._local.__dict__
        if make.__name__ not in clients:
            from openbell.vendors.retrying import RetryingAdapter

            client = make(self._keys.key_id, self._keys.secret, raw_data=True, url_override=self._url)
            adapter = RetryingAdapter(self._rate_limit, backoff_s=self._backoff_s)
            # The client itself knows neither a timeout nor Retry-After, 5xx or cut connections, and has no other seam.
            session = client._session  # noqa: SLF001
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._sessions.append(session)
            clients[make.__name__] = client
        found: _Client = clients[make.__name__]
        return found


def bars_of(answer: Sequence[Mapping[str, Any]], interval: str) -> pl.DataFrame:
    """Return the bars of one symbol as the columns of `BAR_SCHEMA`, and ``line``, counted from 1."""
    names = {"t": "timestamp", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
    types = {"t": pl.String, **dict.fromkeys("ohlcv", pl.Float64)}
    columns = {name: [bar.get(name) for bar in answer] for name in names}
    time_of = pl.col("t").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ns", time_zone="UTC", strict=False)
    if interval == "1d":
        # A day is stamped with its midnight in New York, and stored as its date.
        local = time_of.dt.convert_time_zone("America/New_York").dt.replace_time_zone(None).dt.truncate("1d")
        time_of = local.dt.replace_time_zone("UTC")
    frame = pl.DataFrame(columns, schema=types, strict=False).with_columns(time_of)
    return frame.rename(names).select(*BAR_SCHEMA).with_row_index("line", offset=1)


def actions_of(answer: Mapping[str, Sequence[Mapping[str, Any]]]) -> FetchedActions:
    """Return corporate actions as rows of `ACTION_SCHEMA` with ``line``; a stock dividend is a split."""
    rows: list[dict[str, Any]] = []
    others: dict[str, int] = {}
    for kind, found in answer.items():
        for action in found:
            row = _action_of(kind, action)
            if row is None:
                others[kind] = others.get(kind, 0) + 1
            else:
                rows.append(row)
    frame = pl.DataFrame(rows, schema=ACTION_SCHEMA).with_row_index("line", offset=1)
    return FetchedActions(frame, others)


def _action_of(kind: str, action: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return one action as a row; None when it is of a kind that openbell does not apply."""
    match kind:
        case "forward_splits" | "reverse_splits":
            row = {"symbol": action["symbol"], "type": "split", "value": action["new_rate"] / action["old_rate"]}
        case "stock_dividends":
            row = {"symbol": action["symbol"], "type": "split", "value": 1.0 + action["rate"]}
        case "cash_dividends":
            row = {"symbol": action["symbol"], "type": "dividend", "value": float(action["rate"])}
        case "name_changes":
            row = {"symbol": action["old_symbol"], "type": "rename", "new_symbol": action["new_symbol"]}
        case _:
            return None
    return {**row, "ex_date": date.fromisoformat(action.get("ex_date") or action["process_date"])}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _NEW_YORK).astimezone(UTC)


def _message_of(text: str) -> str:
    """Return the message in a server's error, or the first line where it is not JSON."""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip().partition("\n")[0][:200] or "no text"


def _known_feed(feed: str | None) -> Any:
    from alpaca.data.enums import DataFeed

    if feed is None:
        return None
    known = [each.value for each in DataFeed]
    if feed not in known:
        raise ConfigError(f"Alpaca has no feed {feed!r}; it has {', '.join(known)}.")
    return DataFeed(feed)


def _require_package() -> None:
    try:
        with warnings.catch_warnings():
            # It imports what its own dependencies have deprecated, for live streams.
            warnings.simplefilter("ignore", DeprecationWarning)
            import alpaca.data.historical  # noqa: F401 - only whether it is there
    except ImportError:
        raise ConfigError(
            "fetching from Alpaca needs the package alpaca-py. Install it with: pip install 'openbell[alpaca]'"
        ) from None
