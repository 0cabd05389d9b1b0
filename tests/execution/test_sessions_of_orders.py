"""From the first bar to the last, over halts, breaks, nights and half days, orders fill where the guide says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openbell.testing import bar_starts
from trading import bars_of, trade

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

MONDAY, FRIDAY = "2024-07-01", "2024-07-05"
HALF_DAY, HOLIDAY = "2024-07-03", "2024-07-04"


def order(quantity: float = 10, **more: Any) -> Callable[[Any], object]:
    return lambda strategy: strategy.context.order("ABC", quantity, **more)


def rising(n: int) -> float:
    return 100 + n / 100


@dataclass(frozen=True)
class Case:
    """A session that trades, and when and how its orders end."""

    says: str
    at: Mapping[str, Callable[[Any], object]]
    fills: list[str]
    """The times of the fills at the exchange."""
    ends: str = "filled"
    """The last status of the first order, and the beginning of its reason."""
    days: tuple[str, str] = ("2024-07-02", "2024-07-02")
    exchange: str = "XNYS"
    interval: str = "1m"
    hours: str = "regular"
    missing: tuple[tuple[str, str], ...] = ()
    """From when until before when there are no bars, in exchange time."""
    session: Mapping[str, Any] = field(default_factory=dict)
    setup: Callable[[Any], object] | None = None
    prices: Callable[[int], float] = rising


def at_setup(day: str, do: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda strategy: do(strategy) if str(strategy.context.session_data.session_date) == day else None


CASES = [
    Case("an order of the setup fills at the open", {}, ["2024-07-02 09:30"], setup=at_setup("2024-07-02", order())),
    Case(
        "an order on the open of the setup",
        {},
        ["2024-07-02 09:30"],
        setup=at_setup("2024-07-02", order(type="market_on_open")),
    ),
    Case(
        "an order on the open that comes later is the next session's",
        {"2024-07-01 09:31": order(type="market_on_open")},
        ["2024-07-02 09:30"],
        days=(MONDAY, "2024-07-02"),
    ),
    Case("the last bar fills at its open", {"15:59": order()}, ["2024-07-02 15:59"]),
    Case(
        "an order at the close is the next session's",
        {"2024-07-02 16:00": order()},
        ["2024-07-03 09:30"],
        days=("2024-07-02", HALF_DAY),
    ),
    Case("an order at the close of the last session stays open", {"16:00": order()}, [], ends="accepted"),
    Case(
        "the night before a holiday lasts until the next session",
        {"2024-07-03 13:00": order()},
        ["2024-07-05 09:30"],
        days=(HALF_DAY, FRIDAY),
    ),
    Case("an order on the close", {"10:00": order(type="market_on_close")}, ["2024-07-02 16:00"]),
    Case(
        "an order on the close of a half day",
        {"12:45": order(type="market_on_close")},
        ["2024-07-03 13:00"],
        days=(HALF_DAY, HALF_DAY),
    ),
    Case(
        "an order on the close after the cutoff of a half day",
        {"12:55": order(type="market_on_close")},
        [],
        ends="rejected: market-on-close orders are taken until 12:50",
        days=(HALF_DAY, HALF_DAY),
    ),
    Case(
        "an order on the close at the close is the next session's",
        {"2024-07-02 16:00": order(type="market_on_close")},
        ["2024-07-03 13:00"],
        days=("2024-07-02", HALF_DAY),
    ),
    Case(
        "the close of a symbol whose last bar is earlier is known at the close",
        {"15:00": order(type="market_on_close")},
        ["2024-07-02 16:00"],
        missing=(("2024-07-02 15:58", "2024-07-02 16:00"),),
    ),
    Case(
        "an order on the close without any bar left",
        {"15:00": order(type="market_on_close")},
        [],
        ends="expired: no bars of ABC",
        missing=(("2024-07-02 15:00", "2024-07-02 16:00"),),
    ),
    Case(
        "after a halt the first bar's open",
        {"10:00": order()},
        ["2024-07-02 10:30"],
        missing=(("2024-07-02 10:00", "2024-07-02 10:30"),),
    ),
    Case(
        "a stop within a halt fills at the open after it",
        {"10:00": order(stop=100.35)},
        ["2024-07-02 10:30"],
        missing=(("2024-07-02 10:00", "2024-07-02 10:30"),),
    ),
    Case(
        "a halt until the close",
        {"10:00": order()},
        [],
        ends="expired: no bars of ABC",
        missing=(("2024-07-02 10:00", "2024-07-02 16:00"),),
    ),
    Case(
        "synthetic bars are not filled on",
        {"10:05": order()},
        ["2024-07-02 10:30"],
        missing=(("2024-07-02 10:00", "2024-07-02 10:30"),),
        session={"gap_policy": "forward"},
    ),
    Case("over a lunch break", {"12:00": order()}, ["2024-07-02 13:00"], exchange="XHKG"),
    Case(
        "a day order lasts over a lunch break",
        {"11:00": order(limit=100.5, stop=102.0)},
        ["2024-07-02 14:39"],
        exchange="XHKG",
        prices=lambda n: 100 + min(n, 230) / 100 - max(n - 230, 0) / 10,
    ),
    Case(
        "over midnight in a session that does",
        {"2024-07-01 23:55": order()},
        ["2024-07-01 23:55"],
        days=("2024-07-02", "2024-07-02"),
        exchange="CMES",
        interval="5m",
    ),
    Case(
        "over the hour without trading is the next session's",
        {"2024-07-02 16:00": order()},
        ["2024-07-02 17:00"],
        days=("2024-07-02", "2024-07-03"),
        exchange="CME_GLOBEX",
        interval="5m",
    ),
    Case(
        "a day order ends with its session, not at midnight",
        {"2024-07-01 20:00": order(limit=50)},
        [],
        ends="expired: its price was not reached",
        days=("2024-07-02", "2024-07-02"),
        exchange="CMES",
        interval="5m",
    ),
    Case(
        "around the clock a day is one of UTC",
        {"23:00": order(limit=50)},
        [],
        ends="expired: its price was not reached",
        exchange="24/7",
        interval="60m",
    ),
    Case(
        "around the clock an order at midnight is the next day's",
        {"2024-07-03 00:00": order()},
        ["2024-07-03 00:00"],
        days=("2024-07-02", "2024-07-03"),
        exchange="24/7",
        interval="60m",
    ),
    Case("a market order before the open waits for it", {"08:00": order()}, ["2024-07-02 09:30"], hours="extended"),
    Case(
        "a limit order before the open waits for it, too",
        {"08:00": order(limit=200)},
        ["2024-07-02 09:30"],
        hours="extended",
    ),
    Case(
        "an extended limit order fills before the open",
        {"08:00": order(limit=200, extended=True)},
        ["2024-07-02 08:00"],
        hours="extended",
    ),
    Case(
        "an extended limit order fills after the close",
        {"17:00": order(limit=200, extended=True)},
        ["2024-07-02 17:00"],
        hours="extended",
    ),
    Case(
        "a market order after the close is the next session's",
        {"2024-07-02 17:00": order()},
        ["2024-07-03 09:30"],
        days=("2024-07-02", HALF_DAY),
        hours="extended",
    ),
    Case(
        "a day order ends with the regular session",
        {"10:00": order(limit=50)},
        [],
        ends="expired: its price was not reached",
        hours="extended",
    ),
    Case(
        "gtc lasts until it fills",
        {"2024-07-01 10:00": order(stop=105, tif="gtc")},
        ["2024-07-02 11:20"],
        days=(MONDAY, HALF_DAY),
    ),
    Case("gtc stays open at the end of the run", {"10:00": order(limit=50, tif="gtc")}, [], ends="accepted"),
    Case(
        "gtd fills on its last day",
        {"2024-07-01 10:00": order(stop=105, tif="gtd", until=date(2024, 7, 2))},
        ["2024-07-02 11:20"],
        days=(MONDAY, HALF_DAY),
    ),
    Case(
        "gtd ends with its last day",
        {"2024-07-01 10:00": order(stop=109, tif="gtd", until=date(2024, 7, 2))},
        [],
        ends="expired: its price was not reached",
        days=(MONDAY, HALF_DAY),
    ),
    Case(
        "gtd until a day without a session ends with the one before",
        {"2024-07-02 10:00": order(stop=200, tif="gtd", until=date(2024, 7, 4))},
        [],
        ends="expired: its last day, 2024-07-04, is over",
        days=("2024-07-02", FRIDAY),
    ),
    Case(
        "gtd until yesterday",
        {"10:00": order(limit=50, tif="gtd", until=date(2024, 7, 1))},
        [],
        ends="rejected: its last day, 2024-07-01, is before",
    ),
    Case(
        "daily bars: the next session's open",
        {"2024-07-01 16:00": order()},
        ["2024-07-02 09:30"],
        days=(MONDAY, HALF_DAY),
        interval="1d",
    ),
    Case(
        "daily bars: the next session's close",
        {"2024-07-01 16:00": order(type="market_on_close")},
        ["2024-07-02 16:00"],
        days=(MONDAY, HALF_DAY),
        interval="1d",
    ),
    Case(
        "daily bars: a stop within the bar",
        {"2024-07-01 16:00": order(stop=100.01)},
        ["2024-07-02 09:30"],
        days=(MONDAY, HALF_DAY),
        interval="1d",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_an_order_fills_where_the_guide_says(tmp_path: Path, case: Case) -> None:
    run = trade(
        tmp_path,
        {"ABC": {case.interval: bars_of_case(case)}},
        case.at,
        days=case.days,
        streams=(case.interval,),
        watch=[("ABC", case.interval)],
        exchange=case.exchange,
        session={"session_hours": case.hours, **case.session},
        methods={"setup": case.setup} if case.setup else {},
        execution={"instruments": {"ABC": {"multiplier": 50}}, "cash": 1e6},
    )

    assert [f"{fill.time:%Y-%m-%d %H:%M}" for fill in run.fills] == case.fills
    last = run.last("probe-1")
    assert f"{last.status}{f': {last.reason}' if last.reason else ''}".startswith(case.ends)


def bars_of_case(case: Case) -> pl.DataFrame:
    """Bars whose prices tell which they are, without those that are missing."""
    starts = bar_starts(*case.days, case.interval, exchange=case.exchange, session_hours=case.hours)  # type: ignore[arg-type]
    price = [case.prices(n) for n in range(len(starts))]
    frame = pl.DataFrame(
        {
            "timestamp": pl.Series(starts).cast(pl.Datetime("ns", "UTC")),
            **dict.fromkeys(("open", "high", "low", "close"), price),
            "volume": [1_000.0] * len(starts),
        }
    )
    local = pl.col("timestamp").dt.convert_time_zone("America/New_York").dt.strftime("%Y-%m-%d %H:%M")
    for first, before in case.missing:
        frame = frame.filter((local < first) | (local >= before))
    return frame


@pytest.mark.parametrize("terms", [{}, {"limit": 101.0}, {"stop": 100.0}])
@pytest.mark.parametrize("volume", [0.0, 5.0])
def test_what_finds_no_volume_expires_with_that_reason(tmp_path: Path, terms: dict[str, float], volume: float) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0], volume=volume)}},
        {"15:50": lambda s: s.context.order("ABC", 1, **terms)},
        execution={"fills": {"max_volume_share": 0.1}},
    )

    assert not run.fills
    assert run.last("probe-1").reason == (
        "it was reached, and no bar's volume left a unit to it: fills.max_volume_share is 0.1"
    )


SELL_TRAIL = {"quantity": -100, "trail": 2, "tif": "gtc"}


@pytest.mark.parametrize(
    ("clock", "bars"),
    [("15:59", 390), ("16:00", 390), ("15:55", 385)],
    ids=["a bar follows", "at the close", "after the last bar of the symbol"],
)
@pytest.mark.parametrize("history", [None, {"data": [{"trailing_days": 1, "intervals": ["1m"]}]}])
def test_a_trailing_stop_follows_over_the_night_from_the_last_price_before_it(
    tmp_path: Path, clock: str, bars: int, history: Any
) -> None:
    days = (MONDAY, "2024-07-02")
    minutes = bars_of([100.0] * 390 + [90.0], days)
    run = trade(
        tmp_path,
        {"ABC": {"1m": pl.concat([minutes.head(bars), minutes.tail(390)])}},
        {f"{MONDAY} {clock}": order(**SELL_TRAIL)},
        days=days,
        session={} if history is None else {"historical": history},
    )

    assert [(f"{fill.time:%d %H:%M}", fill.price) for fill in run.fills] == [("02 09:30", 90.0)]


def test_a_trailing_stop_that_is_placed_after_the_regular_hours_follows_from_the_price_of_then(tmp_path: Path) -> None:
    days = (MONDAY, "2024-07-02")
    minutes = bars_of([100.0] * 960 + [90.0], days, session_hours="extended")
    run = trade(
        tmp_path,
        {"ABC": {"1m": minutes}},
        {f"{MONDAY} 17:30": order(**SELL_TRAIL)},
        days=days,
        session={"session_hours": "extended"},
    )

    assert [(f"{fill.time:%d %H:%M}", fill.price) for fill in run.fills] == [("02 09:30", 90.0)]


def test_a_trailing_stop_of_daily_bars_follows_from_the_close_at_which_it_is_placed(tmp_path: Path) -> None:
    run = trade(
        tmp_path,
        {"ABC": {"1d": bars_of([100.0, 90.0, 80.0, 70.0], (MONDAY, FRIDAY), "1d")}},
        {f"{MONDAY} 16:00": order(**SELL_TRAIL)},
        days=(MONDAY, FRIDAY),
        streams=("1d",),
        watch=(("ABC", "1d"),),
    )

    assert [(f"{fill.time:%d}", fill.price) for fill in run.fills] == [("02", 90.0)]


def test_a_trailing_stop_of_the_setup_follows_a_position_from_its_last_price(tmp_path: Path) -> None:
    days = (MONDAY, "2024-07-02")
    run = trade(
        tmp_path,
        {"ABC": {"1m": bars_of([100.0] * 390 + [90.0], days)}},
        {f"{MONDAY} 10:00": order(100)},
        days=days,
        methods={"setup": at_setup("2024-07-02", order(**SELL_TRAIL))},
    )

    assert [(f"{fill.time:%d %H:%M}", fill.price) for fill in run.fills] == [("01 10:00", 100.0), ("02 09:30", 90.0)]
