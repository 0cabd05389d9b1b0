"""The link to Alpaca's broker, against a server of our own that does what Alpaca documents, and what it should not."""

from __future__ import annotations

import threading
import time as machine
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from live.alpaca_server import KEYS
from live.alpaca_trading_server import AlpacaTradingServer, Trouble
from live.virtual_time import HANGS_AFTER_S, S, VirtualArrivals
from openbell.brokers.alpaca import AlpacaLink
from openbell.brokers.lanes import Lanes
from openbell.errors import BrokerError, ConfigError
from openbell.model.broker_events import (
    AccountSnapshot,
    BrokerAnswer,
    BrokerConnected,
    BrokerMissing,
    BrokerNoAnswer,
    BrokerRefusal,
)
from openbell.model.order import Order, OrderType, TimeInForce
from openbell.vendors.alpaca import AlpacaKeys

if TYPE_CHECKING:
    from collections.abc import Callable

NOW_NS = round(datetime(2026, 3, 10, 14, tzinfo=UTC).timestamp()) * S
NEW_YORK = ZoneInfo("America/New_York")
MARKET, LIMIT, STOP = OrderType.MARKET, OrderType.LIMIT, OrderType.STOP


def order(own_id: str, quantity: float = 10, kind: OrderType = MARKET, symbol: str = "SPY", **more: Any) -> Order:
    known: dict[str, Any] = {"created_ns": NOW_NS, "updated_ns": NOW_NS, "zone": NEW_YORK}
    day = date(2026, 3, 10)
    return Order(
        id=own_id, strategy="Test", symbol=symbol, quantity=quantity, type=kind, session_date=day, **known, **more
    )


def bracket(stop: float = 98.0, target: float = 105.0) -> tuple[Order, ...]:
    legs = {"tif": TimeInForce.GTC, "parent": "Test-1", "oco": "Test-1"}
    return (
        order("Test-1"),
        order("Test-2", -10, STOP, stop=stop, **legs),
        order("Test-3", -10, LIMIT, limit=target, **legs),
    )


class Run:
    """A run that hears what the link tells."""

    def __init__(self, broker: AlpacaTradingServer, run_id: str = "run", **more: Any) -> None:
        self.broker = broker
        self.events: list[Any] = []
        self.link = broker.link(run_id, self.events.append, answer_s=0.5, **more)

    def listens(self) -> Run:
        self.link.connect()
        self.broker.settle()
        return self

    def submits(self, *orders: Order) -> None:
        """Submit, and wait for the answer."""
        self.link.submit(orders)
        self.broker.settle()

    def told(self) -> list[Any]:
        """What has come since the last time, when everything has its answer."""
        self.broker.settle()
        events, self.events[:] = list(self.events), []
        return [event for event in events if not isinstance(event, BrokerConnected)]

    def states(self) -> list[str]:
        """The orders that are told of, each with its last state."""
        states: dict[str, str] = {}
        for event in self.told():
            for each in getattr(event, "orders", ()):
                states[each.order_id] = f"{each.status} {each.filled:g} of {each.quantity:g}"
        return [f"{own_id} {state}" for own_id, state in sorted(states.items())]

    def fills(self) -> list[tuple[str, float, float, float]]:
        found = [fill for event in self.told() for fill in getattr(event, "fills", ())]
        return [(fill.order_id, fill.quantity, fill.price, fill.total) for fill in found]


def lost(run: Run) -> None:
    """Wait until the link knows that it has no stream."""
    while run.link.state != "closed":
        machine.sleep(0.001)


@pytest.fixture
def time() -> VirtualArrivals:
    return VirtualArrivals(NOW_NS)


@pytest.fixture
def start(broker: AlpacaTradingServer) -> Callable[..., Run]:
    return partial(Run, broker)


@pytest.fixture
def run(start: Callable[..., Run]) -> Run:
    return start().listens()


def test_an_order_from_its_submission_to_its_fills(run: Run, broker: AlpacaTradingServer) -> None:
    run.link.submit([order("Test-1")])
    assert run.states() == ["Test-1 accepted 0 of 10"]
    assert broker.account.find(client_order_id="run/Test-1/0").qty == 10
    broker.trade("SPY", 100.5, qty=4)
    broker.trade("SPY", 101.0)
    events = run.told()
    assert [each.status for event in events for each in event.orders] == ["partially_filled", "filled"]
    assert [(fill.quantity, fill.price, fill.total) for event in events for fill in event.fills] == [
        (4.0, 100.5, 4.0), (6.0, 101.0, 10.0),
    ]  # fmt: skip
    assert events[-1].orders[0].average == 100.8
    assert events[-1].fills[0].time_ns == NOW_NS


@pytest.mark.parametrize("events_first", [False, True])
def test_legs_are_told_of_by_the_runs_own_ids(run: Run, broker: AlpacaTradingServer, events_first: bool) -> None:
    broker.events_first = broker.account.fills_at_once = events_first
    run.submits(*bracket())
    broker.trade("SPY", 100.0)
    assert run.states() == ["Test-1 filled 10 of 10", "Test-2 accepted 0 of -10", "Test-3 accepted 0 of -10"]
    broker.trade("SPY", 97.0)
    events = run.told()
    assert all(each.is_own for event in events for each in event.orders)
    assert [fill.order_id for event in events for fill in event.fills] == ["Test-2"]
    run.link.ask(bracket())
    assert run.states() == ["Test-1 filled 10 of 10", "Test-2 filled -10 of -10", "Test-3 cancelled 0 of -10"]


def test_what_becomes_of_a_request_without_an_answer_is_not_guessed(run: Run, broker: AlpacaTradingServer) -> None:
    broker.troubles += [
        Trouble(method="POST", is_done=True), Trouble(500, method="POST", is_done=True),
        Trouble(method="POST", is_silent=True, is_done=True), Trouble(503, method="POST"),
    ]  # fmt: skip
    orders = [order(f"Test-{number}", 1) for number in range(1, 5)]
    for each in orders:
        run.link.submit([each])
    told = [event for event in run.told() if isinstance(event, BrokerNoAnswer)]
    assert [event.order_id for event in told] == ["Test-1", "Test-2", "Test-3", "Test-4"]
    assert "answers 503: service unavailable" in told[3].reason
    broker.trade("SPY", 100.0)
    run.told()
    for each in orders:
        run.link.ask([each])
    answers = run.told()
    assert [type(event) for event in answers] == [BrokerAnswer] * 3 + [BrokerMissing]
    assert [(fill.order_id, fill.total) for event in answers[:3] for fill in event.fills] == [
        ("Test-1", 1.0), ("Test-2", 1.0), ("Test-3", 1.0),
    ]  # fmt: skip
    assert answers[3].order_id == "Test-4"


def test_what_is_sent_twice_is_there_once(run: Run, broker: AlpacaTradingServer) -> None:
    run.submits(order("Test-1"))
    broker.trade("SPY", 100.0)
    run.told()
    run.link.submit([order("Test-1")])
    (answer,) = run.told()
    assert [(fill.order_id, fill.total) for fill in answer.fills] == [("Test-1", 10.0)]
    assert broker.account.quantity("SPY") == 10


def test_executions_have_the_same_ids_wherever_they_are_told(run: Run, broker: AlpacaTradingServer) -> None:
    broker.doubled.add("partial_fill")
    run.link.submit([order("Test-1", 100)])
    run.told()
    for units in (30, 30, 40):
        broker.trade("SPY", 100.0, qty=units)
    heard = [fill.execution_id for event in run.told() for fill in event.fills]
    assert len(heard) == 5
    run.link.ask([order("Test-1", 100)])
    run.link.ask_books(NOW_NS)
    answer, books = run.told()
    asked = [fill.execution_id for fill in answer.fills]
    assert asked == list(dict.fromkeys(heard)) == [fill.execution_id for fill in books.fills]


def test_an_answer_does_not_take_newer_news_back(run: Run, broker: AlpacaTradingServer) -> None:
    broker.events_first = broker.account.fills_at_once = True
    run.link.submit([order("Test-1")])
    assert run.states() == ["Test-1 filled 10 of 10"]


def test_too_many_requests_are_made_later(run: Run, broker: AlpacaTradingServer) -> None:
    broker.troubles += [Trouble(429, method="POST", headers={"Retry-After": "0.1"})] * 2
    run.link.submit([order("Test-1")])
    assert run.states() == ["Test-1 accepted 0 of 10"]
    broker.troubles += [Trouble(429, method="POST", headers={"Retry-After": "0.01"})] * 3
    run.link.submit([order("Test-2")])
    (refusal,) = run.told()
    assert "takes no more requests" in refusal.reason


def test_refusals_come_in_words(run: Run, broker: AlpacaTradingServer) -> None:
    def says(*orders: Order) -> str:
        run.link.submit(orders)
        (event,) = run.told()
        assert isinstance(event, BrokerRefusal)
        return event.reason

    power = "Alpaca: insufficient buying power (1000000 needed, 200000 of buying power)"
    assert says(order("Test-1", 10_000, LIMIT, limit=100.0)) == power
    broker.account.unborrowable.add("SPY")
    assert says(order("Test-2", -1)) == 'Alpaca: asset "SPY" cannot be sold short'
    text = "Alpaca: opg orders must be submitted after 7:00pm and before 9:28am"
    assert says(order("Test-3", 1, OrderType.MARKET_ON_OPEN)) == text
    assert (
        says(order("Test-4", 0.5, LIMIT, limit=99.0, tif=TimeInForce.GTC))
        == "Alpaca: fractional orders must be DAY orders"
    )
    assert "no orders until a date" in says(order("Test-5", 1, LIMIT, limit=99.0, tif=TimeInForce.GTD))
    trailing = order("Test-7", -10, OrderType.TRAILING_STOP, trail=1.0, parent="Test-6")
    assert "Test-7 is a trailing_stop" in says(order("Test-6"), trailing)
    day_trader = {"code": 40310100, "message": "trade denied due to pattern day trading protection"}
    broker.troubles.append(Trouble(403, method="POST", body=day_trader))
    assert says(order("Test-8")) == "Alpaca: trade denied due to pattern day trading protection"
    broker.troubles.append(Trouble(403, method="POST", body={"message": f"forbidden for {KEYS.key_id} {KEYS.secret}"}))
    assert says(order("Test-9")) == "Alpaca refuses the keys (403: forbidden for *** ***)"
    assert not broker.account.orders


def test_an_order_that_is_rejected_later(run: Run, broker: AlpacaTradingServer) -> None:
    broker.account.rejections = 1
    run.link.submit([order("Test-1")])
    last = run.told()[-1].orders[0]
    assert (last.status, last.reason) == ("rejected", "Alpaca rejected it after it had taken it")


def test_orders_of_all_kinds_come_back_as_they_were_given(run: Run, broker: AlpacaTradingServer) -> None:
    given = [
        order("Test-1", 1, LIMIT, limit=95.1 + 0.2, tif=TimeInForce.GTC),
        order("Test-2", 1, STOP, stop=105.0),
        order("Test-3", 1, OrderType.STOP_LIMIT, stop=105.0, limit=106.0),
        order("Test-4", 1, OrderType.TRAILING_STOP, trail_percent=2.0),
        order("Test-5", 1, OrderType.MARKET_ON_CLOSE),
        order("Test-6", 0.25, LIMIT, limit=95.0),
        order("Test-7", 2, LIMIT, limit=95.0, extended=True),
    ]
    for each in given:
        run.link.submit([each])
    run.told()
    run.link.ask_books(NOW_NS)
    (books,) = run.told()
    back = {each.order_id: each for each in books.orders}
    for each in given:
        names = ("symbol", "quantity", "type", "tif", "stop", "trail", "trail_percent", "extended")
        assert [getattr(back[each.id], name) for name in names] == [getattr(each, name) for name in names]
        assert back[each.id].limit == (None if each.limit is None else round(each.limit, 2))


def test_a_cancel_that_comes_too_late(run: Run, broker: AlpacaTradingServer) -> None:
    broker.late_fills = True
    waits = order("Test-1", 10, LIMIT, limit=95.0)
    run.link.submit([waits])
    run.told()
    run.link.cancel(waits)
    events = run.told()
    assert isinstance(events[-1], BrokerRefusal)
    assert events[-1].reason == 'Alpaca: order is already in "filled" state'
    assert ("Test-1", 10.0) in [(fill.order_id, fill.total) for event in events[:-1] for fill in event.fills]
    broker.late_fills = False
    second = order("Test-2", 1, LIMIT, limit=95.0)
    run.link.submit([second])
    run.link.cancel(second)
    assert run.states() == ["Test-2 cancelled 0 of 1"]
    run.link.cancel(order("Test-9"))
    assert [event.reason for event in run.told()] == ["Alpaca has no order Test-9"]


def test_an_order_and_a_leg_are_replaced(run: Run, start: Callable[..., Run], broker: AlpacaTradingServer) -> None:
    run.submits(*bracket())
    broker.trade("SPY", 100.0)
    run.told()
    leg = bracket(target=106.0)[2]
    run.link.replace(leg, 1)
    assert run.states() == ["Test-3 accepted 0 of -10"]
    run.link.replace(leg, 1)
    run.told()
    run.link.replace(bracket(target=107.0)[2], 2)
    run.told()
    assert [o.limit_price for o in broker.account.orders.values() if o.status == "replaced"] == [105, 106]
    other = start()
    other.link.ask(bracket(), 2)
    other.link.ask_books(NOW_NS)
    _, books = other.told()
    limits = {each.order_id: (each.limit, each.is_own) for each in books.orders}
    assert limits == {"Test-2": (None, True), "Test-3": (107.0, True)}
    broker.trade("SPY", 108.0)
    other.link.ask([leg], 2)
    assert other.fills() == [("Test-3", -10.0, 108.0, -10.0)]


def test_an_order_that_the_broker_lost(run: Run, broker: AlpacaTradingServer) -> None:
    run.link.submit([order("Test-1")])
    run.told()
    broker.do(lambda account: account.lose("run/Test-1/0"))
    run.link.ask([order("Test-1")])
    assert run.told() == [BrokerMissing("Test-1")]


def test_the_books(run: Run, broker: AlpacaTradingServer) -> None:
    run.submits(order("Test-1"))
    broker.trade("SPY", 100.0)
    broker.do(lambda account: account.hold("QQQ", -5, 60.0))
    broker.trade("QQQ", 62.0)
    broker.do(lambda account: account.split("QQQ", 2))
    broker.do(lambda account: account.pay(-38_295, "CSW"))
    broker.do(lambda account: account.submit({"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit",
                                              "limit_price": "90", "time_in_force": "gtc"}))  # fmt: skip
    run.told()
    run.link.ask_books(NOW_NS)
    (books,) = run.told()
    assert (books.cash, books.error, books.blocked) == (60_705.0, "", "")
    assert [tuple(each) for each in books.positions] == [("QQQ", -10.0, 30.0, 31.0), ("SPY", 10.0, 100.0, 100.0)]
    assert [(fill.order_id, fill.total) for fill in books.fills] == [("Test-1", 10.0)]
    assert [(each.is_own, each.limit) for each in books.orders] == [(False, 90.0)]
    payments = [(each.kind, each.symbol, each.quantity, each.amount) for each in books.payments]
    assert payments == [("split", "QQQ", 5.0, 0.0), ("split", "QQQ", -10.0, 0.0), ("transfer", "", 0.0, -38_295.0)]
    broker.account.is_blocked = True
    run.link.ask_books(NOW_NS + 1)
    assert [(event.blocked, event.fills) for event in run.told()] == [("Alpaca has blocked the account's trading", ())]
    broker.troubles += [Trouble(503), Trouble(401)]
    run.link.ask_books(NOW_NS)
    error = "Alpaca refuses the keys (401: request is not authorized)"
    assert [event.error for event in run.told()] == [error]


def test_books_in_another_process_tell_of_orders_by_their_own_ids(
    run: Run, start: Callable[..., Run], broker: AlpacaTradingServer
) -> None:
    run.submits(*bracket())
    broker.trade("SPY", 100.0)
    broker.trade("SPY", 105.5, qty=4)
    run.link.replace(bracket(target=106.0)[2], 1)
    run.told()
    broker.trade("SPY", 107.0)
    run.submits(order("Test-4", 3))
    broker.trade("SPY", 100.0)
    broker.do(lambda account: account.submit({"symbol": "QQQ", "qty": "1", "side": "buy", "type": "market",
                                              "time_in_force": "day"}))  # fmt: skip
    broker.trade("QQQ", 60.0)
    other = start()
    other.link.know(bracket())
    other.link.ask_books(NOW_NS)
    told = sorted(other.fills())
    assert [each for each in told if each[0].startswith("Test")] == [
        ("Test-1", 10.0, 100.0, 10.0), ("Test-3", -6.0, 107.0, -10.0), ("Test-3", -4.0, 105.5, -4.0),
        ("Test-4", 3.0, 100.0, 3.0),
    ]  # fmt: skip
    assert len(told) == 5, "and one of an order that the run did not give"
    asked = len(broker.requests)
    other.link.ask_books(NOW_NS)
    other.told()
    assert not [path for _, path, body in broker.requests[asked:] if body.get("status") == "all"]


def test_books_are_those_of_one_moment(run: Run, broker: AlpacaTradingServer) -> None:
    run.submits(order("Test-1"))
    units = [1.0, 2.0]

    def fill(path: str) -> None:
        if path == "/v2/account/activities" and units:
            broker.trade("SPY", 100.0, qty=units.pop())

    broker.meanwhile = fill
    run.link.ask_books(NOW_NS)
    (books,) = [event for event in run.told() if isinstance(event, AccountSnapshot)]
    assert [each.quantity for each in books.positions] == [each.filled for each in books.orders] == [3.0]
    assert sum(each.quantity for each in books.fills) == 3.0
    assert books.cash == 99_700.0
    broker.meanwhile = lambda path: broker.trade("SPY", 100.0, qty=1) if path == "/v2/positions" else None
    run.link.ask_books(NOW_NS)
    errors = [event.error for event in run.told() if isinstance(event, AccountSnapshot)]
    assert errors == ["the account changed each time that it was asked for"]


@pytest.mark.long
def test_books_of_many_pages(run: Run, broker: AlpacaTradingServer, time: VirtualArrivals) -> None:
    run.submits(order("Test-1", 250))
    for _ in range(250):
        broker.trade("SPY", 100.0, qty=1)
    many = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "limit_price": "50", "time_in_force": "gtc"}
    for _ in range(510):
        time.advance(0.001)
        broker.do(lambda account: account.submit(many))
    run.told()
    run.link.ask_books(NOW_NS)
    (books,) = run.told()
    assert [fill.total for fill in books.fills] == [float(number) for number in range(1, 251)]
    assert len(books.orders) == 510


@pytest.mark.long
def test_more_orders_of_one_time_than_can_be_listed_are_no_books(run: Run, broker: AlpacaTradingServer) -> None:
    many = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "limit_price": "50", "time_in_force": "gtc"}
    for _ in range(510):
        broker.do(lambda account: account.submit(many))
    run.told()
    run.link.ask_books(NOW_NS)
    (books,) = run.told()
    assert "more of one time than it lists" in books.error


def test_fills_while_the_stream_is_down(run: Run, broker: AlpacaTradingServer) -> None:
    run.link.submit(bracket())
    run.told()
    broker.stream.refuse()
    lost(run)
    broker.trade("SPY", 100.0)
    broker.trade("SPY", 106.0)
    run.told()
    run.link.connect()
    lost(run)
    broker.stream.accept()
    run.events.clear()
    run.listens()
    run.link.ask_books(NOW_NS)
    (books,) = run.told()
    assert [(fill.order_id, fill.price) for fill in books.fills] == [("Test-1", 100.0), ("Test-3", 106.0)]
    assert books.orders == books.positions == ()


def test_troubles_of_the_stream_are_told(start: Callable[..., Run], broker: AlpacaTradingServer) -> None:
    refused = start(keys=AlpacaKeys("PKWRONG", "sesame-open-now")).listens()
    (event,) = refused.told()
    assert event.is_final
    assert "does not accept the keys" in event.reason
    assert "sesame" not in event.reason
    broker.stream.refuses_to_listen = True
    assert [(event.reason.partition(" ")[2], event.is_final) for event in start().listens().told()] == [
        ("sends no trade_updates", False),
    ]  # fmt: skip
    broker.stream.refuses_to_listen = False
    run = start().listens()
    broker.stream.error(f"internal error of {KEYS.secret}")
    lost(run)
    assert [event.reason.partition(" ")[2] for event in run.told()] == ["says: internal error of ***"]
    run.listens()
    run.link.disconnect()
    run.submits(order("Test-1"))
    broker.trade("SPY", 100.0)
    assert not run.fills()


def test_the_account_and_its_money(start: Callable[..., Run], broker: AlpacaTradingServer) -> None:
    run = start()
    assert str(run.link.account()) == "paper money at Alpaca, account PA3OPENBELL1"
    broker.troubles.append(Trouble(200, body={"account_number": "123456789"}))
    with pytest.raises(BrokerError, match="account 123456789 at Alpaca is of LIVE MONEY"):
        run.link.account()
    with pytest.raises(BrokerError, match="Alpaca refuses the keys"):
        start(keys=AlpacaKeys("PKWRONG", "sesame-open-now")).link.account()
    with pytest.raises(ConfigError, match="the address of LIVE MONEY"):
        AlpacaLink(KEYS, "run", run.events.append, url="https://api.alpaca.markets/v2")
    with pytest.raises(ConfigError, match="for all to read"):
        AlpacaLink(KEYS, "run", run.events.append, url="http://example.com")
    with pytest.raises(ConfigError, match="no APCA_API_SECRET_KEY"):
        AlpacaLink.of({"APCA_API_KEY_ID": "PK"}, "run", run.events.append)


def test_a_run_that_does_not_answer_is_closed_out(
    run: Run, start: Callable[..., Run], broker: AlpacaTradingServer
) -> None:
    run.submits(*bracket())
    broker.trade("SPY", 100.0)
    run.told()
    broker.account.fills_at_once = True
    said = start().link.close_out(["SPY", "QQQ"])
    assert said == [
        "cancelled the order to sell 10 SPY", "ordered to sell 10 SPY, which closes the position",
        "nothing is held of QQQ",
    ]  # fmt: skip
    assert not broker.account.positions
    foreign = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "limit", "limit_price": "90", "time_in_force": "gtc"}
    broker.do(lambda account: account.submit(foreign))
    assert start().link.close_out([]) == []
    broker.troubles += [Trouble(403)]
    with pytest.raises(BrokerError, match="Alpaca refuses the keys"):
        start().link.close_out(["SPY"])


def test_a_silent_request_holds_up_its_symbol_alone(start: Callable[..., Run], broker: AlpacaTradingServer) -> None:
    run = start(threads=2).listens()
    broker.trade("QQQ", 60.0)
    broker.troubles.append(Trouble(method="POST", is_silent=True))
    run.link.submit([order("Test-1")])
    while broker.troubles:
        machine.sleep(0.001)
    run.link.submit([order("Test-2")])
    run.link.submit([order("Test-3", symbol="QQQ")])
    told = [event.orders[0].order_id if isinstance(event, BrokerAnswer) else event.order_id for event in run.told()]
    assert list(dict.fromkeys(told)) == ["Test-3", "Test-1", "Test-2"]


def test_lanes_keep_their_order_and_the_books_come_after_all() -> None:
    done: list[str] = []
    gate = threading.Event()
    lanes = Lanes("test", 3)
    lanes.do("a", lambda: gate.wait(HANGS_AFTER_S) and done.append("a1"))  # type: ignore[func-returns-value]
    lanes.do("a", lambda: done.append("a2"))
    lanes.after_all(lambda: done.append("books"))
    lanes.do("b", lambda: done.append("b1"))
    lanes.do("b", lambda: done.append("b2"))
    while len(done) < 2:
        machine.sleep(0.001)
    gate.set()
    while lanes.unfinished:
        machine.sleep(0.001)
    lanes.stop(1.0)
    assert done == ["b1", "b2", "a1", "a2", "books"]
