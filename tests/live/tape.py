"""Bars as a feed sends them: on time, late, corrected, doubled, in any order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from openbell.model.interval import parse_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openbell.model.feed_events import FeedBar

S = 1_000_000_000


class Sent(NamedTuple):
    """A bar and when it is sent."""

    time_ns: int
    bar: FeedBar


def end_ns(bar: FeedBar) -> int:
    """When a bar closes, if no session cuts it."""
    return bar.start_ns + parse_interval(bar.interval).ns


class Tape:
    """What a feed sends, as a script changes it.

    Args:
        bars: The bars, each of which is sent when it closes.
        end_of: Says when a bar closes.
    """

    def __init__(self, bars: Iterable[FeedBar], end_of: Callable[[FeedBar], int] = end_ns) -> None:
        self._end_of = end_of
        self.sent = [Sent(end_of(bar), bar) for bar in bars]

    def late(self, seconds: float, is_meant: Callable[[FeedBar], bool]) -> None:
        """Send bars so much later than they close."""
        self.sent = [
            Sent(self._end_of(each.bar) + round(seconds * S), each.bar) if is_meant(each.bar) else each
            for each in self.sent
        ]

    def jitter(self, seconds: float, seed: int) -> None:
        """Send each bar up to so much later."""
        draw = random.Random(seed)
        self.sent = [Sent(each.time_ns + draw.randint(0, round(seconds * S)), each.bar) for each in self.sent]

    def doubled(self, after_s: float, is_meant: Callable[[FeedBar], bool]) -> None:
        """Send bars once more."""
        self.sent += [Sent(each.time_ns + round(after_s * S), each.bar) for each in self.sent if is_meant(each.bar)]

    def corrected(
        self, after_s: float, is_meant: Callable[[FeedBar], bool], first: Callable[[FeedBar], FeedBar]
    ) -> None:
        """Send bars with other values first, and so much later as they are."""
        corrections = []
        for place, each in enumerate(self.sent):
            if is_meant(each.bar):
                self.sent[place] = Sent(each.time_ns, first(each.bar))
                corrections.append(Sent(each.time_ns + round(after_s * S), each.bar))
        self.sent += corrections

    def left_out(self, is_meant: Callable[[FeedBar], bool]) -> None:
        """Send bars never."""
        self.sent = [each for each in self.sent if not is_meant(each.bar)]

    def add(self, time_ns: int, bar: FeedBar) -> None:
        """Send a bar at a time, be it of yesterday or of the future."""
        self.sent.append(Sent(time_ns, bar))


def some(share: float, seed: int) -> Callable[[FeedBar], bool]:
    """Choose a share of the bars, the same for the same seed."""

    def is_meant(bar: FeedBar) -> bool:
        return random.Random(f"{seed} {bar.symbol} {bar.interval} {bar.start_ns}").random() < share

    return is_meant


def wrong(bar: FeedBar) -> FeedBar:
    """A bar with a close and a volume that are corrected later."""
    return bar._replace(close=bar.low if bar.close != bar.low else bar.high, volume=bar.volume + 1)
