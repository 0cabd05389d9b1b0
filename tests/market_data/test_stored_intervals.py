"""Any intraday interval may be stored; those on the grid of sessions are a base, others are kept and build nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openbell.errors import BadBarsError, IntervalError
from openbell.market_data.data_manager import DataManager
from openbell.model.interval import builds, determine_required_base, parse_interval, why_underivable
from openbell.quality.checker import check_store
from openbell.store.layout import is_stored
from openbell.store.store import BarStore
from openbell.timing import TimeManager

if TYPE_CHECKING:
    from pathlib import Path

DAYS = [date(2024, 4, 1), date(2024, 4, 2), date(2024, 4, 3)]


def frame(step: int, first: tuple[int, int] = (13, 30)) -> pl.DataFrame:
    """Bars of three sessions in New York, from a time of day in UTC to the close."""
    starts = []
    for day in DAYS:
        at = datetime(day.year, day.month, day.day, *first, tzinfo=UTC)
        while at < datetime(day.year, day.month, day.day, 20, tzinfo=UTC):
            starts.append(at)
            at += timedelta(minutes=step)
    close = [100.0 + i for i in range(len(starts))]
    return pl.DataFrame(
        {
            "timestamp": starts, "open": [c - 1 for c in close], "high": [c + 1 for c in close],
            "low": [c - 2 for c in close], "close": close, "volume": [10.0] * len(starts),
        }
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> BarStore:
    store = BarStore.open_or_create(tmp_path / "store")
    with store.writer() as writer:
        for step in (5, 15, 30, 60):
            writer.write(f"M{step}", str(parse_interval(f"{step}m")), frame(step))
        writer.write("CLOCK", "60m", frame(60, (14, 0)))
        writer.write("BOTH", "1m", frame(1))
        writer.write("BOTH", "5m", frame(5))
    return store


def test_stores_take_any_intraday_interval_and_days() -> None:
    assert all(map(is_stored, ("1s", "30s", "1m", "5m", "7m", "60m", "240m", "1d")))
    assert not any(map(is_stored, ("1h", "60s", "1w", "2d", "24h", "x", "")))


def test_intervals_are_listed_finest_first(store: BarStore) -> None:
    assert store.intervals("BOTH") == ("1m", "5m")
    with pytest.raises(IntervalError, match="any interval shorter than a day"), store.writer() as writer:
        writer.write("W", "1w", frame(60))


@pytest.mark.parametrize("step", [5, 15, 30, 60])
def test_bars_on_the_grid_are_read_and_build_coarser_ones(store: BarStore, step: int) -> None:
    manager = DataManager(store, TimeManager("XNYS"))
    own = manager.load_historical_bars(f"M{step}", f"{step}m", DAYS[0], DAYS[-1])
    hours = manager.load_historical_bars(f"M{step}", "60m", DAYS[0], DAYS[-1])
    days = manager.load_historical_bars(f"M{step}", "1d", DAYS[0], DAYS[-1])

    assert len(own) == 3 * -(-390 // step)
    assert (len(hours), len(days)) == (21, 3)
    assert int(own.end[-1]) == int(datetime(2024, 4, 3, 20, tzinfo=UTC).timestamp()) * 10**9
    assert [days.open[0], days.close[-1], days.volume.sum()] == [99.0, 100.0 + len(own) - 1, 10.0 * len(own)]


def test_the_coarsest_that_builds_it_exactly_is_taken(store: BarStore) -> None:
    manager = DataManager(store, TimeManager("XNYS"))

    assert manager.load_historical_bars("BOTH", "15m", DAYS[0], DAYS[0]).volume[0] == 30.0
    assert manager.load_historical_bars("BOTH", "3m", DAYS[0], DAYS[0]).volume[0] == 30.0
    assert determine_required_base("15m", ("1s", "1m", "5m")) == "5m"
    assert determine_required_base("1d", ("1m", "30m")) == "30m"
    assert (builds("5m", "15m"), builds("5m", "7m"), builds("1d", "5m"), builds("1d", "1w")) == (
        True,
        False,
        False,
        True,
    )


def test_bars_on_clock_hours_are_kept_and_the_refusal_says_why(store: BarStore) -> None:
    manager = DataManager(store, TimeManager("XNYS"))
    view = manager.on_day(date(2024, 4, 4))

    assert (view.available_intervals("CLOCK"), view.base_intervals("CLOCK")) == (("60m",), ())
    assert view.base_intervals("M60") == ("60m",)
    assert store.read(["CLOCK"], "60m", None, None).height == 18
    with pytest.raises(IntervalError, match="60m cannot be derived"):
        manager.load_historical_bars("CLOCK", "60m", DAYS[0], DAYS[0])
    (text,) = why_underivable(["60m"], (), ["60m"])
    assert "Stored 60m bars do not begin at multiples of it from the open of trading" in text


def test_clock_hours_are_the_grid_where_trading_opens_at_one(tmp_path: Path) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    with store.writer() as writer:
        writer.write("COIN", "60m", frame(60, (14, 0)))
    manager = DataManager(store, TimeManager("CRYPTO"))

    assert len(manager.load_historical_bars("COIN", "60m", DAYS[0], DAYS[0])) == 6


def test_stored_bars_of_any_interval_are_checked(store: BarStore) -> None:
    found = {(one.symbol, one.interval): one.score for one in check_store(store).series}

    assert found["M5", "5m"].expected == 3 * 78
    assert found["M30", "30m"].missing == 0


def stored(folder: Path, interval: str, bars: pl.DataFrame) -> DataManager:
    store = BarStore.open_or_create(folder / "store")
    with store.writer() as writer:
        writer.write("ODD", interval, bars)
    return DataManager(store, TimeManager("XNYS"))


def test_hours_that_begin_at_the_open_and_then_follow_the_clock_build_nothing(tmp_path: Path) -> None:
    """As Interactive Brokers names them: 09:30, 10:00, 11:00 and so on, of which the first lasts half an hour."""
    first = frame(390)
    manager = stored(tmp_path, "60m", pl.concat([first, frame(60, (14, 0))]).sort("timestamp"))

    assert manager.on_day(date(2024, 4, 4)).base_intervals("ODD") == ()
    with pytest.raises(IntervalError, match="Stored 60m bars do not begin at multiples of it"):
        manager.load_historical_bars("ODD", "120m", DAYS[0], DAYS[-1])


def test_shorter_bars_stored_under_a_longer_interval_build_nothing(tmp_path: Path) -> None:
    assert stored(tmp_path, "5m", frame(1)).on_day(date(2024, 4, 4)).base_intervals("ODD") == ()


@pytest.mark.parametrize("row", [0, 1, 40, 233])
def test_a_single_bar_between_those_of_the_session_is_left_out_and_the_others_are_read(
    tmp_path: Path, row: int
) -> None:
    bars = frame(5)
    later = pl.when(pl.int_range(pl.len()) == row).then(pl.duration(minutes=2)).otherwise(pl.duration(minutes=0))
    manager = stored(tmp_path, "5m", bars.with_columns(pl.col("timestamp") + later))

    own = manager.load_historical_bars("ODD", "5m", DAYS[0], DAYS[-1])

    assert manager.on_day(date(2024, 4, 4)).base_intervals("ODD") == ("5m",)
    assert own.close.tolist() == bars["close"].gather([i for i in range(234) if i != row]).to_list()
    (report,) = check_store(manager.store).series
    assert [(f.kind, f.bars) for f in report.findings if f.kind == "off_grid"] == [("off_grid", 1)]


@pytest.mark.parametrize(("interval", "seconds"), [("1m", 7), ("5m", 30), ("1s", 0.5)])
def test_a_store_takes_no_bars_that_begin_within_their_unit(tmp_path: Path, interval: str, seconds: float) -> None:
    moved = frame(5).with_columns(pl.col("timestamp") + pl.duration(microseconds=int(seconds * 1e6)))

    with pytest.raises(BadBarsError, match=r"the time is not at a full (second|minute)"):
        stored(tmp_path, interval, moved)


def test_bars_off_the_grid_are_reported_by_a_check(store: BarStore, tmp_path: Path) -> None:
    found = {(one.symbol, one.interval): one for one in check_store(store).series}

    clock = found["CLOCK", "60m"]
    assert next(f.kind for f in clock.findings) == "off_grid"
    assert clock.score.percent is not None
    assert clock.score.percent <= 50
    assert "sessions do not use them" in clock.findings[0].text
    with store.writer() as writer:
        writer.write("CLOCK", "1m", frame(1))
    again = {(one.symbol, one.interval): one for one in check_store(store).series}["CLOCK", "60m"]
    assert [(f.severity, f.kind) for f in again.findings] == [("note", "off_grid")]
    assert again.score.percent is None
    assert "make bars of 60m of those of 1m" in again.findings[0].text


def hours_on_the_clock(days: list[date], first: int = 8, last: int = 23) -> pl.DataFrame:
    """Hours of New York's pre-market, session and post-market, as vendors name them; in UTC, in summer."""
    starts = [datetime(d.year, d.month, d.day, hour, tzinfo=UTC) for d in days for hour in range(first, last + 1)]
    return frame(60).head(1).join(pl.DataFrame({"at": starts}), how="cross").with_columns(timestamp="at").drop("at")


@pytest.mark.parametrize("hours", ["regular", "extended"])
def test_hours_of_all_hours_on_the_clock_build_nothing_and_finer_bars_take_their_place(
    tmp_path: Path, hours: str
) -> None:
    store = BarStore.open_or_create(tmp_path / "store")
    with store.writer() as writer:
        writer.write("CLOCK", "60m", hours_on_the_clock(DAYS))
        writer.write("CLOCK", "1m", frame(1))
    manager = DataManager(store, TimeManager("XNYS", session_hours=hours))  # type: ignore[arg-type]

    assert manager.on_day(date(2024, 4, 4)).base_intervals("CLOCK") == ("1m",)
    regular = manager.load_historical_bars("CLOCK", "60m", DAYS[0], DAYS[-1])
    assert int(regular.count.sum()) == 3 * 390


@pytest.mark.parametrize(("odd", "follows"), [(0, True), (1, True), (2, True), (3, False)])
def test_most_months_decide_whether_a_series_is_a_base(tmp_path: Path, odd: int, follows: bool) -> None:
    """Here of four months, of which some are on clock hours."""
    store = BarStore.open_or_create(tmp_path / "store")
    with store.writer() as writer:
        for month in range(4):
            days = [date(2024, 4 + month, day) for day in (8, 9, 10)]
            off = timedelta(minutes=30 if month < odd else 0)
            starts = [datetime(d.year, d.month, d.day, 13 + h, 30, tzinfo=UTC) + off for d in days for h in range(6)]
            bars = frame(60).head(1).join(pl.DataFrame({"at": starts}), how="cross")
            writer.write("MIXED", "60m", bars.with_columns(timestamp="at").drop("at"))

    assert (
        DataManager(store, TimeManager("XNYS")).on_day(date(2024, 8, 1)).base_intervals("MIXED") == ("60m",)
    ) == follows
