"""A strategy that is slower than its bars lags, loses none of them, and opens no position meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from live.slow import Slow
from live.test_live_failures import require_each_once, stage
from live.virtual_time import S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live.test_sessions_over_a_socket import Stage

pytestmark = pytest.mark.long
__all__ = ["stage"]


@pytest.fixture
def slow(stage: Stage) -> Iterator[type[Slow]]:
    stage.reconfigure(strategies=[{"module": "live.slow:Slow"}], scanners=[])
    Slow.work, Slow.works_s = stage.time.work, {}
    Slow.heard.clear()
    yield Slow
    Slow.work = None


def rejected(stage: Stage) -> list[tuple[str, str, str]]:
    """Time, symbol and reason of the orders that were rejected."""
    lines = map(json.loads, (stage.folder / "run" / "orders.jsonl").read_text().splitlines())
    return [(r["time"][11:16], r["symbol"], r["reason"]) for r in lines if r["status"] == "rejected"]


def play(stage: Stage, **parts: Any) -> list[tuple[str, str, str]]:
    with stage.server() as server:
        found = stage.play(server)
    assert (found.differences, found.revisions) == ((), 0)
    for symbol in ("SPY", "IBM", "AIG"):
        require_each_once(stage, symbol)
    return rejected(stage)


def test_a_session_that_is_in_time_never_lags(stage: Stage, slow: type[Slow]) -> None:
    slow.works_s = {f"{hour}:{minute:02}": 20.0 for hour in (10, 11) for minute in range(60)}

    assert play(stage) == []
    assert slow.heard == []


def test_bars_that_wait_for_a_slow_strategy_are_played_in_time_order_and_orders_that_open_are_refused(
    stage: Stage, slow: type[Slow]
) -> None:
    slow.works_s = {"10:00": 200.0}
    refused = play(stage)

    # At 10:00 the order comes after the 200 s; 10:01 is 140 s late, 10:02 80 s, 10:03 20 s.
    assert [(time, symbol) for time, symbol, _ in refused] == [("10:00", "SPY"), ("10:01", "SPY"), ("10:02", "SPY")]
    assert refused[0][2] == "the order comes 200 s after its bars, more than live.max_lag of 30.0 s"
    assert refused[1][2] == "the session lags: 140 s behind its bars, 2 bar times wait"
    assert [(time, health) for time, health, _ in slow.heard[:2]] == [("10:00", "LAGGING"), ("10:02", "LIVE")]
    assert slow.heard[1][2] == "the session has caught up: it was 140 s behind its bars at the most"
    said = [text for _, text in stage.run.resources.messages]
    assert any(text.startswith("the session lags: 140 s behind its bars, 2 bar times wait") for text in said)
    assert "the session has caught up: it was 140 s behind its bars at the most" in said


def test_bars_that_came_in_time_are_not_late_though_others_are_missing(stage: Stage, slow: type[Slow]) -> None:
    """Without a bar of AIG a time is played after its grace, which has long passed when the strategy is done."""
    ten = stage.session.first_ns + 30 * 60 * S
    stage.tape.left_out(lambda bar: bar.symbol == "AIG" and ten <= bar.start_ns < ten + 300 * S)
    slow.works_s = {"10:00": 200.0}
    with stage.server() as server:
        found = stage.play(server)
    assert found.revisions == 0
    assert found.differences == ()
    require_each_once(stage, "SPY")


def test_the_limit_is_of_the_config(stage: Stage, slow: type[Slow]) -> None:
    slow.works_s = {"10:00": 200.0}
    stage.max_lag_s = 150.0

    assert [time for time, _, _ in play(stage)] == ["10:00"]


def test_an_addition_whose_bars_came_while_a_strategy_was_at_work_does_not_fail(stage: Stage, slow: type[Slow]) -> None:
    stage.reconfigure(strategies=[{"module": "live.slow:Slow"}])  # with the scanner that adds BAC at 10:17
    slow.works_s = {"10:17": 100.0}
    play(stage)

    require_each_once(stage, "BAC")
