"""Alpaca's trading API, through the package alpaca-py."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from openbell.errors import DataError, printable
from openbell.vendors.alpaca import require_package
from openbell.vendors.rate_limit import RateLimit
from openbell.vendors.source import SourceRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from alpaca.trading.client import TradingClient
    from alpaca.trading.requests import OrderRequest

    from openbell.model.json_object import JsonObject
    from openbell.vendors.alpaca import AlpacaKeys
    from openbell.vendors.retrying import RetryingAdapter

__all__ = ["AlpacaTrading", "NoAnswerError", "NotFoundError", "NotUniqueError", "RefusedError"]

_MOST_SHOWN = 300
"""The most characters of a server's text that a message shows."""

_TOO_MANY_REQUESTS = 429
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_MISSING = 404
_ORDERS_IN_PAGE = 500
_ACTIVITIES_IN_PAGE = 100
_MOST_PAGES = 200
_PATIENCE_S = 60.0


class RefusedError(Exception):
    """Alpaca refuses a request, with the reason as text."""


class NotFoundError(RefusedError):
    """Alpaca does not have the order or position."""


class NotUniqueError(RefusedError):
    """Alpaca has an order with that client id already."""


class NoAnswerError(Exception):
    """The answer is missing or invalid.

    It is unknown whether Alpaca has carried out the request.
    """


class AlpacaTrading:
    """The trading API, for several threads at once.

    Requests that only read are retried after transient errors. Requests that change something are sent once, and again
    only after a 429, by which Alpaca says that it has not carried them out.

    All methods that send requests raise `RefusedError` or `NoAnswerError`.

    Args:
        keys: The account's keys.
        url: The server's address.
        is_paper: Whether the address is that of paper money.
        answer_s: The timeout of an answer in seconds.
        per_minute: The rate at which requests are spaced. Alpaca counts the requests of a minute, and demands a wait
            above its limit.

    Raises:
        ConfigError: alpaca-py is missing.
    """

    def __init__(self, keys: AlpacaKeys, url: str, *, is_paper: bool, answer_s: float, per_minute: float) -> None:
        require_package("alpaca.trading.client", "trading at Alpaca")
        self._keys = keys
        self._url = url
        self._is_paper = is_paper
        self._answer_s = answer_s
        self._limits = {writes: RateLimit(per_minute, patience_s=_PATIENCE_S) for writes in (False, True)}
        self._local = threading.local()
        self._adapters: list[RetryingAdapter] = []

    # Requests that only read

    def account(self) -> JsonObject:
        """Return the account."""
        return _object(self._read(lambda client: client.get_account()))

    def positions(self) -> list[JsonObject]:
        """Return all open positions."""
        return _objects(self._read(lambda client: client.get_all_positions()))

    def order(self, broker_id: str) -> JsonObject:
        """Return an order with its legs."""
        from alpaca.trading.requests import GetOrderByIdRequest

        nested = GetOrderByIdRequest(nested=True)
        return _object(self._read(lambda client: client.get_order_by_id(broker_id, nested)))

    def order_of_client(self, client_id: str) -> JsonObject | None:
        """Return an order by the client id that it was sent with, or None."""
        try:
            return _object(self._read(lambda client: client.get_order_by_client_id(client_id)))
        except NotFoundError:
            return None

    def orders(self, status: str, *, nested: bool = False) -> Iterator[JsonObject]:
        """Yield the orders of a status (open, closed or all), the newest first.

        Raises:
            NoAnswerError: There are more than can be listed.
        """
        params: dict[str, Any] = {"status": status, "limit": _ORDERS_IN_PAGE, "direction": "desc"}
        if nested:
            params["nested"] = "true"
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            page = self._list("/orders", params)
            new = [row for row in page if str(row["id"]) not in seen]
            yield from new
            seen.update(str(row["id"]) for row in new)
            if len(page) < _ORDERS_IN_PAGE:
                return
            if not new:
                break
            # The bound includes this time, so that no order of the same time is left out; known ones are skipped.
            params["until"] = page[-1]["submitted_at"]
        raise NoAnswerError(f"more than {len(seen):,} orders at Alpaca ({status}), or more of one time than it lists")

    def activities(self, after: str, kinds: str = "") -> list[JsonObject]:
        """Return the account's activities after a time, the oldest first.

        Args:
            after: The time, in ISO 8601.
            kinds: Alpaca's types of activities, separated by commas; all unless given.
        """
        params: dict[str, Any] = {"after": after, "direction": "asc", "page_size": _ACTIVITIES_IN_PAGE}
        if kinds:
            params["activity_types"] = kinds
        rows: list[JsonObject] = []
        for _ in range(_MOST_PAGES):
            page = self._list("/account/activities", params)
            rows += page
            if len(page) < _ACTIVITIES_IN_PAGE:
                return rows
            params["page_token"] = page[-1]["id"]
        raise NoAnswerError(f"Alpaca reports more than {len(rows):,} activities after {after}")

    # Requests that change something

    def submit(self, request: OrderRequest) -> JsonObject:
        """Submit an order, and return it with its legs."""
        return _object(self._write(lambda client: client.submit_order(request)))

    def cancel(self, broker_id: str) -> None:
        """Request the cancellation of an order, which may still fill."""
        self._write(lambda client: client.cancel_order_by_id(broker_id))

    def replace(self, broker_id: str, client_id: str, changes: Mapping[str, float]) -> JsonObject:
        """Replace an order by one with changes, and return the new order."""
        from alpaca.trading.requests import ReplaceOrderRequest

        request = ReplaceOrderRequest(client_order_id=client_id, **changes)
        return _object(self._write(lambda client: client.replace_order_by_id(broker_id, request)))

    def close_position(self, symbol: str) -> JsonObject:
        """Submit an order that closes a position, and return the order."""
        return _object(self._write(lambda client: client.close_position(symbol)))

    # The connection

    def sleep(self, seconds: float) -> None:
        """Wait in this thread.

        Raises:
            FetchStoppedError: `stop` was called.
        """
        self._limits[False].sleep(seconds)

    def stop(self) -> None:
        """Send no more requests, and let calls in other threads that wait raise `FetchStoppedError`."""
        for limit in self._limits.values():
            limit.stop()
        for adapter in list(self._adapters):
            adapter.sockets.shut()

    def close(self) -> None:
        """Close the connections of all threads."""
        for adapter in list(self._adapters):
            adapter.close()

    def _list(self, path: str, params: Mapping[str, Any]) -> list[JsonObject]:
        return _objects(self._read(lambda client: client.get(path, dict(params))))

    def _read(self, question: Callable[[TradingClient], Any]) -> Any:
        return self._ask(question, writes=False)

    def _write(self, question: Callable[[TradingClient], Any]) -> Any:
        return self._ask(question, writes=True)

    def _ask(self, question: Callable[[TradingClient], Any], *, writes: bool) -> Any:
        """Return the server's answer.

        Raises:
            RefusedError: The server refuses the request.
            NoAnswerError: There is no answer, or none that can be parsed.
        """
        from alpaca.common.exceptions import APIError
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        from openbell.vendors.retrying import ServerTroubleError

        try:
            return question(self._client(writes=writes))
        except APIError as exc:
            raise self._refusal(exc.status_code, str(exc)) from None
        except ServerTroubleError as exc:
            if exc.status == _TOO_MANY_REQUESTS:
                raise RefusedError("Alpaca takes no more requests at the moment (429)") from None
            raise NoAnswerError(f"Alpaca answers {exc.status}: {self._reason_of(exc.text)[0]}") from None
        except SourceRefusedError:
            raise RefusedError("Alpaca takes no more requests at the moment (429)") from None
        except (RequestException, HTTPError, DataError) as exc:
            text = printable(self._keys.redacted(str(exc)), _MOST_SHOWN)
            raise NoAnswerError(f"no answer from Alpaca ({type(exc).__name__}: {text})") from None
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as exc:
            raise NoAnswerError(f"Alpaca's answer cannot be understood ({type(exc).__name__})") from exc

    def _refusal(self, status: int, text: str) -> Exception:
        """Return the error for an HTTP status and the body that came with it."""
        words, is_reasoned = self._reason_of(text)
        if status == _UNAUTHORIZED or (status == _FORBIDDEN and not is_reasoned):
            return RefusedError(f"Alpaca refuses the keys ({status}: {words})")
        if status == _MISSING:
            return NotFoundError(f"Alpaca: {words}")
        if "client_order_id must be unique" in words:
            return NotUniqueError(f"Alpaca: {words}")
        return RefusedError(f"Alpaca: {words}")

    def _reason_of(self, text: str) -> tuple[str, bool]:
        """Return the text of an error, and whether it has a code of the trading API."""
        try:
            body = json.loads(text)
            words = str(body["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return printable(self._keys.redacted(text.strip().partition("\n")[0]), _MOST_SHOWN) or "no text", False
        if body.get("reject_reason"):
            words += f": {body['reject_reason']}"
        numbers = [f"{body[name]} {what}" for name, what in _NUMBERS.items() if body.get(name) is not None]
        if numbers:
            words += f" ({', '.join(numbers)})"
        return printable(self._keys.redacted(words), _MOST_SHOWN), "code" in body

    def _client(self, *, writes: bool) -> TradingClient:
        """Return this thread's client, ready for a new question.

        Clients that read and clients that write are separate, because they differ in retries and rate limits.
        """
        from alpaca.trading.client import TradingClient

        from openbell.vendors.retrying import Bounds, RetryingAdapter

        clients: dict[bool, tuple[TradingClient, RetryingAdapter]] = self._local.__dict__.setdefault("clients", {})
        if writes not in clients:
            keys = self._keys.key_id, self._keys.secret
            client = TradingClient(*keys, paper=self._is_paper, raw_data=True, url_override=self._url)
            attempts = 3 if writes else 4
            bounds = Bounds(attempts, self._answer_s, attempts * self._answer_s, patience_s=_PATIENCE_S)
            adapter = RetryingAdapter(self._limits[writes], bounds, backoff_s=0.25, repeats_only_refused=writes)
            # The client has no timeout, and would send an order again although the outcome of the first is unknown.
            session = client._session  # noqa: SLF001
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            self._adapters.append(adapter)
            clients[writes] = client, adapter
        client, adapter = clients[writes]
        adapter.begin_question()
        return client


_NUMBERS = {"cost_basis": "needed", "buying_power": "of buying power", "base_price": "is the price now",
            "market_price": "is the price now"}  # fmt: skip


def _object(answer: Any) -> JsonObject:
    if not isinstance(answer, dict):
        raise NoAnswerError("Alpaca's answer cannot be understood (not an object)")
    return answer


def _objects(answer: Any) -> list[JsonObject]:
    if not isinstance(answer, list):
        raise NoAnswerError("Alpaca's answer cannot be understood (no list)")
    return [_object(each) for each in answer]
