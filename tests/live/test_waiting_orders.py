"""Orders while the feed is not LIVE, which are rejected or wait as the config says (L21)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from live.restarts import Restarts
from live.sessions import early
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import S
from openbell import Strategy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

pytestmark = pytest.mark.long

GIVEN = ("SPY 5", "IBM 7", "AIG 9", "AIG 3", "SPY -4")


class WhenSilent(Strategy):
    """Buys at the first bar, and gives further orders as soon as it hears that the feed is not LIVE."""

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [("SPY", "1m")]

    def on_bar(self, bar: object) -> None:
        if not self.state.get("held"):
            self.state["held"] = True
            self.context.order("SPY", 4)

    def on_feed(self, health: str, reason: str) -> None:
        if health == "STALE" and not self.state.get("given"):
            self.state["given"] = True
            self.context.order("SPY", 5)
            changed = self.context.order("IBM", 70, limit=1000.0)
            self.context.replace(changed, quantity=7)
            cancelled = self.context.order("AIG", 9)
            self.context.cancel(cancelled)
            self.context.order("AIG", 3, tif="gtc")
            self.context.order("SPY", -4)


@pytest.fixture
def stage(minute_store: Path, tmp_path: Path) -> Stage:
    return Stage(tmp_path, minute_store, exchange=early("13:00"))


def play(stage: Stage, what: str, minutes: float, *, killed: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Play a day whose feed is silent from 11:00 on for some minutes, and return the lines of orders by symbol."""
    stage.reconfigure(
        strategies=[{"module": f"{__file__}:WhenSilent"}],
        scanners=[],
        execution={},
        live={"url": "ws://127.0.0.1:1", "orders_while_not_live": what},
    )
    eleven = stage.session.first_ns + 90 * MINUTE

    with stage.server() as server:
        server.is_silent_between(eleven + 10 * S, eleven + round(minutes * MINUTE))
        folder = stage.folder / "run"
        if killed:
            restarts = Restarts(stage, [(eleven + round(minutes * MINUTE) - S, 2.0)])
            found, folder = restarts.play(server), restarts.folder
        else:
            found = stage.play(server)
    assert found.differences == ()
    lines = map(json.loads, (folder / "orders.jsonl").read_text(encoding="utf-8").splitlines())
    by_order: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        by_order.setdefault(line["id"], []).append(line)
    return {f"{these[-1]['symbol']} {these[-1]['quantity']:g}": these for these in list(by_order.values())[1:]}


def ends(orders: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    return {name: these[-1]["status"] for name, these in orders.items()}


def test_l21_new_orders_are_rejected_and_exits_taken_while_the_feed_is_stale(stage: Stage) -> None:
    orders = play(stage, "reject", 10)
    assert ends(orders) == {
        "SPY 5": "rejected", "IBM 70": "rejected", "AIG 9": "rejected", "AIG 3": "rejected", "SPY -4": "filled",
    }  # fmt: skip
    assert "the feed is STALE" in orders["SPY 5"][-1]["reason"]


def test_l21_new_orders_wait_until_the_feed_is_live_and_exits_do_not(stage: Stage) -> None:
    orders = play(stage, "wait", 10)
    assert ends(orders) == dict(zip(GIVEN, ("filled", "filled", "cancelled", "filled", "filled"), strict=True))
    accepted = {name: [one["time"] for one in these if one["status"] == "accepted"] for name, these in orders.items()}
    assert accepted["SPY 5"] == accepted["IBM 7"] == accepted["AIG 3"]
    assert accepted["SPY -4"] <= accepted["SPY 5"]
    assert not accepted["AIG 9"]


def test_l21_what_waits_past_its_session_expires(stage: Stage) -> None:
    orders = play(stage, "wait", 400)
    assert ends(orders) == dict(zip(GIVEN, ("expired", "expired", "cancelled", "submitted", "expired"), strict=True))
    assert "waited for the feed" in orders["SPY 5"][-1]["reason"]
    assert "waited for the feed" not in orders["SPY -4"][-1]["reason"], "it was taken, and saw no bar"


def test_l21_what_waited_when_the_run_was_killed_still_waits_and_comes_too_late_for_its_bars(stage: Stage) -> None:
    orders = play(stage, "wait", 10, killed=True)
    assert ends(orders) == dict(zip(GIVEN, ("rejected", "rejected", "cancelled", "rejected", "filled"), strict=True))
    for name in ("SPY 5", "IBM 7", "AIG 3"):
        assert "more than live.max_lag" in orders[name][-1]["reason"], "it is passed on when the feed is LIVE again"
