"""Subscription of a connection to Alpaca, asked for piece by piece and compared with what is acknowledged."""

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
"""So many symbols in four channels are a message that servers take."""


@dataclass
class _Question:
    """Symbols that are asked for, or no longer.

    Attributes:
        pieces: What is still to be said: the action and its symbols.
        refused: Why symbols are not sent.
    """

    pieces: deque[tuple[str, list[str]]]
    refused: dict[str, str] = field(default_factory=dict)


class Subscription:
    """Subscription over one connection.

    One message is under way at a time, since an error names none. A message that crosses the limit of symbols is said
    again in halves, so that only the symbols beyond the limit are refused.

    Args:
        send: Takes a message to the server.
        most: Symbols in one answer.

    Attributes:
        acknowledged: The symbols that are sent in all channels.
    """

    def __init__(self, send: Callable[[JsonObject], None], most: int) -> None:
        self._send = send
        self._most = most
        self._questions: deque[_Question] = deque()
        self._wanted: set[str] = set()
        self.acknowledged: frozenset[str] = frozenset()

    def __contains__(self, symbol: object) -> bool:
        """Return whether bars of a symbol may come."""
        return symbol in self._wanted

    @property
    def is_asking(self) -> bool:
        """Whether an answer is waited for."""
        return bool(self._questions)

    def subscribe(self, symbols: Sequence[str]) -> None:
        """Ask for symbols."""
        self._wanted.update(symbols)
        self._add("subscribe", symbols)

    def unsubscribe(self, symbols: Sequence[str]) -> None:
        """Ask for symbols no longer."""
        self._wanted.difference_update(symbols)
        self._add("unsubscribe", symbols)

    def answered(self, message: JsonObject) -> Sequence[FeedEvent]:
        """Take up the whole subscription as the server has it.

        Raises:
            BadMessageError: It is no list of symbols.
        """
        by_channel = {name: set(symbols_of(message.get(name) or [], self._most)) for name in CHANNELS}
        self.acknowledged = frozenset(set.intersection(*by_channel.values()))
        if not self._questions:
            return [FeedAnswer(self.acknowledged)]
        question = self._questions[0]
        action, symbols = question.pieces.popleft()
        if action == "subscribe":
            missing = [symbol for symbol in symbols if symbol not in self.acknowledged]
            for symbol in missing:
                absent = ", ".join(name for name in CHANNELS if symbol not in by_channel[name])
                question.refused[symbol] = f"Alpaca was asked for it, and does not acknowledge its {absent}"
            if partly := [symbol for symbol in missing if any(symbol in held for held in by_channel.values())]:
                question.pieces.appendleft(("unsubscribe", partly))
            self._wanted.difference_update(missing)
        return self._go_on()

    def rejected(self, code: int, text: str) -> Sequence[FeedEvent]:
        """Take up an error that answers the message under way."""
        question = self._questions[0]
        action, symbols = question.pieces.popleft()
        if action == "subscribe" and code == SYMBOL_LIMIT and len(symbols) > 1:
            middle = (len(symbols) + 1) // 2
            question.pieces.extendleft([(action, symbols[middle:]), (action, symbols[:middle])])
        elif action == "subscribe":
            question.refused.update(dict.fromkeys(symbols, refusal(code, text)))
            self._wanted.difference_update(symbols)
        return self._go_on()

    def _add(self, action: str, symbols: Sequence[str]) -> None:
        starts = range(0, len(symbols), _MOST_AT_ONCE)
        self._questions.append(_Question(deque((action, list(symbols[at : at + _MOST_AT_ONCE])) for at in starts)))
        if len(self._questions) == 1:
            self._say()

    def _go_on(self) -> Sequence[FeedEvent]:
        """Say what is next, and return the answer to a question that is through."""
        question = self._questions[0]
        if question.pieces:
            self._say()
            return []
        self._questions.popleft()
        if self._questions:
            self._say()
        return [FeedAnswer(self.acknowledged, question.refused)]

    def _say(self) -> None:
        action, symbols = self._questions[0].pieces[0]
        self._send({"action": action, **dict.fromkeys(CHANNELS, symbols)})
