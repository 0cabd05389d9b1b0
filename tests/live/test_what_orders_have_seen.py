"""What resting orders have seen of the bars stays, live as in a backtest."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from live.live_run import Play
from live.parity import both
from live.sessions import early, session
from openbell.config import load_config
from openbell.live.record.verify import verify_run
from openbell.store.store import BarStore
from openbell.testing import make_store
from trading import DAY, bars_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FALLING = [100.0] * 30 + np.linspace(100, 95, 60).tolist() + [95.0]
DIPS_AT_1022 = [100.0] * 52 + [98.0, 100.0]


def config_of(at: dict[str, Any], *pairs: tuple[str, str]) -> dict[str, Any]:
    strategy = {"module": "live.traders:Scheduled", "config": {"pairs": [list(pair) for pair in pairs], "at": at}}
    symbols = list(dict.fromkeys(symbol for symbol, _ in pairs))
    streams = list(dict.fromkeys(interval for _, interval in pairs))
    return session(strategy, days=DAY, symbols=symbols, streams=streams, exchange=early("12:00", DAY))


def fills_of(lines: Sequence[str]) -> list[tuple[str, float, float]]:
    fills = [json.loads(line) for line in lines]
    return [(fill["time"][11:16], fill["quantity"], fill["price"]) for fill in fills]


def require_fills(config: dict[str, Any], store: Path, folder: Path, expected: list[tuple[str, float, float]]) -> None:
    """Play a config as a backtest and live, and compare the fills of both, of which live ones may be verified."""
    runs = both(config, store, folder)
    assert fills_of(runs.lines("fills.jsonl")) == expected
    assert runs.differences == []
    assert verify_run(runs.live).differences == ()


@pytest.mark.parametrize("change", [{"quantity": 101}, {"trail": 3}])
def test_a_trailing_stop_that_is_replaced_goes_on_from_the_best_price_it_has_seen(
    change: dict[str, float], tmp_path: Path
) -> None:
    store = make_store(tmp_path / "store", {"ABC": {"1m": bars_of(FALLING)}})
    at = {
        "ABC 10:00": [["order", {"symbol": "ABC", "quantity": 100, "trail": 2}]],
        "ABC 11:30": [["replace", change]],
    }
    require_fills(config_of(at, ("ABC", "1m")), store, tmp_path, [])


def test_a_finer_interval_leaves_a_trailing_stop_the_best_price_it_has_seen(tmp_path: Path) -> None:
    minutes = bars_of(FALLING)
    store = make_store(tmp_path / "store", {"ABC": {"1m": minutes, "5m": bars_of(FALLING[::5], interval="5m")}})
    at = {
        "ABC 10:00": [["order", {"symbol": "ABC", "quantity": 100, "trail": 2}]],
        "ABC 11:30": [["add_bar", {"symbol": "ABC", "interval": "1m"}]],
    }
    require_fills(config_of(at, ("ABC", "5m")), store, tmp_path, [])


def dips(folder: Path) -> Path:
    minutes = {"1m": bars_of(DIPS_AT_1022)}
    coarse = bars_of([100.0] * 10 + [(100.0, 100.0, 98.0, 100.0), 100.0], interval="5m")
    return make_store(folder, {"ABC": {**minutes, "5m": coarse}, "XYZ": {"1m": bars_of([50.0])}})


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"quantity": -100, "stop": 99}, ("10:22", -100.0, 98.0)),
        ({"quantity": 100, "limit": 99.5}, ("10:22", 100.0, 98.0)),
        ({"quantity": -100, "trail": 1}, ("10:22", -100.0, 98.0)),
    ],
)
def test_orders_fill_in_the_finer_bars_that_a_session_gets_from_then_on(
    order: dict[str, float], expected: tuple[str, float, float], tmp_path: Path
) -> None:
    at = {
        "ABC 10:10": [["order", {"symbol": "ABC", "tif": "gtc", **order}]],
        "ABC 10:20": [["add_bar", {"symbol": "ABC", "interval": "1m"}]],
    }
    require_fills(config_of(at, ("ABC", "5m")), dips(tmp_path / "store"), tmp_path, [expected])


@pytest.mark.parametrize("clock", ["10:21", "10:22", "10:23", "10:24"])
def test_what_a_running_bar_has_held_is_seen_in_the_finer_bars_that_come_for_it(clock: str, tmp_path: Path) -> None:
    at = {
        "ABC 10:10": [["order", {"symbol": "ABC", "quantity": -100, "stop": 99, "tif": "gtc"}]],
        f"XYZ {clock}": [["add_bar", {"symbol": "ABC", "interval": "1m"}]],
    }
    config = config_of(at, ("ABC", "5m"), ("XYZ", "1m"))
    config["session_data_config"] |= {"symbols": ["XYZ"], "streams": ["1m"]}
    config["strategies"][0]["config"]["at"] |= {"XYZ 09:31": [["add_bar", {"symbol": "ABC", "interval": "5m"}]]}
    require_fills(config, dips(tmp_path / "store"), tmp_path, [("10:22", -100.0, 98.0)])


def test_a_bar_that_comes_late_is_seen_by_a_trailing_stop_in_its_place(tmp_path: Path) -> None:
    """The stop of then was far above it, and that of now is below."""
    store = make_store(tmp_path / "store", {"ABC": {"1m": bars_of(FALLING)}})
    at = {"ABC 10:00": [["order", {"symbol": "ABC", "quantity": 100, "trail": 2}]]}
    config = load_config(config_of(at, ("ABC", "1m")))
    play = Play(config, BarStore.open(store), tmp_path / "run", date.fromisoformat(DAY))
    play.tape.late(3600, lambda bar: bar.start_ns == play.at(35))

    with play.start() as running:
        play.time.advance_to(play.close_ns + 400_000_000_000)
        running.result()

    assert not (tmp_path / "run" / "fills.jsonl").read_text()
    found = verify_run(tmp_path / "run")
    assert (found.differences, found.revisions) == ((), 1)


def test_a_trailing_stop_that_is_placed_at_the_close_follows_over_the_night_live_too(tmp_path: Path) -> None:
    days = (DAY, "2024-07-03")
    store = make_store(tmp_path / "store", {"ABC": {"1m": bars_of([100.0] * 390 + [97.0], days)}})
    at = {"ABC 16:00": [["order", {"symbol": "ABC", "quantity": -100, "trail": 2, "tif": "gtc"}]]}
    config = config_of(at, ("ABC", "1m")) | {"exchange": "XNYS"}
    config["backtest_config"] = {"start_date": days[0], "end_date": days[1]}
    require_fills(config, store, tmp_path, [("09:30", -100.0, 97.0)])
