"""Subscription of a connection to Alpaca, requested in parts and compared with the acknowledged one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openbell.feeds.alpaca.codes import SYMBOL_LIMIT, refusal
from openbell.feeds.websocket_fields import symbols_of
from openbell.model.feed_events import FeedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openbell.model.feed_events import FeedEvent
    from openbell.model.json_object import JsonObject

__all__ = ["CHANNELS", "Subscription"]

CHANNELS = ("bars", "updatedBars", "dailyBars", "statuses")
_MOST_AT_ONCE = 400
"""The most symbols of one message, which in four channels is still a size that servers accept."""


@dataclass
class _Change:
    """A change of the subscription in progress.

    Attributes:
        pieces: The action and symbols of each message still to be answered; the first is in flight.
        refused: The reasons why symbols are refused.
    """

    pieces: deque[tuple[str, list[str]]]
    refused: dict[str, str] = field(default_factory=dict)


class Subscription:
    """Subscription over one connection.

    One message is in flight at a time, because an error does not name the message that it answers. A message that
    exceeds the limit of symbols is sent again in halves, so that only the symbols beyond the limit are refused.

    Args:
        send: Sends a message to the server.
        most: The most symbols in one answer.

    Attributes:
        acknowledged: The symbols that the server has acknowledged in all channels.
    """

    def __init__(self, send: Callable[[JsonObject], None], most: int) -> None:
        self._send = send
        self._most = most
        self._changes: deque[_Change] = deque()
        self._wanted: set[str] = set()
        self.acknowledged: frozenset[str] = frozenset()

    def __contains__(self, symbol: object) -> bool:
        """Return whether bars of a symbol may arrive, because it is or may become subscribed."""
        return symbol in self._wanted

    @property
    def is_asking(self) -> bool:
        """Whether a change waits for its answer."""
        return bool(self._changes)

    def subscribe(self, symbols: Sequence[str]) -> None:
        """Queue a subscription to symbols."""
        self._wanted.update(symbols)
        self._add("subscribe", symbols)

    def unsubscribe(self, symbols: Sequence[str]) -> None:
        """Queue the end of the subscription to symbols."""
        self._wanted.difference_update(symbols)
        self._add("unsubscribe", symbols)

    def answered(self, message: JsonObject) -> Sequence[FeedEvent]:
        """Record an acknowledgement, which has the whole subscription, and send the next message.

        Symbols that the message in flight subscribed to and that some channel does not acknowledge are refused, and
        unsubscribed in the others.

        Returns:
            A `FeedAnswer` when the change is complete, or when nothing was in flight.

        Raises:
            BadMessageError: A channel is not a list of symbols.
        """
        by_channel = {name: set(symbols_of(message.get(name) or [], self._most)) for name in CHANNELS}
        self.acknowledged = frozenset(set.intersection(*by_channel.values()))
        if not self._changes:
            return [FeedAnswer(self.acknowledged)]
        change = self._changes[0]
        action, symbols = change.pieces.popleft()
        if action == "subscribe":
            missing = [symbol for symbol in symbols if symbol not in self.acknowledged]
            for symbol in missing:
                absent = ", ".join(name for name in CHANNELS if symbol not in by_channel[name])
                change.refused[symbol] = f"Alpaca was asked for it, and does not acknowledge its {absent}"
            if partly := [symbol for symbol in missing if any(symbol in held for held in by_channel.values())]:
                change.pieces.appendleft(("unsubscribe", partly))
            self._wanted.difference_update(missing)
        return self._continue()

    def rejected(self, code: int, text: str) -> Sequence[FeedEvent]:
        """Record an error that answers the message in flight, and send the next message.

        Returns:
            A `FeedAnswer` when the change is complete.
        """
        change = self._changes[0]
        action, symbols = change.pieces.popleft()
        if action == "subscribe" and code == SYMBOL_LIMIT and len(symbols) > 1:
            middle = (len(symbols) + 1) // 2
            change.pieces.extendleft([(action, symbols[middle:]), (action, symbols[:middle])])
        elif action == "subscribe":
            change.refused.update(dict.fromkeys(symbols, refusal(code, text)))
            self._wanted.difference_update(symbols)
        return self._continue()

    def _add(self, action: str, symbols: Sequence[str]) -> None:
        starts = range(0, len(symbols), _MOST_AT_ONCE)
        self._changes.append(_Change(deque((action, list(symbols[at : at + _MOST_AT_ONCE])) for at in starts)))
        if len(self._changes) == 1:
            self._send_piece()

    def _continue(self) -> Sequence[FeedEvent]:
        """Send the next message, and return the answer to a change that is complete."""
        change = self._changes[0]
        if change.pieces:
            self._send_piece()
            return []
        self._changes.popleft()
        if self._changes:
            self._send_piece()
        return [FeedAnswer(self.acknowledged, change.refused)]

    def _send_piece(self) -> None:
        action, symbols = self._changes[0].pieces[0]
        self._send({"action": action, **dict.fromkeys(CHANNELS, symbols)})
