"""A run that is stopped with its positions closed first."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from live.sessions import early
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import S
from openbell.live.record.feed_record import read_record
from openbell.live.record.recorded_past import Past
from openbell.live.record.verify import verify_run
from openbell.live.run import LiveRun
from openbell.live.stop_request import Stopped, ask_to_stop
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from live.server import FeedServer


def play(stage: Stage, run: Path, server: FeedServer, *, flatten: bool) -> None:
    """Play a day over a socket, of which somebody stops the run at 10:40:30."""
    at_ns = stage.session.first_ns + 70 * MINUTE + 30 * S
    server.play(stage.tape)
    live = LiveRun(stage.config, server.feed(), run, [stage.day], stage.time_manager)
    with stage.time.running(lambda: live.run(RunFolder(run, stage.config))):
        stage.time.advance_to(at_ns)
        ask_to_stop(run, flatten=flatten)
        stage.time.advance_to(at_ns + 5 * MINUTE)


@pytest.mark.parametrize("flatten", [True, False])
def test_a_run_that_is_stopped_closes_its_positions_first_if_asked(
    flatten: bool, minute_store: Path, tmp_path: Path
) -> None:
    stage = Stage(tmp_path, minute_store, exchange=early("12:00"))
    run = tmp_path / "run"
    with stage.server() as server, pytest.raises(Stopped):
        play(stage, run, server, flatten=flatten)

    held: Counter[str] = Counter()
    for line in (run / "fills.jsonl").read_text().splitlines():
        fill = json.loads(line)
        held[fill["symbol"]] += fill["quantity"]
    assert any(held.values()) is not flatten
    orders = [json.loads(line) for line in (run / "orders.jsonl").read_text().splitlines()]
    closing = [order for order in orders if "closes all positions" in order["reason"] and order["status"] == "filled"]
    assert bool(closing) is flatten
    assert all(order["time"] >= "2013-10-10T10:40" for order in closing)
    assert json.loads((run / "live.json").read_text())["state"] == "stopped"
    assert verify_run(run).differences == ()


@pytest.mark.long
def test_a_run_that_goes_on_after_its_positions_were_closed_opens_new_ones(minute_store: Path, tmp_path: Path) -> None:
    stage = Stage(tmp_path, minute_store, exchange=early("12:00"))
    run = tmp_path / "run"
    with stage.server() as server:
        with pytest.raises(Stopped):
            play(stage, run, server, flatten=True)
        stage.time.taken()
        past = Past.of(read_record(run))
        live = LiveRun(stage.config, server.feed(), run, [stage.day], stage.time_manager, past=past)
        with stage.time.running(lambda: live.run(RunFolder(run, stage.config, goes_on=True))) as running:
            stage.time.advance_to(stage.session.last_ns + 10 * MINUTE)
            running.result()

    fills = [json.loads(line) for line in (run / "fills.jsonl").read_text().splitlines()]
    assert sum(fill["time"] > "2013-10-10T10:46" for fill in fills) > 10
    assert verify_run(run).differences == ()
