"""The misbehaving server does what it is told, by the script's time."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from live.server import FeedServer
from live.tape import Tape, some, wrong
from live.virtual_time import S, VirtualArrivals
from openbell.feeds.feed import HistoryRequest
from openbell.model.feed_events import (
    FeedAnswer,
    FeedBar,
    FeedConnected,
    FeedHistory,
    FeedLost,
    FeedMessage,
    TradingStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.feeds.websocket import WebSocketFeed

OPEN = 1_381_411_800 * S
MINUTE = 60 * S
DAY = HistoryRequest(1, "SPY", "1m", date(2013, 10, 10), OPEN, OPEN + 3600 * S)


def bar(minute: int, symbol: str = "SPY") -> FeedBar:
    return FeedBar(symbol, "1m", OPEN + minute * MINUTE, 10.0, 11.0 + minute % 50, 9.0, 10.5, 100.0)


BARS = [bar(minute, symbol) for minute in range(10) for symbol in ("SPY", "IBM")]


@pytest.fixture
def time() -> VirtualArrivals:
    return VirtualArrivals(OPEN)


@pytest.fixture
def server(time: VirtualArrivals) -> Iterator[FeedServer]:
    with FeedServer(time, BARS) as made:
        yield made


def subscribed(server: FeedServer, time: VirtualArrivals, *symbols: str) -> WebSocketFeed:
    feed = server.feed()
    feed.connect()
    time.settle()
    feed.subscribe(symbols)
    time.settle()
    assert [type(event) for event in time.taken()] == [FeedConnected, FeedAnswer]
    return feed


def came(time: VirtualArrivals) -> list[tuple[float, FeedBar]]:
    """Minutes at which bars came, and the bars."""
    events = []
    while (arrival := time.next(time.now_ns)) is not None:
        events.append(((arrival.time_ns - OPEN) / MINUTE, arrival.event))
    return events


def test_bars_come_when_they_close(server: FeedServer, time: VirtualArrivals) -> None:
    subscribed(server, time, "SPY")
    server.play(Tape(BARS))
    time.advance(5 * 60)

    assert came(time) == [(n + 1, bar(n)) for n in range(5)]


def test_bars_come_late_doubled_corrected_and_out_of_order(server: FeedServer, time: VirtualArrivals) -> None:
    subscribed(server, time, "SPY")
    tape = Tape(bar(n) for n in range(5))
    tape.late(90, lambda each: each == bar(1))
    tape.doubled(3, lambda each: each == bar(3))
    tape.corrected(30, lambda each: each == bar(4), wrong)
    tape.left_out(lambda each: each == bar(2))
    yesterday = bar(-24 * 60)
    tape.add(OPEN + 6 * MINUTE, yesterday)
    tape.add(OPEN + 7 * MINUTE, bar(60))
    server.play(tape)
    time.advance(600)

    assert came(time) == [
        *((1, bar(0)), (3.5, bar(1)), (4, bar(3)), (4.05, bar(3)), (5, wrong(bar(4))), (5.5, bar(4))),
        *((6, yesterday), (7, bar(60))),
    ]


def test_a_share_of_bars_is_the_same_for_the_same_seed() -> None:
    many = [bar(n) for n in range(1000)]
    chosen = [each for each in many if some(0.1, 4)(each)]

    assert 60 < len(chosen) < 140
    assert chosen == [each for each in many if some(0.1, 4)(each)]
    assert chosen != [each for each in many if some(0.1, 5)(each)]


def test_jitter_delays_every_bar_a_little(server: FeedServer, time: VirtualArrivals) -> None:
    subscribed(server, time, "SPY", "IBM")
    tape = Tape(BARS)
    tape.jitter(3, seed=1)
    server.play(tape)
    time.advance(3600)

    delays = [minute - each.start_ns / MINUTE + OPEN / MINUTE - 1 for minute, each in came(time)]
    assert len(delays) == 20
    assert all(-1e-6 < delay < 3.001 / 60 for delay in delays)
    assert len({round(delay, 6) for delay in delays}) == 20


def test_a_cut_is_a_loss_at_its_time_and_costs_what_comes_meanwhile(server: FeedServer, time: VirtualArrivals) -> None:
    feed = subscribed(server, time, "SPY")
    server.play(Tape(BARS))
    time.at(OPEN + 90 * S, lambda: server.cut(bar(1)))
    time.advance(150)

    assert time.taken() == [bar(0), FeedLost("the connection broke off")]
    feed.connect()
    time.settle()
    assert (time.taken(), server.connects, server.subscribed) == ([FeedConnected()], [OPEN, OPEN + 150 * S], set())


def test_silence_with_pings_answered(server: FeedServer, time: VirtualArrivals) -> None:
    feed = subscribed(server, time, "SPY")
    server.play(Tape(BARS))
    server.is_silent = True
    time.advance(600)

    assert time.taken() == []
    assert feed.state == "open"


def test_half_an_acknowledgement_and_bars_of_nobody(server: FeedServer, time: VirtualArrivals) -> None:
    server.omitted, server.muted, server.unknown = {"AIG"}, {"IBM"}, {"XYZ"}
    feed = server.feed()
    feed.connect()
    time.settle()
    feed.subscribe(["SPY", "IBM", "AIG", "XYZ"])
    time.settle()

    assert time.taken() == [FeedConnected(), FeedAnswer(frozenset({"SPY", "IBM"}), {"XYZ": "no such symbol"})]
    server.send(bar(0), bar(0, "IBM"), bar(0, "AIG"))
    time.settle()
    assert time.taken() == [bar(0)]


def test_a_limit_that_is_said_and_one_that_is_not(server: FeedServer, time: VirtualArrivals) -> None:
    server.limit = 1
    feed = server.feed()
    feed.connect()
    time.settle()
    assert feed.limit == 1
    feed.subscribe(["SPY", "IBM"])
    time.settle()
    assert time.taken() == [FeedConnected(), FeedAnswer(frozenset({"SPY"}), {"IBM": "more than 1 symbols"})]
    server.says_limit = False
    feed.connect()
    time.settle()
    assert feed.limit is None


def test_a_symbol_is_halted_and_resumed(server: FeedServer, time: VirtualArrivals) -> None:
    subscribed(server, time, "SPY")
    server.halt("SPY", "volatility")
    time.advance(300)
    server.resume("SPY")
    time.settle()

    assert time.taken() == [
        TradingStatus("SPY", is_halted=True, reason="volatility"),
        TradingStatus("SPY", is_halted=False),
    ]


def test_history_has_what_has_closed(server: FeedServer, time: VirtualArrivals) -> None:
    feed = subscribed(server, time, "SPY")
    server.page = 2
    time.advance(5 * 60 + 30)
    feed.request_history(DAY)
    time.settle()

    assert time.taken() == [FeedHistory(1, [bar(n) for n in range(5)])]


def test_history_that_ends_three_minutes_ago(server: FeedServer, time: VirtualArrivals) -> None:
    feed = subscribed(server, time, "SPY")
    server.history_ends_s = 180
    time.advance(5 * 60)
    feed.request_history(DAY)
    time.settle()

    assert time.taken() == [FeedHistory(1, [bar(0), bar(1)])]


def test_history_that_takes_its_time_while_bars_come(server: FeedServer, time: VirtualArrivals) -> None:
    feed = subscribed(server, time, "SPY")
    server.history_takes_s = 150
    server.play(Tape(BARS))
    feed.request_history(DAY)
    time.settle()
    time.advance(180)

    assert came(time) == [
        (1, bar(0)), (2, bar(1)), (2.5, FeedHistory(1, [bar(0), bar(1)])), (3, bar(2)),
    ]  # fmt: skip


def test_history_that_comes_after_its_connection_is_lost_does_not_come(
    server: FeedServer, time: VirtualArrivals
) -> None:
    feed = subscribed(server, time, "SPY")
    server.history_takes_s = 150
    feed.request_history(DAY)
    time.advance(60)
    server.close(1012, "restart")
    time.advance(600)

    reason = "the feed closed the connection (1012 restart)"
    assert time.taken() == [FeedLost(reason), FeedHistory(1, error=f"the connection was lost: {reason}")]


def test_history_with_an_error(server: FeedServer, time: VirtualArrivals) -> None:
    feed = subscribed(server, time, "SPY")
    server.history_error = "503: try later"
    feed.request_history(DAY)
    time.settle()

    assert time.taken() == [FeedHistory(1, error="503: try later")]


def test_a_connection_refused_for_ten_minutes(server: FeedServer, time: VirtualArrivals) -> None:
    feed = subscribed(server, time, "SPY")
    server.refuse()
    time.at(OPEN + 600 * S, server.accept)

    def connect_every_minute() -> list[str]:
        names = []
        for minute in range(1, 12):
            while (arrival := time.next(OPEN + minute * MINUTE + S)) is not None:
                names.append(type(arrival.event).__name__)
            feed.connect()
        while (arrival := time.next(OPEN + 13 * MINUTE)) is not None:
            names.append(type(arrival.event).__name__)
        return names

    with time.running(connect_every_minute) as session:
        time.advance(3600)

    assert session.result() == ["FeedLost"] * 10 + ["FeedConnected", "FeedConnected"]


def test_errors_of_http(server: FeedServer, time: VirtualArrivals) -> None:
    server.status = HTTPStatus.SERVICE_UNAVAILABLE
    feed = server.feed()
    feed.connect()
    time.settle()

    assert time.taken() == [FeedLost(f"{feed.place} answers with HTTP 503")]


def test_nonsense_is_sent_as_it_is(server: FeedServer, time: VirtualArrivals) -> None:
    subscribed(server, time, "SPY")
    server.say("nonsense")
    time.settle()

    assert [type(event) for event in time.taken()] == [FeedMessage]


def test_a_day_by_script_is_always_the_same(server: FeedServer, time: VirtualArrivals) -> None:
    """A session that connects, subscribes, fetches, and connects again: in which order it hears what, and when."""
    outcomes = []
    for _ in range(3):
        time = VirtualArrivals(OPEN)
        with FeedServer(time, BARS) as server:
            feed = server.feed()
            tape = Tape(BARS)
            tape.jitter(2, seed=3)
            server.play(tape)
            server.history_takes_s = 7
            for minute in (2, 6):
                time.at(OPEN + minute * MINUTE + 20 * S, lambda server=server: server.cut(bar(0)))

            def listen(time: VirtualArrivals = time, feed: WebSocketFeed = feed) -> list[object]:
                heard: list[object] = []
                feed.connect()
                while time.now_ns < OPEN + 12 * MINUTE:
                    arrival = time.next(time.now_ns + 15 * S)
                    heard.append(arrival or time.now_ns)
                    if arrival and arrival.event == FeedConnected():
                        feed.subscribe(["SPY"])
                        feed.request_history(DAY)
                    elif arrival and isinstance(arrival.event, FeedAnswer) and len(arrival.event.symbols) == 1:
                        feed.subscribe(["IBM"])
                    elif arrival is None and feed.state == "closed":
                        feed.connect()
                return heard

            with time.running(listen) as session:
                time.advance(3600)
            outcomes.append(session.result())

    assert len(outcomes[0]) > 60
    assert outcomes[0] == outcomes[1] == outcomes[2]
