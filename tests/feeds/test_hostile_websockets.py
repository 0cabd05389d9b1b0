"""What a feed must bear from servers: no message leads to a traceback, and none to silence."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openbell.feeds.feed import HistoryRequest
from openbell.feeds.server_text import ServerText
from openbell.feeds.websocket_bounds import WebSocketBounds
from openbell.feeds.websocket_messages import MessageReader
from openbell.model.feed_events import FeedAnswer, FeedBar, FeedHistory, FeedLost, FeedMessage, TradingStatus
from scripted_websocket import Client, Feeds, came

if TYPE_CHECKING:
    from collections.abc import Iterator

START = 1_381_411_800
ROW = ["SPY", START, 10, 12.5, 9.5, 11, 100]


def reader(**bounds: Any) -> MessageReader:
    made = MessageReader(
        ["1m", "1d"], WebSocketBounds(**bounds), ServerText("ws://localhost"), lambda text: json.loads(text) and None
    )
    made.subscribe(["SPY"])
    return made


def told(text: str | bytes) -> str:
    """The words about a message of which nothing is of use."""
    events = reader().read(text)
    assert [type(event) for event in events] == [FeedMessage]
    return events[0].text  # type: ignore[union-attr]


def bars(*rows: Any, **fields: Any) -> str:
    return json.dumps({"type": "bars", "interval": "1m", "bars": list(rows)} | fields)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a message is not JSON"),
        ("{", "a message is not JSON"),
        (b"\xff\xfe", "a message is text, not bytes"),
        ("[]", "a message is an object with a type"),
        ("{}", "type must be a text, not nothing"),
        ('{"type": 3}', "type must be a text"),
        ('{"type": "quote"}', "there is no message of the type 'quote'"),
        ("[" * 100_000, "a message is nested too deep"),
        ('{"type": ' + "9" * 5000 + "}", "a message is not JSON"),
        ('{"type": NaN}', "NaN is not a number in JSON"),
        ('{"type": "bars", "interval": "5m", "bars": []}', "the feed did not say that it sends bars of '5m'"),
        ('{"type": "bars", "interval": "1m"}', "bars must be a list"),
        ('{"type": "subscription"}', "symbols are a list, not nothing"),
        ('{"type": "subscription", "symbols": [1]}', "a symbol is a text of at most 64 letters, not '1'"),
        ('{"type": "subscription", "symbols": ["\\u001b[2J"]}', "a symbol is a text"),
        ('{"type": "subscription", "symbols": ["SPY"], "refused": ["IBM"]}', "refused must be an object"),
        ('{"type": "subscription", "symbols": ["SPY"], "refused": {"IBM": 1}}', "IBM must be a text"),
        ('{"type": "history", "number": 1, "bars": []}', "no request for history has the number 1"),
        ('{"type": "history", "number": 1e400}', "number must be a whole number"),
        ('{"type": "status", "symbol": "SPY", "halted": 1}', "halted must be true or false"),
        ('{"type": "status", "symbol": "IBM", "halted": true}', "'IBM' is not subscribed"),
        ('{"type": "message", "text": ["a"]}', "text must be a text"),
        ('{"type": "echo"}', "data must be a text"),
    ],
)
def test_nonsense_is_told(text: str | bytes, words: str) -> None:
    assert words in told(text)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (["IBM", *ROW[1:]], "'IBM' is not subscribed"),
        ([["SPY"], *ROW[1:]], "is not subscribed"),
        ([], "a bar is a list that begins with the symbol"),
        ({"symbol": "SPY"}, "a bar is a list that begins with the symbol"),
        (ROW[:-1], "SPY 1m: a bar is a list of start, open, high, low, close, volume"),
        (["SPY", START * 1000, *ROW[2:]], "is not a start in whole seconds since 1970 UTC"),
        (["SPY", float(START), *ROW[2:]], "is not a start in whole seconds since 1970 UTC"),
        (["SPY", -START, *ROW[2:]], "is not a start in whole seconds since 1970 UTC"),
        (["SPY", True, *ROW[2:]], "is not a start in whole seconds since 1970 UTC"),
        (["SPY", 10**4000, *ROW[2:]], "a huge number is not a start"),
        (["SPY", START, None, 12, 9, 11, 100], "SPY 1m at 2013-10-10T13:30:00Z: the open is not a number: 'None'"),
        (["SPY", START, "10", 12, 9, 11, 100], "the open is not a number"),
        (["SPY", START, True, 12, 9, 11, 100], "the open is not a number"),
        (["SPY", START, 10, 12, -9, 11, 100], "the low is negative"),
        (["SPY", START, 10, 12, 0, 11, 100], "the low is zero"),
        (["SPY", START, 10, 9, 12, 11, 100], "the high is below the low"),
        (["SPY", START, 13, 12, 9, 11, 100], "the open lies outside low to high"),
        (["SPY", START, 10, 12, 9, 8, 100], "the close lies outside low to high"),
        (["SPY", START, 10, 1e13, 9, 11, 100], "the high is out of all bounds"),
        (["SPY", START, 10, 10**400, 9, 11, 100], "the high is out of all bounds"),
        (["SPY", START, 10, 12, 9, 11, -1], "the volume is negative"),
        (["SPY", START, 10, 12, 9, 11, 1e19], "the volume is out of all bounds"),
    ],
)
def test_a_bad_bar_is_left_out_and_told(row: Any, words: str) -> None:
    events = reader().read(bars(row, ROW))

    assert [type(event) for event in events] == [FeedBar, FeedMessage]
    assert events[1].text.startswith("1 of 2 bars are left out; the first: ")  # type: ignore[union-attr]
    assert words in events[1].text  # type: ignore[union-attr]


def test_a_number_that_overflows_is_told() -> None:
    assert "the close is not a number" in told(bars(ROW).replace("11,", "1e999,"))


def test_rounding_noise_is_no_contradiction() -> None:
    assert [type(event) for event in reader().read(bars(["SPY", START, 10.0000000001, 10, 9, 10, 5]))] == [FeedBar]


def test_a_daily_bar_begins_at_midnight() -> None:
    assert "a daily bar begins at midnight UTC of its date" in told(bars(ROW, interval="1d"))


def test_unknown_fields_are_told_once_and_ignored() -> None:
    read = reader().read
    first, second = read(bars(ROW, vwap=[10.5])), read(bars(ROW, vwap=[10.5]))

    assert [type(event) for event in first] == [FeedBar, FeedMessage]
    assert "messages of the type bars have no 'vwap', which is ignored" in first[1].text  # type: ignore[union-attr]
    assert [type(event) for event in second] == [FeedBar]


def test_a_flood_of_nonsense_is_counted() -> None:
    read = reader(shown=20).read
    texts = [event.text for _ in range(1000) for event in read("nonsense")]  # type: ignore[union-attr]

    assert len(texts) == 25
    assert texts[20:] == [f"{n} invalid messages of the feed so far" for n in (40, 80, 160, 320, 640)]


GOOD: list[Any] = [
    {"type": "bars", "interval": "1m", "bars": [ROW, ROW]},
    {"type": "subscription", "symbols": ["SPY", "IBM"], "refused": {"AIG": "no such symbol"}},
    {"type": "history", "number": 7, "bars": [ROW[1:]], "more": True},
    {"type": "history", "number": 7, "error": "no such symbol"},
    {"type": "status", "symbol": "SPY", "halted": True, "reason": "volatility"},
    {"type": "message", "text": "good evening"},
    {"type": "echo", "data": "x"},
]
ODD: list[Any] = [
    *(None, True, 0, -1, 7, 1.5, -1e308, 1e308, float("nan"), float("inf"), 10**30, -(10**4000), START),
    *("", "SPY", "1m", "x" * 10_000, "\0", "\ud800", "NaN", [], {}, [[]], [ROW], {"SPY": {}}, {"": ""}, [None] * 7),
]


def variants(value: Any) -> Iterator[Any]:
    """A value of JSON with an odd one in each of its places in turn, or without that place."""
    yield from ODD
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield {f"{k}s" if k == key else k: v for k, v in value.items()}
            yield from (value | {key: odd} for odd in variants(inner))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            before, after = value[:place], value[place + 1 :]
            yield [*before, *after]
            yield from ([*before, odd, *after] for odd in variants(inner))


@pytest.mark.parametrize("good", GOOD, ids=lambda good: good["type"])
def test_whatever_comes_there_are_events_or_words(good: Any) -> None:
    read = reader(shown=10**9)
    silent = []
    for message in variants(good):
        read.request_history(HistoryRequest(7, "SPY", "1m", date(2013, 10, 10), 0, 10**19))
        events = read.read(json.dumps(message))
        assert all(isinstance(e, FeedAnswer | FeedBar | FeedHistory | FeedMessage | TradingStatus) for e in events)
        if not events:
            silent.append(message)

    assert [m for m in silent if not (m.get("bars") == [] or m.get("more") is True or m["type"] == "echo")] == []


@given(st.text() | st.binary())
def test_whatever_text_comes_there_are_words(text: str | bytes) -> None:
    assert told(text)


def test_a_message_beyond_the_bound_is_a_loss(feeds: Feeds) -> None:
    def script(client: Client) -> None:
        client.hello()
        client.say({"type": "message", "text": "x" * 5000})

    feed = feeds.connected(script, message_bytes=4096)

    assert came(feed) == FeedLost("the feed sent a message of more than 4,096 bytes")


def test_a_message_that_unpacks_to_gigabytes_is_a_loss(feeds: Feeds) -> None:
    def script(client: Client) -> None:
        client.hello()
        client.say("\0" * 50_000_000)

    feed = feeds.connected(script)

    assert came(feed) == FeedLost("the feed sent a message of more than 4,194,304 bytes")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"\x83\x00", "the feed broke the rules of websockets: invalid opcode"),
        (b"\x81\x02\xff\xff", "the feed broke the rules of websockets: invalid start byte"),
    ],
)
def test_bytes_that_are_no_message_are_a_loss(feeds: Feeds, frame: bytes, words: str) -> None:
    def script(client: Client) -> None:
        client.hello()
        client.connection.socket.sendall(frame)

    feed = feeds.connected(script)

    lost = came(feed)
    assert isinstance(lost, FeedLost)
    assert lost.reason.startswith(words)


def test_symbols_beyond_the_bound_are_told() -> None:
    text = json.dumps({"type": "subscription", "symbols": ["A", "B", "C", "D"]})

    assert [type(event) for event in reader(symbols=3).read(text)] == [FeedMessage]
    assert [type(event) for event in reader(symbols=4).read(text)] == [FeedAnswer]


def test_words_of_history_are_cut_and_escaped(feeds: Feeds) -> None:
    def script(client: Client) -> None:
        client.hello()
        client.asked()
        client.say({"type": "history", "number": 1, "error": "\x1b[2J\ud800"})

    feed = feeds.connected(script)
    feed.request_history(HistoryRequest(1, "SPY", "1m", date(2013, 10, 10), 0, 1))

    assert came(feed) == FeedHistory(1, error="\\x1b[2J\\ud800")
