"""Warm-up of a live session that goes further back where bars are missing, as that of a backtest does."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from live.live_run import Play
from live.parity import both
from live.virtual_time import S
from openbell import IndicatorConfig, Signal, Strategy
from openbell.config import load_config
from openbell.live.record.verify import verify_run
from openbell.store.store import BarStore
from openbell.testing import bar_starts, make_store, random_bars

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from openbell.model.bars import Bar


class Slow(Strategy):
    """Says the values of indicators that reach far back, of A from its setup and of B from 10:00 on."""

    def setup(self) -> None:
        self._add("A")

    def subscriptions(self) -> Iterable[tuple[str, str]]:
        return [("A", "1m")]

    def on_bar(self, bar: Bar) -> Signal:
        if f"{self.context.now:%H:%M}" >= "10:00" and "B" not in self.context.symbols:
            self.context.add_symbol("B")
            self._add("B")
        found = self.context.session_data.current
        return Signal("A", "SEEN", f"{[(s, k, i.value) for s, d in found.items() for k, i in d.indicators.items()]}")

    def _add(self, symbol: str) -> None:
        wanted = [("sma", 200, "1m"), ("ema", 40, "1m"), ("atr", 5, "1d")]
        self.context.add_indicators([symbol], [IndicatorConfig(name, period=p, interval=i) for name, p, i in wanted])


@pytest.fixture
def config() -> dict[str, Any]:
    return {
        "exchange": {"name": "XNYS_EARLY", "like": "XNYS", "early_closes": {"2024-07-02": "10:30"}},
        "backtest_config": {"start_date": "2024-07-02", "end_date": "2024-07-02"},
        "session_data_config": {"symbols": ["A"], "streams": ["1m"]},
        "strategies": [{"module": f"{__file__}:Slow"}],
    }


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A has a third of its minutes, and B a tenth, after two months without any; days are missing of both."""
    minutes, days = bar_starts("2024-03-01", "2024-07-02"), bar_starts("2024-03-01", "2024-07-01", interval="1d")
    recent = minutes >= bar_starts("2024-07-01", "2024-07-01")[0]
    thin = minutes[(minutes < bar_starts("2024-05-01", "2024-05-01")[0]) | recent]
    frames = {
        "A": {"1m": random_bars(minutes).gather_every(3), "1d": random_bars(days).gather_every(2)},
        "B": {"1m": random_bars(thin, seed=2).gather_every(10), "1d": random_bars(days, seed=2).gather_every(4)},
    }
    return make_store(tmp_path / "store", frames)


def test_warm_up_reaches_as_far_back_as_in_the_backtest(config: dict[str, Any], store: Path, tmp_path: Path) -> None:
    runs = both(config, store, tmp_path)
    assert runs.differences == []
    last = json.loads(runs.lines("signals.jsonl")[-1])["reason"]
    assert "'B', 'sma_200_1m'" in last
    assert "None" not in last
    found = verify_run(runs.live)
    assert (found.differences, found.revisions) == ((), 0)


@pytest.mark.parametrize("takes_s", [0.0, 3.0])
def test_a_feed_is_asked_further_back_while_the_session_goes_on(
    takes_s: float, config: dict[str, Any], store: Path, tmp_path: Path
) -> None:
    played = play(config, store, tmp_path, takes_s)
    assert "'B', 'sma_200_1m'" in played[-1]
    assert "None" not in played[-1]


def test_a_feed_without_earlier_bars_is_asked_a_few_times_and_named(config: dict[str, Any], tmp_path: Path) -> None:
    minutes = bar_starts("2024-07-01", "2024-07-02")
    store = make_store(tmp_path / "few", {"A": {"1m": random_bars(minutes).gather_every(3)}})
    requests: list[str] = []
    assert play(config, store, tmp_path, asked=requests)[-1] == "[]"
    assert 2 < len(requests) < 8
    assert "2023-01-01" < min(requests) < "2023-12-31"
    journal = (tmp_path / "run" / "journal.jsonl").read_text()
    assert "A sma_200_1m needs 200 bars of 1m, has 130: the feed's 1m bars begin 2024-07-01." in journal
    assert "live.keep_bars" in journal


@pytest.mark.parametrize(
    ("historical", "warnings"),
    [
        ({}, []),
        ({"data": [{"trailing_days": 1, "intervals": ["1d"]}]}, []),
        ({"data": [{"trailing_days": 1, "intervals": ["1m"]}]}, ["1m: no bars before 2024-07-01"]),
    ],
    ids=["nothing", "days", "minutes"],
)
def test_bars_of_days_before_are_missing_only_if_they_were_asked_for(
    historical: dict[str, Any], warnings: list[str], config: dict[str, Any], tmp_path: Path
) -> None:
    days, minutes = bar_starts("2024-06-03", "2024-07-01", interval="1d"), bar_starts("2024-07-01", "2024-07-02")
    store = make_store(tmp_path / "both", {"A": {"1m": random_bars(minutes), "1d": random_bars(days)}})
    config["backtest_config"] = {"start_date": "2024-07-01", "end_date": "2024-07-01"}
    config["exchange"]["early_closes"] = {"2024-07-01": "10:00"}
    config["session_data_config"]["historical"] = historical
    config["strategies"] = []
    played = both(config, store, tmp_path)
    records = map(json.loads, (played.live / "journal.jsonl").read_text().splitlines())
    found = [warning for one in records for warning in one["warnings"]]
    assert [one for one in found if "no bars before" in one and "trailing" not in one] == warnings


def play(
    config: dict[str, Any], store: Path, tmp_path: Path, takes_s: float = 0.0, asked: list[str] | None = None
) -> list[str]:
    """Play the day by a server, and return what was seen at each bar."""
    day = date(2024, 7, 2)
    played = Play(load_config(config), BarStore.open(store), tmp_path / "run", day, history_days=150)
    played.server.history_takes_s = takes_s
    with played.start():
        played.time.advance_to(played.close_ns + 600 * S)
    found = verify_run(tmp_path / "run")
    assert (found.differences, found.revisions) == ((), 0)
    if asked is not None:
        requests = [message for _, message in played.server.requests if message["type"] == "history"]
        asked += [one["first"] for one in requests if (one["symbol"], one["interval"]) == ("A", "1m")]
    lines = (tmp_path / "run" / "signals.jsonl").read_text().splitlines()
    return [json.loads(line)["reason"] for line in lines]
