"""A feed over a websocket: connecting, asking, losing, connecting again."""

from __future__ import annotations

import json
import socket
import struct
import threading
from datetime import date
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from openbell.errors import ConfigError
from openbell.feeds.feed import HistoryRequest
from openbell.feeds.websocket import WebSocketFeed
from openbell.model.feed_events import (
    FeedAnswer,
    FeedBar,
    FeedConnected,
    FeedHistory,
    FeedLost,
    FeedMessage,
    TradingStatus,
)
from scripted_websocket import WAIT_NS, Client, Feeds, came

if TYPE_CHECKING:
    from collections.abc import Callable

S = 1_000_000_000
START = 1_381_411_800  # 2013-10-10 13:30 UTC
ROW = [START, 10, 12.5, 9.5, 11, 100]
BAR = FeedBar("SPY", "1m", START * S, 10.0, 12.5, 9.5, 11.0, 100.0)
DAY = HistoryRequest(7, "SPY", "1m", date(2013, 10, 10), START * S, (START + 3600) * S)


def hello(client: Client) -> None:
    client.hello()


def answering(client: Client) -> None:
    """Say hello, and acknowledge whatever is asked for."""
    client.hello()
    symbols: list[str] = []
    while True:
        message = client.asked()
        if message["type"] == "subscribe":
            symbols += message["symbols"]
        elif message["type"] == "unsubscribe":
            symbols = [symbol for symbol in symbols if symbol not in message["symbols"]]
        client.say({"type": "subscription", "symbols": symbols})


def then(*messages: Any) -> Callable[[Client], None]:
    """A script that says hello, acknowledges SPY, and says messages."""

    def script(client: Client) -> None:
        client.hello()
        client.asked()
        client.say({"type": "subscription", "symbols": ["SPY"]})
        for message in messages:
            client.say(message)

    return script


def bars(*rows: Any, interval: str = "1m") -> dict[str, Any]:
    return {"type": "bars", "interval": interval, "bars": list(rows)}


def after_subscribing(feeds: Feeds, *messages: Any, **bounds: Any) -> WebSocketFeed:
    feed = feeds.connected(then(*messages), **bounds)
    feed.subscribe(["SPY"])
    assert came(feed) == FeedAnswer(frozenset({"SPY"}))
    return feed


def test_a_hello_says_what_the_feed_has(feeds: Feeds) -> None:
    feed = feeds.connected(lambda client: client.hello(intervals=["1d", "60s"], limit=30))

    assert (feed.name, feed.intervals, feed.limit, feed.state) == ("mine", ("1m", "1d"), 30, "open")


def test_bars_of_an_interval_may_write_it_as_the_hello_does_not(feeds: Feeds) -> None:
    feed = after_subscribing(feeds, bars(["SPY", *ROW], interval="60s"))

    assert came(feed) == BAR


def test_a_text_is_not_taken_for_the_symbols_of_its_letters(feeds: Feeds) -> None:
    feed = feeds.connected(answering)

    for ask in (feed.subscribe, feed.unsubscribe):
        with pytest.raises(ConfigError, match=r"takes a list of symbols, not the text 'SPY'; write \['SPY'\]"):
            ask("SPY")


def test_the_answer_is_the_whole_subscription(feeds: Feeds) -> None:
    feed = feeds.connected(answering)
    feed.subscribe(["SPY", "IBM"])
    feed.subscribe(["AIG"])
    feed.unsubscribe(["IBM"])

    assert [came(feed) for _ in range(3)] == [
        FeedAnswer(frozenset({"SPY", "IBM"})),
        FeedAnswer(frozenset({"SPY", "IBM", "AIG"})),
        FeedAnswer(frozenset({"SPY", "AIG"})),
    ]


def test_refusals_come_with_their_reasons(feeds: Feeds) -> None:
    def refuse(client: Client) -> None:
        client.hello()
        client.asked()
        client.say({"type": "subscription", "symbols": ["SPY"], "refused": {"XYZ": "no such symbol"}})

    feed = feeds.connected(refuse)
    feed.subscribe(["SPY", "XYZ"])

    assert came(feed) == FeedAnswer(frozenset({"SPY"}), {"XYZ": "no such symbol"})


def test_bars_corrections_halts_and_words_come_in_order(feeds: Feeds) -> None:
    corrected = ["SPY", *ROW[:4], 12, 130]
    feed = after_subscribing(
        feeds,
        bars(["SPY", *ROW], ["SPY", *ROW]),
        bars(corrected),
        {"type": "status", "symbol": "SPY", "halted": True, "reason": "volatility"},
        {"type": "status", "symbol": "SPY", "halted": False},
        {"type": "message", "text": "good evening\x1b[2J"},
        bars(["SPY", 1_381_363_200, 1, 1, 1, 1, 0], interval="1d"),
    )

    assert [came(feed) for _ in range(7)] == [
        BAR,
        BAR,
        BAR._replace(close=12.0, volume=130.0),
        TradingStatus("SPY", is_halted=True, reason="volatility"),
        TradingStatus("SPY", is_halted=False),
        FeedMessage("good evening\\x1b[2J"),
        FeedBar("SPY", "1d", 1_381_363_200 * S, 1.0, 1.0, 1.0, 1.0, 0.0),
    ]


def test_history_comes_whole_out_of_its_pages(feeds: Feeds) -> None:
    later = [START + 60, *ROW[1:]]

    def script(client: Client) -> None:
        client.hello()
        client.asked()
        client.asked()
        client.say({"type": "history", "number": 7, "bars": [ROW], "more": True})
        client.say({"type": "history", "number": 8, "error": "no such symbol"})
        client.say({"type": "history", "number": 7, "bars": [later]})

    feed = feeds.connected(script)
    feed.request_history(DAY)
    feed.request_history(DAY._replace(number=8))

    assert came(feed) == FeedHistory(8, error="no such symbol")
    assert came(feed) == FeedHistory(7, [BAR, BAR._replace(start_ns=BAR.start_ns + 60 * S)])
    assert feeds.servers[0].received[0] == {
        "type": "history", "number": 7, "symbol": "SPY", "interval": "1m", "first": "2013-10-10",
        "from": START, "to": START + 3600,
    }  # fmt: skip


def test_history_that_was_not_asked_for_is_left_out_and_told(feeds: Feeds) -> None:
    rows = [[START + 60 * minute, *ROW[1:]] for minute in (-1, 0, 59, 60)]

    def script(client: Client) -> None:
        client.hello()
        client.asked()
        client.say({"type": "history", "number": 7, "bars": rows})

    feed = feeds.connected(script)
    feed.request_history(DAY)

    told, answer = came(feed), came(feed)
    assert told == FeedMessage("history of SPY 1m: 2 of 4 bars were not asked for and are left out")
    assert isinstance(answer, FeedHistory)
    assert [bar.start_ns // S - START for bar in answer.bars] == [0, 59 * 60]


def test_daily_history_begins_with_the_first_day(feeds: Feeds) -> None:
    midnight = 1_381_363_200

    def script(client: Client) -> None:
        client.hello()
        client.asked()
        client.say({"type": "history", "number": 7, "bars": [[midnight + 86_400 * n, *ROW[1:]] for n in (-1, 0)]})

    feed = feeds.connected(script)
    feed.request_history(DAY._replace(interval="1d"))

    assert isinstance(came(feed), FeedMessage)
    answer = came(feed)
    assert isinstance(answer, FeedHistory)
    assert [bar.start_ns for bar in answer.bars] == [midnight * S]


@pytest.mark.parametrize(
    ("page", "error"),
    [
        ({"bars": [ROW, ROW]}, "the answer is invalid: its bars of SPY 1m are not in ascending time"),
        ({"bars": [[START + n, *ROW[1:]] for n in range(4)]}, "the answer is invalid: it has more than 3 bars"),
        ({"bars": None}, "the answer is invalid: bars must be a list"),
        ({"error": ""}, "the feed does not say why"),
        ({"error": "x" * 500}, "x" * 200 + "..."),
    ],
)
def test_an_answer_out_of_bounds_is_an_error(feeds: Feeds, page: dict[str, Any], error: str) -> None:
    def script(client: Client) -> None:
        client.hello()
        client.asked()
        client.say({"type": "history", "number": 7} | page)

    feed = feeds.connected(script, history_bars=3)
    feed.request_history(DAY)

    assert came(feed) == FeedHistory(7, error=error)


def test_an_echo_comes_after_all_that_was_asked_before(feeds: Feeds) -> None:
    answered = threading.Event()

    def script(client: Client) -> None:
        client.hello()
        client.asked()
        client.say({"type": "echo", "data": "x"})
        client.asked()
        answered.set()

    feed = feeds.connected(script)
    feed.subscribe(["SPY"])

    assert answered.wait(60)
    assert [message["type"] for message in feeds.servers[0].received] == ["subscribe", "echo"]


def test_requests_without_a_connection_end_in_an_error(feeds: Feeds) -> None:
    feed = feeds.of(hello)
    feed.subscribe(["SPY"])
    feed.request_history(DAY)

    assert came(feed) == FeedHistory(7, error="there is no connection to the feed")
    feed.connect()
    assert came(feed) == FeedConnected()


def test_requests_end_with_the_connection(feeds: Feeds) -> None:
    def script(client: Client) -> None:
        client.hello()
        client.asked()
        client.connection.close(1012, "be right back")

    feed = feeds.connected(script)
    feed.request_history(DAY)

    reason = "the feed closed the connection (1012 be right back)"
    assert came(feed) == FeedLost(reason)
    assert came(feed) == FeedHistory(7, error=f"the connection was lost: {reason}")
    assert feed.state == "closed"


def test_giving_up_ends_requests_and_is_no_loss(feeds: Feeds) -> None:
    feed = feeds.connected(hello, hello)
    feed.request_history(DAY)
    feed.disconnect()

    assert came(feed) == FeedHistory(7, error="the connection was given up")
    assert feed.state == "closed"
    feed.connect()
    assert came(feed) == FeedConnected(), "nothing of the old connection is in between"


def cut(client: Client) -> None:
    """Send the first half of a message, and no more."""
    client.hello()
    client.asked()
    text = json.dumps(bars(["SPY", *ROW])).encode()
    client.connection.socket.sendall(struct.pack("!BB", 0x81, len(text)) + text[: len(text) // 2])
    client.connection.socket.shutdown(socket.SHUT_RDWR)


def reset(client: Client) -> None:
    client.hello()
    client.asked()
    client.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.connection.socket.close()


@pytest.mark.parametrize("script", [cut, reset])
def test_a_connection_that_breaks_off_is_a_loss(feeds: Feeds, script: Callable[[Client], None]) -> None:
    feed = feeds.connected(script)
    feed.subscribe(["SPY"])

    lost = came(feed)
    assert isinstance(lost, FeedLost)
    assert lost.reason.startswith("the connection broke off")
    assert not lost.is_final


def test_connecting_again_after_a_loss_is_a_new_connection(feeds: Feeds) -> None:
    feed = feeds.connected(cut, answering)
    feed.subscribe(["SPY"])
    assert isinstance(came(feed), FeedLost)
    feed.connect()
    assert came(feed) == FeedConnected()
    feed.subscribe(["IBM"])

    assert came(feed) == FeedAnswer(frozenset({"IBM"}))


def test_nothing_of_an_old_connection_comes_after_a_new_one(feeds: Feeds) -> None:
    def flooding(client: Client) -> None:
        client.hello()
        client.asked()
        client.say({"type": "subscription", "symbols": ["SPY"]})
        for minute in range(100_000):
            client.say(bars(["SPY", START + 60 * minute, *ROW[1:]]))

    feed = feeds.connected(flooding, answering)
    feed.subscribe(["SPY"])
    assert isinstance(came(feed), FeedAnswer)
    assert isinstance(came(feed), FeedBar)
    feed.connect()
    while came(feed) != FeedConnected():
        pass
    feed.subscribe(["IBM"])

    assert came(feed) == FeedAnswer(frozenset({"IBM"}))


def test_a_refused_connection_is_a_loss(feeds: Feeds) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        feed = feeds.at(f"ws://127.0.0.1:{port}")
        feed.connect()

        assert came(feed) == FeedLost(f"no connection to 127.0.0.1:{port}: Connection refused")


def test_a_host_that_is_none_is_a_loss(feeds: Feeds) -> None:
    feed = feeds.at("ws://no-such-host.invalid:1234")
    feed.connect()

    lost = came(feed)
    assert isinstance(lost, FeedLost)
    assert lost.reason.startswith("no connection to no-such-host.invalid:1234: ")


def test_a_server_that_says_nothing_is_a_loss(feeds: Feeds) -> None:
    feed = feeds.of(lambda client: client.read_on(), answer_s=0.2)
    feed.connect()

    assert came(feed) == FeedLost(f"{feed.place} sent no hello within 0.2 seconds")


def test_a_server_that_does_not_shake_hands_is_a_loss(feeds: Feeds) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        feed = feeds.at(f"ws://127.0.0.1:{mute.getsockname()[1]}", answer_s=0.2)
        feed.connect()

        assert came(feed) == FeedLost(f"no connection to {feed.place}: no answer in time")


def test_a_server_of_something_else_is_a_loss(feeds: Feeds) -> None:
    def serve_mail(listening: socket.socket) -> None:
        client, _ = listening.accept()
        with client:
            client.sendall(b"220 mail.example ESMTP\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve_mail, args=[listening])
        server.start()
        feed = feeds.at(f"ws://127.0.0.1:{listening.getsockname()[1]}")
        feed.connect()
        lost = came(feed)
        server.join()

    assert isinstance(lost, FeedLost)
    assert lost.reason.startswith(f"no websocket at {feed.place}: ")


@pytest.mark.parametrize(
    ("status", "is_final"),
    [
        (HTTPStatus.UNAUTHORIZED, True),
        (HTTPStatus.FORBIDDEN, True),
        (HTTPStatus.TOO_MANY_REQUESTS, False),
        (HTTPStatus.SERVICE_UNAVAILABLE, False),
    ],
)
def test_an_error_of_http_is_a_loss(feeds: Feeds, status: HTTPStatus, *, is_final: bool) -> None:
    feed = feeds.of(hello, refusing=status)
    feed.connect()

    assert came(feed) == FeedLost(f"{feed.place} answers with HTTP {status.value}", is_final=is_final)


def test_a_close_for_policy_is_final(feeds: Feeds) -> None:
    def script(client: Client) -> None:
        client.hello()
        client.connection.close(1008, "the account is closed")

    feed = feeds.connected(script)

    assert came(feed) == FeedLost("the feed closed the connection (1008 the account is closed)", is_final=True)


@pytest.mark.parametrize(
    ("fields", "words", "is_final"),
    [
        ({"type": "welcome"}, "the first message must be a hello", False),
        ({"protocol": 2}, "the hello must say protocol 1", False),
        ({"intervals": []}, "intervals must be a list such as", False),
        ({"intervals": ["1m", "1 hour"]}, "bad interval '1 hour'", False),
        ({"intervals": [1]}, "bad interval 1", False),
        ({"limit": 0}, "limit must be at least 1", False),
        ({"limit": True}, "limit must be a whole number", False),
        ({"name": None}, "name must be a text", False),
        ({"name": "iex"}, "sends bars of the feed 'iex', and the config says 'mine'", True),
    ],
)
def test_another_hello_is_a_loss(feeds: Feeds, fields: dict[str, Any], words: str, *, is_final: bool) -> None:
    feed = feeds.of(lambda client: client.hello(**fields))
    feed.connect()

    lost = came(feed)
    assert isinstance(lost, FeedLost)
    assert words in lost.reason
    assert lost.is_final is is_final


def test_intervals_do_not_vanish_in_mid_session(feeds: Feeds) -> None:
    def first(client: Client) -> None:
        client.hello()
        client.connection.close()

    feed = feeds.connected(first, lambda client: client.hello(intervals=["1d"]))
    assert came(feed) == FeedLost("the feed closed the connection (1000)")
    feed.connect()

    assert came(feed) == FeedLost(f"{feed.place} no longer sends bars of 1m, which it did before", is_final=True)


def test_closing_ends_everything_at_once(feeds: Feeds) -> None:
    feed = feeds.connected(hello)
    threads = {thread.name for thread in threading.enumerate()}
    feed.close()

    assert "feed mine" in threads
    assert "feed mine" not in {thread.name for thread in threading.enumerate()}
    assert feed.arrivals.next(0) is None
    with pytest.raises(ConfigError, match="closed"):
        feed.connect()


def test_closing_does_not_wait_for_a_server_that_does_not_answer(feeds: Feeds) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        feed = feeds.at(f"ws://127.0.0.1:{mute.getsockname()[1]}", answer_s=600)
        feed.connect()
        feed.close()

    assert "feed mine" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    "url", ["http://host", "ws://", "ws://:80", "host:80", "ws://h:0", "ws://h:x", "ws://h/ a", ""]
)
def test_an_address_of_no_websocket_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="address of the feed is not a valid websocket address"):
        WebSocketFeed(url, name="mine")


def test_a_bad_address_does_not_show_its_keys() -> None:
    with pytest.raises(ConfigError) as raised:
        WebSocketFeed("wss://host:port/?key=verysecret", name="mine")

    assert "verysecret" not in str(raised.value)


def test_keys_of_the_address_show_in_no_words(feeds: Feeds, capfd: pytest.CaptureFixture[str]) -> None:
    keys = ["sesame0815", "a b/c+d4711", "pathsecret4711"]

    def script(client: Client) -> None:
        client.hello()
        path = client.connection.request.path
        client.asked()
        client.say({"type": "subscription", "symbols": ["SPY"], "refused": {"IBM": f"not for {keys[0]}"}})
        client.say({"type": "status", "symbol": "SPY", "halted": True, "reason": keys[1]})
        client.say({"type": "message", "text": f"you asked for {path}"})
        client.say({"type": keys[0]})
        client.say(f"nonsense {path}")
        client.connection.close(1011, f"{keys[2]} {keys[1]}")

    feed = feeds.of(script, path=f"/{keys[2]}/bars?token={keys[0]}&key=a%20b%2Fc%2Bd4711")
    feed.connect()
    assert came(feed) == FeedConnected()
    feed.subscribe(["SPY", "IBM"])
    events = [came(feed)]
    while not isinstance(events[-1], FeedLost):
        events.append(came(feed))

    assert len(events) == 6
    said = repr(events) + "".join(capfd.readouterr())
    assert [key for key in [*keys, "a%20b%2Fc%2Bd4711"] if key in said] == []
    assert said.count("***") >= 6


def test_many_symbols_and_bars_in_one_message(feeds: Feeds) -> None:
    symbols = [f"S{n:05}" for n in range(5000)]

    def script(client: Client) -> None:
        client.hello()
        client.say({"type": "subscription", "symbols": client.asked()["symbols"]})
        client.say(bars(*([symbol, *ROW] for symbol in symbols)))

    feed = feeds.connected(script)
    feed.subscribe(symbols)

    assert came(feed) == FeedAnswer(frozenset(symbols))
    assert [came(feed) for _ in symbols] == [BAR._replace(symbol=symbol) for symbol in symbols]
    assert feed.arrivals.next(0) is None


def test_waiting_for_the_session_is_not_needed(feeds: Feeds) -> None:
    """The server may send what it likes while the session computes: it is there afterwards."""
    feed = after_subscribing(feeds, *(bars(["SPY", START + 60 * n, *ROW[1:]]) for n in range(500)))

    deadline = feed.arrivals.now_ns + WAIT_NS
    came_ns = [arrival.time_ns for _ in range(500) if (arrival := feed.arrivals.next(deadline))]
    assert len(came_ns) == 500
    assert came_ns == sorted(came_ns)
