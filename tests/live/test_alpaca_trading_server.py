"""The server that stands for Alpaca's broker, asked by Alpaca's own client and heard over a real websocket."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from requests.exceptions import ConnectionError as NoAnswerError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from live.alpaca_client import (
    APIError,
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    OrderSide,
    QueryOrderStatus,
    ReplaceOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TimeInForce,
    TradeActivity,
    TradeUpdate,
    TradingClient,
    TrailingStopOrderRequest,
)
from live.alpaca_server import KEYS
from live.alpaca_trading_server import AlpacaTradingServer, Trouble
from live.virtual_time import S, VirtualArrivals
from openbell.model.feed_events import FeedBar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from websockets.sync.client import ClientConnection

BUY, SELL, DAY, GTC = OrderSide.BUY, OrderSide.SELL, TimeInForce.DAY, TimeInForce.GTC


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * S


@pytest.fixture
def time() -> VirtualArrivals:
    return VirtualArrivals(at("2026-03-10T14:00"))


@pytest.fixture
def client(broker: AlpacaTradingServer) -> Any:
    return TradingClient(KEYS.key_id, KEYS.secret, url_override=broker.url)


class Listener:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def asks(self, message: dict[str, Any]) -> dict[str, Any]:
        self.connection.send(json.dumps(message))
        return self.next()

    def next(self) -> dict[str, Any]:
        data = self.connection.recv(10)
        assert isinstance(data, bytes), "updates come in binary frames"
        read: dict[str, Any] = json.loads(data)
        return read

    def updates(self, count: int) -> list[TradeUpdate]:
        return [TradeUpdate(**self.next()["data"]) for _ in range(count)]

    def events(self, count: int) -> list[str]:
        return ["{0[event]} {0[order][side]}".format(self.next()["data"]) for _ in range(count)]


@pytest.fixture
def stream(broker: AlpacaTradingServer) -> Iterator[Listener]:
    with connect(broker.stream_url) as connection:
        listener = Listener(connection)
        listen = {"action": "listen", "data": {"streams": ["trade_updates", "nothing"]}}
        assert listener.asks(listen)["data"] == {"status": "unauthorized", "action": "listen"}
        said = listener.asks({"action": "auth", "key": KEYS.key_id, "secret": KEYS.secret})
        assert said == {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
        assert listener.asks(listen) == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        yield listener


def market(side: OrderSide, qty: float, tif: TimeInForce = DAY, **more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(symbol="SPY", qty=qty, side=side, time_in_force=tif, **more)


def limit(side: OrderSide, qty: float, price: float, tif: TimeInForce = DAY, **more: Any) -> LimitOrderRequest:
    return LimitOrderRequest(symbol="SPY", qty=qty, side=side, time_in_force=tif, limit_price=price, **more)


def bracket(qty: float, target: float, stop: float) -> MarketOrderRequest:
    exits = {"take_profit": TakeProfitRequest(limit_price=target), "stop_loss": StopLossRequest(stop_price=stop)}
    return market(BUY, qty, GTC, order_class="bracket", **exits)


def refusal(ask: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(APIError) as caught:
        ask()
    return caught.value.status_code, json.loads(str(caught.value)).get("message", "")


def has(client: Any, broker: AlpacaTradingServer, qty: float, price: float) -> None:
    """Let the account buy."""
    client.submit_order(market(BUY, qty))
    broker.trade("SPY", price)


def test_an_order_fills_and_cash_and_position_follow(client: Any, broker: AlpacaTradingServer, stream: Any) -> None:
    sent = client.submit_order(market(BUY, 10, client_order_id="run-1"))
    assert (sent.status, sent.client_order_id, sent.qty) == ("pending_new", "run-1", "10")
    broker.trade("SPY", 100.5, qty=4)
    broker.trade("SPY", 101.0)
    updates = stream.updates(4)
    assert [update.event for update in updates] == ["pending_new", "new", "partial_fill", "fill"]
    assert [(u.qty, u.price, u.position_qty) for u in updates[2:]] == [(4.0, 100.5, 4.0), (6.0, 101.0, 10.0)]
    assert updates[3].order.filled_avg_price == "100.8"
    assert client.get_order_by_client_id("run-1").status == "filled"
    assert client.get_account().cash == "98992"
    (position,) = client.get_all_positions()
    assert (position.qty, position.avg_entry_price, position.market_value) == ("10", "100.8", "1010")


def test_executions_are_told_of_by_the_same_ids_and_in_pages(client: Any, broker: Any, stream: Any) -> None:
    client.submit_order(market(BUY, 30))
    for _ in range(3):
        broker.trade("SPY", 100.0, qty=10)
    ids = [str(update.execution_id) for update in stream.updates(5)[2:]]
    params = {"activity_types": "FILL", "direction": "asc", "page_size": 2}
    first = client.get("/account/activities", params)
    rest = client.get("/account/activities", {**params, "page_token": first[-1]["id"]})
    assert [row["id"].partition("::")[2] for row in first + rest] == ids
    assert [TradeActivity(**row).cum_qty for row in first + rest] == [10.0, 20.0, 30.0]
    assert first[0]["id"].startswith("20260310100000000::"), "in New York's time"


def test_a_bracket_lets_one_exit_cancel_the_other(client: Any, broker: AlpacaTradingServer, stream: Any) -> None:
    sent = client.submit_order(bracket(10, 105.0, 98.0))
    assert [(leg.type, leg.status) for leg in sent.legs] == [("limit", "held"), ("stop", "held")]
    broker.trade("SPY", 100.0)
    assert stream.events(4) == ["pending_new buy", "new buy", "fill buy", "new sell"]
    broker.bar(FeedBar("SPY", "1m", 0, 100.0, 101.0, 97.5, 99.0, 1000.0))
    told = stream.updates(3)
    assert [(u.event, u.order.type, u.price) for u in told] == [
        ("canceled", "limit", None), ("new", "stop", None), ("fill", "stop", 98.0),
    ]  # fmt: skip
    assert not client.get_all_positions()
    nested = client.get_order_by_id(sent.id, GetOrderByIdRequest(nested=True))
    assert [leg.status for leg in nested.legs] == ["canceled", "filled"]


def test_the_other_groups(client: Any, broker: AlpacaTradingServer) -> None:
    client.submit_order(market(BUY, 10, order_class="oto", stop_loss=StopLossRequest(stop_price=98)))
    broker.trade("SPY", 100.0)
    (stop,) = client.get_orders()
    assert (stop.type, stop.side, stop.status) == ("stop", "sell", "new")
    client.cancel_orders()
    exits = {"take_profit": TakeProfitRequest(limit_price=105), "stop_loss": StopLossRequest(stop_price=97)}
    client.submit_order(
        LimitOrderRequest(symbol="SPY", qty=10, side=SELL, time_in_force=DAY, order_class="oco", **exits)
    )
    (parent,) = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN, nested=True))
    assert [leg.type for leg in parent.legs] == ["stop"]
    broker.trade("SPY", 105.5)
    assert not client.get_orders()
    assert not client.get_all_positions()


def test_stops_and_trailing_stops(client: Any, broker: AlpacaTradingServer) -> None:
    has(client, broker, 20, 100.0)
    client.submit_order(StopOrderRequest(symbol="SPY", qty=10, side=SELL, time_in_force=GTC, stop_price=99))
    trailing = TrailingStopOrderRequest(symbol="SPY", qty=10, side=SELL, time_in_force=GTC, trail_price=2)
    client.submit_order(trailing)
    broker.trade("SPY", 103.0)
    (found,) = client.get_orders(GetOrdersRequest(limit=1))
    assert (found.hwm, found.stop_price) == ("103", "101")
    broker.trade("SPY", 98.5)
    assert [order.filled_avg_price for order in client.get_orders(GetOrdersRequest(status="closed"))[:2]] == [
        "98.5", "98.5",
    ]  # fmt: skip


def test_a_replaced_order_has_a_new_id(client: Any, broker: AlpacaTradingServer, stream: Any) -> None:
    first = client.submit_order(limit(BUY, 10, 95.0))
    second = client.replace_order_by_id(first.id, ReplaceOrderRequest(qty=12, client_order_id="run-1-1"))
    assert (second.replaces, second.qty, second.limit_price) == (first.id, "12", "95")
    assert client.get_order_by_id(first.id).replaced_by == second.id
    assert [update.event for update in stream.updates(4)][2:] == ["replaced", "new"]
    assert refusal(lambda: client.replace_order_by_id(second.id, ReplaceOrderRequest(qty=12))) == (
        422, "order parameters are not changed",
    )  # fmt: skip
    client.cancel_order_by_id(second.id)
    assert refusal(lambda: client.cancel_order_by_id(second.id)) == (422, 'order is already in "canceled" state')


def test_what_is_refused(client: Any, broker: AlpacaTradingServer) -> None:
    def says(request: Any) -> tuple[int, str]:
        return refusal(lambda: client.submit_order(request))

    client.submit_order(limit(BUY, 1, 95.0, client_order_id="mine"))
    assert says(limit(BUY, 1, 95.0, client_order_id="mine")) == (422, "client_order_id must be unique")
    assert says(limit(BUY, 3000, 99.0)) == (403, "insufficient buying power")
    assert says(limit(SELL, 1, 99.0)) == (403, "cannot open a short sell while a long buy order is open")
    assert says(limit(BUY, 1, 99.123))[1].startswith("invalid limit_price 99.123. sub-penny increment")
    assert says(limit(BUY, 0.5, 99.0, GTC)) == (422, "fractional orders must be DAY orders")
    assert says(market(BUY, 1, TimeInForce.OPG)) == (403, "opg orders must be submitted after 7:00pm and before 9:28am")
    client.cancel_orders()
    broker.account.unborrowable.add("SPY")
    assert says(market(SELL, 1)) == (422, 'asset "SPY" cannot be sold short')
    broker.account.assets["QQQ"]["easy_to_borrow"] = False
    short = LimitOrderRequest(symbol="QQQ", qty=1, side=SELL, time_in_force=GTC, limit_price=50)
    assert says(short) == (422, 'only day orders are allowed for hard-to-borrow asset "QQQ"')
    has(client, broker, 10, 100.0)
    client.submit_order(limit(SELL, 8, 105.0))
    assert says(limit(SELL, 5, 105.0)) == (403, "insufficient qty available for order (requested: 5, available: 2)")
    assert says(market(BUY, 1)) == (403, "potential wash trade detected. use complex orders")
    assert refusal(lambda: client.get_open_position("QQQ")) == (404, "position does not exist")
    assert refusal(lambda: client.get_order_by_client_id("nobody")) == (404, "order not found for nobody")
    assert refusal(TradingClient("PKWRONG", "x", url_override=broker.url).get_account)[0] == 401


def test_auctions_and_the_end_of_the_day(client: Any, broker: AlpacaTradingServer, time: VirtualArrivals) -> None:
    time.advance_to(at("2026-03-11T12:00"))
    early = client.submit_order(market(BUY, 1, TimeInForce.OPG))
    assert (early.status, client.get_clock().is_open) == ("accepted", False)
    late = client.submit_order(market(BUY, 2, TimeInForce.CLS))
    client.submit_order(limit(BUY, 3, 90.0))
    time.advance_to(at("2026-03-11T13:30"))
    broker.trade("SPY", 101.0)
    assert client.get_order_by_id(early.id).filled_avg_price == "101"
    broker.trade("SPY", 102.0)
    broker.end_session()
    assert client.get_order_by_id(late.id).filled_avg_price == "102"
    assert [order.status for order in client.get_orders(GetOrdersRequest(status="closed", limit=1))] == ["expired"]


def test_answers_that_do_not_come(client: Any, broker: AlpacaTradingServer) -> None:
    broker.troubles += [Trouble(method="POST", is_done=True), Trouble(500, method="POST", is_done=True), Trouble(503)]
    with pytest.raises(NoAnswerError):
        client.submit_order(market(BUY, 1, client_order_id="cut"))
    assert refusal(lambda: client.get_account())[0] == 503
    assert refusal(lambda: client.submit_order(market(BUY, 1, client_order_id="taken"))) == (
        500, "internal server error occurred",
    )  # fmt: skip
    assert {client.get_order_by_client_id(own_id).status for own_id in ("cut", "taken")} == {"new"}
    broker.do(lambda account: account.lose("cut"))
    assert refusal(lambda: client.get_order_by_client_id("cut"))[0] == 404


def test_fills_that_are_doubled_early_late_and_unsaid(client: Any, broker: AlpacaTradingServer, stream: Any) -> None:
    broker.account.fills_at_once = broker.events_first = True
    broker.doubled.add("fill")
    client.submit_order(market(BUY, 1))
    told = stream.updates(4)
    assert told[2].execution_id == told[3].execution_id
    broker.doubled.clear()
    broker.unsaid.add("fill")
    client.submit_order(market(BUY, 1))
    assert [update.event for update in stream.updates(2)] == ["pending_new", "new"]
    broker.unsaid.clear()
    broker.account.fills_at_once, broker.late_fills = False, True
    waits = client.submit_order(limit(BUY, 1, 95.0))
    assert refusal(lambda: client.cancel_order_by_id(waits.id)) == (422, 'order is already in "filled" state')
    assert client.get_open_position("SPY").qty == "3"


def test_what_the_broker_does_by_itself(client: Any, broker: AlpacaTradingServer, stream: Any) -> None:
    broker.do(lambda account: account.hold("QQQ", -5, 50.0))
    assert [(p.symbol, p.qty, p.side) for p in client.get_all_positions()] == [("QQQ", "-5", "short")]
    broker.trade("QQQ", 60.0)
    broker.do(lambda account: account.split("QQQ", 3))
    assert client.get_open_position("QQQ").current_price == "20"
    broker.do(lambda account: account.liquidate("QQQ"))
    assert stream.events(3) == ["pending_new buy", "new buy", "fill buy"]
    broker.do(lambda account: account.pay(-38_295))
    assert client.get_account().cash == "61405"
    assert [row["activity_type"] for row in client.get("/account/activities")] == ["JNLC", "FILL", "SPLIT", "SPLIT"]
    broker.account.rejections = 1
    client.submit_order(limit(BUY, 1, 95.0))
    assert [update.event for update in stream.updates(2)] == ["pending_new", "rejected"]


def test_a_stream_that_drops_while_a_bracket_fills(client: Any, broker: AlpacaTradingServer, stream: Any) -> None:
    client.submit_order(bracket(10, 105.0, 98.0))
    assert stream.events(2) == ["pending_new buy", "new buy"]
    broker.stream.refuse()
    broker.trade("SPY", 100.0)
    broker.trade("SPY", 106.0)
    with pytest.raises(ConnectionClosed):
        stream.next()
    broker.stream.accept()
    assert [row["side"] for row in client.get("/account/activities/FILL")] == ["sell", "buy"]


def test_positions_are_closed_and_bars_are_followed(client: Any, broker: AlpacaTradingServer, time: Any) -> None:
    client.submit_order(market(BUY, 10))
    start = at("2026-03-10T14:00")
    broker.follow([FeedBar("SPY", "1m", start, 101.0, 103.0, 100.0, 102.0, 5000.0)])
    time.advance(10)
    assert client.get_open_position("SPY").avg_entry_price == "101"
    (answer,) = client.close_all_positions(cancel_orders=True)
    assert (answer.status, answer.body.side) == (200, "sell")
    time.advance_to(at("2026-03-10T20:00"))
    assert not client.get_all_positions()
    assert client.get_account().equity == "99990"
