"""Sessions in a row across two splits and a dividend: all that a strategy sees of a day is on the basis of that day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from made_actions import actions
from made_bars import made_store
from openbell.actions import ActionStore
from openbell.store.store import BarStore
from openbell.testing import probe_strategy
from openbell.timing import TimeManager
from probes import engine

if TYPE_CHECKING:
    from pathlib import Path

XNYS = TimeManager("XNYS")
INTERVALS = ("1m", "5m", "240m", "1d", "1w")
DAYS = XNYS.sessions(date(2014, 6, 10), date(2014, 6, 20))  # the weekly bars of two Fridays are made of both bases
SPLIT, DIVIDEND, REVERSE = date(2014, 6, 11), date(2014, 6, 12), date(2014, 6, 18)
BUILT = date(2014, 6, 5)
PERIOD = 5


@pytest.fixture(scope="module", params=[True, False], ids=["days stored", "days of minutes"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Minutes and, of all days but one, the days that they make; or the minutes alone."""
    folder = made_store(tmp_path_factory.mktemp("basis") / "s", ["X"], "2014-04-21", "2014-06-27", intervals=["1m"])
    if request.param:
        days = by_day(minutes_of(folder)).filter(pl.col("day") != BUILT).rename({"day": "timestamp"})
        midnight = pl.col("timestamp").cast(pl.Datetime("ns")).dt.replace_time_zone("UTC")
        BarStore.open(folder).write("X", "1d", days.with_columns(midnight))
    known = [("X", SPLIT, "split", 4), ("X", DIVIDEND, "dividend", 2.0), ("X", REVERSE, "split", 0.1)]
    ActionStore(folder).write(actions(*known))
    return folder


def minutes_of(folder: Path) -> pl.DataFrame:
    frame = BarStore.open(folder).read(["X"], "1m", None, None).drop("symbol")
    return frame.with_columns(day=pl.col("timestamp").dt.convert_time_zone("America/New_York").dt.date())


def by_day(minutes: pl.DataFrame, day: str = "day") -> pl.DataFrame:
    return minutes.group_by(day, maintain_order=True).agg(
        *(pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last()),
        pl.col("volume").sum(),
    )


def on_basis_of(day: date, minutes: pl.DataFrame, adjustment: str) -> pl.DataFrame:
    """The minutes through ``day`` as known on it, action by action."""
    before = minutes.filter(pl.col("day") < DIVIDEND)["close"][-1]
    known = minutes.filter(pl.col("day") <= day)
    for ex_date, shares, payout in ((SPLIT, 4, 1.0), (DIVIDEND, 1, 1 - 2.0 / before), (REVERSE, 0.1, 1.0)):
        if ex_date > day or adjustment == "raw":
            continue
        price = payout / shares if adjustment == "total" else 1 / shares
        early = pl.when(pl.col("day") < ex_date)
        changes = [
            early.then(pl.col(n) * price).otherwise(pl.col(n)).alias(n) for n in ("open", "high", "low", "close")
        ]
        known = known.with_columns(*changes, early.then(pl.col("volume") * shares).otherwise(pl.col("volume")))
    return known


def seen_by_a_strategy(store: Path, days: tuple[str, str], adjustment: str) -> dict[tuple[date, str], list[Any]]:
    """By day and interval: the history (close, high, volume), and of each bar with its mean (high, close, volume)."""
    seen: dict[tuple[date, str], list[Any]] = {}

    def setup(probe: Any) -> None:
        for interval in INTERVALS:
            past = probe.context.bars("X", interval).history
            seen[probe.context.session_date, interval] = [np.array([past.close, past.high, past.volume])]

    def on_bar(probe: Any, bar: Any) -> None:
        mean = probe.context.indicator("X", f"sma_{PERIOD}_{bar.interval}").value
        seen[probe.context.session_date, bar.interval].append((bar.high, bar.close, bar.volume, mean))

    watching = probe_strategy(subscriptions=[("X", i) for i in INTERVALS], setup=lambda p: setup(p), on_bar=lambda p, b: on_bar(p, b))  # fmt: skip # noqa: E501
    system = engine(
        store,
        symbols=["X"],
        days=days,
        streams=INTERVALS,
        historical={"gap_fill": True, "data": [{"trailing_days": 12, "intervals": ["1m", "1d"]}]},
        indicators=[{"name": "sma", "period": PERIOD, "interval": i} for i in INTERVALS],
        strategies=[watching],
        adjustment=adjustment,
    )
    assert [day["dropped"] for day in system.run()["days"]] == [{}] * len(XNYS.sessions(*map(date.fromisoformat, days)))
    return seen


@pytest.mark.parametrize("adjustment", ["raw", "split", "total"])
def test_history_bars_and_means_are_on_the_basis_of_the_day(store: Path, adjustment: str) -> None:
    minutes = minutes_of(store)
    seen = seen_by_a_strategy(store, (str(DAYS[0]), str(DAYS[-1])), adjustment)

    for day in DAYS:
        known = on_basis_of(day, minutes, adjustment)
        days = by_day(known)
        weeks = by_day(days.with_columns(week=pl.col("day").dt.truncate("1w")), "week")
        for interval, expected, today in (("1m", known, 390), ("1d", days, 1), ("1w", weeks, day.weekday() == 4)):
            (past, *bars) = seen[day, interval]
            whole = expected[: len(expected) - (today if interval != "1w" else 1)]
            assert past.shape[1] >= PERIOD
            assert np.allclose(past, whole.select("close", "high", "volume").to_numpy()[-past.shape[1] :].T, rtol=1e-9)
            assert len(bars) == today
            if bars:
                last = expected.row(-1, named=True)
                mean = expected["close"].tail(PERIOD).mean()
                assert np.allclose(bars[-1], (last["high"], last["close"], last["volume"], mean), rtol=1e-9), interval


@pytest.mark.parametrize("day", [SPLIT, DIVIDEND, DAYS[-1]])
def test_a_day_sees_the_same_alone_and_after_others(store: Path, day: date) -> None:
    alone = seen_by_a_strategy(store, (str(day), str(day)), "total")
    in_a_row = seen_by_a_strategy(store, (str(DAYS[0]), str(DAYS[-1])), "total")

    for interval in INTERVALS:
        (past, *bars), (same_past, *same_bars) = alone[day, interval], in_a_row[day, interval]
        assert np.array_equal(past, same_past)
        assert np.allclose(np.array(bars), np.array(same_bars), rtol=1e-12)
