"""Alpaca's feed with a server of our own that does what Alpaca documents, and what it should not."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from live.alpaca_server import KEYS, AlpacaServer
from live.tape import Tape
from live.test_server import BARS, MINUTE, OPEN, bar, came
from live.virtual_time import S, VirtualArrivals
from openbell.errors import ConfigError
from openbell.feeds.alpaca.alpaca_feed import AlpacaFeed
from openbell.feeds.feed import HistoryRequest
from openbell.model.feed_events import (
    FeedAnswer,
    FeedBar,
    FeedClock,
    FeedConnected,
    FeedHistory,
    FeedLost,
    FeedMessage,
    TradingStatus,
)
from openbell.model.interval import DAY_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

TODAY = date(2013, 10, 10)
MIDNIGHT = OPEN // DAY_NS * DAY_NS
DAYS = [FeedBar("SPY", "1d", MIDNIGHT - n * DAY_NS, 10.0, 12.0, 9.0, 11.0, 1000.0) for n in range(3)]


@pytest.fixture
def time() -> VirtualArrivals:
    return VirtualArrivals(OPEN)


@pytest.fixture
def server(time: VirtualArrivals) -> Iterator[AlpacaServer]:
    with AlpacaServer(time, [*BARS, *DAYS]) as made:
        yield made


def events(time: VirtualArrivals) -> list[Any]:
    """What came, but for the server's clock."""
    time.settle()
    return [event for event in time.taken() if not isinstance(event, FeedClock)]


def connected(server: AlpacaServer, time: VirtualArrivals, *symbols: str) -> AlpacaFeed:
    feed = server.feed()
    feed.connect()
    assert [type(event) for event in events(time)] == [FeedConnected]
    if symbols:
        feed.subscribe(symbols)
        assert events(time) == [FeedAnswer(frozenset(symbols))]
    return feed


def history(symbol: str = "SPY", interval: str = "1m", number: int = 1, minutes: int = 60) -> HistoryRequest:
    return HistoryRequest(number, symbol, interval, date(2013, 10, 8), OPEN, OPEN + minutes * MINUTE)


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_minutes_come_when_they_close_in_either_encoding(
    server: AlpacaServer, time: VirtualArrivals, encoding: str
) -> None:
    server.encoding = encoding
    connected(server, time, "SPY")
    server.play(Tape(BARS))
    time.advance(5 * 60)

    assert came(time) == [(n + 1, bar(n)) for n in range(5)]  # those of the running day are not among them
    assert [message["action"] for _, message in server.requests] == ["subscribe"]


def test_a_day_comes_when_it_is_over_and_a_correction_comes_again(server: AlpacaServer, time: VirtualArrivals) -> None:
    connected(server, time, "SPY")
    server.send(bar(0))
    server.send(bar(0)._replace(close=10.25))
    server.send(DAYS[0])
    assert events(time) == [bar(0), bar(0)._replace(close=10.25)]
    time.advance_to(OPEN + 390 * MINUTE)
    server.send(DAYS[0])
    assert events(time) == [DAYS[0]]


def test_halts(server: AlpacaServer, time: VirtualArrivals) -> None:
    connected(server, time, "SPY")
    server.halt("SPY")
    server.resume("SPY")
    halted, resumed = events(time)
    assert halted == TradingStatus("SPY", is_halted=True, reason="(Trading Halt)")
    assert resumed == TradingStatus("SPY", is_halted=False, reason="(Trading Resumption)")


@pytest.mark.parametrize(
    ("code", "is_final", "after_s", "words"),
    [
        (402, True, 0, "the keys are not accepted. Check APCA_API_KEY_ID and APCA_API_SECRET_KEY"),
        (404, False, 0, "too late"),
        (406, False, 60, "another program is connected with this account's keys"),
        (409, True, 0, "the account's plan does not have this feed"),
        (500, False, 5, "error of its own"),
    ],
)
def test_errors_that_answer_the_keys(
    server: AlpacaServer, time: VirtualArrivals, code: int, is_final: bool, after_s: float, words: str
) -> None:
    server.auth_errors.append(code)
    server.echoes_keys = True
    server.feed().connect()
    (lost,) = events(time)
    assert isinstance(lost, FeedLost)
    assert (lost.is_final, lost.after_s) == (is_final, after_s)
    assert str(code) in lost.reason
    assert words in lost.reason
    assert not any(key in lost.reason for key in (KEYS.key_id, KEYS.secret))


def test_a_slow_client_is_told_and_an_unknown_error_is_only_told(server: AlpacaServer, time: VirtualArrivals) -> None:
    connected(server, time, "SPY")
    server.error(777)
    server.error(777)
    assert events(time) == [FeedMessage("Alpaca says 777 an error of a new kind")]
    server.error(407)
    (lost,) = events(time)
    assert isinstance(lost, FeedLost)
    assert not lost.is_final
    assert "more slowly than bars arrive" in lost.reason


def test_too_many_connections_are_waited_for_as_long_as_the_server_says(
    server: AlpacaServer, time: VirtualArrivals
) -> None:
    server.status, server.retry_after_s = HTTPStatus.TOO_MANY_REQUESTS, 90
    server.feed().connect()
    (lost,) = events(time)
    assert (lost.is_final, lost.after_s) == (False, 90)


def test_a_limit_of_symbols_refuses_those_beyond_it_by_name(server: AlpacaServer, time: VirtualArrivals) -> None:
    server.limit = 3
    feed = connected(server, time, "SPY")
    feed.subscribe(["IBM", "AIG", "BAC", "EEM"])
    (answer,) = events(time)
    assert answer.symbols == {"SPY", "IBM", "AIG"}
    assert set(answer.refused) == {"BAC", "EEM"}
    assert "405 symbol limit exceeded" in answer.refused["BAC"]
    feed.unsubscribe(["SPY"])
    feed.subscribe(["EEM"])
    assert [each.symbols for each in events(time)] == [{"IBM", "AIG"}, {"IBM", "AIG", "EEM"}]


@pytest.mark.parametrize("code", [400, 409, 410])
def test_a_subscription_that_is_rejected_fails_with_its_reason(
    server: AlpacaServer, time: VirtualArrivals, code: int
) -> None:
    feed = connected(server, time, "SPY")
    server.subscribe_errors.append(code)
    feed.subscribe(["IBM"])
    (answer,) = events(time)
    assert answer.symbols == {"SPY"}
    assert answer.refused["IBM"].startswith(f"Alpaca answers {code}")


def test_half_an_acknowledgement_names_what_is_missing(server: AlpacaServer, time: VirtualArrivals) -> None:
    server.half, server.omitted = {"IBM"}, {"AIG"}
    feed = connected(server, time)
    feed.subscribe(["SPY", "IBM", "AIG"])
    (answer,) = events(time)
    assert answer.symbols == {"SPY"}
    assert answer.refused["IBM"].endswith("does not acknowledge its updatedBars, dailyBars, statuses")
    assert "bars, updatedBars" in answer.refused["AIG"]
    assert server.subscribed == {"SPY"}


def test_a_cut_in_the_middle_of_a_message_is_a_loss(server: AlpacaServer, time: VirtualArrivals) -> None:
    feed = connected(server, time, "SPY")
    server.cut()
    (lost,) = events(time)
    assert isinstance(lost, FeedLost)
    assert not lost.is_final
    feed.connect()
    assert [type(event) for event in events(time)] == [FeedConnected]


def test_nonsense_is_told_and_skipped(server: AlpacaServer, time: VirtualArrivals) -> None:
    connected(server, time, "SPY")
    for message in (
        b"\xc1",
        {"T": "zz"},
        {"T": "b", "S": "SPY", "t": "2013-10-10T13:30:07Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1},
        {"T": "b", "S": "IBM", "t": "2013-10-10T13:30:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1},
        {"T": "b", "S": "SPY", "t": "2013-10-10T13:30:00Z", "o": 9, "h": 1, "l": 1, "c": 1, "v": 1},
        {"T": "error"},
    ):
        server.say(message)
    server.send(bar(0))
    *words, last = events(time)
    assert last == bar(0)
    assert len(words) == 6
    assert all(isinstance(each, FeedMessage) for each in words)


def test_history_comes_in_pages_with_what_has_closed(server: AlpacaServer, time: VirtualArrivals) -> None:
    server.page = 2
    time.advance(5 * 60)
    feed = connected(server, time)
    feed.request_history(history(minutes=5))
    feed.request_history(history(interval="1d", number=2))
    answers = {event.number: event for event in events(time) if isinstance(event, FeedHistory)}
    assert list(answers[1].bars) == [bar(n) for n in range(5)]
    assert list(answers[2].bars) == [DAYS[2], DAYS[1]]  # today's is not over
    assert {params.get("page_token") for path, params in server.rest_requests if path == "/v2/stocks/bars"} >= {"2"}


def test_history_of_many_symbols_is_asked_for_together_and_one_by_one_when_that_is_rejected(
    server: AlpacaServer, time: VirtualArrivals
) -> None:
    server.invalid = {"AIG"}
    time.advance(5 * 60)
    feed = connected(server, time)
    for number, symbol in enumerate(("SPY", "IBM", "AIG"), 1):
        feed.request_history(history(symbol, number=number, minutes=5))
    answers = {event.number: len(event.bars) for event in events(time) if isinstance(event, FeedHistory)}
    assert answers == {1: 5, 2: 5, 3: 0}


def test_the_last_minutes_are_asked_for_again_since_history_may_lag_behind(
    server: AlpacaServer, time: VirtualArrivals
) -> None:
    server.history_ends_s = 10.0
    time.advance(5 * 60)
    feed = connected(server, time)
    feed.request_history(history(minutes=5))
    (answer,) = events(time)
    assert list(answer.bars) == [bar(n) for n in range(4)]
    time.advance(30)
    assert events(time) == [bar(3), bar(4)]


def test_a_plan_that_is_a_quarter_of_an_hour_behind_is_told_and_asked_again(
    server: AlpacaServer, time: VirtualArrivals
) -> None:
    server.plan_delay_s = 900.0
    time.advance(17 * 60)
    feed = connected(server, time)
    feed.request_history(history(minutes=17))
    words, answer = events(time)
    assert "15 minutes behind: the minutes from 2013-10-10T13:31:00Z to 2013-10-10T13:47:00Z of SPY" in words.text
    assert list(answer.bars) == [bar(0)]
    time.advance(16 * 60 + 10)
    assert events(time) == [bar(n) for n in range(1, 10)]


def test_two_questions_that_learn_of_the_plans_delay_at_once_are_both_answered(
    server: AlpacaServer, time: VirtualArrivals
) -> None:
    server.plan_delay_s, server.refusals_meet = 900.0, Barrier(2)
    time.advance(17 * 60)
    feed = connected(server, time)
    feed.request_history(history(minutes=16))
    feed.request_history(history("IBM", number=2, minutes=17))
    answers = {event.number: event for event in events(time) if isinstance(event, FeedHistory)}
    assert [(answers[n].error, list(answers[n].bars)) for n in (1, 2)] == [("", [bar(0)]), ("", [bar(0, "IBM")])]


def test_what_the_plan_has_not_at_all_fails_with_words(server: AlpacaServer, time: VirtualArrivals) -> None:
    server.rest_troubles.append((403, {}, f"not in your plan, {KEYS.secret}"))
    feed = connected(server, time)
    feed.request_history(history())
    (answer,) = events(time)
    assert "403: not in your plan, ***" in answer.error
    assert "what the plan allows" in answer.error


def test_too_many_requests_are_asked_again_after_the_delay(server: AlpacaServer, time: VirtualArrivals) -> None:
    server.rest_troubles.append((429, {"Retry-After": "0.2"}, "too many requests."))
    time.advance(5 * 60)
    feed = connected(server, time)
    feed.request_history(history(minutes=5))
    (answer,) = events(time)
    assert len(answer.bars) == 5


def test_splits_come_with_the_history_and_renames_do_not(server: AlpacaServer, time: VirtualArrivals) -> None:
    server.actions = {
        "forward_splits": [{"symbol": "SPY", "new_rate": 2, "old_rate": 1, "ex_date": "2013-10-09"}],
        "cash_dividends": [{"symbol": "IBM", "rate": 1, "ex_date": "2013-10-09"}],
    }
    feed = connected(server, time)
    feed.request_history(history(interval="1d"))
    (answer,) = events(time)
    assert answer.actions.select("symbol", "type", "value").rows() == [("SPY", "split", 2.0)]


@pytest.mark.parametrize(("off_s", "ahead_s"), [(0.0, 0.0), (8.0, -8.0), (-8.0, 7.0)])
def test_the_machines_clock_is_compared_with_the_servers(
    server: AlpacaServer, time: VirtualArrivals, off_s: float, ahead_s: float
) -> None:
    server.clock_off_s = off_s
    feed = server.feed()
    feed.connect()
    time.settle()
    feed.request_history(history())
    time.settle()
    clocks = [event for event in time.taken() if isinstance(event, FeedClock)]
    assert len(clocks) >= 2  # of the stream, and of history
    assert [abs(clock.ahead_ns / S - ahead_s) <= 1 for clock in clocks] == [True] * len(clocks)


def test_keys_go_to_nobody_who_may_be_overheard() -> None:
    with pytest.raises(ConfigError, match=r"the keys would go to example\.com for all to read"):
        AlpacaFeed(KEYS, "iex", lambda day: None, stream_url="ws://example.com")


def test_without_keys_it_is_said_what_to_set() -> None:
    with pytest.raises(ConfigError, match=r"APCA_API_KEY_ID and no APCA_API_SECRET_KEY"):
        AlpacaFeed.of({}, "iex", lambda day: None)
