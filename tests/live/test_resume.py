"""A run that is killed goes on as if nothing had been."""

from __future__ import annotations

import json
import random
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from live.restarts import EVENTS, Restarts
from live.sessions import INDICATORS, early, pairs, picker, seer, session, slices, trader
from live.tape import some, wrong
from live.test_sessions_over_a_socket import MINUTE, Stage
from live.virtual_time import S
from openbell.config import load_config
from openbell.errors import ConfigError, RunFolderError
from openbell.live.start import replay_run, resumed_run
from openbell.results.folder.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    from live.server import FeedServer

CHANCE = """
import random
from openbell import Signal, Strategy

class Chance(Strategy):
    def subscriptions(self):
        return [("SPY", "1m")]

    def on_bar(self, bar):
        return Signal(bar.symbol, "DRAWN", str(random.random()))
"""


EARLY = early("12:00")


def stage_of(folder: Path, store: Path, *, corrected: bool = False) -> Stage:
    """A day with a scanner, three strategies, and additions that wait."""
    folder.mkdir()
    stage = Stage(folder, store, exchange=EARLY)
    config = session(
        seer(pairs(intervals=["5m"]), add={"10:20": ["AIG"]}, indicators={"11:00": INDICATORS[1:2]}),
        slices("1m"),
        trader(),
        days="2013-10-10",
        scanners=[
            picker("10:03", "11:10", "11:30", add={"10:03": ["BAC"], "11:30": ["BAC"]}, remove={"11:10": ["BAC"]})
        ],
        exchange=EARLY,
        historical={"data": [{"trailing_days": 1, "intervals": ["1m", "5m"]}]},
        indicators=INDICATORS,
    )
    stage.config = load_config(config)
    stage.tape.jitter(1.5, seed=1)
    if corrected:
        stage.tape.corrected(30, some(0.01, seed=5), wrong)
    else:
        stage.tape.doubled(90, some(0.02, seed=6))
    return stage


def lines_of(run: Path) -> dict[str, list[str]]:
    """The lines of all events, without how long the machine took."""
    files = [run / name for name in EVENTS if (run / name).is_file()]
    return {path.name: re.sub(r'"ms": [^,}]+', "", path.read_text()).splitlines() for path in files}


@pytest.fixture(scope="module")
def undisturbed(minute_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody kills."""
    stage = stage_of(tmp_path_factory.mktemp("undisturbed") / "day", minute_store)
    with stage.server() as server:
        server.history_takes_s = 5
        stage.play(server)
    return stage.folder / "run"


def play(restarts: Restarts, server: FeedServer) -> None:
    server.history_takes_s = 5
    found = restarts.play(server)
    assert found.is_equal, found.differences


def require_same(run: Path, undisturbed: Path) -> None:
    expected, found = lines_of(undisturbed), lines_of(run)
    assert found.keys() == expected.keys()
    for name, lines in expected.items():
        assert found[name] == lines, name


@pytest.mark.long
def test_a_day_that_is_killed_twenty_times_ends_as_if_undisturbed(
    undisturbed: Path, minute_store: Path, tmp_path: Path
) -> None:
    stage = stage_of(tmp_path / "day", minute_store)
    first, draw = stage.session.first_ns, random.Random(7)
    # Half of them at the open, while additions wait, or in the seconds in which a time is played.
    at = [draw.choice([0, 33, 50, 50, 90]) * 60 + 10 * draw.random() for _ in range(10)]
    at += [150 * 60 * draw.random() ** 6 for _ in range(10)]
    kills = sorted(first + round(seconds * S) for seconds in at)
    restarts = Restarts(stage, [(kill, draw.choice([0.2, 1, 5])) for kill in kills], seed=7)
    with stage.server() as server:
        play(restarts, server)
    require_same(restarts.folder, undisturbed)


@pytest.mark.long
def test_bars_that_were_corrected_before_are_corrected_again(minute_store: Path, tmp_path: Path) -> None:
    undisturbed = stage_of(tmp_path / "one", minute_store, corrected=True)
    with undisturbed.server() as server:
        undisturbed.play(server)
    stage = stage_of(tmp_path / "other", minute_store, corrected=True)
    first = stage.session.first_ns
    restarts = Restarts(stage, [(first + 100 * MINUTE + 50 * S, 2), (first + 130 * MINUTE + 50 * S, 2)])
    with stage.server() as server:
        found = restarts.play(server)
    assert found.revisions > 3
    require_same(restarts.folder, undisturbed.folder / "run")


@pytest.mark.long
def test_l04_after_a_restart_additions_have_their_owners_times_intervals_and_indicators(
    undisturbed: Path, minute_store: Path, tmp_path: Path
) -> None:
    stage = stage_of(tmp_path / "day", minute_store)
    restarts = Restarts(stage, [(stage.session.first_ns + 60 * MINUTE, 600)])
    with stage.server() as server:
        play(restarts, server)
    (day,), (expected,) = (
        json.loads((folder / "summary.json").read_text())["days"] for folder in (restarts.folder, undisturbed)
    )
    for one in (*day["provisioning"], *expected["provisioning"]):
        for step in one["steps"]:
            del step["ms"]
    upto = [record for record in expected["provisioning"] if record["time"] < "2013-10-10T10:30"]
    assert {record["symbol"] for record in upto} >= {"BAC", "AIG"}
    assert day["provisioning"][: len(upto)] == upto
    assert day["symbols"].keys() == expected["symbols"].keys()


@pytest.mark.long
def test_l23_the_bar_of_a_restart_within_its_minute_is_played_once_and_closed(
    undisturbed: Path, minute_store: Path, tmp_path: Path
) -> None:
    stage = stage_of(tmp_path / "day", minute_store)
    restarts = Restarts(stage, [(stage.session.first_ns + 47 * MINUTE + 30 * S, 10)])
    with stage.server() as server:
        play(restarts, server)
    require_same(restarts.folder, undisturbed)
    seen = [json.loads(line) for line in lines_of(restarts.folder)["signals.jsonl"]]
    of_1018 = [line for line in seen if line["time"][11:16] == "10:18" and line["action"] == "SLICE"]
    assert len(of_1018) == 1


@pytest.mark.long
def test_a_strategy_that_draws_by_chance_is_told_when_its_run_would_go_on(minute_store: Path, tmp_path: Path) -> None:
    (tmp_path / "chance.py").write_text(CHANCE)
    stage = Stage(tmp_path, minute_store, exchange=EARLY)
    config = session(
        {"module": f"{tmp_path}/chance.py:Chance"},
        symbols=["SPY"], streams=["1m"], days="2013-10-10", exchange=EARLY,
    )  # fmt: skip
    stage.config = load_config(config)
    restarts = Restarts(stage, [(stage.session.first_ns + 20 * MINUTE, 1)])
    with stage.server() as server, pytest.raises(RunFolderError, match=r"signals.jsonl line 1: the replay differs"):
        restarts.play(server)


def test_what_is_no_live_run_or_over_does_not_go_on(own_store: Path, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is not the folder of a live run"):
        resumed_run(tmp_path)

    config = load_config(session(slices("1m"), symbols=["SPY"], streams=["1m"], days="2013-10-10"))
    run = replay_run(config, own_store, tmp_path / "run")
    run.run(RunFolder(tmp_path / "run", config))
    with pytest.raises(RunFolderError, match="is over"):
        resumed_run(tmp_path / "run")

    shutil.copytree(tmp_path / "run", tmp_path / "killed")
    (tmp_path / "killed" / "live.json").write_text('{"state": "running"}')
    with pytest.raises(ConfigError, match="folder of a replay"):
        resumed_run(tmp_path / "killed")
