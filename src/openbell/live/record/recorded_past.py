"""Past of a run that goes on, which is what its record says has happened, in the order in which it happened."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from openbell.feeds.feed import SymbolIntervals
from openbell.live.incoming.feed_connection import FeedState
from openbell.live.record.broker_events import event_of_line
from openbell.live.record.feed_record import bar_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openbell.model.broker_events import BrokerEvent
    from openbell.model.feed_events import FeedBar
    from openbell.model.json_object import JsonObject

__all__ = ["BetweenTimes", "Key", "Past", "PastDay", "Played", "Settled"]

Key: TypeAlias = "tuple[int, str, str, str]"
"""An addition that had to wait, by the session clock when it was asked for, its operation, symbol and owner."""


class Settled(NamedTuple):
    """An addition that waited, carried out or failed.

    Attributes:
        key: The addition.
        error: Why it failed (empty when it did not).
    """

    key: Key
    error: str


@dataclass(slots=True)
class Played:
    """A time that was played.

    Attributes:
        time_ns: The time, nanoseconds since 1970 UTC.
        bars: The bars that came for it.
        placed: The bars of symbols that nobody had seen yet, put in their places before the next time.
    """

    time_ns: int
    bars: list[FeedBar]
    placed: list[FeedBar] = field(default_factory=list)


@dataclass(slots=True)
class BetweenTimes:
    """All that happened at once between two times.

    Attributes:
        closes: Whether all positions were closed, because the run was to stop.
        trades_again: Whether the run went on after that.
        health: The health of the feed that strategies heard of, None when they heard of none.
        late: The bars that came late, or again with other values.
        settled: The additions that had waited.
        broker: What the broker reported.
    """

    closes: bool = False
    trades_again: bool = False
    health: FeedState | None = None
    late: list[FeedBar] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    broker: list[BrokerEvent] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return self == BetweenTimes()


@dataclass(slots=True)
class PastDay:
    """A session as far as it came.

    Attributes:
        start_ns: Where its clock stood when it began.
        before: The bars that had come before it began.
        opening: What the broker had reported before it began.
        steps: What happened from then on.
        waits: The additions that had to wait, in the order in which they came.
        missing: What was missing of them.
        errors: Why symbols could not be had at once, by session clock and symbol.
        refused: Why orders were refused that came too late, by their numbers.
        has_ended: Whether it came to its end.
    """

    start_ns: int
    before: list[FeedBar] = field(default_factory=list)
    opening: list[BrokerEvent] = field(default_factory=list)
    steps: deque[Played | BetweenTimes] = field(default_factory=deque)
    waits: list[Key] = field(default_factory=list)
    missing: dict[Key, str] = field(default_factory=dict)
    errors: dict[tuple[int, str], str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    has_ended: bool = False


@dataclass(slots=True)
class Past:
    """All that a run has recorded.

    Attributes:
        feed: The label of its feed.
        intervals: The intervals that its feed sends.
        offered: Those of single symbols, by day and symbol, where the feed knows them.
        days: Its sessions that have begun.
        account: The number of the account that it trades on at a broker; empty when it trades at none.
        run_id: The id by which the broker knows its orders.
        since_ns: When it first looked at the account, nanoseconds since 1970 UTC.
    """

    feed: str = ""
    intervals: tuple[str, ...] = ()
    offered: dict[tuple[date, str], SymbolIntervals] = field(default_factory=dict)
    days: dict[date, PastDay] = field(default_factory=dict)
    account: str = ""
    run_id: str = ""
    since_ns: int = 0

    def intervals_of(self, symbol: str, day: date) -> SymbolIntervals:
        """Return the intervals that the feed had of a symbol on a day."""
        return self.offered.get((day, symbol)) or SymbolIntervals(self.intervals, self.intervals)

    @staticmethod
    def of(lines: Iterable[JsonObject]) -> Past:
        """Read the lines of a record."""
        reader = _Reader()
        for line in lines:
            reader.read(line)
        reader.look_ended()
        return reader.past


class _Reader:
    """Reads a record line by line."""

    def __init__(self) -> None:
        self.past = Past()
        self._day = PastDay(0)  # of what comes before the first session
        self._played_ns = 0
        self._look = BetweenTimes()

    def read(self, line: JsonObject) -> None:
        day = self._day
        if "intervals" in line or "offered" in line:
            self._take_intervals(line)
        elif "session" in line:
            day.start_ns = self._played_ns = line["start_ns"]
            self.past.days[date.fromisoformat(line["session"])] = day
        elif "ended" in line:
            self.look_ended()
            day.has_ended = True
            self._day = PastDay(0)
        elif "bars" in line and not line.get("late"):
            self._bars(line["played_ns"], [bar_of(fields) for fields in line["bars"]])
        elif "account" in line:
            self.past.account, self.past.run_id, self.past.since_ns = line["account"], line["run"], line["since_ns"]
        elif "opens" in line:
            day.opening = [event_of_line(one) for one in line["opens"]]
        elif "refused" in line:
            day.refused[line["refused"]] = line["reason"]
        elif "failed_ns" in line:
            day.errors[line["failed_ns"], line["symbol"]] = line["error"]
        elif "waits_ns" in line and "settled_ns" not in line:
            day.waits.append(_key(line))
            day.missing[_key(line)] = line["missing"]
        else:
            self._read_look(line, self._look)

    def _read_look(self, line: JsonObject, look: BetweenTimes) -> None:
        if "looked_ns" in line:
            self.look_ended()
        elif "broker" in line:
            look.broker.append(event_of_line(line))
        elif "bars" in line:
            look.late += map(bar_of, line["bars"])
        elif "health" in line:
            look.health = FeedState(line["health"], line["reason"])
        elif "settled_ns" in line:
            look.settled.append(Settled(_key(line), line["error"]))
        elif "sends" not in line:  # what becomes of them, the broker tells
            look.closes, look.trades_again = "closing_ns" in line, "trades_again_ns" in line

    def _take_intervals(self, line: JsonObject) -> None:
        if "offered" in line:
            key = date.fromisoformat(line["day"]), line["offered"]
            self.past.offered[key] = SymbolIntervals(tuple(line["stored"]), tuple(line["bases"]))
        else:
            self.past.feed, self.past.intervals = line["feed"], tuple(line["intervals"])

    def look_ended(self) -> None:
        if not self._look.is_empty:
            self._day.steps.append(self._look)
            self._look = BetweenTimes()

    def _bars(self, time_ns: int, bars: list[FeedBar]) -> None:
        day = self._day
        if day.start_ns and time_ns > self._played_ns:
            self._played_ns = time_ns
            day.steps.append(Played(time_ns, bars))
            return
        played = next((step for step in reversed(day.steps) if isinstance(step, Played)), None)
        (day.before if played is None else played.placed).extend(bars)


def _key(line: JsonObject) -> Key:
    return line["waits_ns"], line["operation"], line["symbol"], line["owner"]
