"""Any session of a run can be looked at afterwards, whether or not trading joins it to those before."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from polars.testing import assert_frame_equal

from openbell import (
    BarStore,
    ConfigError,
    RunFolder,
    SessionData,
    SystemManager,
    load_config,
    open_run,
)
from openbell.engine.observer import SessionObserver
from openbell.errors import RunFolderError
from openbell.store.removal import remove_bars
from openbell.testing import bar_starts, make_store, random_bars

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from openbell.model.json_object import JsonObject

FIRST, LAST = "2024-03-11", "2024-03-14"
STRATEGY = """
from openbell import IndicatorConfig, Strategy

class Late(Strategy):
    def subscriptions(self):
        return [("ALFA", "5m")]

    def on_bar(self, bar):
        if bar.end_time.hour == 15 and bar.end_time.minute == 0:
            self.context.add_indicators(["BRVO"], [IndicatorConfig("sma", period=3, interval="5m")])
        if KEEPS:
            self.state["bars"] = self.state.get("bars", 0) + 1
            if self.state["bars"] == 100:
                self.context.add_symbols(["CHRL"])
"""


class Frames(SessionObserver):
    """What each session held when it ended."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[tuple[str, str], pl.DataFrame]] = {}

    def day_ended(self, result: Any, session_data: SessionData) -> None:
        self.seen[str(result.date)] = frames_of(session_data)


def frames_of(session: SessionData) -> dict[tuple[str, str], pl.DataFrame]:
    return {
        (symbol, interval): session.frame(symbol, interval, indicators=True)
        for symbol, data in session.current.items()
        for interval in data.bars
    }


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    starts = bar_starts("2024-03-08", LAST)
    frames = {name: {"1m": random_bars(starts, seed=n)} for n, name in enumerate(("ALFA", "BRVO", "CHRL"))}
    return make_store(tmp_path_factory.mktemp("opened") / "store", frames)


def run(folder: Path, store: Path, *, keeps: bool = False, **more: Any) -> tuple[Path, SystemManager, Frames]:
    folder.mkdir()
    code = folder / "late.py"
    code.write_text(STRATEGY.replace("KEEPS", str(keeps)), encoding="utf-8")
    config: JsonObject = {
        "session_name": "opened",
        "store": str(store),
        "backtest_config": {"start_date": FIRST, "end_date": LAST},
        "session_data_config": {
            "symbols": ["ALFA"],
            "streams": ["1m", "5m"],
            "indicators": [{"name": "ema", "period": 10, "interval": "5m"}],
        },
        "strategies": [{"module": f"{code}:Late"}],
        **more,
    }
    session, frames = load_config(config), Frames()
    system = SystemManager(session, observer=frames)
    system.run(RunFolder(folder / "run", session))
    return folder / "run", system, frames


@pytest.mark.parametrize(
    ("keeps", "more"), [(False, {}), (True, {}), (False, {"execution": {}})], ids=["alone", "state", "trading"]
)
def test_each_session_is_what_it_was(store: Path, tmp_path: Path, *, keeps: bool, more: dict[str, Any]) -> None:
    folder, system, frames = run(tmp_path / "a", store, keeps=keeps, **more)

    opened = open_run(folder)

    assert [str(day) for day in opened.days] == list(frames.seen)
    for day, expected in frames.seen.items():
        for session in (opened.session(day), system.session(day)):
            found = frames_of(session)
            assert session.is_over
            assert found.keys() == expected.keys()
            for name, frame in expected.items():
                assert_frame_equal(found[name], frame)
    assert ("BRVO", "5m") in frames.seen["2024-03-11"]
    assert [("CHRL", "5m") in seen for seen in frames.seen.values()] == [False, keeps, False, False]


def test_a_session_that_comes_out_otherwise_is_refused(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "store")
    folder, _, frames = run(tmp_path / "a", tmp_path / "store")
    remove_bars(BarStore.open(tmp_path / "store"), [("BRVO", "1m")])

    opened = open_run(folder)

    with pytest.raises(RunFolderError, match=r"differs from that of the.*indicator BRVO for strategy Late.*was done"):
        opened.session("2024-03-12")
    assert "BRVO" not in opened.session("2024-03-12", compare=False).symbols
    assert open_run(folder, store=store).session("2024-03-12").symbols == ("ALFA", "BRVO")
    assert ("BRVO", "5m") in frames.seen["2024-03-12"]


def test_a_day_that_is_no_session_of_the_run_is_told(store: Path, tmp_path: Path) -> None:
    folder, system, _ = run(tmp_path / "a", store)

    for session in (open_run(folder).session, system.session):
        with pytest.raises(ConfigError, match="no session of 2024-03-15: its 4 sessions are from 2024-03-11"):
            session("2024-03-15")
        with pytest.raises(ConfigError, match="'11 March' is not a day"):
            session("11 March")
    with pytest.raises(ConfigError, match="is not the folder of a run"):
        open_run(tmp_path)


def test_a_run_shows_itself_and_its_tables(store: Path, tmp_path: Path) -> None:
    folder, _, _ = run(tmp_path / "a", store, execution={})

    opened = open_run(folder)

    assert repr(opened) == "<OpenedRun 'opened': 4 sessions, 2024-03-11 to 2024-03-14, done>"
    assert "<b>opened</b> 4 sessions, 2024-03-11 to 2024-03-14, done" in opened._repr_html_()
    assert opened.config.session_name == "opened"
    assert opened.equity is not None
    assert len(opened.equity) == 4 * 390
    assert opened.trades is not None
    assert opened.orders is not None
    assert opened.fills is not None
    assert len(opened.signals) == len(opened.trades) == len(opened.orders) == len(opened.fills) == 0
