"""Feeds that fail at the end of a session, between two, or while a symbol leaves and comes back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from live.test_live_failures import bars_of, records_of, require_each_once, stage
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import S
from openbell.live.run import LiveRun
from openbell.results.folder.run_folder import RunFolder

pytestmark = pytest.mark.long
__all__ = ["stage"]

BACK_AGAIN = """
from openbell import Scanner, Strategy

class Spy(Strategy):
    def setup(self):
        self.context.state["last"] = int(self.context.session_data.get_bars("SPY", "1m").end[-1])

    def subscriptions(self):
        return [("SPY", "1m")]

    def on_bar(self, bar):
        pass

class BackAgain(Scanner):
    def scan(self):
        now = f"{self.context.now:%H:%M}"
        if now == "11:00":
            self.context.add_symbol("BAC")
        elif now == "11:30":
            self.context.remove_symbol("BAC")
        elif now == "11:31":
            self.context.add_symbol("BAC")
"""


def said(stage: Stage) -> str:
    return "\n".join(text for _, text in stage.run.resources.messages)


def test_a_session_ends_though_its_feed_is_down_and_says_what_it_lacks(stage: Stage) -> None:
    with stage.server() as server:
        stage.time.at(stage.session.close_ns - 10 * MINUTE + 5 * S, server.refuse)
        found = stage.play(server)
    assert found.differences == ()
    assert "the session continues to its end without the bars since 11:50:00" in said(stage)
    assert (
        bars_of(stage, "SPY", "1m")["end"].dt.convert_time_zone("America/New_York").dt.strftime("%H:%M")[-1] == "11:50"
    )


def test_last_minutes_that_a_feed_never_sends_are_fetched(stage: Stage) -> None:
    last_ns = stage.session.close_ns - 3 * MINUTE
    stage.tape.left_out(lambda bar: bar.interval == "1m" and bar.start_ns >= last_ns)
    with stage.server() as server:
        found = stage.play(server)
    assert found.is_equal
    for symbol in ("SPY", "IBM", "AIG", "BAC"):
        require_each_once(stage, symbol)


def test_last_minutes_that_cannot_be_had_are_named(stage: Stage) -> None:
    last_ns = stage.session.close_ns - 3 * MINUTE
    stage.tape.left_out(lambda bar: bar.interval == "1m" and bar.start_ns >= last_ns)
    with stage.server() as server:
        stage.time.at(last_ns, lambda: setattr(server, "history_ends_s", 600.0))
        found = stage.play(server)
    assert found.differences == ()
    assert (
        "no bar of the last minutes of the session came, and the feed has none; the last bar closed at 11:57:00"
        in said(stage)
    )


def test_a_symbol_that_leaves_and_comes_back_has_all_its_bars_once(stage: Stage) -> None:
    play_back_again(stage, omitted=False)
    require_each_once(stage, "BAC")
    assert "does not send" not in said(stage)


def test_a_symbol_that_comes_back_has_to_be_acknowledged_again(stage: Stage) -> None:
    play_back_again(stage, omitted=True)
    last = records_of(stage, "BAC")[-1]
    assert not last["ok"]
    assert "the feed has not acknowledged it" in " ".join(last["errors"])


def configure_spy(stage: Stage, **more: Any) -> None:
    (stage.folder / "back.py").write_text(BACK_AGAIN, encoding="utf-8")
    stage.reconfigure(strategies=[{"module": f"{stage.folder}/back.py:Spy"}], **more)


def play_back_again(stage: Stage, *, omitted: bool) -> None:
    (stage.folder / "back.py").write_text(BACK_AGAIN, encoding="utf-8")
    schedule = [{"start": "11:00", "end": "11:31", "every": "1m"}]
    slices = {"module": f"{stage.folder}/back.py:Spy"}
    stage.reconfigure(
        strategies=[slices], scanners=[{"module": f"{stage.folder}/back.py:BackAgain", "schedule": schedule}]
    )
    with stage.server() as server:
        if omitted:
            stage.time.at(stage.session.first_ns + 120 * MINUTE + 30 * S, lambda: server.omitted.add("BAC"))
        found = stage.play(server)
    assert found.differences == ()


def test_a_connection_that_is_lost_again_while_it_catches_up_loses_no_minute(stage: Stage) -> None:
    ten = stage.session.first_ns + 30 * MINUTE
    with stage.server() as server:
        server_slow = [(0, 40.0), (600, 0.0)]
        for after_s, takes_s in server_slow:
            stage.time.at(ten + after_s * S, lambda takes_s=takes_s: setattr(server, "history_takes_s", takes_s))
        stage.time.at(ten + 20 * S, server.refuse)
        stage.time.at(ten + 200 * S, server.accept)
        for cut_s in range(230, 500, 30):
            stage.time.at(ten + cut_s * S, server.cut)
        found = stage.play(server)
    assert (found.differences, found.revisions) == ((), 0)
    for symbol in ("SPY", "IBM", "AIG"):
        require_each_once(stage, symbol)


def test_a_session_that_begins_while_the_feed_is_down_waits_for_it(stage: Stage) -> None:
    """The second of two sessions, prepared when the first one is over."""
    configure_spy(stage, scanners=[])
    second = stage.day + timedelta(days=1)
    later = stage.time_manager.session(second)
    with stage.server() as server:
        stage.time.at(stage.session.close_ns - 5 * MINUTE, server.refuse)
        stage.time.at(later.first_ns - 5 * MINUTE, server.accept)
        server.play(stage.tape)
        run = LiveRun(
            stage.config.with_days(stage.day, second), server.feed(), stage.folder / "run", [stage.day, second],
            stage.time_manager,
        )  # fmt: skip
        folder = RunFolder(stage.folder / "run", stage.config)
        with stage.time.running(lambda: run.run(folder)) as running:
            stage.time.advance_to(later.first_ns + 10 * MINUTE)
            assert not running.is_over
    states = (stage.folder / "run" / "state.jsonl").read_text(encoding="utf-8").splitlines()
    last = {line["date"]: line["state"]["last"] for line in map(json.loads, states)}
    assert last[second.isoformat()] == stage.session.close_ns, "the warm-up has what the loss has cost"
