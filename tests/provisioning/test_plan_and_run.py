"""A plan gives the history that the run loads, and history is asked for in sessions or in bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from made_bars import made_store
from openbell.errors import ConfigError
from probes import engine, journal, prepared

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2024-07-10"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plans") / "store"
    return made_store(
        folder, ["A", "B"], "2024-06-03", "2024-07-12",
        keep=lambda symbol, interval, ns: symbol == "A" or interval == "1d" or ns // 60_000_000_000 % 7 != 3,
    )  # fmt: skip


@pytest.mark.parametrize("policy", ["none", "forward"])
@pytest.mark.parametrize(
    "more",
    [
        {"trailing": {"1m": 2}},
        {"trailing": {"1m": 2}, "indicators": [{"name": "sma", "period": 300, "interval": "5m"}]},
        {"trailing": {"1d": 10, "1w": 10, "5m": 1}},
        {"indicators": [{"name": "relative_volume", "interval": "5m", "params": {"sessions": 5}}]},
        {},
    ],
)
def test_a_plan_gives_the_history_that_the_run_loads(store: Path, more: dict[str, Any], policy: str) -> None:
    keys = {"days": DAY, "symbols": ["A", "B"], "gap_policy": policy, **more}
    planned = engine(store, **keys).plan().days[0].symbols
    session = prepared(store, **keys).session_data

    for symbol in ("A", "B"):
        series = session.get_symbol_data(symbol).bars
        assert planned[symbol].historical.keys() == series.keys()
        for name, history in planned[symbol].historical.items():
            past = series[name].history
            assert history.bars + history.synthetic == len(past), name
            assert history.synthetic == int((past.count == 0).sum())


def test_trailing_bars_are_loaded_of_every_interval(store: Path) -> None:
    history = {"data": [{"trailing_bars": 500, "intervals": ["5m", "1d"], "apply_to": ["A"]}]}
    day = engine(store, days=DAY, symbols=["A"], historical=history).run()["days"][0]

    assert day["symbols"]["A"]["bars"]["5m"]["historical_rows"] == 500
    assert day["symbols"]["A"]["bars"]["1m"]["historical_rows"] == 2500
    (warning,) = [text for text in journal(day, "A")[0]["warnings"] if text.startswith("1d")]
    assert "1d: 500 trailing bars were asked for, 25 are there (the store's 1d bars begin 2024-06-03)" in warning


def test_the_deeper_of_sessions_and_bars_is_loaded(store: Path) -> None:
    for days, bars, rows in ((1, 500, 500), (3, 500, 3 * 390)):
        entry = {"trailing_days": days, "trailing_bars": bars, "intervals": ["1m"]}
        system = prepared(store, days=DAY, symbols=["A"], historical={"data": [entry]})
        assert len(system.session_data.get_symbol_data("A").bars["1m"].history) == rows


def test_an_entry_without_either_is_refused(store: Path) -> None:
    with pytest.raises(ConfigError, match=r"historical\.data\[0\].*trailing_days \(sessions\) or trailing_bars"):
        engine(store, days=DAY, historical={"data": [{"intervals": ["1m"]}]})
