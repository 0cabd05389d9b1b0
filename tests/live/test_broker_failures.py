"""What went wrong at brokers elsewhere, and must not here; by the numbers of the list, and what is like it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from live.alpaca_trading_server import Trouble
from live.broker_stage import BrokerStage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from live.alpaca_account import AlpacaAccount

pytestmark = pytest.mark.long

BY_CLOCK = """
from openbell import Signal, Strategy

class ByClock(Strategy):
    def subscriptions(self):
        return [("SPY", "1m")]

    def setup(self):
        for method, arguments in self.config["at"].get("setup", []):
            getattr(self.context, method)("SPY", **arguments)

    def on_bar(self, bar):
        for method, arguments in self.config["at"].get(f"{self.context.now:%H:%M}", []):
            getattr(self.context, method)("SPY", **arguments)
        portfolio = self.context.portfolio
        return Signal("SPY", "HELD", f"{portfolio.position('SPY').quantity:g} {portfolio.cash:.2f}")

    def on_fill(self, fill):
        self.context.state.setdefault("fills", []).append([fill.order.id, fill.quantity])
"""


RESTING = {"symbol": "SPY", "qty": "10", "side": "buy", "type": "limit", "limit_price": "150", "time_in_force": "gtc"}
"""An order that somebody else gave, far below the market."""


class Play(BrokerStage):
    """A day in which a strategy orders by the clock."""

    def orders_at(self, at: dict[str, list[tuple[str, dict[str, Any]]]], **execution: Any) -> None:
        (self.folder / "by_clock.py").write_text(BY_CLOCK)
        self.use(
            strategies=[{"module": f"{self.folder}/by_clock.py:ByClock", "config": {"at": at}}],
            scanners=[],
            session_data_config={"symbols": ["SPY"], "streams": ["1m"]},
            execution={"broker": "alpaca", **execution},
        )

    def tell(self, action: Callable[[AlpacaAccount], Any]) -> Callable[[], None]:
        return lambda: self.broker.do(action)

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder_of_run / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []

    def orders(self) -> list[str]:
        return [f"{o['time'][11:16]} {o['id']} {o['status']}" for o in self._lines("orders.jsonl")]

    def reasons(self) -> list[str]:
        return [o["reason"] for o in self._lines("orders.jsonl") if o["reason"]]

    def fills(self) -> list[tuple[float, float]]:
        return [(f["quantity"], f["price"]) for f in self._lines("fills.jsonl")]

    def held(self) -> dict[str, float]:
        """What was held when bars closed, by their time."""
        return {s["time"][11:16]: float(s["reason"].split()[0]) for s in self._lines("signals.jsonl")}

    def cash(self) -> float:
        return float(self._lines("signals.jsonl")[-1]["reason"].split()[1])

    def said(self) -> str:
        return " | ".join(text for _, text in self.run.resources.messages)


@pytest.fixture
def play(minute_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    stage = Play(tmp_path, minute_store)
    stage.orders_at({"09:35": [("order", {"quantity": 100})]})
    return stage


def test_l16_an_order_that_works_before_the_start_is_there_and_its_fill_arrives(play: Play) -> None:
    play.orders_at({})
    with play.at_broker(without=["SPY"]) as broker, play.server() as server:
        broker.do(lambda account: account.submit(RESTING))
        play.at("09:33:20", lambda: broker.trade("SPY", 149.5))
        assert play.play_until(server, "09:37").is_equal
    first, *_, last = play.orders()
    assert first.endswith("accepted")
    assert last.endswith("filled")
    assert (play.held()["09:33"], play.held()["09:35"]) == (0, 10)
    assert "an order that this run did not place was found at the broker" in play.said()


def test_l17_a_position_that_the_run_does_not_know_stops_all_orders_and_shows_both_sides(play: Play) -> None:
    with play.at_broker() as broker, play.server() as server:
        broker.do(lambda account: account.hold("SPY", 100, 160.0))
        assert play.play_until(server, "09:38").is_equal
        assert not broker.account.orders
    assert play.fills() == []
    (reason,) = play.reasons()
    assert "SPY: the run has 0, the broker 100" in reason
    assert "--adopt" in reason


def test_l17_with_adopt_the_position_is_taken_over_and_traded_with(play: Play) -> None:
    with play.at_broker() as broker, play.server() as server:
        broker.do(lambda account: account.hold("SPY", 100, 160.0))
        assert play.play_until(server, "09:38", adopts=True).is_equal
    assert play.held()["09:34"] == 100
    assert play.held()["09:37"] == 200
    assert play.cash() == pytest.approx(float(broker.account.cash))


def test_l18_partial_fills_of_which_one_is_told_twice_count_once(play: Play) -> None:
    with play.at_broker(without=["SPY"]) as broker, play.server() as server:
        play.at("09:35:10", lambda: broker.trade("SPY", 168.0, 30))
        play.at("09:36:05", lambda: broker.doubled.add("partial_fill"))
        play.at("09:36:10", lambda: broker.trade("SPY", 168.1, 30))
        play.at("09:37:10", lambda: broker.trade("SPY", 168.2, 40))
        assert play.play_until(server, "09:39").is_equal
    assert play.fills() == [(30, 168.0), (30, 168.1), (40, 168.2)]
    assert [play.held()[clock] for clock in ("09:36", "09:37", "09:38")] == [30, 60, 100]


@pytest.mark.parametrize("arrives", [True, False])
def test_l19_an_order_without_an_answer_is_asked_for_by_its_id(play: Play, *, arrives: bool) -> None:
    with play.at_broker() as broker, play.server() as server:
        broker.unsaid |= {"new", "accepted", "pending_new"}
        broker.troubles.append(Trouble(status=0 if arrives else 504, method="POST", path="/v2/orders", is_done=arrives))
        assert play.play_until(server, "09:38").is_equal
        orders = list(broker.account.orders.values())
    assert "09:35 ByClock-1 unknown" in play.orders(), "neither answer nor news came"
    if arrives:
        assert len(orders) == 1
        assert play.held()["09:37"] == 100
    else:
        assert not orders
        assert play.orders()[-1].endswith("ByClock-1 rejected")
        assert "did not reach the broker" in play.reasons()[-1]


def test_l20_a_fill_while_the_connection_is_down_is_there_before_the_next_bar(play: Play) -> None:
    with play.at_broker(without=["SPY"]) as broker, play.server() as server:
        play.at("09:35:05", broker.stream.refuse)
        play.at("09:35:10", lambda: broker.trade("SPY", 168.0))
        play.at("09:35:20", broker.stream.accept)
        assert play.play_until(server, "09:38").is_equal
    assert play.fills() == [(100, 168.0)]
    assert play.held()["09:36"] == 100


def test_l22_a_liquidation_by_the_broker_is_taken_over_and_told(play: Play) -> None:
    with play.at_broker() as broker, play.server() as server:
        play.at("09:40:12", play.tell(lambda account: account.liquidate("SPY")))
        assert play.play_until(server, "09:45").is_equal
        cash = float(broker.account.cash)
    assert (play.held()["09:39"], play.held()["09:41"]) == (100, 0)
    assert play.cash() == pytest.approx(cash)
    assert "an order that this run did not place was found at the broker" in play.said()


def test_a_position_that_nobody_ordered_stops_orders_until_it_is_gone(play: Play) -> None:
    play.orders_at(
        {"09:35": [("order", {"quantity": 100})], "09:38": [("order", {"quantity": 1})], "09:45": [("close", {})]}
    )
    with play.at_broker(), play.server() as server:
        play.at("09:36:10", play.tell(lambda account: account.hold("AIG", 5, 40.0)))
        play.at("09:41:10", play.tell(lambda account: account.hold("AIG", 0, 40.0)))
        assert play.play_until(server, "09:48").is_equal
    assert "AIG: the run has 0, the broker 5" in play.reasons()[0]
    assert "the run and its broker agree again" in play.said()
    assert (play.held()["09:44"], play.held()["09:47"]) == (100, 0)


def test_money_that_the_broker_books_is_taken_over_and_told(play: Play) -> None:
    with play.at_broker() as broker, play.server() as server:
        play.at("09:37:00", play.tell(lambda account: account.pay(-1.25, "FEE")))
        play.at("09:38:00", play.tell(lambda account: account.pay(500.0, "CSD")))
        assert play.play_until(server, "09:42").is_equal
        cash = float(broker.account.cash)
    assert play.cash() == pytest.approx(cash)
    assert "It is part of the net profit" in play.said()


def test_a_split_at_the_broker_changes_the_position(play: Play) -> None:
    with play.at_broker(), play.server() as server:
        play.at("09:40:00", play.tell(lambda account: account.split("SPY", 2)))
        assert play.play_until(server, "09:44").is_equal
    assert (play.held()["09:39"], play.held()["09:43"]) == (100, 200)
    assert "SPY was split 2 for 1" in play.said()


def test_an_order_that_the_broker_lost_ends(play: Play) -> None:
    play.orders_at({"09:35": [("order", {"quantity": 10, "limit": 150.0})]})
    with play.at_broker() as broker, play.server() as server:
        play.at(
            "09:36:00",
            lambda: broker.do(lambda account: account.lose(next(iter(account.orders.values())).client_order_id)),
        )
        assert play.play_until(server, "09:40").is_equal
    assert play.orders()[-1].endswith("ByClock-1 cancelled")
    assert "does not have it any more" in play.reasons()[-1]


def test_a_refusal_comes_in_the_brokers_words(play: Play) -> None:
    play.orders_at({"09:35": [("order", {"quantity": 100})]}, leverage=100.0)
    with play.at_broker(cash=1_000) as broker, play.server() as server:
        assert play.play_until(server, "09:37").is_equal
        assert not broker.account.orders
    assert "insufficient buying power" in play.reasons()[-1]


def test_a_bracket_whose_target_fills_while_the_stream_is_down_ends_flat(play: Play) -> None:
    play.orders_at({"09:35": [("bracket", {"quantity": 10, "stop": 150.0, "target": 170.0})]})
    with play.at_broker(without=["SPY"]) as broker, play.server() as server:
        play.at("09:35:10", lambda: broker.trade("SPY", 168.0))
        play.at("09:37:05", broker.stream.refuse)
        play.at("09:37:10", lambda: broker.trade("SPY", 170.5))
        play.at("09:37:20", broker.stream.accept)
        assert play.play_until(server, "09:40").is_equal
    assert [quantity for quantity, _ in play.fills()] == [10, -10]
    assert (play.held()["09:37"], play.held()["09:38"]) == (10, 0)
    assert {line.split()[-1] for line in play.orders()[-2:]} == {"filled", "cancelled"}


def test_an_order_of_others_is_cancelled_when_all_is_closed(play: Play) -> None:
    play.orders_at({"09:34": [("cancel_all", {})]})
    with play.at_broker() as broker, play.server() as server:
        broker.do(lambda account: account.submit(RESTING))
        assert play.play_until(server, "09:36").is_equal
        (order,) = broker.account.orders.values()
    assert order.status == "canceled"
    assert play.orders()[-1].split()[-1] == "cancelled"
    assert "is now tracked: buy 10 SPY (limit 150)" in play.said()


def test_the_largest_daily_loss_closes_all_at_the_broker(play: Play) -> None:
    play.orders_at(
        {"09:35": [("order", {"quantity": -100})], "09:50": [("order", {"quantity": 1})]},
        risk={"max_daily_loss_percent": 0.01},
    )
    with play.at_broker() as broker, play.server() as server:
        assert play.play_until(server, "09:52").is_equal
        assert not broker.account.positions
    assert [quantity for quantity, _ in play.fills()] == [-100, 100]
    assert "the largest daily loss is reached" in play.reasons()[-1]


@pytest.mark.parametrize("at_stop", ["keep", "cancel"])
def test_a_run_that_is_stopped_keeps_or_cancels_its_orders_as_configured(play: Play, at_stop: str) -> None:
    play.orders_at({"09:35": [("order", {"quantity": 10, "limit": 150.0, "tif": "gtc"})]}, at_stop=at_stop)
    with play.at_broker() as broker, play.server() as server:
        assert play.play_until(server, "09:37").is_equal
        (order,) = broker.account.orders.values()
    assert order.status == {"keep": "new", "cancel": "canceled"}[at_stop]
    said = {
        "keep": "orders stay open at the broker: buy 10 SPY (limit 150)",
        "cancel": "cancelled the order to buy 10 SPY",
    }
    assert said[at_stop] in play.said()


@pytest.mark.parametrize("ends", [("cancel_all", {}), ("close", {})])
def test_a_bracket_that_is_cancelled_before_it_was_sent_reaches_nobody(
    play: Play, ends: tuple[str, dict[str, Any]]
) -> None:
    """With its entry its legs are gone, of which each is asked for as well."""
    play.orders_at({"09:35": [("bracket", {"quantity": 10, "stop": 160.0, "target": 180.0}), ends]})
    with play.at_broker() as broker, play.server() as server:
        assert play.play_until(server, "09:38").is_equal
        assert not broker.account.orders
    assert [line.split()[-1] for line in play.orders()].count("cancelled") == 3
    assert play.held()["09:37"] == 0


def test_an_order_whose_price_cannot_be_compared_is_not_sent(play: Play) -> None:
    play.orders_at({"setup": [("order", {"quantity": 10, "limit": 1000})]}, risk={"price_collar_percent": 5})
    with play.at_broker() as broker, play.server() as server:
        assert play.play_until(server, "09:35").is_equal
        assert not broker.account.orders
    (reason,) = play.reasons()
    assert reason.startswith("no price of SPY is known that its limit 1000 could be compared with, and risk.price_")
