"""History that is read across holes is a warning that names the day, whoever asks and for whatever."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from made_bars import made_store
from openbell.config import IndicatorConfig
from openbell.testing import advance
from openbell.timing import TimeManager
from probes import engine, journal, prepared, strategy_at

if TYPE_CHECKING:
    from pathlib import Path

TM = TimeManager("XNYS")
DAY, YESTERDAY = date(2024, 7, 10), date(2024, 7, 9)
SMA = IndicatorConfig("sma", period=20, interval="5m")
HOLE = "2024-07-09 12:30 to 16:00"


def local(ns: int) -> tuple[date, str]:
    moment = TM.to_local(ns)
    return moment.date(), f"{moment:%H:%M}"


def keep(symbol: str, interval: str, ns: int) -> bool:
    day, clock = local(ns)
    if interval == "1d" and symbol == "LISTED":
        return datetime.fromtimestamp(ns / 1e9, UTC).date() >= date(2024, 7, 8)
    if interval == "1d":
        return symbol != "NODAY" or datetime.fromtimestamp(ns / 1e9, UTC).date() != YESTERDAY
    return {
        "HOLE": not (day == YESTERDAY and clock >= "12:30"),
        "NODAY": day != YESTERDAY,
        "THIN": ns // 60_000_000_000 % 3 != 0,
        "MINUTE": not (day == YESTERDAY and clock == "12:30"),
        "TODAY": not (day == DAY and "10:00" <= clock < "11:00"),
        "LISTED": (day, clock) >= (date(2024, 7, 8), "11:30"),
    }.get(symbol, True)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    symbols = ["SPY", "HOLE", "NODAY", "THIN", "MINUTE", "TODAY", "LISTED"]
    return made_store(tmp_path_factory.mktemp("holes") / "store", symbols, "2024-06-10", "2024-07-12", keep=keep)


def warnings_of(system: Any) -> tuple[str, ...]:
    return tuple(system.coordinator.journal.records[-1].warnings)


def add(store: Path, symbol: str, config: IndicatorConfig = SMA, clock: str = "09:30", **keys: Any) -> tuple[str, ...]:
    system = prepared(store, days=str(DAY), **keys)
    advance(system, clock)
    assert system.session_data.add_indicator_unified(symbol, config)
    return warnings_of(system)


def test_a_hole_in_the_warm_up_of_an_ad_hoc_symbol_is_named(store: Path) -> None:
    assert add(store, "HOLE") == (f"5m: 42 bars are missing where it looks back: {HOLE}",)


def test_so_it_is_for_a_symbol_of_the_config(store: Path) -> None:
    indicators = [{"name": "sma", "period": 20, "interval": "5m"}]
    day = engine(store, days=str(DAY), symbols=["HOLE"], indicators=indicators).run()["days"][0]

    assert f"5m: 42 bars are missing where it looks back: {HOLE}" in journal(day, "HOLE")[0]["warnings"]


def test_whole_history_gives_no_warning(store: Path) -> None:
    assert add(store, "SPY") == ()


@pytest.mark.parametrize("symbol", ["THIN", "MINUTE"])
def test_what_thin_trading_explains_is_no_hole(store: Path, symbol: str) -> None:
    assert add(store, symbol, IndicatorConfig("sma", period=300, interval="1m")) == ()


def test_a_hole_of_today_counts_when_the_addition_is_made_after_it(store: Path) -> None:
    assert add(store, "TODAY", clock="10:00") == ()
    (warning,) = add(store, "TODAY", clock="11:30")
    assert warning == "5m: 12 bars are missing where it looks back: 2024-07-10 10:00 to 11:00"


def test_a_session_without_bars_is_named(store: Path) -> None:
    for config in (SMA, IndicatorConfig("sma", period=5, interval="1d"), IndicatorConfig("prior_day", interval="5m")):
        (warning,) = add(store, "NODAY", config)
        assert "because 1 session since then has no bars: 2024-07-09" in warning


def test_trailing_sessions_of_an_ad_hoc_addition_count(store: Path) -> None:
    system = prepared(store, days=str(DAY))

    assert system.session_data.add_bar_unified("HOLE", "5m", days=2)
    assert any(HOLE in warning for warning in warnings_of(system))


def test_min_quality_refuses_the_addition(store: Path) -> None:
    system = prepared(store, days=str(DAY), min_quality=99)

    assert not system.session_data.add_indicator_unified("HOLE", SMA)
    (error,) = system.coordinator.journal.records[-1].errors
    assert "HOLE: its 1m history is" in error
    assert "2024-07-09 12:30:00 to 16:00:00" in error
    assert system.session_data.add_indicator_unified("SPY", SMA)


def test_a_run_reports_it(store: Path) -> None:
    strategy = strategy_at("10:00", lambda context: context.add_indicator("HOLE", SMA))
    day = engine(store, days=str(DAY), strategies=[strategy]).run()["days"][0]

    assert any(HOLE in warning for warning in journal(day, "HOLE")[0]["warnings"])


@pytest.mark.parametrize("days", [2, 5])
def test_a_listing_in_mid_history_is_told_as_one(store: Path, days: int) -> None:
    history = {"data": [{"trailing_days": days, "intervals": ["1m", "1d"]}]}
    keys = {"symbols": ["LISTED"], "indicators": [{"name": "sma", "period": 20, "interval": "5m"}], "min_quality": 99}
    system = prepared(store, days=str(DAY), historical=history, **keys)

    told = [w for w in warnings_of(system) if w.startswith("1m:")]

    begins = "the store's 1m bars begin 2024-07-08 at 11:30, in mid-session: was it listed then?"
    short = f"5 trailing sessions were asked for, 2 have bars ({begins})"
    assert told == [f"1m: {begins if days == 2 else short}"]
    assert not any("missing" in warning for warning in warnings_of(system))
    quality = system.session_data.current["LISTED"].bars["1m"].historical_quality
    assert quality is not None
    assert (quality.percent, quality.expected) == (100.0, 270 + 390)
