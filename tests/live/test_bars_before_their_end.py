"""Bars that come before they end, since the clock of the machine is slow or the feed sends what it should not."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from live.sessions import early
from live.tape import Sent
from live.test_live_failures import require_each_once
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import S, VirtualArrivals

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.live.record.verify import Verification
    from openbell.model.feed_events import FeedBar

SYMBOLS = ("SPY", "IBM", "AIG", "BAC")


@pytest.fixture
def stage(minute_store: Path, tmp_path: Path) -> Stage:
    return Stage(tmp_path, minute_store, exchange=early("10:30"))


def send_early(
    stage: Stage, seconds: float, *, from_minute: int = 0, to_minute: int = 1000, jitter_s: float = 0.0
) -> None:
    """Let the machine's clock be behind by some seconds, for which bars come so long before they end."""
    dice = random.Random(3)
    first_ns, last_ns = (stage.session.first_ns + minute * MINUTE for minute in (from_minute, to_minute))

    def when(sent: Sent) -> int:
        is_meant = sent.bar.interval == "1m" and first_ns <= sent.bar.start_ns < last_ns
        return sent.time_ns - round((seconds + dice.uniform(0, jitter_s)) * S) if is_meant else sent.time_ns

    stage.tape.sent = [Sent(when(sent), sent.bar) for sent in stage.tape.sent]


def play(stage: Stage) -> Verification:
    """Play the day, of which each minute is there once, as it was at its end."""
    with stage.server() as server:
        found = stage.play(server)
    assert (found.differences, found.revisions) == ((), 0)
    for symbol in SYMBOLS:
        require_each_once(stage, symbol)
    return found


def said(stage: Stage, what: str) -> list[str]:
    return [text for _, text in stage.run.resources.messages if what in text]


def healths(stage: Stage) -> list[str]:
    lines = map(json.loads, (stage.folder / "run" / "feed.jsonl").read_text().splitlines())
    return [f"{line['health']}: {line['reason']}" for line in lines if "health" in line]


@pytest.mark.parametrize("jitter_s", [0.0, 0.25])
def test_no_bar_is_lost_by_a_clock_that_is_two_seconds_slow(stage: Stage, jitter_s: float) -> None:
    """It is said once, however bars scatter around their time."""
    send_early(stage, 2, jitter_s=jitter_s)
    play(stage)
    assert len(stage.times_of("IBM")) >= 60
    (text,) = said(stage, "clock")
    assert text.startswith("the machine's clock is 2.")
    assert " s behind that of the feed test, by the ends of its bars." in text
    assert healths(stage) == []


def test_no_bar_is_lost_by_a_clock_that_is_set_back_for_some_minutes(stage: Stage) -> None:
    send_early(stage, 6, from_minute=20, to_minute=40)
    play(stage)
    wrong, right = said(stage, "clock")
    assert wrong.endswith("New positions are refused until it is right.")
    assert right == "the machine's clock is right again"


def test_bars_that_come_long_before_they_end_are_fetched_and_the_feed_is_not_live(stage: Stage) -> None:
    """As of a clock that is slow by 40 seconds, or of a feed that labels its minutes otherwise."""
    send_early(stage, 40, from_minute=10, to_minute=30)
    play(stage)
    stale, live = healths(stage)
    assert stale.startswith("STALE: 1m bars of the feed test come before they end, by the machine's clock: one of ")
    assert live.startswith("LIVE")
    assert len(said(stage, "Is the clock behind, or does the feed label bars by their end")) == 1


@pytest.mark.parametrize("before", [(20,), (50, 20), (15, 10, 5), (1.5,)])
def test_bars_that_are_sent_while_they_still_change_are_not_played(stage: Stage, before: tuple[float, ...]) -> None:
    def changing(bar: FeedBar, seconds: float) -> Sent:
        return Sent(stage.end_of(bar) - round(seconds * S), bar._replace(close=bar.low, volume=1.0))

    final = [Sent(sent.time_ns + S, sent.bar) for sent in stage.tape.sent]
    minutes = [sent.bar for sent in stage.tape.sent if sent.bar.interval == "1m"]
    stage.tape.sent = [*final, *(changing(bar, seconds) for seconds in before for bar in minutes)]
    play(stage)


def test_a_session_that_a_slow_clock_joins_has_the_bar_between_history_and_stream(stage: Stage) -> None:
    """It is 9:45:05 at the feed, whose minute of 9:44 is over, and 9:44:45 by the machine's clock."""
    send_early(stage, 20)
    stage.time = VirtualArrivals(stage.session.first_ns + 14 * MINUTE + 45 * S)
    stage.tape.sent = [sent for sent in stage.tape.sent if sent.time_ns > stage.time.now_ns]
    with stage.server() as server:
        server.history_ends_s = -20.0
        found = stage.play(server)
    assert found.is_equal
    for symbol in SYMBOLS:
        require_each_once(stage, symbol)
