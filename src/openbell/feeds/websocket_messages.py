"""Messages of the protocol of docs/live-feed-protocol.md, parsed into events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openbell.errors import shortened
from openbell.feeds.json_bars import BadRowError, bar_of
from openbell.feeds.server_text import MOST_SHOWN, Troubles
from openbell.feeds.websocket_fields import BadMessageError, json_object, symbol_of, symbols_of, text_of
from openbell.feeds.websocket_history import HistoryPages
from openbell.model.feed_events import FeedAnswer, FeedMessage, TradingStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from openbell.feeds.feed import HistoryRequest
    from openbell.feeds.server_text import ServerText
    from openbell.feeds.websocket_bounds import WebSocketBounds
    from openbell.model.feed_events import FeedBar, FeedEvent
    from openbell.model.json_object import JsonObject

__all__ = ["MessageReader"]

_SECOND_NS = 1_000_000_000
_FIELDS = {
    "bars": frozenset({"interval", "bars"}),
    "subscription": frozenset({"symbols", "refused"}),
    "history": frozenset({"number", "bars", "more", "error"}),
    "status": frozenset({"symbol", "halted", "reason"}),
    "message": frozenset({"text"}),
    "echo": frozenset({"data"}),
}


class MessageReader:
    """Parses the messages of one connection after the hello, and tracks its requests.

    Args:
        intervals: The intervals that the hello names.
        bounds: The limits of times and sizes.
        words: Cleans texts of the server.
        reply: Sends a message to the server.
    """

    def __init__(
        self,
        intervals: Iterable[str],
        bounds: WebSocketBounds,
        words: ServerText,
        reply: Callable[[str], None],
    ) -> None:
        self._intervals = frozenset(intervals)
        self._bounds = bounds
        self._words = words
        self._reply = reply
        self._asked: set[str] = set()
        self._acknowledged: frozenset[str] = frozenset()
        self._history = HistoryPages(bounds.history_bars)
        self._trouble = Troubles(words, bounds.shown).reported
        self._unknown: set[tuple[str, str]] = set()
        self._readers: dict[str, Callable[[JsonObject], Sequence[FeedEvent]]] = {
            "bars": self._bars,
            "subscription": self._subscription,
            "history": self._page,
            "status": self._status,
            "message": self._text,
            "echo": self._echo,
        }

    def subscribe(self, symbols: Sequence[str]) -> None:
        """Send a subscription to the bars of symbols."""
        self._asked.update(symbols)
        self._send({"type": "subscribe", "symbols": list(symbols)})

    def unsubscribe(self, symbols: Sequence[str]) -> None:
        """Send the end of the subscription to symbols."""
        self._asked.difference_update(symbols)
        self._send({"type": "unsubscribe", "symbols": list(symbols)})

    def request_history(self, request: HistoryRequest) -> None:
        """Send a request for history."""
        self._history.expect(request)
        self._send(
            {
                "type": "history",
                "number": request.number,
                "symbol": request.symbol,
                "interval": request.interval,
                "first": request.first.isoformat(),
                "from": request.from_ns // _SECOND_NS,
                "to": -(-request.to_ns // _SECOND_NS),
            }
        )

    def read(self, text: str | bytes) -> Sequence[FeedEvent]:
        """Return the events of a message, for invalid parts a `FeedMessage` with the reason."""
        try:
            message = json_object(text)
            kind = text_of(message, "type")
            if kind not in self._readers:
                raise BadMessageError(f"there is no message of the type {shortened(kind)}")  # noqa: TRY301
            events = self._readers[kind](message)
        except BadMessageError as exc:
            return self._trouble(str(exc))
        unknown = {(kind, name) for name in set(message) - _FIELDS[kind] - {"type"}} - self._unknown
        if unknown and len(self._unknown) < self._bounds.shown:
            self._unknown |= unknown
            names = ", ".join(shortened(name) for _, name in sorted(unknown)[: self._bounds.shown])
            return [*events, *self._trouble(f"messages of the type {kind} have no {names}, which is ignored")]
        return events

    def _bars(self, message: JsonObject) -> Sequence[FeedEvent]:
        interval, rows = text_of(message, "interval"), message.get("bars")
        if interval not in self._intervals:
            raise BadMessageError(f"the feed did not say that it sends bars of {shortened(interval)}")
        if not isinstance(rows, list):
            raise BadMessageError("bars must be a list")
        bars: list[FeedBar] = []
        bad: list[str] = []
        for row in rows:
            try:
                bars.append(self._bar(interval, row))
            except (BadRowError, BadMessageError) as exc:
                bad.append(str(exc))
        if not bad:
            return bars
        return [*bars, *self._trouble(f"{len(bad)} of {len(rows)} bars are left out; the first: {bad[0]}")]

    def _bar(self, interval: str, row: Any) -> FeedBar:
        if type(row) is not list or not row:
            raise BadRowError(f"{interval}: a bar is a list that begins with the symbol")
        symbol, *values = row
        self._require_known(symbol)
        return bar_of(symbol, interval, values)

    def _require_known(self, symbol: object) -> None:
        if not isinstance(symbol, str) or (symbol not in self._acknowledged and symbol not in self._asked):
            raise BadMessageError(f"{shortened(str(symbol))} is not subscribed")

    def _subscription(self, message: JsonObject) -> Sequence[FeedEvent]:
        symbols = symbols_of(message.get("symbols"), self._bounds.symbols)
        refused = message.get("refused", {})
        if not isinstance(refused, dict):
            raise BadMessageError("refused must be an object of symbols and reasons")
        symbols_of(refused, self._bounds.symbols)
        reasons = {symbol: self._words.clean(text_of(refused, symbol)) for symbol in refused}
        self._acknowledged = frozenset(symbols)
        self._asked -= set(reasons)
        return [FeedAnswer(self._acknowledged, reasons)]

    def _page(self, message: JsonObject) -> Sequence[FeedEvent]:
        page = self._history.read(message)
        events: list[FeedEvent] = list(self._trouble(page.trouble)) if page.trouble else []
        if page.answer is not None and page.answer.error:
            cleaned = self._words.clean(page.answer.error)
            return [*events, type(page.answer)(page.answer.number, error=cleaned)]
        return [*events, page.answer] if page.answer else events

    def _status(self, message: JsonObject) -> Sequence[FeedEvent]:
        symbol, is_halted = symbol_of(message.get("symbol")), message.get("halted")
        self._require_known(symbol)
        if not isinstance(is_halted, bool):
            raise BadMessageError("halted must be true or false")
        return [TradingStatus(symbol, is_halted, self._words.clean(text_of(message, "reason", "")))]

    def _text(self, message: JsonObject) -> Sequence[FeedEvent]:
        return [FeedMessage(self._words.clean(text_of(message, "text"), MOST_SHOWN))]

    def _echo(self, message: JsonObject) -> Sequence[FeedEvent]:
        self._send({"type": "echo", "data": text_of(message, "data")})
        return []

    def _send(self, message: JsonObject) -> None:
        self._reply(json.dumps(message))
