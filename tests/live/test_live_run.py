"""A live run over real sockets equals its backtest, whatever the server does."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING

import pytest

from live.live_run import Play
from live.tape import some, wrong
from openbell.config import load_config
from openbell.engine.system import SystemManager
from openbell.live.record.feed_record import NAME
from openbell.live.record.verify import verify_run
from openbell.results.folder.run_folder import RunFolder
from openbell.store.store import BarStore

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long
HALF_DAY = date(2024, 7, 3)
EVENTS = ("scans.jsonl", "signals.jsonl", "orders.jsonl", "fills.jsonl")


@pytest.fixture(scope="module")
def demo(demo_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(demo_master, tmp_path_factory.mktemp("live") / "demo")


@pytest.fixture(scope="module")
def backtest(demo: Path) -> Path:
    """The folder of the backtest of a half day."""
    config = load_config(demo / "session.yaml").with_days(HALF_DAY, HALF_DAY)
    SystemManager(config).run(RunFolder(demo / "backtest", config))
    return demo / "backtest"


@pytest.fixture
def play(demo: Path, tmp_path: Path) -> Play:
    return Play(load_config(demo / "session.yaml"), BarStore.open(demo / "store"), tmp_path / "run", HALF_DAY)


def run_day(play: Play) -> None:
    with play.start() as session:
        play.time.advance_to(play.close_ns + 400_000_000_000)
        session.result()


def test_so_does_a_day_with_two_drops_of_some_minutes(play: Play, backtest: Path) -> None:
    play.tape.jitter(1.5, seed=1)
    for minute in (30.33, 100.5):
        play.time.at(play.at(minute), play.server.refuse)
        play.time.at(play.at(minute + 3.4), play.server.accept)
    run_day(play)

    for name in EVENTS:
        assert (play.folder / name).read_text() == (backtest / name).read_text(), name
    assert verify_run(play.folder).differences == ()
    connects = [(time_ns - play.open_ns) / 60e9 for time_ns in play.server.connects]
    assert len(connects) == 3
    assert 33.7 < connects[1] < 37
    assert 103.9 < connects[2] < 107
    subscribed = [message["symbols"] for _, message in play.server.requests if message["type"] == "subscribe"]
    assert set(subscribed[-1]) >= {"ALFA", "BRVO", "CHRL", "DLTA", "EKKO", "FXTT"}, "all came back"


def test_the_same_script_is_the_same_run(demo: Path, tmp_path: Path) -> None:
    texts = []
    for _ in range(2):
        # In one folder, for waits are drawn by its name.
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        play = Play(load_config(demo / "session.yaml"), BarStore.open(demo / "store"), tmp_path / "run", HALF_DAY)
        play.tape.jitter(3, seed=4)
        play.tape.corrected(30, some(0.02, 3), wrong)
        play.time.at(play.at(45.5), play.server.cut)
        run_day(play)
        texts.append([(play.folder / each).read_text() for each in (*EVENTS, NAME)])

    assert texts[0] == texts[1]
    assert len(texts[0][-1].splitlines()) > 100
