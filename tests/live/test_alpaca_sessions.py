"""Whole sessions by Alpaca's protocols end as their backtest does, and leave no key behind."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from live.alpaca_server import KEYS, AlpacaServer
from live.sessions import early
from live.tape import some, wrong
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import S

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long


@pytest.fixture
def stage(minute_store: Path, tmp_path: Path) -> Stage:
    return Stage(tmp_path, minute_store, AlpacaServer, exchange=early("13:00"))


def test_a_day_with_jitter_a_drop_and_an_addition_equals_its_backtest_and_keeps_no_key(
    stage: Stage, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stage.tape.jitter(1.5, seed=1)
    with stage.server() as server:
        assert isinstance(server, AlpacaServer)
        server.encoding, server.page, server.echoes_keys = "json", 300, True
        stage.time.at(stage.session.first_ns + 60 * MINUTE + 20 * S, server.cut)
        stage.time.at(stage.session.first_ns + 60 * MINUTE + 21 * S, lambda: server.auth_errors.extend([404, 500]))
        stage.time.at(stage.session.first_ns + 200 * MINUTE, lambda: server.error(777))
        found = stage.play(server)
        shown = repr(stage.run.resources.feed)
    assert (found.differences, found.revisions) == ((), 0)
    assert found.compared[0] > 500
    said = capfd.readouterr()
    kept = [path.read_bytes() for path in stage.folder.rglob("*") if path.is_file()]
    assert len(kept) > 10
    assert b"an error of a new kind for *** ***" in b"".join([*kept, said.err.encode()])
    # Our server is in the same process, and logs what it reads.
    logged = " ".join(record.getMessage() for record in caplog.records if record.name != "websockets.server")
    assert logged
    for key in (KEYS.key_id, KEYS.secret):
        assert not any(key.encode() in each for each in kept)
        assert key not in said.out + said.err + logged + shown


def test_what_comes_late_or_corrected_is_named_and_the_rest_is_equal(stage: Stage) -> None:
    stage.tape.late(40, some(0.01, seed=4))
    stage.tape.corrected(30, some(0.01, seed=5), wrong)
    with stage.server() as server:
        found = stage.play(server)
    assert found.revisions > 5
    assert found.is_equal
    assert [one.file for one in found.differences if one.file.startswith(("bars/", "indicators/"))] == []


def test_a_clock_that_is_eight_seconds_off_lets_nobody_open_a_position(stage: Stage) -> None:
    with stage.server() as server:
        assert isinstance(server, AlpacaServer)
        server.clock_off_s = 8.0
        found = stage.play(server)
    assert found.differences == ()
    assert not (stage.folder / "run" / "fills.jsonl").exists() or not (stage.folder / "run" / "fills.jsonl").read_text()
    orders = (stage.folder / "run" / "orders.jsonl").read_text()
    assert "the machine's clock is 8.0 s behind that of the feed alpaca-iex" in orders
