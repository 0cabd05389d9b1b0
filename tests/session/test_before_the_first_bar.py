"""What indicators that are aware of sessions say before today's first bar: what can be known then, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openbell import testing
from openbell.store.store import BarStore
from probes import engine, prepared

if TYPE_CHECKING:
    from pathlib import Path

    from openbell.engine.system import SystemManager
    from openbell.session import IndicatorData

OF_TODAY = ("gap", "vwap", "twap", "opening_range", "session_high_low", "relative_volume")
KNOWN = ("prior_day", "pivot_points", "gap_stats")
PARAMS: dict[str, dict[str, Any]] = {
    "relative_volume": {"sessions": 2},
    "gap_stats": {"sessions": 2},
    "high_low": {"sessions": 3},
}
DAYS = ("2024-07-01", "2024-07-02", "2024-07-03", "2024-07-05", "2024-07-08")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Minutes and days of one symbol, the days made of the minutes' opens and closes."""
    minutes = testing.random_bars(testing.bar_starts(DAYS[0], DAYS[-1]), seed=3)
    by_day = minutes.group_by(pl.col("timestamp").dt.date().alias("day"), maintain_order=True)
    days = by_day.agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
    ).select(pl.col("day").cast(pl.Datetime("ns", "UTC")).alias("timestamp"), pl.exclude("day"))
    return testing.make_store(tmp_path / "store", {"A": {"1m": minutes, "1d": days}})


def session(store: Path, *names: str, interval: str = "1m", **keys: Any) -> SystemManager:
    """Indicators of A on 2024-07-08, the clock at the start of trading, with four sessions of history."""
    indicators = [{"name": name, "interval": interval, "params": PARAMS.get(name, {})} for name in names]
    history = {"1m": 4} | ({} if interval == "1m" else {interval: 4})
    return prepared(
        store, days=DAYS[-1], symbols=["A"], streams=[*history], trailing=history, indicators=indicators, **keys
    )


def only(system: SystemManager) -> IndicatorData:
    data = system.session_data.get_symbol_data("A")
    assert data is not None
    (indicator,) = data.indicators.values()
    return indicator


def days_of(store: Path) -> list[dict[str, float]]:
    return BarStore.open(store).read(["A"], "1d", None, None).to_dicts()


@pytest.mark.parametrize("name", OF_TODAY)
def test_what_is_of_today_is_not_valid_before_the_first_bar(store: Path, name: str) -> None:
    system = session(store, name)
    indicator = only(system)

    assert (indicator.value, indicator.valid, indicator.settled) == (None, False, False)
    testing.advance(system, "10:00")
    assert indicator.valid


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("interval", ["1m", "5m"])
def test_what_depends_on_earlier_sessions_is_known_before_the_open_and_stays(
    store: Path, name: str, interval: str
) -> None:
    system = session(store, name, interval=interval)
    indicator = only(system)
    before = indicator.value

    assert before is not None
    assert indicator.settled
    testing.advance(system, "10:00")
    assert indicator.value == before


def test_prior_day_is_yesterday_at_every_moment_of_the_day_on_minutes_and_on_days(store: Path) -> None:
    yesterday = days_of(store)[-2]
    wanted = {name: yesterday[name] for name in ("high", "low", "close")}
    for interval in ("1m", "5m", "1d"):
        system = session(store, "prior_day", interval=interval)
        for clock in ("09:30", "09:31", "12:00", "16:00"):
            testing.advance(system, clock)
            assert only(system).value == wanted, (interval, clock)


def test_the_gap_of_daily_bars_is_known_when_today_has_closed(store: Path) -> None:
    system = session(store, "gap", interval="1d")
    *_, yesterday, today = days_of(store)

    testing.advance(system, "15:59")
    assert only(system).value is None
    testing.advance(system, "16:00")
    assert only(system).value == pytest.approx(100 * (today["open"] / yesterday["close"] - 1))


def test_the_highest_of_some_sessions_stands_until_today_has_a_bar(store: Path) -> None:
    days = days_of(store)
    system = session(store, "high_low")

    assert only(system).value == {
        "high": max(day["high"] for day in days[-4:-1]),
        "low": min(day["low"] for day in days[-4:-1]),
    }
    testing.advance(system, "16:00")
    assert only(system).value == {
        "high": max(day["high"] for day in days[-3:]),
        "low": min(day["low"] for day in days[-3:]),
    }


def test_a_symbol_that_does_not_trade_today_has_no_gap_today(tmp_path: Path) -> None:
    starts = testing.bar_starts(DAYS[0], DAYS[-1])
    silent = starts[starts < testing.bar_starts(DAYS[-1], DAYS[-1])[0]]
    frames = {"A": {"1m": testing.random_bars(silent)}, "B": {"1m": testing.random_bars(starts)}}
    store = testing.make_store(tmp_path / "store", frames)
    for policy in ({}, {"gap_policy": "forward"}):
        system = prepared(
            store, days=DAYS[-1], symbols=["A", "B"], streams=["1m"], trailing={"1m": 2},
            indicators=[{"name": "gap", "interval": "1m"}, {"name": "prior_day", "interval": "1m"}], **policy,
        )  # fmt: skip
        testing.advance(system, "12:00")

        assert system.session_data.get_indicator("A", "gap_1m").valid is False
        assert system.session_data.get_indicator("A", "prior_day_1m").value["close"] is not None
        assert system.session_data.get_indicator("B", "gap_1m").valid is True


@pytest.mark.parametrize("name", [*OF_TODAY, *KNOWN])
def test_with_extended_hours_the_pre_market_is_before_the_first_bar(minute_store: Path, name: str) -> None:
    system = prepared(
        minute_store, symbols=["SPY"], session_hours="extended", trailing={"1m": 3}, streams=["1m"],
        indicators=[{"name": name, "interval": "1m", "params": PARAMS.get(name, {})}],
    )  # fmt: skip
    data = system.session_data.get_symbol_data("SPY")
    assert data is not None
    (indicator,) = data.indicators.values()
    before = indicator.value

    testing.advance(system, "09:20")
    assert len(data.bars["1m"].today) > 0
    assert indicator.value == before
    assert indicator.valid is (name in KNOWN)


def test_the_gap_scanner_adds_nothing_on_yesterdays_gap_and_still_looks_after_the_open(store: Path) -> None:
    result = engine(
        store,
        days=DAYS[-1],
        symbols=["A"],
        streams=["1m"],
        trailing={"1m": 2},
        scanners=[
            {
                "module": "openbell.examples.gap:Gap",
                "universe": ["A"],
                "pre_session": True,
                "schedule": [{"start": "09:35", "end": "09:35", "every": "5m"}],
                "config": {"min_percent": 0},
            }
        ],
    ).run()

    (day,) = result.days
    assert [scan.symbols for scan in day.scans] == [(), ("A",)]
