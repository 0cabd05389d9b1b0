"""The status of a live run tells which symbols are ready, what is missing of others, and how the feed is."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from live.test_live_failures import records_of, stage
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import S
from openbell.errors import RunFolderError
from openbell.live.run import LiveRun
from openbell.live.status.monitor import Monitor
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.live.status.live_status import LiveStatus, SymbolStatus

__all__ = ["stage"]


def symbol_of(status: LiveStatus, symbol: str) -> SymbolStatus:
    return next(one for one in status.symbols if one.symbol == symbol)


@pytest.mark.long
def test_what_a_status_tells_in_a_day(stage: Stage) -> None:
    first_ns, seen = stage.session.first_ns, {}
    with stage.server() as server:
        server.play(stage.tape)
        run = LiveRun(stage.config, server.feed(), stage.folder / "run", [stage.day], stage.time_manager)
        run.monitor.every_s, run.resources.wait_ns = 0.0, 200 * S
        moments = {"waits": 47.5, "cold": 49.8, "there": 53.5, "down": 101.5, "back": 106.5}
        for name, minutes in moments.items():
            stage.time.at(first_ns + round(minutes * MINUTE), lambda name=name: seen.update({name: run.monitor.latest}))
        stage.time.at(first_ns + 46 * MINUTE, lambda: setattr(server, "history_takes_s", 150.0))
        stage.time.at(first_ns + 52 * MINUTE, lambda: setattr(server, "history_takes_s", 0.0))
        stage.time.at(first_ns + 100 * MINUTE + 20 * S, server.refuse)
        stage.time.at(first_ns + 103 * MINUTE, server.accept)
        with stage.time.running(lambda: run.run(RunFolder(stage.folder / "run", stage.config))) as running:
            stage.time.advance_to(stage.session.last_ns + 10 * MINUTE)
            running.result()

    waits = symbol_of(seen["waits"], "BAC")
    assert (waits.state, waits.subscribed, waits.stitched, waits.warm) == ("pending", True, False, False)
    assert waits.missing.startswith("no answer about 1m bars from 2013-10-")
    assert seen["waits"].counts == {"pending": 1, "ready": 3}
    assert seen["waits"].clock == "2013-10-10T10:17:00-04:00"
    there = symbol_of(seen["there"], "BAC")
    assert (there.state, there.missing, there.last_bar) == ("ready", "", "2013-10-10T10:23:00-04:00")
    assert seen["waits"].next_scan is None

    down = seen["down"].feed
    assert (down.health, down.reason, down.losses) == ("DOWN", "there is no connection", 1)
    assert not symbol_of(seen["back"], "SPY").missing
    assert seen["back"].feed.health == "LIVE"
    assert any("is down" in one.text for one in seen["down"].happened)

    pending = next(record for record in records_of(stage, "BAC") if not record["ok"])
    assert "no answer about 1m bars" in pending["warnings"][0]

    last = json.loads((stage.folder / "run" / "status.json").read_text(encoding="utf-8"))
    assert last == json.loads(json.dumps(run.monitor.latest.to_dict()))
    assert (last["state"], last["clock"]) == ("ended", "2013-10-10T12:00:00-04:00")
    account = last["account"]
    assert account["equity"] == pytest.approx(run.system.summary().days[0].trading.end_equity)


def monitor_in(folder: Path) -> Monitor:
    return Monitor(folder, "demo", "replay", lambda: 1_720_000_000 * S, ZoneInfo("America/New_York"))


def test_a_status_is_written_at_most_once_a_second_and_at_the_end(tmp_path: Path) -> None:
    monitor = monitor_in(tmp_path)
    monitor.write(at_once=True)
    monitor.happened("feed", "something")
    monitor.turn()
    monitor.write()
    assert json.loads((tmp_path / "status.json").read_text(encoding="utf-8"))["happened"] == []

    monitor.finish("stopped")
    written = json.loads((tmp_path / "status.json").read_text(encoding="utf-8"))
    assert (written["state"], written["happened"][0]["text"]) == ("stopped", "something")


def test_a_snapshot_is_taken_when_something_happens_and_not_at_each_turn(tmp_path: Path) -> None:
    monitor = monitor_in(tmp_path)
    monitor.turn()
    before = monitor.latest
    monitor.happened("fill", "bought 1 SPY at 100")
    monitor.turn()
    assert monitor.latest is before
    monitor.happened("feed", "the feed is down")
    monitor.turn()
    assert [one.kind for one in monitor.latest.happened] == ["fill", "feed"]


def test_nothing_happens_after_now(tmp_path: Path) -> None:
    """The session clock stands at the open while a session is prepared."""
    monitor = monitor_in(tmp_path)
    monitor.happened("session", "is prepared")
    monitor.happened("symbol", "SPY ready", "2030-01-02T09:30:00-05:00")
    monitor.happened("fill", "bought 1 SPY at 100", "2024-07-03T05:00:00-04:00")
    monitor.turn()
    assert [one.time[:16] for one in monitor.latest.happened] == [
        "2024-07-03T05:46",
        "2024-07-03T05:46",
        "2024-07-03T05:00",
    ]


def test_a_status_that_cannot_be_written_ends_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    monitor = monitor_in(folder)
    shutil.rmtree(folder)
    monitor.write(at_once=True)
    with pytest.raises(RunFolderError, match=r"cannot write .*status\.json"):
        monitor.turn()
