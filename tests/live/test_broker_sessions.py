"""Whole sessions whose orders go to a broker, by a real link to our Alpaca server."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

from live.broker_stage import BrokerStage
from live.sessions import early
from live.test_resume import lines_of
from live.test_sessions_over_a_socket import MINUTE
from live.virtual_time import S

if TYPE_CHECKING:
    from pathlib import Path

TIME = re.compile(r'"time": "([^"]+)"')

pytestmark = pytest.mark.long


def lines(stage: BrokerStage, name: str) -> list[dict[str, Any]]:
    path = stage.folder_of_run / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def in_order(run: Path) -> dict[str, list[str]]:
    """The lines of all events, those of one time in any order, for the broker answers about symbols side by side."""
    return {
        name: sorted(these, key=lambda line: (TIME.findall(line)[:1], line)) for name, these in lines_of(run).items()
    }


@pytest.fixture
def stage(minute_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BrokerStage:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return BrokerStage(tmp_path, minute_store, exchange=early("11:45"))


def test_a_day_of_orders_at_the_broker_is_played_again_by_its_record(stage: BrokerStage) -> None:
    stage.tape.jitter(1.5, seed=1)
    with stage.at_broker() as broker, stage.server() as server:
        found = stage.play_day(server)
        fills = [one for _, one in broker.account.activities if one["activity_type"] == "FILL"]
    assert found.differences == ()
    ours = lines(stage, "fills.jsonl")
    assert len(ours) == len(fills) > 10
    assert [(one["symbol"], one["price"]) for one in ours] == [(one["symbol"], float(one["price"])) for one in fills]


def test_a_day_at_the_broker_that_is_killed_sixty_times_ends_as_if_undisturbed(
    stage: BrokerStage, minute_store: Path, tmp_path: Path
) -> None:
    (tmp_path / "undisturbed").mkdir()
    undisturbed = BrokerStage(tmp_path / "undisturbed", minute_store, exchange=early("11:45"))
    with undisturbed.at_broker(), undisturbed.server() as server:
        assert undisturbed.play_day(server).differences == ()
    first, draw = stage.session.first_ns, random.Random(16)
    # Most of them in the seconds in which orders are sent, and fill.
    kills = sorted(
        first + round(1 + 90 * draw.random() ** 2) * MINUTE + round(draw.choice([0.001, 1, 5, 6, 20, 40]) * S)
        for _ in range(60)
    )
    with stage.at_broker() as broker, stage.server() as server:
        found = stage.play_with_kills(server, [(kill, draw.choice([0.2, 1, 2])) for kill in kills], seed=16)
        sent = [
            body["client_order_id"]
            for method, path, body in broker.requests
            if (method, path) == ("POST", "/v2/orders")
        ]
        taken = [order.client_order_id for order in broker.account.orders.values()]
    assert found.differences == ()
    assert len(taken) == len(set(taken)), "no order is taken twice"
    assert set(sent) == set(taken)
    expected, found_lines = in_order(undisturbed.folder_of_run), in_order(stage.folder_of_run)
    assert found_lines.keys() == expected.keys()
    for name, these in expected.items():
        assert found_lines[name] == these, name
